"""Read the tools now, for one company or all: what the night does, by day and in sight."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import select

from encaisse_api import Denied, PartnerError, PullsInvoices, ReportsProgress
from encaisse_core import collector, drafts, ingest, portfolio, reconcile, runner, stops
from encaisse_core.app import App
from encaisse_core.cli import showing, words
from encaisse_core.cli.ending import asked as asked_to_end
from encaisse_core.cli.ending import unit
from encaisse_core.cli.mishap import expected
from encaisse_core.cli.progress import step
from encaisse_core.cli.session import (
    Company,
    Session,
    companies_of,
    company_option,
    json_option,
)
from encaisse_core.errors import (
    ACCESS_DENIED,
    DONE,
    ITEMS_REFUSED,
    STORE,
    UNREACHABLE,
    HostError,
    UsageError,
)
from encaisse_core.host import Link, links
from encaisse_core.nightly import run_night
from encaisse_core.store import schema

PATIENCE = timedelta(seconds=20)
"""How long a command waits for a partner that asks to be called again; the night goes on."""


@dataclass
class Read:
    """Tell what reading one connection gave; `code` is 0 where it answered whole."""

    link: Link
    seen: int = 0
    new: int = 0
    changed: int = 0
    vanished: int = 0
    set_aside: int = 0
    sentence: str = ""
    code: int = DONE

    def shown(self) -> dict[str, Any]:
        """Give it as JSON shows it."""
        return {
            "id": self.link.id,
            "connector": self.link.connector,
            "ok": self.code == DONE,
            "seen": self.seen,
            "new": self.new,
            "changed": self.changed,
            "vanished": self.vanished,
            "set_aside": self.set_aside,
            "sentence": self.sentence,
        }


@dataclass
class Synced:
    """Tell what a synchronisation did for one company."""

    read: list[Read]
    counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def code(self) -> int:
        """Give the exit code: 3 or 4 only where nothing worked, 1 where something is missing."""
        failed = [each.code for each in self.read if each.code != DONE]
        if failed and len(failed) == len(self.read):
            return ACCESS_DENIED if ACCESS_DENIED in failed else max(failed)
        set_aside = any(each.set_aside for each in self.read)
        return ITEMS_REFUSED if failed or set_aside else DONE


@click.command("sync", help="Lit les outils, rapproche les factures, arrête ce qui est payé.")
@company_option
@json_option
@click.pass_context
def sync(context: click.Context, asked: str | None, as_json: bool) -> None:
    """Pull, join, reconcile, stop; what cannot be read is set aside and the rest goes on."""
    session = context.ensure_object(Session)
    with session.working(asked) as (app, company):
        done = synchronise(app, company)
    if as_json:
        showing.as_json(
            {
                "company": company.shown(),
                "connections": [each.shown() for each in done.read],
                **{name: done.counts[name] for name in ("joined", "payments", "stops")},
            }
        )
    else:
        _tell(done)
    context.exit(done.code)


def synchronise(app: App, company: Company) -> Synced:
    """Read every connection of a company, then bring its claims up to date."""
    host = app.host
    with host.store.begin() as tx:
        found = links(tx, company.id, states=("active", "paused"))
    if not found:
        raise UsageError(
            "Aucune connexion à lire. Commencez par : encaisse connect folder --set path=DOSSIER."
        )
    done = Synced([])
    for link in found:
        with unit():
            done.read.append(_read(app, link))
    with unit(), step("Suite des écritures proposées"):
        failures = drafts.follow_up(host, company.id).failures
    for each in done.read:
        if each.link.id in failures and each.code == DONE:
            _failed(each, failures[each.link.id])
    with unit(), step("Rapprochement des factures"):
        done.counts["joined"] = portfolio.join(host, company.id)
        done.counts["payments"] = reconcile.reconcile(host, company.id).payments
        done.counts["stops"] = stops.plan_stops(host, company.id)
    with unit(), step("Arrêt de ce qui est payé"):
        drained = runner.drain(host, company.id, stops.STOP_KINDS, patience=PATIENCE)
    done.counts.update({f"stops_{state}": n for state, n in drained.outcomes.items()})
    return done


def _read(app: App, link: Link) -> Read:
    """Read one connection; whatever it does, the others are read."""
    done = Read(link)
    if link.connector not in app.loaded.connectors:
        done.code = ITEMS_REFUSED
        done.sentence = _not_installed(app, link)
        return done
    if link.state != "active":
        done.code = ACCESS_DENIED
        done.sentence = (
            f"{link.connector} est en pause : rien n'est lu. "
            f"Reprenez avec : encaisse connect {link.connector}."
        )
        return done
    try:
        with step(f"Lecture de {link.connector}"):
            _pull(app, done)
    except (HostError, PartnerError) as error:
        _failed(done, error)
    return done


def _pull(app: App, done: Read) -> None:
    host, link = app.host, done.link
    if host.can(link, PullsInvoices):
        pulled = ingest.pull_invoices(host, link)
        done.seen, done.new, done.changed = pulled.seen, pulled.new, pulled.changed
        done.vanished, done.set_aside = pulled.vanished, _set_aside(app, pulled)
        if pulled.error is not None:
            _failed(done, pulled.error)
    if host.can(link, ReportsProgress):
        heard = collector.pull_collector(host, link)
        done.set_aside += heard.unreadable
        if heard.error is not None:
            _failed(done, heard.error)


def _set_aside(app: App, pulled: ingest.Pulled) -> int:
    """Count what this pass could not read: new rows, and those set aside before and still so."""
    s = schema.sighting.c
    with app.host.store.begin() as tx:
        read = tx.execute(
            select(s.remote_ref).where(
                s.company_id == pulled.link.company_id,
                s.connection_id == pulled.link.id,
                s.presence == "live",
            )
        ).scalars()
        return max(pulled.unreadable, len(pulled.refs.difference(read)))


def _failed(done: Read, error: Exception) -> None:
    sentence, code = expected(error) or (str(error), STORE)
    done.code = ACCESS_DENIED if isinstance(error, Denied) else code
    done.sentence = sentence


def _not_installed(app: App, link: Link) -> str:
    try:
        app.loaded.connector(link.connector)
    except KeyError as error:
        return f"{error} Ses factures restent telles qu'elles étaient."
    return ""


def _tell(done: Synced) -> None:
    showing.table(
        ("Connexion", "Lues", "Nouvelles", "Changées", "Disparues", "Écartées"),
        [
            (
                each.link.connector,
                str(each.seen),
                str(each.new),
                str(each.changed),
                str(each.vanished),
                str(each.set_aside),
            )
            for each in done.read
        ],
        empty="Rien à lire.",
    )
    counts = done.counts
    click.echo(
        f"{showing.plural(counts['joined'], 'facture réunie', 'factures réunies')} à une créance "
        f"déjà connue, "
        f"{showing.plural(counts['payments'], 'paiement vu', 'paiements vus')}, "
        f"{showing.plural(counts['stops'], 'arrêt demandé', 'arrêts demandés')}."
    )
    for each in done.read:
        if each.sentence:
            click.echo(f"{each.link.connector} : {each.sentence}", err=True)
    if any(each.set_aside for each in done.read):
        click.echo("Ce qui n'a pas pu être lu est gardé tel quel : encaisse unreadable.", err=True)


@click.command("nightly", help="Fait maintenant la nuit de chaque société.")
@json_option
@click.pass_context
def nightly(context: click.Context, as_json: bool) -> None:
    """Run every company's night, one after the other; one that fails does not stop the next."""
    session = context.ensure_object(Session)
    nights: list[dict[str, Any]] = []
    codes: list[int] = []
    with session.open() as app:
        for company in companies_of(app):
            shown, code = _night(app, company)
            nights.append({"company": company.shown(), **shown})
            codes.append(code)
    if not nights:
        raise UsageError("Aucune société n'est enregistrée : commencez par encaisse connect.")
    if as_json:
        showing.as_json({"nights": nights})
    else:
        for night in nights:
            _tell_night(night)
    context.exit(max(codes))


