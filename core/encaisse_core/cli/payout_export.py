"""Hand payouts over to accountants as a file their tools import."""

from __future__ import annotations

import re
from pathlib import Path

import click

from encaisse_core import accounting
from encaisse_core.cli import files, showing
from encaisse_core.cli.session import Session, company_option, json_option
from encaisse_core.errors import ITEMS_REFUSED, UsageError
from encaisse_einvoicing.fec import records


@click.command("export", help="Écrit les écritures des reversements, à importer en comptabilité.")
@click.argument("file", metavar="FICHIER", type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Réécrit tout ce qui a déjà été remis, à l'identique.")
@click.option(
    "--never-handed-over",
    "checked",
    is_flag=True,
    help="Après une restauration : vous avez vérifié que le comptable ne les a pas reçus.",
)
@click.option("--journal", "code", default="OD", metavar="CODE", help="Code du journal ; OD sinon.")
@click.option(
    "--written-on",
    type=click.Choice(["467", "512"]),
    default="467",
    help="Compte que nos écritures déjà passées ont mouvementé avec le 411 ; 467 sinon.",
)
@company_option
@json_option
@click.pass_context
def export(
    context: click.Context,
    file: Path,
    again: bool,
    checked: bool,
    code: str,
    written_on: str,
    asked: str | None,
    as_json: bool,
) -> None:
    """Write the entries of payouts not handed over yet; each is handed over once."""
    if not re.fullmatch(r"[0-9A-Za-z]{1,8}", code):
        raise UsageError(f"« {code} » n'est pas un code de journal : huit lettres ou chiffres.")
    files.check(file)
    name = "Opérations diverses" if code == "OD" else "Recouvrement"
    with (
        context.ensure_object(Session).working(asked) as (app, company),
        app.host.store.begin() as tx,
    ):
        into = accounting.Destination(code, name, written_on)
        done = (
            accounting.handed_over(tx, company.id)
            if again
            else accounting.hand_over(app.host, tx, company.id, into, checked=checked)
        )
        if done.rows:
            files.write(file, records(done.rows), end="\r\n")
    if as_json:
        shown = [
            {
                **{k: v for k, v in row.items() if k not in ("left_out", "currency")},
                "left_out": showing.money(row["left_out"], row["currency"]),
            }
            for row in done.payouts
        ]
        showing.as_json(
            {
                "company": company.shown(),
                "file": str(file) if done.rows else None,
                "payouts": shown,
                "waiting": done.waiting,
            }
        )
    else:
        _tell(file, done)
    if done.waiting:
        context.exit(ITEMS_REFUSED)


def _tell(file: Path, done: accounting.Handed) -> None:
    if done.rows:
        click.echo(
            f"{showing.plural(len(done.payouts), 'reversement')} dans {file} : "
            f"{showing.plural(len(done.rows), 'ligne')}."
        )
    else:
        click.echo("Rien à remettre : aucun fichier n'est écrit.")
    left_out = sum(row["left_out"] for row in done.payouts)
    if left_out:
        click.echo(
            f"{showing.amount(showing.money(left_out))} de principal sont déjà inscrits dans un "
            "outil : ils n'y sont pas une seconde fois."
        )
    for row in done.waiting:
        showing.say(f"{row['connector']} {row['remote_id']} attend : {row['reason']}", err=True)
