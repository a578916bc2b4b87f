"""List what leaves for partners, and settle by hand what is in doubt."""

from __future__ import annotations

import click

from encaisse_core import runner
from encaisse_core.cli import resolving, showing, words
from encaisse_core.cli.progress import step
from encaisse_core.cli.proposing import PATIENCE
from encaisse_core.cli.session import Session, company_option, json_option, reading
from encaisse_core.cli.short import long, short
from encaisse_core.cli.views import collection as views
from encaisse_core.errors import DONE, ITEMS_REFUSED
from encaisse_core.store import schema
from encaisse_einvoicing.cli.french import FrenchGroup


@click.group(
    "effects",
    cls=FrenchGroup,
    invoke_without_command=True,
    help="Liste ce qui part chez les partenaires.",
)
@click.option(
    "--state", type=click.Choice(sorted(words.EFFECT_STATES)), help="Seulement dans cet état."
)
@company_option
@json_option
@click.pass_context
def effects(context: click.Context, state: str | None, asked: str | None, as_json: bool) -> None:
    """List effects when called alone."""
    if context.invoked_subcommand is not None:
        return
    session = context.ensure_object(Session)
    with reading(session, asked) as (company, tx):
        found = views.effects(tx, company.id, state=state)
        brief = short(tx, company.id, schema.effect)
    if as_json:
        showing.as_json({"company": company.shown(), "effects": found})
        return
    showing.table(
        ("Id", "Quoi", "Partenaire", "État", "Essais", "Prévu le", "Remarque"),
        [
            (
                brief(row["id"]),
                showing.word(words.EFFECT_KINDS, row["kind"]),
                row["connector"],
                words.EFFECT_STATES[row["state"]],
                str(row["attempts"]),
                showing.moment(row["created_at"]),
                row["reason"] or "",
            )
            for row in found
        ],
        empty="Rien à envoyer.",
    )


@effects.command("resolve", help="Règle un envoi en doute : adopter, retenter ou abandonner.")
@click.argument("typed", metavar="ID")
@click.argument("way", metavar="adopt|retry|abandon", type=click.Choice(resolving.WAYS))
@click.option("--reason", required=True, metavar="TEXTE", help="Pourquoi ; gardé au journal.")
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut $USER.")
@click.option(
    "--remote-id",
    metavar="RÉFÉRENCE",
    help="Avec adopt : la référence vue chez le partenaire, qu'on ne peut pas chercher soi-même.",
)
@company_option
@json_option
@click.pass_context
def resolve(
    context: click.Context,
    typed: str,
    way: str,
    reason: str,
    by: str | None,
    remote_id: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Settle an effect; a retry looks it up first, so that nothing lands twice."""
    session = context.ensure_object(Session)
    who = session.who(by, "décide")
    with session.working(asked) as (app, company):
        with app.host.store.begin() as tx:
            found = long(tx, company.id, schema.effect, typed, what="envoi", see="effects")
        decided = resolving.Decision(way, reason, who, remote_id)
        with step("Vérification chez le partenaire"):
            kind = resolving.resolve(app.host, company.id, found, decided)
            if way == "retry":
                runner.drain(app.host, company.id, (kind,), patience=PATIENCE)
        with app.host.store.begin() as tx:
            row = next(each for each in views.effects(tx, company.id) if each["id"] == found)
    if as_json:
        showing.as_json({"company": company.shown(), "effect": row})
    else:
        showing.say(
            f"Envoi {found} : {words.EFFECT_STATES[row['state']]}."
            + (f" {row['reason']}" if row["reason"] else "")
        )
    settled = row["state"] == ("refused" if way == "abandon" else "done")
    context.exit(DONE if settled else ITEMS_REFUSED)
