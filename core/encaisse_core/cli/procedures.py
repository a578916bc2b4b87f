"""List what is in a collector's hands."""

from __future__ import annotations

import click

from encaisse_core.cli import showing, words
from encaisse_core.cli.session import Session, company_option, json_option, reading
from encaisse_core.cli.short import short
from encaisse_core.cli.views import collection as views
from encaisse_core.store import schema


@click.command("procedures", help="Liste les procédures confiées et leurs factures.")
@company_option
@json_option
@click.pass_obj
def procedures(session: Session, asked: str | None, as_json: bool) -> None:
    """List procedures, one line per claim."""
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
