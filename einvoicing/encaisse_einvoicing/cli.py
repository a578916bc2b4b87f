"""Offer `read` on the command line: files, folders and archives of invoices to a table or JSON."""

import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from encaisse_einvoicing.model import Invoice, Party
from encaisse_einvoicing.printing import print_all
from encaisse_einvoicing.read import FileReading, read_paths

DONE: Final = 0
SOME_REFUSED: Final = 1
USAGE: Final = 2
_QUIET_SECONDS: Final = 1.0


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
    found: list[FileReading] = []
    with _progress(found):
        found.extend(read_paths(paths))
    if as_json:
        text = json.dumps([as_record(each) for each in found], ensure_ascii=False, indent=1)
        # Bytes, so that a terminal in another encoding never breaks on a name.
        click.echo(f"{text}\n".encode(), nl=False)
    else:
        print_all(found)
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


@contextmanager
def _progress(found: list[FileReading]) -> Generator[None]:
    """Say on stderr that reading goes on once it has lasted a second; on a terminal, count."""
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(found, done), name="progress", daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _tick(found: list[FileReading], done: threading.Event) -> None:
    if done.wait(_QUIET_SECONDS):
        return
    if not sys.stderr.isatty():
        click.echo("Lecture des factures…", err=True)
        return
    while True:
        click.echo(f"\rLecture des factures… {len(found)} lues", err=True, nl=False)
        if done.wait(_QUIET_SECONDS):
            click.echo("\r\033[K", err=True, nl=False)
            return
