"""Work out what is still owed on each line from how lines are lettered together. Pure.

A line without letters owes its whole amount; a line wholly lettered owes nothing; lines partly
lettered together owe what is left of their debits once their credits are put on them: first on the
invoice whose number a credit carries, then on the oldest due date. Whatever the order of the lines,
the rests add up to the lines that are not wholly lettered.
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
        settle([rest for rest in group if rest.open > 0], [rest for rest in group if rest.open < 0])
    for rest in found.values():
        if not rest.line.live:
            rest.open = ZERO
    return found


def settle(debits: Sequence[Rest], credits: Sequence[Rest]) -> None:
    """Put credits on debits: on their own invoice first, then on the oldest due date."""
    debits, credits = sorted(debits, key=by_due), sorted(credits, key=by_due)
    own: Mapping[str, list[Rest]] = _by_number(debits)
    for credit in credits:
        for debit in own.get(spelling.folded(credit.line.number), ()):
            debit.take(credit)
    for credit in credits:
        for debit in debits:
            if credit.open == 0:
                break
            debit.take(credit)


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
