"""Name an invoice by what does not change when the year ends: account, year of issue, number.

The vendor's own ids do change: each year's à-nouveaux are new lines with new ids, and a draft gets
another one when it is validated. A line without a number has nothing but its id, and keeps that of
the line it was carried over from.

    411MARTIN0/2026/FA2026081       the invoice FA2026081 of 2026
    411MARTIN0#880501               the line 880501, which has no number
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_INVOICE = re.compile(r"([^/#\s]{1,30})/([0-9]{4})/(\S.{0,199})", re.ASCII)
_LINE = re.compile(r"([^/#\s]{1,30})#([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ref:
    """Hold one reference, taken apart: of an invoice (`number`) or of a line (`line`)."""

    account: str
    year: int | None = None
    number: str = ""
    line: str = ""

    def __str__(self) -> str:
        if self.line:
            return f"{self.account}#{self.line}"
        return f"{self.account}/{self.year:04}/{self.number}"


def parse(text: str) -> Ref | None:
    """Take a reference apart; None when it is none of ours."""
    invoice = _INVOICE.fullmatch(text)
    if invoice is not None:
        return Ref(invoice[1], year=int(invoice[2]), number=invoice[3])
    line = _LINE.fullmatch(text)
    return Ref(line[1], line=line[2]) if line is not None else None
