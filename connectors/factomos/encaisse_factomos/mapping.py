"""Turn rows of Factomos into the contract's values. Pure: no HTTP, no clock, no ids of ours.

- Status `avoir`: a `credit_note`, negative whichever sign it was written with.
- Any other status with a total below zero: an `unallocated_credit`; the vendor's own example has
  one under `later`.
- `invoice_type` `down-payment`: a `down_payment`.
- Nothing owed any more: settled; `open` is below zero where the customer paid too much, so that the
  host sees by how much.
- A status nobody documented: state `unknown`, which starts and closes nothing.
- Figures that do not add up: set aside with the raw row, because each reading would claim another
  sum.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.money import Money, in_french
from encaisse_api.source import (
    Contact,
    Debtor,
    Instalment,
    InvoiceKind,
    InvoiceState,
    PostalAddress,
    Seller,
    SourceInvoice,
    Unreadable,
)
from encaisse_factomos.identity import identify
from encaisse_factomos.rows import ContactRow, InvoiceRow

OPEN_STATUSES = ("pending", "later", "partially-paid", "partially-paid-avoir", "avoir")
"""Statuses of items that may be open, in the order an invoice goes through them.

Read in this order, an invoice that moves on during a pass is seen twice, never missed.
"""
SETTLED_STATUSES = frozenset({"paid", "paid-avoir"})
CREDITED_STATUSES = frozenset({"avoir", "partially-paid-avoir", "paid-avoir"})
"""Statuses whose name says that a credit note took part of the total away."""
KNOWN_STATUSES = frozenset(OPEN_STATUSES) | SETTLED_STATUSES
KINDS: Mapping[str, InvoiceKind] = {"invoice": "invoice", "down-payment": "down_payment"}
"""`invoice_type`; both values are documented."""
COUNTRIES: Mapping[str, str] = {"": "FR", "FRANCE": "FR"}
"""Countries as the card spells them; two letters stand for themselves."""


class Unusable(Exception):
    """Say in French why a row makes no claim."""


def invoice(row: InvoiceRow, debtor: Debtor, seller: Seller) -> SourceInvoice:
    """Map one invoice; raises `Unusable` when what it says does not hold together."""
    total, due = row.total, row.due
    _check_sums(row)
    if row.status == "avoir":
        kind: InvoiceKind = "credit_note"
        if total > 0:
            total, due = -total, -due
    elif total < 0:
        kind = "unallocated_credit"
    else:
        kind = _kind(row)
    owed = due > 0
    if total < 0 and not total <= due <= 0:
        raise Unusable(f"avoir de {in_french(total)} € avec un reste de {in_french(due)} €")
    if owed and row.status in SETTLED_STATUSES:
        raise Unusable(
            f"soldée selon son statut « {row.status} », avec {in_french(due)} € encore dus"
        )
    credit = kind in ("credit_note", "unallocated_credit")
    return SourceInvoice(
        ref=row.pid,
        number=row.number,
        kind=kind,
        state=_state(row.status, settled=due == 0 or (total > 0 and not owed)),
        issue_date=row.issued,
        total=Money(amount=total),
        open=Money(amount=due),
        credited=None if credit else Money(amount=row.total - row.paid - row.due),
        instalments=(
            Instalment(
                ref="1",
                due_date=None if credit else row.due_date,
                amount=Money(amount=total),
                open=Money(amount=due),
            ),
        ),
        debtor=debtor,
        seller=seller,
        document_ref=row.document,
    )


def debtor(row: InvoiceRow, card: ContactRow | None) -> Debtor:
    """Identify the customer by its card; by name alone when there is none."""
    if card is None:
        return Debtor(ref=row.client or None, name=_cut(row.client_name))
    found = identify(card.siret, card.vat)
    person = _cut(f"{card.first_name} {card.last_name}")
    contact = Contact(name=person, email=_cut(card.email), phone=_cut(card.phone))
    return Debtor(
        ref=row.client or None,
        kind=found.kind,
        name=_cut(card.name) or _cut(row.client_name),
        siren=found.siren,
        siren_derived=found.derived,
        siret=found.siret,
        vat_id=_cut(card.vat),
        address=_address(card),
        contacts=(contact,) if contact != Contact() else (),
        language=_cut(card.language),
    )


def seller(siren: str | None) -> Seller:
    """Name the company whose account this is: the tool lists no invoice of anybody else."""
    digits = re.sub(r"\s", "", siren or "")
    return Seller(siren=digits) if re.fullmatch(r"[0-9]{9}", digits, re.ASCII) else Seller()


def needs_card(row: InvoiceRow, today: date) -> bool:
    """Tell whether it may matter today who the customer is, so that his card is worth a call.

    Overdue with something owed, or a credit that is still open: it is set against what the same
    customer owes, so both must name him alike.
    """
    if row.status == "avoir" or row.total < 0:
        return row.due != 0
    return row.due > 0 and row.due_date is not None and row.due_date < today


def row_of(raw: object, shape: type[InvoiceRow] = InvoiceRow) -> InvoiceRow | Unreadable:
    """Read one raw row of a dialect, or set it aside with the fields at fault."""
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        return set_aside(raw, why(error))


def set_aside(raw: object, reason: str) -> Unreadable:
    """Keep a raw row with the reason, naming the invoice as far as the row does."""
    known = wire.members(raw)
    pid, number = known.get("pid", known.get("id")), known.get("invoice_formated_number")
    named = f"Facture {number}" if isinstance(number, str) and number else "Ligne sans numéro"
    return Unreadable(
        ref=pid if isinstance(pid, str) and 0 < len(pid) <= 512 else None,
        raw=wire.write(raw),
        reason=f"{named} (Factomos) : {reason}."[:512],
    )


def _check_sums(row: InvoiceRow) -> None:
    if row.total_without_vat + row.total_vat != row.total:
        raise Unusable(
            f"HT {in_french(row.total_without_vat)} € et TVA {in_french(row.total_vat)} € "
            f"ne font pas {in_french(row.total)} € TTC"
        )
    credited = row.total - row.paid - row.due
    may_be_credited = row.status in CREDITED_STATUSES or row.status not in KNOWN_STATUSES
    if credited == 0 or (may_be_credited and _within(credited, row.total)):
        return
    raise Unusable(
        f"total {in_french(row.total)} €, réglé {in_french(row.paid)} €, reste "
        f"{in_french(row.due)} € : l'écart de {in_french(credited)} € "
        f"n'est expliqué par aucun avoir (statut « {row.status} »)"
    )


def _within(part: Decimal, whole: Decimal) -> bool:
    nothing = Decimal(0)
    return min(nothing, whole) <= part <= max(nothing, whole)


def _kind(row: InvoiceRow) -> InvoiceKind:
    kind = KINDS.get(row.kind)
    if kind is None:
        raise Unusable(f"type de document « {row.kind[:40]} » inconnu")
    return kind


def _state(status: str, *, settled: bool) -> InvoiceState:
    if status not in KNOWN_STATUSES:
        return "unknown"
    return "settled" if settled else "open"


def _address(card: ContactRow) -> PostalAddress | None:
    country = card.country.upper()
    code = COUNTRIES.get(country, country)
    lines = tuple(line for line in (_cut(card.street), _cut(card.street_more)) if line)
    if not re.fullmatch(r"[A-Z]{2}", code) or not (lines or card.postcode or card.city):
        return None  # a country we cannot name must not become France
    return PostalAddress(
        lines=lines, postcode=_cut(card.postcode), city=_cut(card.city), country=code
    )


def _cut(text: str) -> str | None:
    return text.strip()[:512] or None
