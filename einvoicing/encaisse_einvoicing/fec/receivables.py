"""Work out what customers owe from the entries of a FEC. Pure.

A FEC holds no invoices: lines of customer accounts, some of which a letter puts together. What is
left of each piece is an open invoice; a credit nobody put beside an invoice stays what it is, since
guessing which one it pays would send a paid invoice to collection. A FEC has no due dates: each is
estimated, and says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from encaisse_einvoicing.fec.lines import ZERO, Fec, FecLine

CUSTOMERS = ("411", "413", "416")
"""Customers, bills they signed, doubtful ones, in account 41 of the plan comptable général. 418 and
419 are no claims."""

DOUBTFUL = "416"

USUAL_TERMS = 30
"""Days of payment where nothing else is known (Code de commerce L441-10 I)."""

OPENING = frozenset({"AN", "ANO", "AND", "RAN", "OUV", "AN1", "A.N", "A-NOUVEAUX"})
"""Codes tools give to the journal of à-nouveaux."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Name a customer as the ledger does: its auxiliary account, or the account itself."""

    account: str
    name: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Be what is left of one piece; `due_date` is always an estimate.

    `carried` when it comes from the year before: its piece, date and amount may then be those of a
    sum. `spread` when a letter holds several pieces: its credits were taken off the oldest first.
    """

    customer: Customer
    piece: str
    issued: date | None
    due_date: date | None
    total: Decimal
    open: Decimal
    lines: tuple[int, ...]
    carried: bool = False
    doubtful: bool = False
    spread: bool = False
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Unallocated:
    """Be money or an avoir to a customer's credit that no letter puts beside an invoice."""

    customer: Customer
    piece: str
    day: date | None
    amount: Decimal
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Receivables:
    """Hold what every customer owes; for each one open minus unallocated is its balance.

    `incomplete` when lines of the file could not be read: what they said of a customer is missing.
    """

    items: tuple[OpenItem, ...]
    unallocated: tuple[Unallocated, ...]
    balances: Mapping[Customer, Decimal]
    incomplete: bool


@dataclass
class _Piece:
    """Gather the lines of one piece."""

    lines: list[FecLine]

    @property
    def balance(self) -> Decimal:
        return sum((line.balance for line in self.lines), ZERO)

    @property
    def first(self) -> FecLine:
        return min(self.lines, key=lambda line: (line.balance <= 0, line.line))

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(sorted(line.line for line in self.lines))


def receivables(
    fec: Fec, *, terms: Mapping[str, int] | None = None, usual_terms: int = USUAL_TERMS
) -> Receivables:
    """Give the open items; `terms` are days of payment by customer account."""
    days = terms or {}
    items: list[OpenItem] = []
    unallocated: list[Unallocated] = []
    balances: dict[Customer, Decimal] = {}
    for customer, lines in _by_customer(fec.lines).items():
        balances[customer] = sum((line.balance for line in lines), ZERO)
        wait = timedelta(days=days.get(customer.account, usual_terms))
        for pieces, lettered in _groups(lines):
            left = _left(pieces) if lettered else [(piece, piece.balance) for piece in pieces]
            spread = lettered and sum(1 for piece in pieces if piece.balance > 0) > 1
            for piece, open_ in left:
                if open_ > 0:
                    items.append(_item(customer, piece, open_, wait, spread))
                elif open_ < 0:
                    unallocated.append(
                        Unallocated(
                            customer,
                            piece.first.piece,
                            piece.first.piece_day or piece.first.day,
                            -open_,
                            piece.numbers,
                        )
                    )
    return Receivables(tuple(items), tuple(unallocated), balances, bool(fec.unread))


def is_customers(line: FecLine) -> bool:
    """Tell a line of a customer account; the others say nothing of what is owed."""
    return line.account.startswith(CUSTOMERS)


def _by_customer(lines: Iterable[FecLine]) -> dict[Customer, list[FecLine]]:
    """Sort the customer lines by who owes; a name is the last one written."""
    found: dict[str, list[FecLine]] = defaultdict(list)
    names: dict[str, str] = {}
    for line in lines:
        if is_customers(line):
            who = line.auxiliary or line.account
            found[who].append(line)
            names[who] = (line.auxiliary_name if line.auxiliary else line.account_name) or (
                names.get(who, "")
            )
    return {Customer(who, names[who]): kept for who, kept in found.items()}


def _groups(lines: Sequence[FecLine]) -> Iterable[tuple[list[_Piece], bool]]:
    """Give the pieces of each letter that does not add up to zero, then those of no letter."""
    lettered: dict[tuple[str, str], list[FecLine]] = defaultdict(list)
    free: list[FecLine] = []
    for line in lines:
        if line.letter:
            lettered[line.account, line.letter].append(line)
        else:
            free.append(line)
    for group in lettered.values():
        if sum((line.balance for line in group), ZERO):
            yield _pieces(group), True
    if free:
        yield _pieces(free), False


def _pieces(lines: Iterable[FecLine]) -> list[_Piece]:
    """Put the lines of one piece together; a line without one stands by itself."""
    found: dict[object, _Piece] = {}
    for line in lines:
        key: object = (line.account, line.piece) if line.piece else line.line
        found.setdefault(key, _Piece([])).lines.append(line)
    return list(found.values())


def _left(pieces: Sequence[_Piece]) -> list[tuple[_Piece, Decimal]]:
    """Take the credits of one letter off its invoices, the oldest first."""
    credit = -sum((p.balance for p in pieces if p.balance < 0), ZERO)
    owed = sorted(
        (p for p in pieces if p.balance > 0),
        key=lambda p: (p.first.piece_day or p.first.day or date.max, p.first.line),
    )
    left: list[tuple[_Piece, Decimal]] = []
    for piece in owed:
        taken = min(credit, piece.balance)
        credit -= taken
        left.append((piece, piece.balance - taken))
    if credit:
        over = [piece for piece in pieces if piece.balance < 0]
        left.append((_Piece([line for piece in over for line in piece.lines]), -credit))
    return left


def _later(day: date | None, wait: timedelta) -> date | None:
    """Add days of payment; None where there is no day, or none that late in the calendar."""
    return None if day is None or day > date.max - wait else day + wait


def _item(
    customer: Customer, piece: _Piece, open_: Decimal, wait: timedelta, spread: bool
) -> OpenItem:
    first = piece.first
    issued = first.piece_day or first.day
    return OpenItem(
        customer=customer,
        piece=first.piece,
        issued=issued,
        due_date=_later(issued, wait),
        total=sum((line.debit for line in piece.lines), ZERO) or open_,
        open=open_,
        lines=piece.numbers,
        carried=first.journal.upper() in OPENING,
        doubtful=first.account.startswith(DOUBTFUL),
        spread=spread,
        currency=first.currency,
    )
