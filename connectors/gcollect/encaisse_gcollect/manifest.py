"""What the connector declares: everything in it is assumed, nothing is a page of the vendor.

GCollect speaks of an open API for partners but publishes no description of it, so there is no live
host here: a grant of environment `live` cannot be made before the vendor has confirmed or corrected
this contract. The public pages cited below fix the trade's flow (quote, mandate, procedure, direct
payment, payout within 72 hours, attestation); fields, addresses and words are ours, shaped on the
public APIs of peers.
"""

from __future__ import annotations

from datetime import timedelta

from encaisse_api import (
    ClientCredentialsAuth,
    Manifest,
    Quota,
    Recipient,
    Setting,
    Stream,
    WebhookScheme,
    Write,
)

HOST = "api.gcollect.example"
BASE = f"https://{HOST}/v1"

KEYED = Write(guarantee="key", visible_after=timedelta(0))
"""Sent with an Idempotency-Key, and kept findable by `external_reference` for good.

The partner is assumed to replay a key for 24 hours only, which the retry of the next night may
miss; the host looks the effect up before it sends again, so the key covers the short window and the
look-up the long one.
"""

MANIFEST = Manifest(
    slug="gcollect",
    name="GCollect",
    summary_fr=(
        "Devis, mandat, procédures, encaissements et reversements chez GCollect "
        "(contrat supposé : aucune API publique n'est documentée)."
    ),
    contract="assumed",
    pages=(
        "https://gcollect.fr/partenaires/qonto/ (déroulé : sélection, mandat, paiement direct, "
        "reversement sous 72 h)",
        "https://gcollect.fr/questions-frequentes/ (SIREN, montant et dates au dépôt ; nom du "
        "débiteur masqué jusqu'à l'attribution)",
        "https://gcollect.fr/cgu-partenaire/ (mandats et prestataires)",
        "https://gcollect.fr/blog/attestation-de-non-recouvrement-anr-pourquoi-indispensable-"
        "obtenir/ (attestation)",
        "formes supposées d'après des API publiques comparables : Debitura (idempotence, webhooks "
        "signés), Modern Collections (updated_since et after_id), Cleavr Connect (OAuth2)",
    ),
    test_hosts=(HOST,),
    live_hosts=(),
    auth=ClientCredentialsAuth(
        token_url=f"{BASE}/oauth/token",
        scope="quotes:write procedures:read procedures:write payments:write payouts:read",
    ),
    settings=(
        Setting(
            name="client_id",
            label_fr="Identifiant client",
            label_en="Client id",
            secret=True,
        ),
        Setting(
            name="client_secret",
            label_fr="Secret client",
            label_en="Client secret",
            secret=True,
        ),
        Setting(
            name="webhook_secret",
            label_fr="Secret des notifications",
            label_en="Webhook secret",
            secret=True,
            required=False,
        ),
        Setting(
            name="creditor_id",
            label_fr="Identifiant du créancier chez GCollect, si l'accès en ouvre plusieurs",
            label_en="Creditor id at GCollect, where the access opens several",
            required=False,
        ),
    ),
    quotas=(Quota(scope="grant", limit=10, period=timedelta(seconds=1)),),
    streams={
        "progress": Stream(mode="changes"),
        "payments_collected": Stream(mode="changes"),
        "payouts": Stream(mode="changes"),
    },
    writes={
        "request_mandate": KEYED,
        "open_procedure": KEYED,
        "withdraw": KEYED,
        "pause": KEYED,
        "amend": KEYED,
        "declare_direct_payment": KEYED,
        "open_dispute": KEYED,
    },
    webhook=WebhookScheme(header="GCollect-Signature"),
    recipient=Recipient(
        role="processor",
        country="FR",
        purpose="Recouvrement amiable des créances pour lesquelles un mandat est signé.",
        retention=(
            "Durée de la procédure, puis 5 ans (prescription de droit commun, article 2224 du "
            "code civil) ; supposée, à confirmer par le contrat."
        ),
        agreement=(
            "Accord de sous-traitance au sens de l'article 28 du RGPD, supposé annexé au mandat : "
            "à vérifier avec GCollect avant tout envoi réel."
        ),
    ),
    sends=(
        "debtor.kind",
        "debtor.name",
        "debtor.address",
        "debtor.siren",
        "debtor.contacts",
        "claims.line",
        "claims.documents",
    ),
)
