"""Write for a person or a script: tables in French, or JSON that is the same every time."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeAlias

import click

from encaisse_api.money import Money, minor_unit

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""What a view gives: no float, so that money is never a number."""

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def money(minor: int, currency: str = "EUR") -> dict[str, Json]:
    """Give an amount as JSON shows it: `{"amount": "1234.56", "currency": "EUR"}`."""
    amount: dict[str, Json] = Money.of_minor(minor, currency).model_dump(mode="json")
    return amount


def amount(value: Json) -> str:
    """Write an amount the French way: 1 234,56 € with no-break spaces. Empty for None."""
    if not isinstance(value, Mapping):
        return ""
    exact = Money.model_validate(value)
    decimals = minor_unit(exact.currency)
    whole, _, cents = f"{abs(exact.amount):.{decimals}f}".partition(".")
    digits = f"{int(whole):,}".replace(",", "\u202f") + (f",{cents}" if cents else "")
    sign = "-" if exact.amount < 0 else ""
    return f"{sign}{digits}\u00a0{SYMBOLS.get(exact.currency, exact.currency)}"


def day(value: Json) -> str:
    """Write a date or the day of an instant as dd/mm/yyyy; empty for None."""
    return f"{date.fromisoformat(value[:10]):%d/%m/%Y}" if isinstance(value, str) and value else ""


def moment(value: Json) -> str:
    """Write an instant the store keeps, in Paris time: dd/mm/yyyy hh:mm."""
    from encaisse_core.clock import PARIS
    from encaisse_core.store.engine import instant

    if not isinstance(value, str) or not value:
        return ""
    return f"{instant(value).astimezone(PARIS):%d/%m/%Y %H:%M}"


def text(value: Json) -> str:
    """Write any other value; nothing for None."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    return "" if value is None else str(value)


def word(names: Mapping[str, str], value: str) -> str:
    """Give the French word of a state or kind; one we have no word for stays as it is."""
    return names.get(value, value)


def as_json(value: Json) -> None:
    """Write JSON in UTF-8 whatever the terminal speaks."""
    written = json.dumps(value, ensure_ascii=False, indent=2)
    click.echo(f"{written}\n".encode(), nl=False)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Write a table, or a sentence where there is nothing; it cuts no cell short."""
    if not rows:
        click.echo(empty)
        return
    from encaisse_core.cli.columns import lay_out

    printed = [[printable(cell) for cell in row] for row in rows]
    head, body = lay_out(headings, printed, width())
    for line in head:
        click.secho(line, bold=True)
    click.echo("\n".join(body))


def width() -> int | None:
    """Give how wide an answer may be: COLUMNS, else the terminal; None where nothing says.

    What goes to a file or another command is not cut, unless COLUMNS asks for a width.
    """
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def printable(cell: str) -> str:
    """Take out what would move a terminal's cursor: names come from other people's invoices."""
    one_line = re.sub(r"[ \t]*[\r\n\t]+[ \t]*", " ", cell)
    return "".join(
        char if char.isprintable() or char in "\u00a0\u202f" else "\ufffd" for char in one_line
    )


def say(sentence: str, *, err: bool = False) -> None:
    """Write one sentence that may quote what a tool said."""
    click.echo(printable(sentence), err=err)


def plural(count: int, one: str, several: str | None = None) -> str:
    """Count in a sentence: 0 facture, 1 facture, 2 factures."""
    return f"{count} {one if abs(count) < 2 else several or one + 's'}"
