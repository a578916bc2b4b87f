"""French words for the states and kinds the store keeps."""

from __future__ import annotations

from typing import Final

CLAIM_STATES: Final = {
    "open": "ouverte",
    "settled": "soldée",
    "cancelled": "annulée",
    "unseen": "plus montrée",
}
ORIGINS: Final = {"collector": "recouvrement", "source": "direct", "credit": "avoir"}
RUNGS: Final = {
    0: "première vue",
    1: "vendeur, numéro, année",
    2: "même document",
    3: "lignée dite par l'outil",
    4: "numéro, date, montant",
}
CONNECTION_STATES: Final = {"active": "active", "paused": "en pause", "ended": "terminée"}
PROPOSAL_STATES: Final = {
    "proposed": "à approuver",
    "approved": "approuvée",
    "mandated": "mandat signé",
    "opened": "confiée",
    "dropped": "abandonnée",
}
PROCEDURE_STATES: Final = {
    "active": "en cours",
    "paused": "en pause",
    "closed": "close",
    "unknown": "inconnue",
}
EFFECT_STATES: Final = {
    "planned": "à faire",
    "sending": "en cours",
    "done": "fait",
    "uncertain": "incertain",
    "refused": "refusé",
    "parked": "attend une personne",
}
EFFECT_KINDS: Final = {
    "withdraw": "retrait",
    "pause": "pause",
    "open_dispute": "contestation",
    "declare_direct_payment": "paiement direct",
    "amend": "baisse du montant",
    "record_payment": "paiement inscrit",
    "reverse_payment": "rejet inscrit",
    "request_mandate": "demande de mandat",
    "open_procedure": "ouverture",
}
COMMISSION_KINDS: Final = {"accrual": "acquise", "payable": "exigible", "clawback": "reprise"}
PAYOUT_STATES: Final = {
    "scheduled": "prévu",
    "held": "retenu",
    "executed": "viré",
    "failed": "échoué",
}
REFERRER_KINDS: Final = {
    "editor": "éditeur",
    "information_company": "renseignement commercial",
    "insurer": "assureur",
    "cabinet": "cabinet",
    "other": "autre",
}
NIGHT_COUNTS: Final = {
    "unreadable": "éléments écartés",
    "joined": "factures réunies à une créance connue",
    "payments": "paiements vus",
    "stops": "arrêts demandés",
    "differences": "écarts avec les partenaires",
    "write_backs": "écritures préparées",
    "vouchers": "pièces comptables",
    "commissions": "lignes de commission",
    **{f"{state}": f"envois : {word}" for state, word in EFFECT_STATES.items()},
}
