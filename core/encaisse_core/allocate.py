"""Spread money over échéances, and read money out of amounts that moved.

A payment settles each échéance at most to zero, the oldest first (C. civ. 1342-10). What no
échéance can take is the debtor's money: it is never forced onto another claim, it opens a refund
task. All amounts are integer cents, so that every cent of a payment is either in a line or
unallocated, under any order of partial, over-, double and reversed payments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from encaisse_core.cents import Cents

MAYBE_SAME_DAYS = 10
"""Equal money on one claim within so many days, without a common identity, may be one payment."""


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
    payment that is not positive, because money going back is a reversal (`reverse`).
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


def reverse(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Undo lines exactly where they were put, whatever was paid since."""
    return tuple(Line(line.id, -line.cents) for line in lines)


def expected_open(total: Cents, told: Sequence[Cents]) -> Cents:
    """Tell the open amount a tool should show: the total less each allocation it knows of.

    `told` holds the amounts the tool was the source of or was written (reversals negative); what
    is still on its way to the tool is not in it.
    """
    return total - sum(told)


@dataclass(frozen=True, slots=True)
class Observed:
    """Say that money moved in a tool that tells only its open amount; `cents` is positive."""

    kind: Literal["payment", "reversal"]
    cents: Cents


def difference(expected: Cents, seen: Cents) -> Observed | None:
    """Read money out of an open amount we cannot explain: less is a payment, more a reversal."""
    if seen < expected:
        return Observed("payment", expected - seen)
    if seen > expected:
        return Observed("reversal", seen - expected)
    return None


@dataclass(frozen=True, slots=True)
class Movement:
    """Give one sight of money on a claim, for comparing.

    `net` is what reached the creditor after the collector's fee, None where nothing was kept.
    `identities` are the ids that would prove it (our key, a receipt's id, the collector's payment
    id, the bank reference), each with its kind in front.
    """

    id: str
    claim_id: str
    on: date
    gross: Cents
    net: Cents | None = None
    identities: frozenset[str] = frozenset()


def maybe_same(
    existing: Sequence[Movement], new: Movement, days: int = MAYBE_SAME_DAYS
) -> tuple[str, ...]:
    """List the ids of movements that may be the same money as `new`, without proof.

    Somebody may have typed the collector's payment into a tool by hand, gross or as the transfer
    received. Money that shares an identity is not a doubt (it is the same) and is left out.
    """
    amounts = _amounts(new)
    return tuple(
        known.id
        for known in existing
        if known.claim_id == new.claim_id
        and known.id != new.id
        and abs((known.on - new.on).days) <= days
        and not known.identities & new.identities
        and amounts & _amounts(known)
    )


def _amounts(movement: Movement) -> set[Cents]:
    return {movement.gross} if movement.net is None else {movement.gross, movement.net}
