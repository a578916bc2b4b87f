"""Turn rows of the assumed contract into the contract's values. Pure: no HTTP, no clock.

- `direction` comes from the row and nowhere else. A row without it, or with another word, is set
  aside: read as a sale, a purchase would be claimed; read as a purchase, a sale would be forgotten.
- In both directions the supplier is the seller and the buyer the debtor. On a payable the debtor is
  the company itself, and the host keeps it out of collection as a purchase.
- A total below zero is an avoir: a `credit_note`, never claimable.
- What a status means stands in `statuses.py`.
- Figures that do not hold together are set aside, because each reading would claim another sum.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import ValidationError
from stdnum.fr import siren as siren_number

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.money import Money
from encaisse_api.source import (
    Debtor,
    Granted,
    Hint,
    Instalment,
    Missing,
    Removed,
    Seller,
    SourceInvoice,
    Unreadable,
)
from encaisse_api.spelling import coined
from encaisse_libeo.rows import CompanyRow, Event, InvoiceRow, PartyRow, Position
from encaisse_libeo.statuses import meaning

PUBLIC_FIRST_DIGITS = ("1", "2")
"""First digits of the SIRENs INSEE gives to public bodies, which pay under rules of their own."""

EVENTS = frozenset({"invoice.updated", "payment.scheduled", "payment.executed"})
"""Notifications of the assumed contract; each names the invoice to read again."""


class Unusable(Exception):
    """Say in French why a row makes no invoice."""


def outcome(raw: object) -> SourceInvoice | Removed | Unreadable:
    """Read one row of the list: an invoice, the word that it was deleted, or a row set aside."""
    try:
        row = InvoiceRow.model_validate(raw)
        if row.deleted_at is not None:
            return Removed(ref=row.id, reason="deleted")
        return invoice(row)
    except Unusable as reason:
        return set_aside(raw, str(reason))
    except ValidationError as error:
        return set_aside(raw, why(error))


def invoice(row: InvoiceRow) -> SourceInvoice:
    """Map one invoice; raises `Unusable` when its figures do not hold together."""
    credit = row.total < 0
    _check(row)
    owed = row.balance != 0 if credit else row.balance > 0
    told = meaning(row.status, owed=owed)
    total, still = _money(row, row.total), _money(row, row.balance)
    return SourceInvoice(
        ref=row.id,
        version=row.updated_at.isoformat(),
        number=row.number,
        kind="credit_note" if credit else "invoice",
        direction=row.direction,
        state=told.state,
        issue_date=row.issue_date,
        currency=row.currency,
        total=total,
        open=still,
        credited=None if credit or row.credited is None else _money(row, row.credited),
        instalments=(
            Instalment(
                ref="1", due_date=None if credit else row.due_date, amount=total, open=still
            ),
        ),
        debtor=debtor(row.buyer),
        seller=Seller(name=_text(row.supplier.name), siren=_siren(row.supplier)),
        flags=frozenset() if credit else told.flags,
        document_ref=row.id if row.document_url else None,
    )


def debtor(buyer: PartyRow) -> Debtor:
    """Identify who owes: by SIREN where its key is right, by name alone otherwise."""
    siren = _siren(buyer)
    return Debtor(ref=siren, kind=_kind(siren), name=_text(buyer.name), siren=siren)


def read_again(ref: str, raw: object) -> SourceInvoice | Missing | Unreadable:
    """Read the answer about one invoice; a deleted one is missing."""
    found = outcome(raw)
    return Missing(ref=ref, reason="deleted") if isinstance(found, Removed) else found


def position(raw: object) -> Position | None:
    """Find a row's place among the changes, None where even that cannot be read."""
    try:
        return Position.model_validate(raw)
    except ValidationError:
        return None


def granted(company: CompanyRow) -> Granted:
    """Say whose invoices the key opens, and that they are only read."""
    return Granted(
        account=company.siret,
        siren=company.siret[:9],
        note=f"{company.name} : factures émises et reçues, en lecture seule (contrat supposé).",
    )


def hints(event: Event, siret: str) -> tuple[Hint, ...]:
    """Name what to read again; nothing where the notification is about another company."""
    if event.company_siret != siret:
        return ()
    ref = event.invoice_id if event.type in EVENTS else None
    return (Hint(stream="invoices", ref=ref),)


def set_aside(raw: object, reason: str) -> Unreadable:
    """Keep a raw row with the reason, naming the invoice as far as the row does."""
    known = wire.members(raw)
    ref, number = known.get("id"), known.get("number")
    named = f"Facture {number[:64]}" if isinstance(number, str) and number else "Ligne sans numéro"
    return Unreadable(
        ref=ref if isinstance(ref, str) and 0 < len(ref) <= 512 else None,
        raw=wire.write(raw, stable=True),
        reason=f"{named} (Libeo) : {reason}."[:512],
    )


def _check(row: InvoiceRow) -> None:
    if row.total < 0:
        if not row.total <= row.balance <= 0:
            raise Unusable(f"avoir de {row.total} avec un reste de {row.balance}")
        return
    if row.balance > row.total:
        raise Unusable(f"reste de {row.balance} pour un total de {row.total}")
    if row.credited is not None and not 0 <= row.credited <= row.total - row.balance:
        raise Unusable(
            f"avoirs de {row.credited} pour un total de {row.total} et un reste de {row.balance}"
        )


def _money(row: InvoiceRow, amount: Decimal) -> Money:
    try:
        return coined(amount, row.currency)
    except ValueError as error:
        raise Unusable(str(error)) from None


def _siren(party: PartyRow) -> str | None:
    """Keep a SIREN whose key is right; a wrong one says nothing and is never corrected."""
    digits = "".join((party.siren or "").split())
    return digits if digits.isascii() and siren_number.is_valid(digits) else None


def _kind(siren: str | None) -> Literal["company", "public", "unknown"]:
    if siren is None:
        return "unknown"
    return "public" if siren.startswith(PUBLIC_FIRST_DIGITS) else "company"


def _text(text: str | None) -> str | None:
    return (text or "").strip()[:512] or None
