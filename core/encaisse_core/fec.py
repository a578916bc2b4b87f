"""Write accounting entries in the columns of the FEC, as accounting tools import them. Pure.

Eighteen columns in the order of LPF art. A47 A-1, VII: a header line, fields between tabulations,
dates AAAAMMJJ, a decimal comma and no thousands separator, UTF-8. It is a file to import, not the
year's FEC: `ValidDate` is blank, because validating an entry is the accountant's act, and the file
bears no name of a closed exercice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from encaisse_core.cents import Cents

COLUMNS = (
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
)


@dataclass(frozen=True, slots=True)
class EntryHead:
    """Describe what the lines of one entry share: its journal, number, and day."""

    journal: str
    journal_name: str
    number: str
    day: date


@dataclass(frozen=True, slots=True)
class EntryLine:
    """Describe one line; `auxiliary` is the third party's account and name, where there is one."""

    account: str
    account_name: str
    label: str
    debit: Cents
    credit: Cents
    piece: str
    auxiliary: tuple[str, str] = ("", "")


def fields(entry: EntryHead, line: EntryLine) -> list[str]:
    """Write one line as its eighteen fields."""
    day = f"{entry.day:%Y%m%d}"
    return [
        plain(entry.journal),
        plain(entry.journal_name),
        plain(entry.number),
        day,
        plain(line.account),
        plain(line.account_name),
        *(plain(part) for part in line.auxiliary),
        plain(line.piece),
        day,
        plain(line.label),
        figure(line.debit),
        figure(line.credit),
        *("", "", "", "", ""),
    ]


def lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write the header and the rows, each without its end of line."""
    for row in (COLUMNS, *rows):
        if len(row) != len(COLUMNS):
            raise ValueError(f"{len(row)} fields instead of {len(COLUMNS)}")
        yield "\t".join(row)


def plain(text: str) -> str:
    """Keep a text in its field: whatever parts fields or lines becomes a space."""
    kept = ("".join(char if char.isprintable() and char != "|" else " " for char in text)).split()
    return " ".join(kept)


def figure(cents: Cents) -> str:
    """Write an amount with its decimal comma; a line's two sides are never negative."""
    if cents < 0:
        raise ValueError("a debit or a credit is not negative")
    return f"{cents // 100},{cents % 100:02d}"
