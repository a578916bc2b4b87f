"""List what is in a collector's hands."""

from __future__ import annotations

import click

from encaisse_core import adopting
from encaisse_core.cli import showing, words
from encaisse_core.cli.progress import step
from encaisse_core.cli.session import Session, company_option, json_option, reading
from encaisse_core.cli.short import short
from encaisse_core.cli.views import collection as views
from encaisse_core.store import schema
from encaisse_einvoicing.cli.french import FrenchGroup


@click.group(
    "procedures",
    cls=FrenchGroup,
    invoke_without_command=True,
    help="Liste les procédures confiées et leurs factures.",
)
@company_option
@json_option
@click.pass_context
def procedures(context: click.Context, asked: str | None, as_json: bool) -> None:
    """List procedures, one line per claim, when called alone."""
    if context.invoked_subcommand is not None:
        return
    session = context.ensure_object(Session)
    with reading(session, asked) as (company, tx):
        found = views.procedures(tx, company.id)
        brief = short(tx, company.id, schema.procedure)
    if as_json:
        showing.as_json({"company": company.shown(), "procedures": found})
        return
    showing.table(
        ("Id", "Partenaire", "Référence", "Client", "Facture", "Confié", "Reste", "État", "Phase"),
        [
            (
                brief(row["id"]),
                row["connector"],
                row["remote_id"],
                row["debtor"] or "",
                claim["number"],
                showing.amount(claim["principal"]),
                showing.amount(claim["open"]),
                showing.word(words.PROCEDURE_STATES, row["state"])
                + (", contestée" if row["disputed"] else ""),
                row["phase"] or "",
            )
            for row in found
            for claim in row["claims"]
        ],
        empty="Aucune procédure. Voir : encaisse propose.",
    )


@procedures.command("adopt", help="Reprend une procédure que la base restaurée ne connaît plus.")
@click.argument("reference", metavar="RÉFÉRENCE")
@click.option("--mandate", required=True, metavar="RÉFÉRENCE", help="Le mandat signé, chez lui.")
@click.option(
    "--invoice",
    "numbers",
    multiple=True,
    metavar="NUMÉRO",
    help="Une facture de cette procédure, si le mandat a été signé pour plusieurs clients.",
)
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut $USER.")
@company_option
@json_option
@click.pass_obj
def adopt(
    session: Session,
    reference: str,
    mandate: str,
    numbers: tuple[str, ...],
    by: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Record a forgotten procedure from its signed mandate; its money comes with the next pull."""
    who = session.who(by, "décide")
    with session.working(asked) as (app, company), step("Lecture chez le partenaire"):
        made = adopting.adopt(app.host, company.id, reference, mandate, by=who, numbers=numbers)
    if as_json:
        showing.as_json({"company": company.shown(), "procedure": made, "remote_id": reference})
    else:
        showing.say(
            f"Procédure {reference} reprise. Ce qui s'y est passé est lu à la prochaine "
            "synchronisation : encaisse sync."
        )
