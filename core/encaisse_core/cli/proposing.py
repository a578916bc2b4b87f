"""From what is collectible to what a person approved and signs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click

from encaisse_core import facts, runner
from encaisse_core import proposals as offers
from encaisse_core.app import App
from encaisse_core.cli import showing, words
from encaisse_core.cli.progress import step
from encaisse_core.cli.session import (
    Company,
    Session,
    company_option,
    json_option,
    reading,
)
from encaisse_core.cli.short import long, short
from encaisse_core.cli.views import collection as views
from encaisse_core.errors import DONE, ITEMS_REFUSED, UNREACHABLE, UsageError
from encaisse_core.store import schema

PATIENCE = timedelta(seconds=20)
"""How long a person waits at the screen for a mandate; the night asks again."""


@click.command("propose", help="Demande un devis pour chaque client dont des créances sont dues.")
@company_option
@json_option
@click.pass_context
def propose(context: click.Context, asked: str | None, as_json: bool) -> None:
    """Quote what is collectible; exit 1 where the partner does not take some of it."""
    session = context.ensure_object(Session)
    with session.working(asked) as (app, company):
        with step("Demande de devis"):
            made = offers.propose(app.host, company.id)
        with app.host.store.begin() as tx:
            found = [row for row in views.proposals(tx, company.id) if row["id"] in made]
            left = [view.number for view in facts.collectible(app.host, tx, company.id)]
            brief = short(tx, company.id, schema.proposal)
    if as_json:
        showing.as_json({"company": company.shown(), "proposals": found, "not_taken": left})
    else:
        _table(found, brief, "Rien de nouveau à proposer.")
        if found:
            click.echo("Ensuite : encaisse approve ID, ou encaisse approve --all.")
    if left:
        click.echo(
            f"Le partenaire ne prend pas {showing.plural(len(left), 'facture')} : "
            f"{', '.join(left)}.",
            err=True,
        )
    context.exit(ITEMS_REFUSED if left else DONE)


@click.command("proposals", help="Liste les propositions et où elles en sont.")
@click.option(
    "--state", type=click.Choice(sorted(words.PROPOSAL_STATES)), help="Seulement dans cet état."
)
@company_option
@json_option
@click.pass_obj
def proposals(session: Session, state: str | None, asked: str | None, as_json: bool) -> None:
    """List proposals."""
    with reading(session, asked) as (company, tx):
        found = views.proposals(tx, company.id, states=None if state is None else (state,))
        brief = short(tx, company.id, schema.proposal)
    if as_json:
        showing.as_json({"company": company.shown(), "proposals": found})
        return
    _table(found, brief, "Aucune proposition. Voir : encaisse propose.")


def _table(found: Sequence[dict[str, Any]], brief: Any, empty: str) -> None:
    showing.table(
        ("Id", "Client", "Partenaire", "Factures", "Total", "Honoraires", "État", "Signature"),
        [
            (
                brief(row["id"]),
                row["debtor"],
                row["connector"],
                str(len(row["annex"])),
                showing.amount(row["total"]),
                showing.amount(row["quote"]["fee"]),
                showing.word(words.PROPOSAL_STATES, row["state"]),
                _page(row),
            )
            for row in found
        ],
        empty=empty,
    )


def _page(row: dict[str, Any]) -> str:
    """Give the page where the mandate is signed, empty where there is none yet."""
    return str(row["mandate"]["signing_url"] or "") if row["mandate"] else ""


@click.command("approve", help="Montre devis et annexe, demande, puis prépare le mandat à signer.")
@click.argument("typed", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Toutes les propositions en attente.")
@click.option("--by", metavar="NOM", help="Qui approuve ; par défaut $USER.")
@click.option("--yes", is_flag=True, help="Ne demande pas de confirmation.")
@company_option
@json_option
@click.pass_context
def approve(
    context: click.Context,
    typed: tuple[str, ...],
    everything: bool,
    by: str | None,
    yes: bool,
    asked: str | None,
    as_json: bool,
) -> None:
    """Approve what a person has seen; the mandate is signed at the partner's, by a person."""
    if everything == bool(typed):
        raise UsageError("Donnez les propositions à approuver, ou --all.")
    session = context.ensure_object(Session)
    who = session.who(by, "approuve")
    with session.working(asked) as (app, company):
        chosen = _chosen(app, company, typed)
        if not as_json or not yes:
            _detail(chosen, err=as_json)
        if not yes and not _agreed(err=as_json):
            click.echo("Rien n'a été approuvé.", err=True)
            context.exit(ITEMS_REFUSED)
        signing = [_approved(app, company, ids, who) for ids in _by_partner(chosen)]
    if as_json:
        showing.as_json({"company": company.shown(), "approved_by": who, "mandates": signing})
    else:
        _tell(signing)
    context.exit(DONE if all(each["signing_url"] for each in signing) else UNREACHABLE)


