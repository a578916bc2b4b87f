"""The life-cycle statuses of a plateforme agréée that keep an invoice out of collection."""

from __future__ import annotations

LIFE_CYCLE = "cycle de vie des factures, XP Z12-012, statut {code}"

PA_STATUSES: dict[int, tuple[str, str]] = {
    206: (
        "le client ne l'a approuvée qu'en partie ; voyez avec lui ce qu'il conteste.",
        "the customer approved only part of it; see what they contest.",
    ),
    207: (
        "le client la conteste sur sa plateforme ; une personne doit lui répondre.",
        "the customer disputes it on their platform; a person must answer.",
    ),
    208: (
        "le client attend des pièces ; complétez-la sur votre plateforme.",
        "the customer waits for documents; complete it on your platform.",
    ),
    210: (
        "le client l'a refusée ; annulez-la par un avoir ou corrigez-la.",
        "the customer refused it; cancel it by a credit note or correct it.",
    ),
    213: (
        "une plateforme l'a rejetée, le client ne l'a pas reçue ; corrigez-la.",
        "a platform rejected it, the customer did not get it; correct it.",
    ),
    220: ("elle est annulée sur la plateforme.", "it is cancelled on the platform."),
    225: ("elle est affacturée : elle revient au factor.", "it is factored: it is the factor's."),
    226: (
        "elle est affacturée de façon confidentielle : elle revient au factor.",
        "it is factored confidentially: it is the factor's.",
    ),
    227: (
        "le compte à payer a changé ; une personne doit vérifier que ce n'est pas une fraude.",
        "the account to pay changed; a person must check that this is no fraud.",
    ),
}
"""By code: what happened to `Facture F-12 : …`, and what to do about it; French, then English."""
