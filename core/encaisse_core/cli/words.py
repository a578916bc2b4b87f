"""French words for the states and kinds the store keeps."""

from __future__ import annotations

from typing import Final

CLAIM_STATES: Final = {
    "open": "ouverte",
    "settled": "soldée",
    "cancelled": "annulée",
    "unseen": "plus montrée",
    "merged": "réunie à une autre",
}
ORIGINS: Final = {"collector": "recouvrement", "source": "direct", "credit": "avoir"}
RUNGS: Final = {
    0: "première vue",
    1: "vendeur, numéro, année",
    2: "même document",
    3: "lignée dite par l'outil",
    4: "numéro, date, montant",
    6: "une personne",
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
    "letter": "lettrage",
    "request_mandate": "demande de mandat",
    "open_procedure": "ouverture",
}
COMMISSION_KINDS: Final = {"accrual": "acquise", "payable": "exigible", "clawback": "reprise"}
INVOICING: Final = {
    "self_billed": "facture établie par nous en son nom",
    "referrer_invoices": "facture à recevoir de l'apporteur",
    "nothing_to_invoice": "rien à facturer",
}
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
    "letterings": "lettrages préparés",
    "entries_waiting": "écritures en attente du comptable",
    "entries_posted": "écritures validées",
    "entries_altered": "écritures changées",
    "entries_rejected": "écritures refusées",
    "vouchers": "pièces comptables",
    "commissions": "lignes de commission",
    **{f"{state}": f"envois : {word}" for state, word in EFFECT_STATES.items()},
}
EVENTS: Final = {
    "company_added": "société enregistrée",
    "connected": "outil raccordé",
    "connection_paused": "connexion mise en pause",
    "referrer_added": "apporteur enregistré",
    "referrer_identified": "identité de l'apporteur notée",
    "contract_added": "contrat d'apporteur enregistré",
    "contract_ended": "fin d'un contrat d'apporteur",
    "statement_issued": "relevé de commissions émis",
    "payout_exported": "écriture d'un reversement remise à la comptabilité",
    "routing_answered": "destination des écritures choisie",
    "bridge_answered": "envoi d'un outil à l'autre confirmé",
    "page_read": "page lue",
    "vanished_read_again": "factures disparues relues",
    "claim_made": "créance créée",
    "sighting_joined": "facture rapprochée",
    "claims_merged": "créances réunies par une personne",
    "claims_unmerged": "réunion défaite par une personne",
    "sighting_separated": "facture séparée par une personne",
    "payment_unmerged": "paiement retiré avec la réunion",
    "claim_moved": "créance mise à jour",
    "claim_followed": "échéances mises à jour",
    "hold_lifted": "recouvrement repris",
    "task_opened": "question posée",
    "task_answered": "réponse donnée",
    "task_closed": "question close",
    "claims_proposed": "proposition chiffrée",
    "proposal_approved": "proposition approuvée",
    "proposal_dropped": "proposition abandonnée",
    "mandate_signed": "mandat signé",
    "mandate_refused": "mandat refusé",
    "mandate_expired": "mandat expiré",
    "mandate_revoked": "mandat révoqué",
    "mandate_altered": "mandat signé sur d'autres lignes",
    "procedure_opened": "procédure ouverte",
    "procedure_moved": "procédure avancée",
    "payment_seen": "paiement vu",
    "payment_allocated": "paiement imputé",
    "payment_went_back": "paiement revenu impayé",
    "settlement_pending": "paiement annoncé par le partenaire",
    "settlement_verified": "paiement vérifié par le partenaire",
    "settlement_rejected": "paiement rejeté chez le partenaire",
    "settlement_reversed": "paiement repris chez le partenaire",
    "stop_acknowledged": "arrêt confirmé par le partenaire",
    "effect_planned": "envoi prévu",
    "effect_done": "envoi fait",
    "effect_refused": "envoi refusé",
    "effect_parked": "envoi confié à une personne",
    "entry_posted": "écriture validée par le comptable",
    "entry_altered": "écriture changée par le comptable",
    "entry_rejected": "écriture refusée par le comptable",
    "effect_resolved": "envoi réglé par une personne",
    "payout_scheduled": "reversement prévu",
    "payout_held": "reversement retenu",
    "payout_executed": "reversement viré",
    "payout_failed": "reversement échoué",
    "payout_posted": "reversement comptabilisé",
    "commission_accrual": "commission acquise",
    "commission_payable": "commission exigible",
    "commission_clawback": "commission reprise",
    "difference_opened": "écart relevé",
    "difference_closed": "écart disparu",
    "personal_value_erased": "donnée personnelle effacée",
}
"""The events of the journal, as `explain` tells them; the journal keeps the ids."""

ROLES: Final = {
    "Probes": "essai de l'accès",
    "ListsAccounts": "liste des dossiers",
    "PullsInvoices": "lecture des factures",
    "PullsPayments": "lecture des paiements",
    "FetchesDocuments": "documents",
    "RecordsPayments": "inscription des paiements",
    "RecordsPaymentsBlind": "inscription sans relecture",
    "ReversesPayments": "inscription des rejets",
    "LettersEntries": "lettrage",
    "FollowsUp": "suivi des écritures proposées",
    "ReportsLifecycle": "cycle de vie",
    "ReceivesWebhooks": "notifications",
    "Quotes": "devis",
    "TakesMandates": "mandats",
    "OpensProcedures": "ouverture et arrêt des procédures",
    "ReportsProgress": "avancement des procédures",
    "ReportsSettlements": "paiements et reversements",
    "AcceptsDirectPayments": "déclaration des paiements directs",
    "AcceptsDisputes": "déclaration des contestations",
    "IssuesAttestations": "attestations",
    "ChecksDebtor": "situation du débiteur",
    "OffersFinancing": "financement",
    "TellsReminders": "relances déjà envoyées",
}
"""What a connector can do, role by role of the contract."""