@click.command("decline", help="Écarte des propositions que personne n'a encore approuvées.")
@click.argument("typed", metavar="ID...", nargs=-1, required=True)
@click.option("--reason", required=True, metavar="TEXTE", help="Pourquoi.")
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut $USER.")
@company_option
@json_option
@click.pass_obj
def decline(
    session: Session,
    typed: tuple[str, ...],
    reason: str,
    by: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Free the claims of proposals; nothing was sent, so nothing is taken back."""
    who = session.who(by, "décide")
    with session.working(asked) as (app, company):
        chosen = _chosen(app, company, typed)
        for row in chosen:
            offers.decline(app.host, company.id, row["id"], by=who, reason=reason)
    if as_json:
        ids = [row["id"] for row in chosen]
        showing.as_json({"company": company.shown(), "declined": ids, "by": who})
        return
    count = sum(len(row["annex"]) for row in chosen)
    click.echo(
        f"Écarté : {showing.plural(count, 'facture')}. Ce qui reste dû sera proposé au prochain "
        "encaisse propose."
    )


def _agreed(*, err: bool) -> bool:
    """Ask for a clear yes; anything else is no."""
    answer: str = click.prompt("Approuver ? (oui/non)", default="non", show_default=False, err=err)
    return answer.strip().lower() in ("o", "oui", "y", "yes")


def _chosen(app: App, company: Company, typed: Sequence[str]) -> list[dict[str, Any]]:
    with app.host.store.begin() as tx:
        waiting = views.proposals(tx, company.id, states=("proposed",))
        if not typed:
            if not waiting:
                raise UsageError("Aucune proposition n'attend. Voir : encaisse propose.")
            return waiting
        ids = {
            long(tx, company.id, schema.proposal, each, what="proposition", see="proposals")
            for each in typed
        }
        everyone = {row["id"]: row for row in views.proposals(tx, company.id)}
    treated = [one for one in sorted(ids) if everyone[one]["state"] != "proposed"]
    if treated:
        raise UsageError(
            f"Déjà {words.PROPOSAL_STATES[everyone[treated[0]]['state']]} : {', '.join(treated)}. "
            "Voir : encaisse proposals."
        )
    return [row for row in waiting if row["id"] in ids]


def _detail(chosen: Sequence[dict[str, Any]], *, err: bool) -> None:
    for row in chosen:
        quote = row["quote"]
        rate = f" ({quote['fee_rate']} %)".replace(".", ",") if quote["fee_rate"] else ""
        showing.say(
            f"{row['debtor']} : {showing.amount(row['total'])} chez {row['connector']}, "
            f"honoraires {showing.amount(quote['fee'])}{rate} au succès.",
            err=err,
        )
        for line in row["annex"]:
            showing.say(
                f"  facture {line['number']} échue le {showing.day(line['due_date'])} : "
                f"principal {showing.amount(line['principal'])}, "
                f"intérêts {showing.amount(line['interest'])}, "
                f"indemnité {showing.amount(line['indemnity'])}",
                err=err,
            )


def _by_partner(chosen: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Group by connection: a mandate is one partner's."""
    groups: dict[str, list[str]] = {}
    for row in chosen:
        groups.setdefault(row["connection"], []).append(row["id"])
    return list(groups.values())


def _approved(app: App, company: Company, ids: Sequence[str], who: str) -> dict[str, Any]:
    mandate_id = offers.approve(app.host, company.id, ids, by=who)
    with step("Demande du mandat"):
        runner.drain(app.host, company.id, ("request_mandate",), patience=PATIENCE)
    with app.host.store.begin() as tx:
        return {**views.mandate(tx, company.id, mandate_id), "proposals": list(ids)}


def _tell(signing: Sequence[dict[str, Any]]) -> None:
    for each in signing:
        if each["signing_url"]:
            click.echo(f"Mandat à signer par une personne habilitée : {each['signing_url']}")
        else:
            click.echo(
                "Le partenaire n'a pas encore donné de page de signature : la demande est "
                "enregistrée et sera refaite cette nuit. Voir : encaisse effects.",
                err=True,
            )
