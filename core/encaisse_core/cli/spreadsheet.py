"""Write for a French spreadsheet: semicolons, decimal commas, no cell that runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click


def write(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table as CSV in UTF-8 on the standard output, whatever the terminal speaks."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows(rows)
    click.echo(file.getvalue().encode(), nl=False)


def inert(cell: str) -> str:
    """Keep a spreadsheet from running a name as a formula."""
    return f"'{cell}" if cell[:1] in "=+-@\t\r" else cell


def figure(value: Mapping[str, Any] | None) -> str:
    """Write an amount a spreadsheet adds up; empty where it is not known."""
    return "" if value is None else str(value["amount"]).replace(".", ",")
