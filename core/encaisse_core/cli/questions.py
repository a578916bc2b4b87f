"""List what waits for a person, and take the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from encaisse_core.cli import answering, showing
from encaisse_core.cli.session import Session, company_option, json_option, reading
from encaisse_core.cli.short import Short, long, short
from encaisse_core.cli.views import claims
from encaisse_core.cli.views import questions as views
from encaisse_core.errors import UsageError
from encaisse_core.store import schema
from encaisse_einvoicing.cli.french import FrenchGroup


@click.group(
    "tasks", cls=FrenchGroup, invoke_without_command=True, help="Liste les questions, et y répond."
)
@click.option("--all", "everything", is_flag=True, help="Aussi celles qui ont leur réponse.")
@company_option
@json_option
@click.pass_context
def tasks(context: click.Context, everything: bool, asked: str | None, as_json: bool) -> None:
    """List questions when called alone."""
    if context.invoked_subcommand is not None:
        return
    session = context.ensure_object(Session)
    with reading(session, asked) as (company, tx):
        found = views.tasks(tx, company.id, everything=everything)
        brief = short(tx, company.id, schema.task)
    if as_json:
        showing.as_json({"company": company.shown(), "tasks": found})
        return
    showing.table(
        ("Id", "Depuis", "Question", "Réponse"),
        [
            (
                brief(row["id"]),
                showing.moment(row["created_at"]),
                row["sentence"],
                row["answer"] or "",
            )
            for row in found
        ],
        empty="Aucune question n'attend.",
    )
    open_ = [row for row in found if row["done_at"] is None]
    if open_:
        click.echo("Répondre, par exemple :")
        for line in ways_to_answer(open_, brief):
            click.echo(f"  {line}")


def ways_to_answer(found: Sequence[Mapping[str, Any]], brief: Short) -> list[str]:
    """Write, for one question of each sort, the commands that answer it, ready to be pasted."""
    first: dict[tuple[str, ...], str] = {}
    for row in found:
        first.setdefault(_options(row), brief(row["id"]))
    answers = [
        f'encaisse tasks answer {which} "votre réponse"{option}'
        for options, which in first.items()
        for option in options
    ]
    return [*answers, "encaisse routing"] if () in first else answers


def _options(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the options one of which an answer needs; none where words settle nothing."""
    if row["kind"] == "routing":
        return ()
    if row["kind"] in answering.ASKS_FOR_VERDICT:
        return (" --same", " --different")
    if answering.about_an_effect(row):
        return (" --keep",)
    return (" --lift", " --keep") if row["holds_claim"] else ("",)


@tasks.command("answer", help="Répond à une question ; la réponse est gardée au journal.")
@click.argument("typed", metavar="ID")
@click.argument("words", metavar="RÉPONSE")
@click.option("--lift", is_flag=True, help="Le recouvrement reprend.")
@click.option("--keep", is_flag=True, help="Le recouvrement reste arrêté, l'envoi reste ainsi.")
@click.option("--same", is_flag=True, help="C'est le même.")
@click.option("--different", is_flag=True, help="Ce n'est pas le même.")
@click.option("--of", "of", metavar="CRÉANCE", help="De laquelle elle est le double, avec --same.")
@click.option("--by", metavar="NOM", help="Qui répond ; par défaut $USER.")
@company_option
@json_option
@click.pass_obj
def answer(
    session: Session,
    typed: str,
    words: str,
    lift: bool,
    keep: bool,
    same: bool,
    different: bool,
    of: str | None,
    by: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Answer a question and do what the answer means."""
    who = session.who(by, "répond")
    if (lift and keep) or (same and different):
        raise UsageError("Ces deux options se contredisent : gardez-en une. Rien n'est enregistré.")
    verdict: answering.Verdict | None = "same" if same else "different" if different else None
    resumes = lift if lift or keep else None
    with session.working(asked) as (app, company):
        with app.host.store.begin() as tx:
            found = long(tx, company.id, schema.task, typed, what="question", see="tasks")
            other = None if of is None else claims.named(tx, company.id, of)
        given = answering.Answer(words, who, verdict, resumes, other)
        done = answering.answer(app.host, company.id, found, given)
    if as_json:
        showing.as_json({"company": company.shown(), "task": done})
        return
    click.echo("Réponse enregistrée." if done["closed"] else "Réponse notée ; la question reste.")
    if done["lifted"]:
        click.echo("Le recouvrement de cette créance peut reprendre.")


@click.command(
    "unreadable", help="Liste ce qui n'a pas pu être lu ; avec un ID, le donne tel quel."
)
@click.argument("typed", metavar="[ID]", required=False)
@company_option
@json_option
@click.pass_obj
def unreadable(session: Session, typed: str | None, asked: str | None, as_json: bool) -> None:
    """List rows set aside; one of them is written raw."""
    with reading(session, asked) as (company, tx):
        found = views.unreadable(tx, company.id)
        if typed is not None:
            one = long(tx, company.id, schema.unreadable, typed, what="élément", see="unreadable")
            found = [row for row in found if row["id"] == one]
    if as_json:
        showing.as_json({"company": company.shown(), "unreadable": found})
        return
    if typed is not None:
        click.echo(found[0]["raw"])
        return
    brief = Short(row["id"] for row in found)
    showing.table(
        ("Id", "Connecteur", "Référence", "Pourquoi", "Vu le"),
        [
            (
                brief(row["id"]),
                row["connector"],
                row["ref"] or "",
                row["reason"],
                showing.moment(row["seen_at"]),
            )
            for row in found
        ],
        empty="Tout a pu être lu.",
    )


@click.command("differences", help="Liste les écarts entre les partenaires et nos comptes.")
@company_option
@json_option
@click.pass_obj
def differences(session: Session, asked: str | None, as_json: bool) -> None:
    """List the differences of the last night."""
    with reading(session, asked) as (company, tx):
        found = views.differences(tx, company.id)
    if as_json:
        showing.as_json({"company": company.shown(), "differences": found})
        return
    showing.table(
        ("Depuis", "Écart", "Que faire"),
        [(showing.moment(row["since"]), row["sentence"], row["advice"]) for row in found],
        empty="Aucun écart.",
    )
