"""End connections."""

from __future__ import annotations

import click

from encaisse_core import disconnecting as endings
from encaisse_core.cli import showing
from encaisse_core.cli.session import Session, company_option, json_option
from encaisse_core.cli.short import long
from encaisse_core.store import schema


@click.command("disconnect", help="Met fin à une connexion, et oublie ses secrets.")
@click.argument("typed", metavar="CONNEXION")
@click.option("--reason", required=True, metavar="TEXTE", help="Pourquoi.")
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut $USER.")
@company_option
@json_option
@click.pass_obj
def disconnect(
    session: Session, typed: str, reason: str, by: str | None, asked: str | None, as_json: bool
) -> None:
    """End a connection that nothing depends on, and say what is no longer seen."""
    who = session.who(by, "décide")
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        ended_id = long(
            tx, company.id, schema.connection, typed, what="connexion", see="connections"
        )
        ended = endings.disconnect(app.host, tx, company.id, ended_id, by=who, reason=reason)
    if as_json:
        showing.as_json(
            {
                "company": company.shown(),
                "connection": ended.link.id,
                "connector": ended.link.connector,
                "no_longer_seen": list(ended.blind),
                "secrets_forgotten": ended.secrets_forgotten,
            }
        )
        return
    showing.say(
        f"La connexion à {ended.link.connector} est terminée"
        + (", ses secrets sont oubliés." if ended.secrets_forgotten else ".")
    )
    if ended.blind:
        showing.say(
            f"{showing.plural(len(ended.blind), 'facture')} que cet outil seul montrait "
            "ne seront plus proposées."
        )
