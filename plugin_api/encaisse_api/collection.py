"""From quote to mandate to procedure: what reaches a collector, and when.

Before a signed mandate only the blind part exists: SIREN or kind, department, amounts, dates, our
own ids. No field of `QuoteRequest` or `MandateDraft` is free text (a test walks their types), so no
name, address or document can leave before the creditor has signed. `ClaimFile` carries them, and
`open_procedure` takes it only together with a `SignedMandate`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from encaisse_api.base import ClaimId, Department, Frozen, InvoiceNumber, RemoteRef, Siren
from encaisse_api.money import Money
from encaisse_api.source import Contact, Debtor, Document, PostalAddress, Reminder, Text

Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]


class QuotedClaim(Frozen):
    """Describe one claim blindly."""

    claim_id: ClaimId
    issue_date: date
    due_date: date
    amount: Money


class QuoteRequest(Frozen):
    """Ask what collecting would cost, without saying who owes."""

    creditor_siren: Siren
    debtor_siren: Siren | None = None
    debtor_kind: Literal["company", "individual", "public"]
    department: Department | None = None
    claims: Annotated[tuple[QuotedClaim, ...], Field(min_length=1)]


class Quote(Frozen):
    """State the price before any commitment; success only, nothing up front."""

    remote_id: RemoteRef
    eligible: bool
    reasons: tuple[Text, ...] = ()
    fee_rate: Percent | None = None
    fee: Money | None = None
    fee_vat: Money | None = None
    net: Money | None = None
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _priced(self) -> Quote:
        if self.eligible and (self.fee_rate is None or self.fee is None):
            raise ValueError("an eligible quote states its fee")
        return self


class AnnexLine(Frozen):
    """List one claim of a mandate, each part apart (R124-3 CPCE: basis and amounts by element)."""

    claim_id: ClaimId
    invoice_number: InvoiceNumber
    issue_date: date
    due_date: date
    principal: Money
    interest: Money
    indemnity: Money

    @property
    def total(self) -> Money:
        """Add the parts."""
        return self.principal + self.interest + self.indemnity


class MandateDraft(Frozen):
    """Ask for a mandate a person will sign on a batch of claims."""

    creditor_siren: Siren
    quote_ids: Annotated[tuple[RemoteRef, ...], Field(min_length=1)]
    annex: Annotated[tuple[AnnexLine, ...], Field(min_length=1)]


class MandateLink(Frozen):
    """Point a person to the page where the mandate is signed; only a person signs."""

    remote_id: RemoteRef
    signing_url: Text
    expires_at: AwareDatetime | None = None


class Mandate(Frozen):
    """Read a mandate back. An unknown status of the partner is `unknown`, never `signed`."""

    remote_id: RemoteRef
    state: Literal["pending", "signed", "refused", "expired", "revoked", "unknown"]
    annex: tuple[AnnexLine, ...] = ()
    signed_at: AwareDatetime | None = None
    signer: Text | None = None
    document_sha256: Text | None = None


class SignedMandate(Frozen):
    """Prove that a person signed for exactly these claims.

    Only the host builds it, from a mandate read back at the collector; it refuses a mandate that
    is not signed, is undated, or whose annex differs from what was approved.
    """

    mandate: Mandate

    @model_validator(mode="after")
    def _really_signed(self) -> SignedMandate:
        if self.mandate.state != "signed" or self.mandate.signed_at is None:
            raise ValueError("the mandate is not signed")
        if not self.mandate.annex:
            raise ValueError("the signed mandate lists no claim")
        return self

    def covers(self, lines: tuple[AnnexLine, ...]) -> bool:
        """Tell whether each line was signed, for at least its amounts."""
        signed = {line.claim_id: line for line in self.mandate.annex}
        return all(
            (mine := signed.get(line.claim_id)) is not None
            and mine.invoice_number == line.invoice_number
            and line.principal.minor <= mine.principal.minor
            and line.interest.minor <= mine.interest.minor
            and line.indemnity.minor <= mine.indemnity.minor
            for line in lines
        )


class Creditor(Frozen):
    """Name the creditor in the file handed over."""

    siren: Siren
    name: Text
    address: PostalAddress | None = None
    contact: Contact | None = None


class FiledClaim(Frozen):
    """Give one claim of a file, amounts apart, with its documents and the reminders sent so far."""

    line: AnnexLine
    documents: tuple[Document, ...] = ()
    reminders: tuple[Reminder, ...] = ()


class ClaimFile(Frozen):
    """Hand over what a collector needs to talk to one client défaillant."""

    reference: Text
    creditor: Creditor
    debtor: Debtor
    claims: Annotated[tuple[FiledClaim, ...], Field(min_length=1)]


class ProcedureState(Frozen):
    """Report where a procedure stands. An unknown status is `unknown`: pending, ask a person."""

    remote_id: RemoteRef
    reference: Text | None = None
    state: Literal["active", "paused", "closed", "unknown"]
    phase: Text | None = None
    close_code: Text | None = None
    disputed: bool = False
    claimed: Money | None = None
    collected: Money | None = None
    updated_at: AwareDatetime


class DirectPayment(Frozen):
    """Tell a collector that the debtor paid the creditor directly: the dialogue stops."""

    procedure_ref: RemoteRef
    claim_id: ClaimId
    invoice_number: InvoiceNumber
    amount: Money
    paid_on: date
    settles: bool


class Withdrawal(Frozen):
    """Take claims back from a procedure, all of it when no claim remains."""

    procedure_ref: RemoteRef
    claim_ids: Annotated[tuple[ClaimId, ...], Field(min_length=1)]
    reason: Literal["paid_directly", "credit_note", "dispute", "refusal", "creditor", "error"]


class Pause(Frozen):
    """Suspend a procedure while somebody looks."""

    procedure_ref: RemoteRef
    reason: Literal["dispute", "payment_check", "creditor"]


class Amendment(Frozen):
    """Lower what is claimed; never raise it.

    `principal` is the whole principal claimed, what the collector received of it included.
    """

    procedure_ref: RemoteRef
    claim_id: ClaimId
    invoice_number: InvoiceNumber
    principal: Money


class Dispute(Frozen):
    """Tell a collector that a claim is contested; a person takes over."""

    procedure_ref: RemoteRef
    claim_id: ClaimId
    reason: Literal["goods_quality", "not_delivered", "price", "already_paid", "identity", "other"]


class Standing(Frozen):
    """Tell a company's administrative state, legal category and insolvency."""

    siren: Siren
    state: Literal["active", "ceased", "unknown"]
    legal_category: Text | None = None
    insolvency: Literal["none", "sauvegarde", "redressement", "liquidation", "unknown"]
    checked_at: AwareDatetime


class Need(Frozen):
    """Ask for financing against receivables, without naming who owes."""

    creditor_siren: Siren
    amount: Money
    until: date


class Offer(Frozen):
    """State one financing offer."""

    remote_id: RemoteRef
    amount: Money
    cost: Money
    expires_at: AwareDatetime | None = None
