"""Export the journal and check an export."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click

from encaisse_core import journal as journals
from encaisse_core.cli import showing
from encaisse_core.cli.french import FrenchGroup
from encaisse_core.cli.session import Session, company_of, company_option, json_option
from encaisse_core.errors import CHECK_FAILED, DONE, StoreError, UsageError
from encaisse_core.journal import read_export


@click.group(
    "journal", cls=FrenchGroup, help="Vérifie ou exporte le journal de ce qui s'est passé."
)
def journal() -> None:
    """Group what concerns the journal."""


@journal.command("verify", help="Vérifie un export, ou le journal de la base.")
@click.argument("file", metavar="[FICHIER]", required=False, type=click.Path(path_type=Path))
@click.option("--anchor", metavar="TÊTE", help="Une tête imprimée plus tôt, à y retrouver.")
@company_option
@json_option
@click.pass_context
def verify(
    context: click.Context, file: Path | None, anchor: str | None, asked: str | None, as_json: bool
) -> None:
    """Verify; a file needs neither the store nor any trust in who made it."""
    if file is not None:
        if not file.is_file():
            raise UsageError(f"Le fichier {file} n'existe pas ou n'est pas un fichier.")
        verdict = journals.verify(read_export(file), anchor)
    else:
        with context.ensure_object(Session).open() as app:
            company = company_of(app, asked)
            with app.host.store.begin() as tx:
                verdict = journals.verify(journals.export(tx, company.id), anchor)
    if as_json:
        showing.as_json(asdict(verdict))
    else:
        showing.say(verdict.sentence_fr, err=not verdict.ok)
        if verdict.head:
            click.echo(f"Tête à conserver : {verdict.head}")
    context.exit(DONE if verdict.ok else CHECK_FAILED)


@journal.command("export", help="Écrit le journal, une ligne JSON par événement.")
@click.argument("file", metavar="[FICHIER]", required=False, type=click.Path(path_type=Path))
@company_option
@click.pass_obj
def export(session: Session, file: Path | None, asked: str | None) -> None:
    """Export to a file, whole or not at all, or to the standard output."""
    if file is not None and not file.parent.is_dir():
        raise UsageError(
            f"Le dossier {file.parent} n'existe pas : créez-le, ou donnez un autre chemin."
        )
    if file is not None and os.path.isdir(file):  # noqa: PTH112 - Path.is_dir raises for some names
        raise UsageError(f"{file} est un dossier : donnez le nom d'un fichier à écrire.")
    with session.open() as app:
        company = company_of(app, asked)
        with app.host.store.begin() as tx:
            lines = journals.export(tx, company.id)
            if file is None:
                for line in lines:
                    click.echo(f"{line}\n".encode(), nl=False)
                return
            beside = file.with_name(f".{file.name}.part")
            try:
                with beside.open("w", encoding="utf-8", newline="\n") as written:
                    written.writelines(f"{line}\n" for line in lines)
                beside.replace(file)
            except OSError as error:
                from encaisse_einvoicing.complaints import of_the_system

                with suppress(OSError):
                    beside.unlink(missing_ok=True)
                raise StoreError(
                    f"L'export {file} n'a pas pu être écrit : {of_the_system(error)}. Libérez de "
                    "la place ou choisissez un autre dossier. La base n'a pas changé."
                ) from error
    click.echo(f"Journal de {company.name} exporté dans {file}.", file=sys.stderr)
