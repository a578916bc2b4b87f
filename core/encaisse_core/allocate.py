"""Spread money over échéances.

A payment settles each échéance at most to zero, the oldest first (C. civ. 1342-10). What no
échéance can take is the debtor's money: it is never forced onto another claim, it opens a refund
task. All amounts are integer cents, so that every cent of a payment is either in a line or
unallocated, under any order of partial, over-, double and reversed payments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from encaisse_core.cents import Cents


@dataclass(frozen=True, slots=True)
class Open:
    """Give an échéance that may take money: what is still open of it."""

    id: str
    due_date: date | None
    open: Cents


@dataclass(frozen=True, slots=True)
class Line:
    """Put `cents` on one échéance; negative when it undoes an earlier line."""

    id: str
    cents: Cents


@dataclass(frozen=True, slots=True)
class Allocation:
    """Say where one payment went. Its lines and `unallocated` add up to the payment."""

    lines: tuple[Line, ...]
    unallocated: Cents

    @property
    def allocated(self) -> Cents:
        """Add the lines."""
        return sum(line.cents for line in self.lines)


def allocate(
    payment_cents: Cents, echeances: Sequence[Open], *, only: Collection[str] | None = None
) -> Allocation:
    """Put a payment on the oldest échéances; the rest stays unallocated.

    Échéances without a due date come last, equal dates keep the order given. `only` names the
    échéances the source says it paid: nothing else takes the money then. Raises ValueError for a
    payment that is not positive, because money going back undoes its lines.
    """
    if payment_cents <= 0:
        raise ValueError(f"a payment moves money towards the creditor, not {payment_cents}")
    left = payment_cents
    lines: list[Line] = []
    for echeance in sorted(echeances, key=lambda e: (e.due_date is None, e.due_date or date.min)):
        if only is not None and echeance.id not in only:
            continue
        cents = min(left, max(0, echeance.open))
        if cents:
            lines.append(Line(echeance.id, cents))
            left -= cents
    return Allocation(tuple(lines), left)
