"""Print what was read for a person: the invoices, the refusals, then each warning once.

On a terminal, or under COLUMNS, a path that does not fit beside its invoice has a line of its own
and stays whole, to be copied; in a file or a pipe an invoice is one line.
"""

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import click

from encaisse_einvoicing.issues import Issue
from encaisse_einvoicing.model import Party
from encaisse_einvoicing.reading.documents import FileReading

HEADINGS: Final = ("Numéro", "Date", "Échéance", "TTC", "À payer", "Vendeur", "Acheteur")
AMOUNTS: Final = (3, 4)
PARTIES: Final = 5
"""From this column on there are names, which may take a line of their own."""
NAMED: Final = 3
"""Files named under a warning that several share; the others are counted."""
SYMBOLS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}


def print_all(found: Sequence[FileReading]) -> None:
    """Print the table, the refusals, the warnings and the count."""
    read = [each for each in found if each.reading.invoice is not None]
    for line in table([(each.file, _row(each)) for each in read], width()):
        click.echo(line)
    for line in refusals(found):
        click.echo(line)
    for line in warnings(found):
        click.echo(line)
    well = sum(each.reading.ok for each in found)
    files = f"{len(found)} fichier{'s' if len(found) > 1 else ''}"
    click.echo(f"{well} facture{'s' if well > 1 else ''} lue{'s' if well > 1 else ''} sur {files}.")


def width() -> int | None:
    """Give how wide an answer may be: COLUMNS, else the terminal; None where nothing says."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: Sequence[tuple[str, Sequence[str]]], wide: int | None) -> list[str]:
    """Lay out (file, cells) in lines; no cell is cut short."""
    if not rows:
        return []
    files = ["Fichier", *(file for file, _ in rows)]
    cells = [HEADINGS, *(cells for _, cells in rows)]
    longest = max(map(len, files))
    sizes = [max(len(row[n]) for row in cells) for n in range(len(HEADINGS))]
    full = [_line(row, sizes) for row in cells]
    if wide is None or longest + 2 + max(map(len, full)) <= wide:
        return [
            f"{file:<{longest}}  {line}".rstrip(" ") for file, line in zip(files, full, strict=True)
        ]
    lines: list[str] = []
    names_fit = 2 + max(map(len, full)) <= wide
    for file, row, line in zip(files, cells, full, strict=True):
        lines.append(file)
        if names_fit:
            lines.append(f"  {line}")
            continue
        lines.append(f"  {_line(row[:PARTIES], sizes)}".rstrip(" "))
        lines += [f"  {name}" for name in _parties(row, wide - 2) if name]
    return lines


def _line(row: Sequence[str], sizes: Sequence[int]) -> str:
    padded = (
        cell.rjust(size) if n in AMOUNTS else cell.ljust(size)
        for n, (cell, size) in enumerate(zip(row, sizes, strict=False))
    )
    return "  ".join(padded).rstrip(" ")


def _parties(row: Sequence[str], wide: int) -> list[str]:
    both = " → ".join(row[PARTIES:])
    return [both] if len(both) <= wide else [row[PARTIES], f"→ {row[PARTIES + 1]}"]


def refusals(found: Sequence[FileReading]) -> list[str]:
    """Say of each file that gave no usable invoice why, all before any warning."""
    told = [
        f"  {each.file} : {_said(issue)}"
        for each in found
        for issue in each.reading.issues
        if _refuses(each, issue)
    ]
    return ["Refusés :", *told] if told else []


def warnings(found: Sequence[FileReading]) -> list[str]:
    """Say each warning once, with the files it is about."""
    shared: dict[tuple[str, str], list[tuple[str, Issue]]] = defaultdict(list)
    for each in found:
        for issue in each.reading.issues:
            if not _refuses(each, issue):
                shared[issue.code, issue.message].append((each.file, issue))
    told: list[str] = []
    for about in shared.values():
        files = list(dict.fromkeys(file for file, _ in about))
        if len(files) == 1:
            told.append(f"  {files[0]} : {_said(about[0][1])}")
            continue
        more = len(files) - NAMED
        others = f" et {more} autre{'s' if more > 1 else ''}" if more > 0 else ""
        told += [
            f"  {_said(about[0][1])}",
            f"    {len(files)} fichiers : {', '.join(files[:NAMED])}{others}",
        ]
    return ["À vérifier :", *told] if told else []


def _refuses(each: FileReading, issue: Issue) -> bool:
    """Tell whether an issue is why a file counts as refused."""
    if each.reading.ok:
        return False
    return each.reading.invoice is None or issue.code.startswith("missing_")


def _said(issue: Issue) -> str:
    return f"{issue.message} [{', '.join(filter(None, (issue.code, issue.where)))}]"


def _row(each: FileReading) -> tuple[str, ...]:
    invoice = each.reading.invoice
    assert invoice is not None
    totals, currency = invoice.totals, invoice.currency or ""
    cells = (
        invoice.number or "?",
        _day(invoice.issue_date),
        _day(invoice.due_date),
        amount(totals.tax_inclusive, currency),
        amount(totals.payable, currency),
        _name(invoice.seller),
        _name(invoice.buyer),
    )
    return tuple(
        "".join(c if c.isprintable() or c in "\u00a0\u202f" else " " for c in cell)
        for cell in cells
    )


def _name(party: Party | None) -> str:
    return "" if party is None else party.name or party.trade_name or party.siren or ""


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%d/%m/%Y}"


def amount(value: Decimal | None, currency: str) -> str:
    """Write an amount the French way: 3 042,00 € with no-break spaces. Empty for None."""
    if value is None:
        return ""
    exponent = value.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    digits = f"{value:,.{decimals}f}".replace(",", "\u202f").replace(".", ",")
    return f"{digits}\u00a0{SYMBOLS.get(currency, currency)}".rstrip("\u00a0")
