"""Export the journal and check an export."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from encaisse_core import journal as journals
from encaisse_core.cli import files, showing
from encaisse_core.cli.session import Session, company_option, json_option
from encaisse_core.errors import CHECK_FAILED, DONE, UsageError
from encaisse_core.journal import read_export
from encaisse_einvoicing.cli.french import FrenchGroup


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
        with (
            context.ensure_object(Session).working(asked) as (app, company),
            app.host.store.begin() as tx,
        ):
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
    if file is not None:
        files.check(file)
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        lines = journals.export(tx, company.id)
        if file is None:
            for line in lines:
                click.echo(f"{line}\n".encode(), nl=False)
            return
        files.write(file, lines)
    click.echo(f"Journal de {company.name} exporté dans {file}.", file=sys.stderr)
