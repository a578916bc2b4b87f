"""Judge the lines of a FEC one after the other, holding only the entries out of balance."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from encaisse_einvoicing.fec.findings import Findings
from encaisse_einvoicing.fec.lines import ZERO, FecLine

THREE_DIGITS = re.compile(r"[0-9]{3}")


class Judge:
    """Find what only shows across fields and lines, one line after the other.

    Only the entries out of balance are held: a balanced one is forgotten, and if it comes back its
    place is where it stops being so.
    """

    def __init__(self, closing: date | None, findings: Findings) -> None:
        """Judge by the exercice that ends on this day, where the file's name says one."""
        self._closing = closing
        self._opening = None if closing is None else _year_before(closing)
        self._findings = findings
        self._open: dict[tuple[str, str], tuple[int, Decimal]] = {}

    def see(self, line: FecLine) -> None:
        """Judge one line; raises nothing."""
        findings, closing, opening = self._findings, self._closing, self._opening
        if line.account and not THREE_DIGITS.match(line.account):
            findings.add("account", line.line, line.account)
        if line.debit and line.credit:
            findings.add("two_sides", line.line)
        elif not line.debit and not line.credit:
            findings.add("no_side", line.line)
        if closing and opening and line.day and not opening <= line.day <= closing:
            findings.add("date_outside", line.line, f"{line.day:%Y%m%d}")
        entry = (line.journal, line.number)
        first, left = self._open.get(entry, (line.line, ZERO))
        left += line.balance
        if left:
            self._open[entry] = (first, left)
        else:
            self._open.pop(entry, None)

    def close(self) -> None:
        """Name the entries that stayed out of balance, by where they begin."""
        for (journal, number), (first, left) in sorted(self._open.items(), key=lambda e: e[1][0]):
            self._findings.add("unbalanced", first, f"{journal} {number} : {left}")


LONGEST_YEAR = 24
"""Months before its closing an exercice may begin: twelve as a rule, more for a first one."""


def _year_before(closing: date) -> date:
    """Give the earliest day an exercice closed on this day can have; no day is before year 1."""
    year, month = divmod(closing.year * 12 + closing.month - 1 - LONGEST_YEAR, 12)
    return date(year, month + 1, 1) if year > 0 else date.min
