"""Show and decide which connection each kind of write goes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import Connection

from encaisse_api import RecordsPayments
from encaisse_core import routing as routings
from encaisse_core.cli import showing
from encaisse_core.cli.session import Session, company_option, json_option
from encaisse_core.cli.short import long, short
from encaisse_core.cli.views import doors as views
from encaisse_core.errors import UsageError
from encaisse_core.host import Host, Link, link
from encaisse_core.store import schema

KINDS: dict[str, tuple[type, str]] = {
    "record_payment": (RecordsPayments, "paiements reçus"),
}
"""Which writes have a route, the role it takes, and how a person calls them."""


@click.command("routing", help="Montre où vont les écritures ; avec deux arguments, le décide.")
@click.argument("kind", metavar="[ÉCRITURE]", required=False)
@click.argument("typed", metavar="[CONNEXION]", required=False)
@click.option(
    "--feeds",
    multiple=True,
    metavar="CONNEXION",
    help="Un outil où cette connexion recopie ses écritures ; autant de fois qu'il faut.",
)
@click.option("--proposed", is_flag=True, help="Confirme ce que disent les factures.")
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut $USER.")
@company_option
@json_option
@click.pass_obj
def routing(
    session: Session,
    kind: str | None,
    typed: str | None,
    feeds: tuple[str, ...],
    proposed: bool,
    by: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Answer « l'un envoie-t-il ses écritures à l'autre ? » : one connection gets them."""
    if kind is not None and kind not in KINDS:
        raise UsageError(f"Écriture inconnue : « {kind} ». Au choix : {', '.join(KINDS)}.")
    if kind is not None and (typed is None) != proposed:
        raise UsageError(
            f"Dites la connexion, encaisse routing {kind} CONNEXION, ou confirmez ce qui est "
            "proposé : --proposed."
        )
    if feeds and typed is None:
        raise UsageError(
            "--feeds complète une connexion choisie : encaisse routing ÉCRITURE CONNEXION."
        )
    who = (
        by or session.environ.get("USER") or session.environ.get("USERNAME") or "ligne de commande"
    )
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        if kind is not None:
            decided = (
                _proposed(app.host, tx, company.id, kind)
                if typed is None
                else _typed(app.host, tx, company.id, kind, typed, feeds)
            )
            target, fed = decided
            routings.answer(app.host, tx, company.id, kind, target, decided_by=who, feeds=fed)
        found = views.routes(tx, company.id)
        bridged = views.bridges(tx, company.id)
        proposals = {
            name: _offer(app.host, tx, company.id, role) for name, (role, _) in KINDS.items()
        }
        brief = short(tx, company.id, schema.connection)
    if as_json:
        showing.as_json(
            {
                "company": company.shown(),
                "routes": found,
                "bridges": bridged,
                "proposed": [each for each in proposals.values() if each is not None],
            }
        )
        return
    showing.table(
        ("Écriture", "Connexion", "Outil", "Décidé par", "Le"),
        [
            (
                row["kind"],
                brief(row["connection_id"]),
                row["connector"] or "",
                "seul possible" if row["decided_by"] == "only_candidate" else row["decided_by"],
                showing.moment(row["decided_at"]),
            )
            for row in found
        ],
        empty="Aucune route n'est décidée : rien n'est encore inscrit dans vos outils.",
    )
    for row in bridged:
        showing.say(
            f"{row['from_tool']} recopie ses écritures dans {row['to_tool']} : les paiements n'y "
            "sont pas inscrits une seconde fois."
        )


def _typed(
    host: Host,
    tx: Connection,
    company_id: str,
    kind: str,
    typed: str,
    feeds: Sequence[str],
) -> tuple[str, list[str]]:
    """Find the connection somebody chose, and those it feeds."""

    def named(one: str) -> Link:
        return link(tx, company_id, long(tx, company_id, schema.connection, one, **ASKED))

    target = named(typed)
    role, called = KINDS[kind]
    if not host.can(target, role):
        raise UsageError(f"{target.connector} ne prend pas les {called}.")
    fed = [named(one).id for one in feeds]
    if target.id in fed:
        raise UsageError(f"{target.connector} ne peut pas recopier ses écritures dans lui-même.")
    return target.id, fed


ASKED = {"what": "connexion", "see": "connections"}


def _proposed(host: Host, tx: Connection, company_id: str, kind: str) -> tuple[str, list[str]]:
    """Take what the records speak for."""
    found = routings.proposed(host, tx, company_id, KINDS[kind][0])
    if found is None:
        raise UsageError(
            "Rien n'est proposé : aucune facture ne dit qu'un outil envoie ses écritures à un "
            f"autre. Choisissez : encaisse routing {kind} CONNEXION."
        )
    return found.source.id, [found.target.id]


def _offer(host: Host, tx: Connection, company_id: str, role: type) -> dict[str, Any] | None:
    """Describe what the records speak for, with how many do."""
    found = routings.proposed(host, tx, company_id, role)
    if found is None:
        return None
    return {
        "connection": found.source.id,
        "connector": found.source.connector,
        "feeds": found.target.id,
        "carrying": found.carrying,
        "records": found.records,
    }
