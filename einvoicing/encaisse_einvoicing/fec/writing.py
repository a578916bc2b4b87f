"""Write lines as a FEC, or as entries to import in its columns. Pure.

Eighteen columns in the order of LPF art. A47 A-1, VII: a header line, fields between tabulations,
dates AAAAMMJJ, a decimal comma and no thousands separator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from encaisse_einvoicing.fec.columns import COLUMNS, NAMES, Column
from encaisse_einvoicing.fec.lines import FecLine

CENT = Decimal("0.01")


def write_fec(lines: Iterable[FecLine]) -> Iterator[str]:
    """Write the header and the lines, each without its end of line."""
    return records(fields(line) for line in lines)


def fields(line: FecLine) -> list[str]:
    """Write one line as its eighteen fields, to be kept as they were told."""
    return [_field(column, getattr(line, column.field)) for column in COLUMNS]


def records(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write the header and rows of fields, each without its end of line."""
    for row in (NAMES, *rows):
        if len(row) != len(COLUMNS):
            raise ValueError(f"{len(row)} fields instead of {len(COLUMNS)}")
        yield "\t".join(row)


def _field(column: Column, value: Any) -> str:
    match value:
        case None:
            return ""
        case date():
            return f"{value:%Y%m%d}"
        case Decimal():
            return figure(value)
        case _:
            return plain(str(value))


def plain(text: str) -> str:
    """Keep a text in its field: whatever parts fields or lines becomes a space."""
    kept = ("".join(char if char.isprintable() and char != "|" else " " for char in text)).split()
    return " ".join(kept)


def figure(amount: Decimal) -> str:
    """Write an amount to the cent, with its decimal comma."""
    rounded = amount.quantize(CENT)
    if rounded != amount:
        raise ValueError(f"{amount} has parts of a cent")
    return f"{rounded:f}".replace(".", ",")
