"""From GCollect's rows to the contract's values: pure, no request, no clock.

Each status map ends in the word for "not known": a status nobody told us about is never a success.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from encaisse_api import (
    AnnexLine,
    Attestation,
    Granted,
    Mandate,
    MandateLink,
    ProcedureState,
    Quote,
    Receipt,
    RemoteAccount,
)
from encaisse_gcollect.wire import (
    AnnexRow,
    AttestationRow,
    CreditorRow,
    DirectPaymentRow,
    DisputeRow,
    MandateRow,
    Me,
    ProcedureRow,
    QuoteRow,
)

PARIS = ZoneInfo("Europe/Paris")
"""Business dates are dates in Paris; instants arrive in UTC."""

MandateState = Literal["pending", "signed", "refused", "expired", "revoked", "unknown"]

MANDATE_STATES: Mapping[str, MandateState] = {
    "draft": "pending",
    "pending_signature": "pending",
    "signed": "signed",
    "refused": "refused",
    "expired": "expired",
    "revoked": "revoked",
}

PROCEDURE_STATES: Mapping[str, Literal["active", "paused", "closed"]] = {
    "active": "active",
    "paused": "paused",
    "closed": "closed",
}

RECORDED = frozenset({"recorded"})
DISPUTE_STATES = frozenset({"open", "acknowledged", "under_review", "resolved"})
LIVE_QUOTES = frozenset({"open", "accepted"})

REASONS: Mapping[str, str] = {
    "public_debtor": "Le client est une personne publique : son paiement suit un régime propre.",
    "below_minimum": "Le montant est inférieur au minimum accepté.",
    "not_due": "La facture n'est pas encore échue.",
    "debtor_insolvent": (
        "Le client est en procédure collective : déclarez la créance au mandataire judiciaire."
    ),
    "currency": "La facture n'est pas en euros.",
}
"""Why a claim is not eligible, in words a person reads; an unlisted code is shown as it came."""

RIGHTS: Mapping[str, frozenset[str]] = {
    "Quotes": frozenset({"quotes:write"}),
    "TakesMandates": frozenset({"procedures:read", "procedures:write"}),
    "OpensProcedures": frozenset({"procedures:read", "procedures:write"}),
    "AcceptsDisputes": frozenset({"procedures:read", "procedures:write"}),
    "AcceptsDirectPayments": frozenset({"procedures:read", "payments:write"}),
    "ReportsProgress": frozenset({"procedures:read"}),
    "ReportsSettlements": frozenset({"procedures:read", "payouts:read"}),
    "IssuesAttestations": frozenset({"procedures:read"}),
    "FetchesDocuments": frozenset({"procedures:read"}),
    "Probes": frozenset(),
    "ListsAccounts": frozenset(),
    "ReceivesWebhooks": frozenset(),
}
"""Scopes each role needs; a write needs the reading its look-up does."""


def business_date(at: datetime) -> date:
    """Give the date it was in Paris."""
    return at.astimezone(PARIS).date()


def granted(me: Me, creditor: CreditorRow) -> Granted:
    """Tell what the grant's scopes allow for one creditor."""
    scopes = frozenset(me.scope.split())
    note = None
    if creditor.kyb_status != "verified":
        note = (
            f"GCollect n'a pas terminé la vérification de {creditor.name} : les reversements "
            "peuvent attendre. Terminez-la dans votre espace GCollect."
        )
    return Granted(
        account=creditor.id,
        siren=creditor.siren,
        roles=frozenset(role for role, needed in RIGHTS.items() if needed <= scopes),
        note=note,
    )


def account(creditor: CreditorRow) -> RemoteAccount:
    """Name one creditor the grant opens."""
    return RemoteAccount(ref=creditor.id, name=creditor.name, siren=creditor.siren)


def quote(row: QuoteRow) -> Quote:
    """Read a price; one with money up front, or under an unknown status, is not eligible.

    Collecting is paid on success only (GCollect's public promise), so a quote that says otherwise
    goes to a person instead of into an approval.
    """
    reasons = [REASONS.get(code, code) for code in row.ineligibility_reasons]
    if not row.success_only or row.upfront_cost.money().minor != 0:
        reasons.append("Le devis demande des frais d'avance : une personne doit le lire.")
    if row.eligible and row.status not in LIVE_QUOTES:
        reasons.append("Le devis n'est plus valable ou son état est inconnu : redemandez-le.")
    return Quote(
        remote_id=row.id,
        eligible=row.eligible and not reasons,
        reasons=tuple(reasons),
        fee_rate=None if row.fee_rate is None else Decimal(row.fee_rate),
        fee=row.fee_estimate and row.fee_estimate.money(),
        fee_vat=row.fee_vat and row.fee_vat.money(),
        net=row.net_estimate and row.net_estimate.money(),
        expires_at=row.expires_at,
    )


def annex_line(row: AnnexRow) -> AnnexLine:
    """Read one claim; their `external_id` is our claim's id."""
    return AnnexLine(
        claim_id=row.external_id,
        invoice_number=row.number,
        issue_date=row.issue_date,
        due_date=row.due_date,
        principal=row.principal.money(),
        interest=row.interest.money(),
        indemnity=row.indemnity.money(),
    )


def mandate_link(row: MandateRow) -> MandateLink:
    """Point to the page where a person signs."""
    return MandateLink(remote_id=row.id, signing_url=row.signing_url, expires_at=row.expires_at)


def mandate(row: MandateRow) -> Mandate:
    """Read a mandate back, with its annex."""
    return Mandate(
        remote_id=row.id,
        state=MANDATE_STATES.get(row.status, "unknown"),
        annex=tuple(annex_line(line) for line in row.invoices),
        signed_at=row.signature and row.signature.signed_at,
        signer=row.signature and row.signature.signer.name,
        document_sha256=row.document and row.document.sha256,
    )


def procedure_state(row: ProcedureRow) -> ProcedureState:
    """Report where a procedure stands."""
    return ProcedureState(
        remote_id=row.id,
        reference=row.external_reference,
        state=PROCEDURE_STATES.get(row.status, "unknown"),
        phase=row.phase,
        close_code=row.close_code,
        disputed=row.dispute_open or (row.lock is not None and row.lock.reason == "dispute"),
        claimed=row.totals.claimed.money(),
        collected=row.totals.collected.money(),
        updated_at=row.updated_at,
    )


def opened(row: ProcedureRow) -> Receipt:
    """Prove a procedure stands; its amount is all it claims."""
    return Receipt(
        remote_id=row.id,
        amount=row.totals.claimed.money(),
        state="posted" if row.status in PROCEDURE_STATES else "pending",
        aliases=(row.reference,),
    )


def declared(row: DirectPaymentRow) -> Receipt:
    """Prove a direct payment was declared."""
    return Receipt(
        remote_id=row.id,
        amount=row.amount.money(),
        state="posted" if row.status in RECORDED else "pending",
    )


def disputed(row: DisputeRow) -> Receipt:
    """Prove a dispute was handed over."""
    return Receipt(remote_id=row.id, state="posted" if row.status in DISPUTE_STATES else "pending")


def attestation(procedure_ref: str, row: AttestationRow) -> Attestation:
    """Read an attestation of non-recovery."""
    return Attestation(
        procedure_ref=procedure_ref,
        number=row.number,
        issued_on=business_date(row.issued_at),
        document_ref=document_ref(row.document_id, row.sha256),
    )


def document_ref(document_id: str, sha256: str) -> str:
    """Name a document with its fingerprint, so that fetching it proves the bytes."""
    return f"{document_id}@{sha256}"
