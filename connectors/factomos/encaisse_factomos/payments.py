"""Say what stands under our reference on an invoice, from its list of payments. Pure.

The write is documented (`createPayment`: montant, type, reference, payment_date); reading payments
back, and that a negative amount undoes one, are assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import Conflict, Drift, OutcomeUnknown, Rejected
from encaisse_api.money import Money, in_french
from encaisse_api.writing import PaymentEntry, Receipt, ReversalEntry
from encaisse_factomos import spelling
from encaisse_factomos.rows import PaymentRow

TYPE = "other"
"""Documented values: cb, check, especes, paypal, virement, other. How a debtor paid is not told."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Describe one line of the payments of an invoice, as we write it and look it up."""

    key: str
    subject: str
    asked: Money
    amount: Decimal
    on: date

    def body(self) -> dict[str, str]:
        """Give the request that writes it."""
        return {
            "montant": f"{self.amount:.2f}",
            "type": TYPE,
            "reference": self.key,
            "payment_date": self.on.isoformat(),
        }

    def receipt(self, row: PaymentRow) -> Receipt:
        """Prove it with the vendor's own id."""
        return Receipt(remote_id=row.id, amount=self.asked)

    def is_like(self, row: PaymentRow) -> bool:
        """Tell whether a line says the same thing."""
        return row.amount == self.amount and row.paid_on == self.on


def payment(key: str, entry: PaymentEntry) -> Wanted:
    """Describe a payment received."""
    subject = f"Facture {entry.invoice_number}, règlement de {in_french(entry.amount.amount)} €"
    return Wanted(key, subject, entry.amount, _euros(entry.amount, subject), entry.paid_on)


def reversal(key: str, entry: ReversalEntry) -> Wanted:
    """Describe a payment undone: the same amount below zero, under a reference of its own."""
    amount = in_french(entry.amount.amount)
    subject = f"Facture {entry.invoice_number}, annulation d'un règlement de {amount} €"
    return Wanted(key, subject, entry.amount, -_euros(entry.amount, subject), entry.reversed_on)


def rows_of(answer: Mapping[str, object], subject: str) -> Sequence[PaymentRow]:
    """Read the whole list; a row that cannot be read, or a wrong count, is doubt."""
    found = answer.get("payments")
    if not isinstance(found, list):
        raise _drift(answer, f"{subject} : pas de liste de règlements")
    raws = cast("list[object]", found)
    try:
        stated = spelling.count(answer.get("total_payments"))
        rows = [PaymentRow.model_validate(raw) for raw in raws]
    except ValidationError as error:
        raise _drift(answer, f"{subject} : règlement illisible ({why(error)})") from None
    except ValueError as error:
        raise _drift(answer, f"{subject} : {error}") from None
    if stated != len(rows):
        raise _drift(answer, f"{subject} : {stated} règlements annoncés, {len(rows)} donnés")
    return rows


def find(wanted: Wanted, rows: Sequence[PaymentRow]) -> Receipt | None:
    """Find the line under our reference; None when there is none.

    Raises `Conflict` when the line differs, or stands twice: both are for a person, because a
    second write would make it worse.
    """
    ours = [row for row in rows if row.reference == wanted.key]
    if not ours:
        return None
    if len(ours) > 1:
        ids = ", ".join(row.id for row in ours)
        raise Conflict(
            f"{wanted.subject} : inscrit {len(ours)} fois dans Factomos sous la référence "
            f"{wanted.key} ({ids}). Supprimez les lignes en trop dans Factomos.",
            code="double",
        )
    row = ours[0]
    if not wanted.is_like(row):
        raise Conflict(
            f"{wanted.subject} : Factomos porte sous la référence {wanted.key} "
            f"{in_french(row.amount)} € au {row.paid_on:%d/%m/%Y} au lieu de "
            f"{in_french(wanted.amount)} € au {wanted.on:%d/%m/%Y}. Corrigez la ligne dans "
            "Factomos.",
            code="differs",
        )
    return wanted.receipt(row)


def written(wanted: Wanted, answer: Mapping[str, object]) -> Receipt:
    """Read the reply to a write; anything but our own line back leaves the outcome unknown."""
    try:
        row = PaymentRow.model_validate(answer.get("payment"))
    except ValidationError as error:
        raise OutcomeUnknown(
            f"{wanted.subject} : réponse de Factomos illisible ({why(error)}) ; l'écriture sera "
            "recherchée avant toute nouvelle tentative."
        ) from None
    if row.reference != wanted.key or not wanted.is_like(row):
        raise OutcomeUnknown(
            f"{wanted.subject} : Factomos a répondu pour une autre écriture ({row.reference!r}, "
            f"{in_french(row.amount)} €) ; la nôtre sera recherchée avant toute nouvelle tentative."
        )
    return wanted.receipt(row)


def _euros(money: Money, subject: str) -> Decimal:
    if money.currency != "EUR":
        raise Rejected(f"{subject} : Factomos ne tient que des euros.", code="currency")
    return money.amount


def _drift(answer: Mapping[str, object], what: str) -> Drift:
    return Drift(f"{what}. La réponse de Factomos est conservée.", raw=wire.write(answer))