def _night(app: App, company: Company) -> tuple[dict[str, Any], int]:
    try:
        with unit(), step(f"Nuit de {company.siren}"):
            night = run_night(app.host, company.id, app.signer, stop_asked=asked_to_end)
    except (HostError, PartnerError) as error:
        sentence, code = expected(error) or (str(error), STORE)
        return {"counts": {}, "failures": {}, "error": sentence}, code
    code = ITEMS_REFUSED if night.failures or night.counts["unreadable"] else DONE
    if night.failures and not any(
        count for name, count in night.counts.items() if name.startswith("pulled:")
    ):
        code = UNREACHABLE
    return {
        "counts": {name: count for name, count in sorted(night.counts.items()) if count},
        "failures": dict(sorted(night.failures.items())),
        "error": None,
    }, code


def _tell_night(night: dict[str, Any]) -> None:
    company = night["company"]
    click.echo(f"{company['name']} ({company['siren']}, {company['environment']})")
    for name, count in night["counts"].items():
        tool = name.removeprefix("pulled:")
        what = f"lues dans {tool}" if tool != name else words.NIGHT_COUNTS.get(name, name)
        click.echo(f"  {what} : {count}")
    for sentence in [*night["failures"].values(), night["error"]]:
        if sentence:
            click.echo(f"  {sentence}", err=True)
