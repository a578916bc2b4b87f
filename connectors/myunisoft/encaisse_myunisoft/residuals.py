"""Work out what is still owed on each line from how lines are lettered together. Pure.

A line without letters owes its whole amount; a line wholly lettered owes nothing; lines partly
lettered together owe what is left of their debits once their credits are put on them: first on the
invoice whose number a credit carries, then on what went back of it, then on the oldest due date.
Whatever the order of the lines, the rests add up to the lines that are not wholly lettered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from encaisse_myunisoft import spelling
from encaisse_myunisoft.lines import Line

ZERO = Decimal("0.00")


@dataclass(slots=True)
class Rest:
    """Hold what is left of one line: `open` is debit minus credit, `credited` what avoirs took."""

    line: Line
    open: Decimal
    credited: Decimal = field(default=ZERO)

    def take(self, other: Rest) -> None:
        """Put a credit on this debit, as far as both go."""
        moved = min(self.open, -other.open)
        if moved <= 0:
            return
        self.open -= moved
        other.open += moved
        if other.line.journal == "sale":
            self.credited += moved


def rests(lines: Iterable[Line]) -> dict[str, Rest]:
    """Give the rest of every line, by its id."""
    found: dict[str, Rest] = {}
    groups: dict[tuple[str, str], list[Rest]] = defaultdict(list)
    for line in lines:
        rest = found[line.id] = Rest(line, line.signed)
        if line.group:
            groups[line.account, line.group].append(rest)
    for group in groups.values():
        _settle_own(group)
    _settle_own([rest for rest in found.values() if rest.line.live and _returns(rest)])
    for group in groups.values():
        settle(group)
    for rest in found.values():
        if not rest.line.live:
            rest.open = ZERO
    return found


def _returns(rest: Rest) -> bool:
    """Tell what is left of a group's payments, and money that went back outside of any group.

    A payment undone after it was lettered stays in its group while what undid it does not: what is
    too much there is then the undone payment, and pays no other invoice of the group.
    """
    return bool(rest.line.group) if rest.open < 0 else not rest.line.bills


def settle(group: Sequence[Rest]) -> None:
    """Put credits on debits: on their own invoice first, then on the oldest due date."""
    _settle_own(group)
    debits, credits = _sides(group)
    for credit in credits:
        for debit in debits:
            if credit.open == 0:
                break
            debit.take(credit)


def _settle_own(rests: Sequence[Rest]) -> None:
    """Put credits on debits that carry their number."""
    debits, credits = _sides(rests)
    own: Mapping[str, list[Rest]] = _by_number(debits)
    for credit in credits:
        for debit in own.get(spelling.folded(credit.line.number), ()):
            debit.take(credit)


def _sides(rests: Iterable[Rest]) -> tuple[list[Rest], list[Rest]]:
    """Give what is left to pay, and what is left to pay with, in order."""
    ordered = sorted(rests, key=by_due)
    return [r for r in ordered if r.open > 0], [r for r in ordered if r.open < 0]


def _by_number(debits: Iterable[Rest]) -> dict[str, list[Rest]]:
    found: dict[str, list[Rest]] = defaultdict(list)
    for debit in debits:
        if debit.line.number:
            found[spelling.folded(debit.line.number)].append(debit)
    return found


def by_due(rest: Rest) -> tuple[date, date, int]:
    """Order lines: oldest due date first, without one last; then by date and id."""
    line = rest.line
    return (line.due or date.max, line.issued, int(line.origin))
