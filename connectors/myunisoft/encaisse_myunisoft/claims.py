"""Bring the lines of one account together into invoices, avoirs and unallocated money. Pure.

Debits of a sale under one number and year are one invoice, each line one échéance. Whatever else
carries that number (a receipt nobody lettered yet, our own entry, a returned payment) changes what
is open on it. What names no invoice stands by itself. The open amounts of everything made here add
up to the rests of the lines it is made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from encaisse_myunisoft import spelling
from encaisse_myunisoft.lines import Line
from encaisse_myunisoft.refs import Ref
from encaisse_myunisoft.residuals import ZERO, Rest, by_due, rests

Key = tuple[int, str]


@dataclass(slots=True)
class Claim:
    """Hold the parts of one item: `bills` are what it was made of, `moves` what named it since.

    `single` is a line that stands for itself alone, whatever number it carries.
    """

    account: str
    bills: list[Rest]
    moves: list[Rest] = field(default_factory=list[Rest])
    single: bool = False

    @property
    def first(self) -> Line:
        """Give the line the item is named after: its oldest."""
        return min((bill.line for bill in self.bills), key=lambda line: int(line.origin))

    @property
    def ref(self) -> Ref:
        """Give the item's name."""
        line = self.first
        if line.number and not self.single:
            return Ref(self.account, year=line.issued.year, number=line.number)
        return Ref(self.account, line=line.origin)

    @property
    def open(self) -> Decimal:
        """Give what is owed, below zero on credits."""
        return sum((bill.open for bill in self.bills), ZERO) + self.beyond

    @property
    def beyond(self) -> Decimal:
        """Give what was debited in its name beyond what it was made for."""
        return sum((move.open for move in self.moves if move.open > 0), ZERO)

    @property
    def live(self) -> bool:
        """Tell whether a pull shows it: a credit while some is left, an invoice while a line is."""
        owes = self.first.signed > 0 and any(bill.line.live for bill in self.bills)
        return self.open != 0 or owes

    def absorb(self) -> list[Rest]:
        """Put what named the invoice on it; give the credits, with what is too much of them."""
        credits = sorted((move for move in self.moves if move.open < 0), key=by_due)
        debits = sorted((move for move in self.moves if move.open > 0), key=by_due)
        for credit in credits:
            for debit in (*debits, *sorted(self.bills, key=by_due)):
                debit.take(credit)
        for debit in debits:
            for bill in sorted(self.bills, key=by_due):
                moved = min(bill.line.face - bill.open, debit.open)
                bill.open += moved
                debit.open -= moved
        return credits


def of_account(lines: Sequence[Line], settled_before: Sequence[Line] = ()) -> list[Claim]:
    """Make every item of one account, by name; `settled_before` are parts paid in closed years."""
    found = rests(lines)
    invoices = _billed(rest for rest in found.values() if rest.line.bills)
    alone = [_alone(rest) for rest in found.values() if rest.line.bills and not rest.line.number]
    _reopen(invoices, found.values(), settled_before)
    _add_settled_parts(invoices, settled_before)
    names = _Names(invoices)
    avoirs: dict[Key, Claim] = {}
    for rest in sorted((r for r in found.values() if not r.line.bills), key=by_due):
        named = names.named(rest)
        if named is not None and rest.open:
            named.moves.append(rest)
        elif named is None and is_avoir(rest.line) and rest.line.number:
            claim = avoirs.setdefault(_key(rest.line), Claim(rest.line.account, []))
            claim.bills.append(rest)
        else:
            alone.append(_alone(rest))
    for invoice in invoices.values():
        alone += [_alone(credit) for credit in invoice.absorb()]
    return sorted((*invoices.values(), *avoirs.values(), *alone), key=lambda claim: str(claim.ref))


def is_avoir(line: Line) -> bool:
    """Tell whether a credit is one the company granted, not money that came in."""
    return line.signed < 0 and line.journal == "sale"


def _alone(rest: Rest) -> Claim:
    return Claim(rest.line.account, [rest], single=True)


def _billed(bills: Iterable[Rest]) -> dict[Key, Claim]:
    found: dict[Key, Claim] = {}
    for rest in bills:
        if rest.line.number:
            claim = found.setdefault(_key(rest.line), Claim(rest.line.account, []))
            claim.bills.append(rest)
    return found


def _key(line: Line) -> Key:
    return (line.issued.year, spelling.folded(line.number))


class _Names:
    """Find the invoice a line names, among those of one account."""

    def __init__(self, invoices: Mapping[Key, Claim]) -> None:
        self._refs = {str(claim.ref): claim for claim in invoices.values()}
        self._numbers: dict[str, list[Claim]] = defaultdict(list)
        for (_, number), claim in invoices.items():
            self._numbers[number].append(claim)

    def named(self, rest: Rest) -> Claim | None:
        """Give the one our entry was for, else the one of its number, an open one first.

        A number may come back in another year; the oldest open invoice is then the one paid.
        """
        line = rest.line
        if line.ours and line.target in self._refs:
            return self._refs[line.target]
        alike = self._numbers.get(spelling.folded(line.number), []) if line.number else []
        return min(alike, key=lambda claim: (claim.open <= 0, claim.first.issued), default=None)


def _reopen(
    invoices: dict[Key, Claim], found: Iterable[Rest], settled_before: Sequence[Line]
) -> None:
    """Bring back invoices paid in a closed year that something still open names.

    A payment that went back after it was lettered is carried over alone: the invoice it was for is
    owed again, under its own name, and its line stayed in the year that closed.
    """
    known = {number for _, number in invoices}
    moved = [r.line for r in found if r.open and not r.line.bills and not is_avoir(r.line)]
    targets = {line.target for line in moved if line.ours}
    numbers = {spelling.folded(line.number) for line in moved if line.number} - known
    for line in settled_before:
        if not line.bills or not line.number:
            continue
        claim = Claim(line.account, [Rest(line, ZERO)])
        if _key(line)[1] in numbers or str(claim.ref) in targets:
            invoices.setdefault(_key(line), Claim(line.account, []))
            invoices[_key(line)].bills.append(Rest(line, ZERO))


def _add_settled_parts(invoices: dict[Key, Claim], lines: Sequence[Line]) -> None:
    """Add échéances that were paid in a closed year: an invoice's total does not shrink with it."""
    for line in lines:
        claim = invoices.get(_key(line)) if line.bills and line.number else None
        if claim is not None and line.origin not in {bill.line.origin for bill in claim.bills}:
            claim.bills.append(Rest(line, ZERO))
