"""What a tool says of an invoice, a payment, a document: the little it knows, as it knows it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator

from encaisse_api import reckoning
from encaisse_api.base import Frozen
from encaisse_api.money import Currency, Money, met

Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=512, pattern=r"^[^\x00]*$"),
]
"""Something written: blanks around it are dropped, blanks alone refused, as is NUL, which no store
keeps."""
Item = TypeVar("Item", bound=Frozen)

InvoiceKind = Literal["invoice", "down_payment", "credit_note", "unallocated_credit"]
InvoiceState = Literal["open", "settled", "cancelled", "unknown"]
"""A vendor's status we do not know is `unknown`, which is never a success and never a start."""

Flag = Literal[
    "disputed",
    "blocked_in_approval",
    "promise_to_pay",
    "payment_in_flight",
    "factored",
    "credit_insured",
    "paid_at_issue",
]
"""What a tool may know that keeps an invoice out of collection."""


class PostalAddress(Frozen):
    """Give an address as written (BG-5, BG-8)."""

    lines: tuple[Text, ...] = ()
    postcode: Text | None = None
    city: Text | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "FR"


class Contact(Frozen):
    """Name one business contact (BG-6, BG-9)."""

    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None


class Debtor(Frozen):
    """Identify who owes, as far as the tool knows.

    `ref` is the tool's id of the customer. `siren` is only set when the tool states it or it can be
    cut from a SIRET; taken from a VAT number it carries `siren_derived`, because a VAT group or a
    typing error would name another company.
    """

    ref: Text | None = None
    kind: Literal["company", "individual", "public", "unknown"] = "unknown"
    name: Text | None = None
    siren: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] | None = None
    siren_derived: bool = False
    siret: Annotated[str, StringConstraints(pattern=r"^[0-9]{14}$")] | None = None
    vat_id: Text | None = None
    address: PostalAddress | None = None
    contacts: tuple[Contact, ...] = ()
    language: Text | None = None


class Seller(Frozen):
    """Identify who issued the invoice, so that a stranger's invoice is never collected."""

    name: Text | None = None
    siren: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] | None = None
    vat_id: Text | None = None


class Instalment(Frozen):
    """Give one échéance: the unit that is due, overdue and collectible.

    `due_date` is None where the tool has none; `due_estimated` where it was computed from terms
    (an estimated date never starts anything by itself). `open` is below zero on credits, and on an
    invoice that was paid too much.
    """

    ref: Text
    due_date: date | None = None
    due_estimated: bool = False
    amount: Money
    open: Money

    _met = field_validator("amount", "open", mode="wrap")(met)


class Lineage(Frozen):
    """Say where the tool itself got the invoice: another tool's record, or our own reference."""

    tool: Text | None = None
    ref: Text | None = None
    claim_ref: Text | None = None


class SourceInvoice(Frozen):
    """State one open customer item as its tool sees it.

    Amounts include VAT; `total` is all that was asked for, rounding included; `open` is what the
    tool believes is still owed of it. `version` is the tool's revision (date, ETag), used only to
    notice changes. `credited` is how much of what is no longer open the tool explains by credit
    notes, None where it does not say.

    Amounts are held against each other (`reckoning.py`), by kind:

    - an invoice or down payment: `total` not below zero, `open` at most `total`. Paid too much it
      has `open` below zero by how much, which is the debtor's money and no credit of ours to set
      off: its state is then never `open`, and no échéance of it is still owed;
    - a credit note or unallocated credit is a kind of its own, never a negative invoice: `total`
      and `open` at most zero, `open` never beyond `total`;
    - `settled` leaves nothing to pay or to deduct;
    - instalments have the sign of the whole, add up to it, and none is open beyond its amount.
    """

    ref: Text
    version: Text | None = None
    number: Text
    kind: InvoiceKind = "invoice"
    direction: Literal["receivable", "payable"] = "receivable"
    state: InvoiceState = "open"
    issue_date: date
    currency: Currency = "EUR"
    total: Money
    open: Money
    credited: Money | None = None
    instalments: Annotated[tuple[Instalment, ...], Field(min_length=1)]
    debtor: Debtor
    seller: Seller = Seller()
    flags: frozenset[Flag] = frozenset()
    credits: tuple[Text, ...] = ()
    document_ref: Text | None = None
    document_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    lineage: Lineage | None = None

    _met = field_validator("total", "open", "credited", mode="wrap")(met)

    @model_validator(mode="after")
    def _adds_up(self) -> SourceInvoice:
        reckoning.check(self)
        return self


class Reminder(Frozen):
    """Tell that the tool reminded the customer of an invoice: when, and by which model of letter.

    `kind` is the tool's own word (`reminder3`). No room for an address, a subject or a text: that
    somebody was reminded proves patience, and needs nobody's name.
    """

    at: AwareDatetime
    kind: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,40}$")]


class Missing(Frozen):
    """Answer a re-read for a record the tool no longer has; it closes nothing by itself."""

    ref: Text
    reason: Literal["deleted", "not_found", "out_of_scope"] = "not_found"


class SourcePayment(Frozen):
    """State money a tool saw moving on an invoice; `reference` is what it was recorded under."""

    ref: Text
    invoice_ref: Text
    amount: Money
    paid_on: date
    reference: Text | None = None
    method: Text | None = None
    reverses: Text | None = None


class Document(Frozen):
    """Carry one document's bytes and what they are."""

    ref: Text
    filename: Text
    media_type: Text
    content: bytes


class Since(Frozen):
    """Continue after the last change seen: closed at `at`, open at `after_id`.

    The host stores the (instant, id) of the last row it saw and looks back a little, because
    tools' clocks are coarse; a row seen twice changes nothing.
    """

    kind: Literal["since"] = "since"
    version: int = 1
    at: AwareDatetime
    after_id: Text | None = None


class Token(Frozen):
    """Continue with the partner's opaque mark."""

    kind: Literal["token"] = "token"
    version: int = 1
    value: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


Cursor = Annotated[Since | Token, Field(discriminator="kind")]


class Unreadable(Frozen):
    """Keep a row that could not be read, raw, with the reason, so that it is listed, not lost."""

    ref: Text | None = None
    raw: str
    reason: Text


class Removed(Frozen):
    """Say that a record left the stream, and why. Leaving is not being paid."""

    ref: Text
    reason: Literal["paid", "cancelled", "deleted", "unknown"] = "unknown"


class Page(Frozen, Generic[Item]):
    """Hold one durable step of a stream: the host stores it whole, with its cursor, or not at all.

    `end` is True only on the last page of a complete pass; a pass that stops without it closes
    nothing. `cursor` is where the next pass goes on; None in a snapshot, unless its stream resumes:
    then it is where this very pass goes on if it is cut short.
    """

    items: tuple[Item, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    removed: tuple[Removed, ...] = ()
    cursor: Cursor | None = None
    end: bool = False


class RemoteAccount(Frozen):
    """Name one dossier a grant opens; its SIREN must equal the company's."""

    ref: Text
    name: Text
    siren: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] | None = None


class Granted(Frozen):
    """Tell what the grant may do today. `roles` None means all roles of the connector."""

    account: Text | None = None
    siren: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")] | None = None
    roles: frozenset[str] | None = None
    note: Text | None = None


class Delivery(Frozen):
    """Carry a webhook exactly as received; the host verified its signature before."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: AwareDatetime


class Hint(Frozen):
    """Say that something may have changed there: a reason to pull, never a fact."""

    stream: Text
    ref: Text | None = None
