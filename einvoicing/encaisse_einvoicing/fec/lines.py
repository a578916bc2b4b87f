"""Hold one FEC: its lines, and what a person should know about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from encaisse_einvoicing.fec.findings import Finding, Level

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class FecLine:
    """Be one line of an entry; texts as written, amounts in euros, dates as days.

    `line` counts the file's lines from 1, the header being the first. A date or a text that is not
    there is empty or None.
    """

    line: int
    journal: str
    journal_name: str
    number: str
    day: date | None
    account: str
    account_name: str
    auxiliary: str
    auxiliary_name: str
    piece: str
    piece_day: date | None
    label: str
    debit: Decimal
    credit: Decimal
    letter: str = ""
    letter_day: date | None = None
    validated: date | None = None
    foreign_amount: Decimal | None = None
    currency: str = ""
    paid_on: date | None = None
    paid_by: str = ""
    nature: str = ""
    client: str = ""

    @property
    def balance(self) -> Decimal:
        """Tell what the line adds to its account: debit minus credit."""
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class Fec:
    """Hold the lines that were read, in the file's order, and the findings.

    `siren` and `closing` are what the file's name says; `unread` names the lines nothing was taken
    from, so that nobody takes the rest for the whole. `count` is the number of lines read, of which
    `lines` holds those that were asked for: all of them unless said otherwise.
    """

    lines: tuple[FecLine, ...]
    findings: tuple[Finding, ...]
    unread: tuple[int, ...]
    separator: str
    encoding: str
    siren: str | None = None
    closing: date | None = None
    count: int = 0

    @property
    def valid(self) -> bool:
        """Tell whether no finding is an error."""
        return not any(each.level is Level.ERROR for each in self.findings)
