"""Offer `read` on the command line: files, folders and archives of invoices to a table or JSON."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click

from encaisse_einvoicing.cli.paths import PATH
from encaisse_einvoicing.cli.printing import print_all
from encaisse_einvoicing.cli.progress import with_progress
from encaisse_einvoicing.model import Invoice, Party
from encaisse_einvoicing.reading.documents import FileReading, read_paths, shown

DONE: Final = 0
SOME_REFUSED: Final = 1
USAGE: Final = 2


@click.command("read", help="Lit des factures électroniques (Factur-X, CII, UBL).")
@click.argument("paths", nargs=-1, metavar="FICHIER|DOSSIER|ARCHIVE…", type=PATH)
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
    read_there = list(with_progress(_by_path(paths)))
    found = [each for _, each in read_there]
    if as_json:
        text = json.dumps([as_record(each) for each in found], ensure_ascii=False, indent=1)
        # Bytes, so that a terminal in another encoding never breaks on a name.
        click.echo(f"{text}\n".encode(), nl=False)
    missing = [each for each in found if _code(each) == "not_found"]
    if not as_json and len(missing) < len(found):
        print_all([each for each in found if each not in missing])
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
        "unmapped": list(each.reading.unmapped),
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
