"""Offer `read` on the command line: files, folders and archives of invoices to a table or JSON."""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from encaisse_einvoicing.model import Invoice, Party
from encaisse_einvoicing.read import FileReading, read_paths

DONE: Final = 0
SOME_REFUSED: Final = 1
USAGE: Final = 2
_QUIET_SECONDS: Final = 1.0
_PROGRESS_STEP: Final = 50
"""Files between two progress lines."""

HEADINGS: Final = ("Fichier", "Numéro", "Date", "Échéance", "Vendeur", "Acheteur", "TTC", "À payer")


@click.command("read", help="Lit des factures électroniques (Factur-X, CII, UBL).")
@click.argument(
    "paths", nargs=-1, metavar="FICHIER|DOSSIER|ARCHIVE…", type=click.Path(path_type=Path)
)
@click.option(
    "--json", "as_json", is_flag=True, help="Écrit une liste JSON sur la sortie standard."
)
@click.pass_context
def read(context: click.Context, paths: tuple[Path, ...], as_json: bool) -> None:
    """Read what is named and print it; exit 0 all read, 1 some refused, 2 wrong call."""
    if not paths:
        raise click.UsageError("Indiquez au moins un fichier, un dossier ou une archive.")
    found = list(_with_progress(read_paths(paths)))
    if as_json:
        text = json.dumps([as_record(each) for each in found], ensure_ascii=False, indent=1)
        # Bytes, so that a terminal in another encoding never breaks on a name.
        click.echo(f"{text}\n".encode(), nl=False)
    else:
        _print_table(found)
    missing = [each for each in found if _code(each) == "not_found"]
    for each in missing:
        click.echo(each.reading.issues[0].message, err=True)
    if not found:
        click.echo("Aucune facture (XML, PDF, zip, tar) trouvée.", err=True)
    if missing and len(missing) == len(found):
        context.exit(USAGE)
    context.exit(DONE if all(each.reading.ok for each in found) else SOME_REFUSED)


def as_record(each: FileReading) -> dict[str, object]:
    """Lay one reading out for JSON: money as decimal strings, dates as ISO, null where absent."""
    invoice = each.reading.invoice
    return {
        "file": each.file,
        "ok": each.reading.ok,
        "invoice": None if invoice is None else as_json_object(invoice),
        "issues": [
            {"code": issue.code, "message": issue.message, "where": issue.where}
            for issue in each.reading.issues
        ],
    }


def as_json_object(invoice: Invoice) -> dict[str, object]:
    """Dump the invoice, with an empty seller and buyer rather than none."""
    dumped: dict[str, object] = invoice.model_dump(mode="json")
    for field in ("seller", "buyer"):
        if dumped[field] is None:
            dumped[field] = Party().model_dump(mode="json")
    return dumped


def _code(each: FileReading) -> str:
    issues = each.reading.issues
    return issues[0].code if each.reading.invoice is None and issues else ""


def _with_progress(readings: Iterator[FileReading]) -> Iterator[FileReading]:
    """Count on stderr once reading has lasted a second; nothing before, nothing on stdout."""
    slow = threading.Event()
    timer = threading.Timer(_QUIET_SECONDS, slow.set)
    timer.daemon = True
    timer.start()
    live = sys.stderr.isatty()
    said = False
    try:
        for number, each in enumerate(readings, 1):
            if live and slow.is_set() and number % _PROGRESS_STEP == 0:
                said = True
                click.echo(f"\r{number} fichiers lus…", err=True, nl=False)
            yield each
    finally:
        timer.cancel()
        if said:
            click.echo("\r\033[K", err=True, nl=False)


def _row(each: FileReading) -> tuple[str, ...]:
    invoice = each.reading.invoice
    if invoice is None:
        return (each.file, "refusé", "", "", "", "", "", "")
    totals = invoice.totals
    return (
        each.file,
        invoice.number or "?",
        _shown(invoice.issue_date),
        _shown(invoice.due_date),
        _name(invoice.seller),
        _name(invoice.buyer),
        f"{_shown(totals.tax_inclusive)} {invoice.currency or ''}".strip(),
        _shown(totals.payable),
    )


def _name(party: Party | None) -> str:
    return "" if party is None else party.name or party.trade_name or party.siren or ""


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _print_table(found: list[FileReading]) -> None:
    rows = [_row(each) for each in found]
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        for row in rows:
            click.echo("  ".join(row))
    else:
        table = Table(box=None)
        for heading in HEADINGS:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)
    for each in found:
        for issue in each.reading.issues:
            click.echo(f"{each.file} : {issue.message} [{issue.code}, {issue.where}]")
    read_well = sum(each.reading.ok for each in found)
    click.echo(f"{read_well} lue(s) sur {len(found)}.")
