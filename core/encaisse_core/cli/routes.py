"""Show and decide which connection each kind of write goes to."""

from __future__ import annotations

import click

from encaisse_api import RecordsPayments
from encaisse_core import routing as routings
from encaisse_core.cli import showing
from encaisse_core.cli.session import Session, company_of, company_option, json_option
from encaisse_core.cli.short import long, short
from encaisse_core.cli.views import doors as views
from encaisse_core.errors import UsageError
from encaisse_core.host import link
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

KINDS: dict[str, tuple[type, str]] = {
    "record_payment": (RecordsPayments, "paiements reçus"),
}
"""Which writes have a route, the role it takes, and how a person calls them."""


@click.command("routing", help="Montre où vont les écritures ; avec deux arguments, le décide.")
@click.argument("kind", metavar="[ÉCRITURE]", required=False)
@click.argument("typed", metavar="[CONNEXION]", required=False)
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut l'utilisateur du système.")
@company_option
@json_option
@click.pass_obj
def routing(
    session: Session,
    kind: str | None,
    typed: str | None,
    by: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Answer « l'un envoie-t-il ses écritures à l'autre ? » : one connection gets them."""
    if kind is not None and kind not in KINDS:
        raise UsageError(f"Écriture inconnue : « {kind} ». Au choix : {', '.join(KINDS)}.")
    if kind is not None and typed is None:
        raise UsageError(f"Dites aussi la connexion : encaisse routing {kind} CONNEXION.")
    who = (
        by or session.environ.get("USER") or session.environ.get("USERNAME") or "ligne de commande"
    )
    with session.open() as app:
        company = company_of(app, asked)
        with app.host.store.begin() as tx:
            if kind is not None and typed is not None:
                chosen = long(
                    tx, company.id, schema.connection, typed, what="connexion", see="connections"
                )
                target = link(tx, company.id, chosen)
                role, called = KINDS[kind]
                if not app.host.can(target, role):
                    raise UsageError(f"{target.connector} ne prend pas les {called}.")
                routings.answer(app.host, tx, company.id, kind, chosen, decided_by=who)
                t = schema.task.c
                tx.execute(
                    schema.task.update()
                    .where(
                        t.company_id == company.id,
                        t.kind == "routing",
                        t.subject == kind,
                        t.done_at.is_(None),
                    )
                    .values(done_at=stamp(app.host.clock.now()), answer=chosen)
                )
            found = views.routes(tx, company.id)
            brief = short(tx, company.id, schema.connection)
    if as_json:
        showing.as_json({"company": company.shown(), "routes": found})
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
