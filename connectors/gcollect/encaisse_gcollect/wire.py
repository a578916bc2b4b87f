"""Shapes of what GCollect answers; all of them assumed, see the README for what they rest on.

Fields nobody here reads are ignored, so that the partner may add some; fields read here are
required and strictly typed, so that a changed meaning is noticed instead of guessed at.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from encaisse_api import Money
from encaisse_api.spelling import Amounts, Days, coined, instant

Instant = Annotated[AwareDatetime, BeforeValidator(instant)]
DAYS = Days(forms=("iso",))
"""A day such as 2026-03-31; a row that may have none says null, in the type of its field."""
Day = Annotated[date, BeforeValidator(DAYS.read)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=512)]
AMOUNTS = Amounts(numbers=False, places=3)
"""Decimal text with a point, never a JSON number; its currency stands beside it."""
Amount = Annotated[Decimal, BeforeValidator(AMOUNTS.read)]
Rate = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?$")]


class Wire(BaseModel):
    """Read an answer; never change it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MoneyRow(Wire):
    """An amount: decimal text and its currency, nothing else."""

    amount: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    def money(self) -> Money:
        """Give it as the contract's money."""
        return coined(self.amount, self.currency)


class FieldProblem(Wire):
    pointer: str


class Problem(Wire):
    """RFC 9457 with their `code`; every member may be missing from a gateway's own answer."""

    code: str | None = None
    errors: tuple[FieldProblem, ...] = ()
    solution_url: str | None = None
    existing_id: str | None = None


class Listing(Wire):
    """One page of a list; `total` counts the rows of all its pages."""

    items: tuple[JsonValue, ...]
    has_more: StrictBool
    next_cursor: Word | None
    total: StrictInt


class Position(Wire):
    """Where a row stands in its feed."""

    id: Word
    updated_at: Instant


class Referenced(Wire):
    """What a creditor filed under a reference of its own; None where a person filed it by hand."""

    external_reference: Word | None


class CreditorRow(Wire):
    id: Word
    siren: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
    name: Word
    kyb_status: Word


class Me(Wire):
    scope: str
    creditors: tuple[CreditorRow, ...]


class QuoteRow(Wire):
    id: Word
    status: Word
    eligible: StrictBool
    ineligibility_reasons: tuple[Word, ...]
    fee_rate: Rate | None
    fee_estimate: MoneyRow | None
    fee_vat: MoneyRow | None
    net_estimate: MoneyRow | None
    success_only: StrictBool
    upfront_cost: MoneyRow
    expires_at: Instant


class AnnexRow(Wire):
    """One claim, each part apart."""

    external_id: Word
    number: Word
    issue_date: Day
    due_date: Day
    principal: MoneyRow
    interest: MoneyRow
    indemnity: MoneyRow


class Signer(Wire):
    name: Word


class SignatureRow(Wire):
    signed_at: Instant
    signer: Signer


class KeptDocument(Wire):
    id: Word
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class MandateRow(Referenced):
    id: Word
    status: Word
    quote_ids: tuple[Word, ...]
    invoices: tuple[AnnexRow, ...]
    signing_url: Word
    expires_at: Instant
    signature: SignatureRow | None
    document: KeptDocument | None


class ClaimedRow(AnnexRow):
    status: Word


class Totals(Wire):
    claimed: MoneyRow
    collected: MoneyRow


class Lock(Wire):
    reason: Word


class ProcedureRow(Referenced):
    id: Word
    reference: Word
    creditor_id: Word
    mandate_id: Word
    status: Word
    phase: Word | None
    lock: Lock | None
    dispute_open: StrictBool
    close_code: Word | None
    invoices: tuple[ClaimedRow, ...]
    totals: Totals
    updated_at: Instant
    etag: Word


class AmendedRow(Wire):
    number: Word
    principal: MoneyRow


class TimelineDetails(Wire):
    invoice_numbers: tuple[Word, ...] = ()
    reason: Word | None = None
    invoices: tuple[AmendedRow, ...] = ()


class TimelineRow(Referenced):
    id: Word
    type: Word
    data: TimelineDetails


class DirectPaymentRow(Referenced):
    id: Word
    procedure_id: Word
    invoice_number: Word
    external_id: Word
    amount: MoneyRow
    paid_on: Day
    settles: StrictBool
    status: Word


class DisputeRow(Referenced):
    id: Word
    procedure_id: Word
    invoice_number: Word
    external_id: Word
    reason: Word
    status: Word


class AllocationRow(Wire):
    invoice_number: Word
    external_id: Word
    principal: MoneyRow
    interest: MoneyRow
    indemnity: MoneyRow
    costs: MoneyRow


class PaymentRow(Wire):
    id: Word
    creditor_id: Word
    procedure_id: Word
    amount: MoneyRow
    received_by: Word
    received_at: Instant
    reversed_at: Instant | None
    status: Word
    allocations: Annotated[tuple[AllocationRow, ...], Field(min_length=1)]
    fee: MoneyRow | None
    fee_vat: MoneyRow | None
    direct_payment_id: Word | None
    updated_at: Instant


class PayoutLineRow(Wire):
    payment_id: Word
    procedure_id: Word
    invoice_number: Word
    external_id: Word
    gross: MoneyRow
    fee: MoneyRow
    fee_vat: MoneyRow
    net: MoneyRow


class PayoutRow(Wire):
    id: Word
    creditor_id: Word
    status: Word
    lines: tuple[PayoutLineRow, ...]
    gross: MoneyRow
    fees: MoneyRow
    fees_vat: MoneyRow
    net: MoneyRow
    due_at: Instant
    executed_at: Instant | None
    bank_reference: Word | None
    updated_at: Instant


class AttestationRow(Wire):
    number: Word
    issued_at: Instant
    document_id: Word
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class EventObject(Wire):
    object_id: Word


class Event(Wire):
    """A thin event: it names what changed and carries nothing of it."""

    type: Word
    creditor_id: Word
    data: EventObject
