"""Offer `read` on the command line: files, folders and archives of invoices to a table or JSON."""

import json
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

import click

from encaisse_einvoicing.model import Invoice, Party
from encaisse_einvoicing.printing import print_all
from encaisse_einvoicing.read import FileReading, read_paths, shown

DONE: Final = 0
SOME_REFUSED: Final = 1
USAGE: Final = 2
_QUIET_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 5.0
"""Time between two progress lines where no terminal lets one line be written over."""

Read = TypeVar("Read")


@click.command("read", help="Lit des factures électroniques (Factur-X, CII, UBL).")
@click.argument(
    "paths", nargs=-1, metavar="FICHIER|DOSSIER|ARCHIVE…", type=click.Path(path_type=Path)
)
@click.option(
    "--json", "as_json", is_flag=True, help="Écrit une liste JSON sur la sortie standard."
)
@click.pass_context
def read(context: click.Context, paths: tuple[Path, ...], as_json: bool) -> None:
    """Read what is named and print it; exit 0 all read, 1 some refused, 2 wrong call.

    A path that is not there, or that holds no invoice, is a wrong call unless others are read.
    """
    if not paths:
        raise click.UsageError("Indiquez au moins un fichier, un dossier ou une archive.")
    read_there = list(_with_progress(_by_path(paths)))
    found = [each for _, each in read_there]
    if as_json:
        text = json.dumps([as_record(each) for each in found], ensure_ascii=False, indent=1)
        # Bytes, so that a terminal in another encoding never breaks on a name.
        click.echo(f"{text}\n".encode(), nl=False)
    elif found:
        print_all(found)
    missing = [each for each in found if _code(each) == "not_found"]
    for each in missing:
        click.echo(each.reading.issues[0].message, err=True)
    empty = set(paths) - {path for path, _ in read_there}
    for path in sorted(empty):
        name = shown(str(path))
        click.echo(f"« {name} » ne contient aucune facture (XML, PDF, zip, tar).", err=True)
    if len(missing) == len(found):
        context.exit(USAGE)
    whole = not empty and all(each.reading.ok for each in found)
    context.exit(DONE if whole else SOME_REFUSED)


def _by_path(paths: Iterable[Path]) -> Iterator[tuple[Path, FileReading]]:
    for path in paths:
        for each in read_paths([path]):
            yield path, each


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


def _with_progress(readings: Iterator[Read]) -> Iterator[Read]:
    """Count on stderr once reading has lasted a second; nothing before, nothing on stdout."""
    done, count = threading.Event(), [0]
    ticker = threading.Thread(target=_tick, args=(count, done), name="progress", daemon=True)
    ticker.start()
    try:
        for each in readings:
            count[0] += 1
            yield each
    finally:
        done.set()
        ticker.join()


def _tick(count: list[int], done: threading.Event) -> None:
    """Say how many files were read: over one line on a terminal, else a plain line at times."""
    if done.wait(_QUIET_SECONDS):
        return
    live = sys.stderr.isatty()
    while True:
        said = f"{count[0]} fichiers lus…" if count[0] > 1 else f"{count[0]} fichier lu…"
        click.echo(f"\r{said}" if live else said, err=True, nl=not live)
        if done.wait(_QUIET_SECONDS if live else _LINE_SECONDS):
            break
    if live:
        click.echo("\r\033[K", err=True, nl=False)
