"""One company's night, in the order that protects people first.

0 retry unacknowledged stops · 1 pull · 2 follow up · 3 join · 4 reconcile · 5 stop · 6 write back,
letter · 7 payouts and commissions · 8 gate and open · 9 compare · 10 seal. Each phase is
idempotent, so that a killed night simply starts over.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Connection, select

from encaisse_api import Drift, PullsInvoices, ReportsProgress, Transient
from encaisse_core import (
    collector,
    compare,
    drafts,
    earnings,
    ingest,
    journal,
    ledger,
    lettering,
    opening,
    outbox,
    portfolio,
    reconcile,
    recovering,
    runner,
    stops,
    writeback,
)
from encaisse_core.host import Host, Link, links
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.vault import Signer

PULL_AGAIN = (timedelta(seconds=20), timedelta(minutes=2))
"""Waits before a connection that failed is pulled again the same night."""

STOPS = stops.STOP_KINDS
WRITE_BACKS = tuple(outbox.ENTRIES)
LETTERINGS = ("letter",)
OPENINGS = ("request_mandate", "open_procedure")


@dataclass
class Night:
    """Count what one company's night did."""

    company_id: str
    night: date
    counts: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, str] = field(default_factory=dict[str, str])
    stop_asked: Callable[[], bool] = field(default=lambda: False, repr=False)
    waits: tuple[timedelta, ...] = PULL_AGAIN
    passing: set[str] = field(default_factory=set[str])
    """Connections that failed tonight and may answer better in a moment."""


Phase = Callable[[Host, Night], None]
StopAsked = Callable[[], bool]


def retry_stops(host: Host, night: Night) -> None:
    """Send first what should have been acknowledged already, and give what stays to a person."""
    _drain(host, night, STOPS)
    night.counts["stops_unacknowledged"] += stops.ask_about_silence(host, night.company_id)


def pull(host: Host, night: Night) -> None:
    """Read every source and every collector; one that fails closes nothing and opens nothing.

    A connection that failed is tried again a little later: a source that stays silent for a night
    cannot say who has paid, and somebody would be written to for nothing. Where many companies have
    their night, nobody waits here for one of them: `waits` is empty, and it has its turn again.
    """
    with host.store.begin() as tx:
        waiting = links(tx, night.company_id)
        for link in links(tx, night.company_id, states=("paused",)):
            night.failures[link.id] = _why_paused(tx, link)
    for pause in (*night.waits, None):
        waiting = [link for link in waiting if pull_one(host, night, link)]
        night.passing = {link.id for link in waiting}
        if not waiting or pause is None:
            return
        host.clock.sleep(pause.total_seconds())


def _why_paused(tx: Connection, link: Link) -> str:
    """Repeat every night why a connection is paused: its company is blind on that side."""
    c = schema.connection.c
    reason = tx.execute(
        select(c.reason).where(c.company_id == link.company_id, c.id == link.id)
    ).scalar_one()
    return f"{link.connector} est en pause. {reason or 'Reconnectez-le.'}"


def pull_one(host: Host, night: Night, link: Link) -> bool:
    """Pull one connection; tell whether it may answer better in a moment."""
    try:
        host.manifest(link)
    except KeyError:
        night.failures[link.id] = (
            f"Le connecteur {link.connector} n'est plus installé ou a été mis à l'écart : encaisse "
            "doctor dit pourquoi."
        )
        return False
    error = None
    if host.can(link, PullsInvoices):
        pulled = ingest.pull_invoices(host, link)
        if pulled.error is None:  # two folders are two connections of one connector
            night.counts[f"pulled:{link.connector}"] += pulled.seen
        night.counts["unreadable"] += pulled.unreadable
        error = pulled.error
    if error is None and host.can(link, ReportsProgress):
        heard = collector.pull_collector(host, link)
        error = heard.error
        if error is None:  # one that failed is read again, and its rows with it
            night.counts["unreadable"] += heard.unreadable
    if error is None:
        night.failures.pop(link.id, None)
        return False
    night.failures[link.id] = error.message
    return isinstance(error, (Transient, Drift)) and not ingest.cut_by_quota(error)


def follow_up(host: Host, night: Night) -> None:
    """Learn what accountants made of the entries we proposed, before anything is reconciled."""
    followed = drafts.follow_up(host, night.company_id)
    for fate, count in followed.fates.items():
        night.counts[f"entries_{fate}"] += count
    for connection_id, error in followed.failures.items():
        night.failures.setdefault(connection_id, error.message)


def join(host: Host, night: Night) -> None:
    """Bring sightings of one claim together."""
    night.counts["joined"] += portfolio.join(host, night.company_id)


def reconcile_money(host: Host, night: Night) -> None:
    """Turn what became visible into payments."""
    night.counts["payments"] += reconcile.reconcile(host, night.company_id).payments


def stop(host: Host, night: Night) -> None:
    """Fall silent where the customer paid, was credited, or contests."""
    night.counts["stops"] += stops.plan_stops(host, night.company_id)
    _drain(host, night, STOPS)


def write_back(host: Host, night: Night) -> None:
    """Bring the money's trace into the books."""
    night.counts["write_backs"] += writeback.plan_write_backs(host, night.company_id)
    for _ in range(2):  # a reversal waits for the payment it undoes
        night.counts["write_backs"] += writeback.plan_write_backs(host, night.company_id)
        _drain(host, night, WRITE_BACKS)
    night.counts["letterings"] += lettering.plan_letterings(host, night.company_id)
    _drain(host, night, LETTERINGS)


def post(host: Host, night: Night) -> None:
    """Post payouts and commissions."""
    night.counts["vouchers"] += ledger.post_payouts(host, night.company_id)
    night.counts["commissions"] += earnings.post_commissions(host, night.company_id)


def open_procedures(host: Host, night: Night) -> None:
    """Open what a person approved and signed, behind the gate.

    An invoice that changed between the pull and the gate sends us once through reconciling and
    stopping again, so that a morning payment does not cost a day.
    """
    for _ in range(2):
        opening.plan_openings(host, night.company_id)
        before = night.counts["done"]
        _drain(host, night, OPENINGS)
        news = reconcile.reconcile(host, night.company_id).news
        if night.counts["done"] == before and not news:
            return
        stop(host, night)


def compare_portfolios(host: Host, night: Night) -> None:
    """List what the partners' portfolios and ours disagree about."""
    night.counts["differences"] += compare.compare(host, night.company_id)
    recovering.close_if_over(host, night.company_id)


PHASES: tuple[tuple[str, Phase], ...] = (
    ("retry_stops", retry_stops),
    ("pull", pull),
    ("follow_up", follow_up),
    ("join", join),
    ("reconcile", reconcile_money),
    ("stop", stop),
    ("write_back", write_back),
    ("post", post),
    ("open", open_procedures),
    ("compare", compare_portfolios),
)


def run_night(
    host: Host,
    company_id: str,
    signer: Signer,
    *,
    phases: tuple[tuple[str, Phase], ...] = PHASES,
    stop_asked: StopAsked = lambda: False,
    waits: tuple[timedelta, ...] = PULL_AGAIN,
) -> Night:
    """Run or finish tonight for one company; a second call the same night starts over harmlessly.

    `stop_asked` is looked at between phases: a daemon told to end stops there.
    """
    host = host.of(company_id)
    night = Night(company_id, host.clock.today(), stop_asked=stop_asked, waits=waits)
    _begin(host, night)
    for number, (_, phase) in enumerate(phases):
        if stop_asked():
            return night
        phase(host, night)
        _progress(host, night, number + 1)
    seal(host, night, signer)
    return night


def seal(host: Host, night: Night, signer: Signer) -> None:
    """Sign the journal's head and keep the night's digest and heartbeat."""
    now = host.clock.now()
    n = schema.night
    with host.store.begin("night.seal") as tx:
        journal.seal(tx, night.company_id, now, signer)
        body = {"counts": dict(sorted(night.counts.items())), "failures": night.failures}
        tx.execute(
            n.update()
            .where(n.c.company_id == night.company_id, n.c.night == night.night.isoformat())
            .values(state="done", digest=json.dumps(body, sort_keys=True), ended_at=stamp(now))
        )


def _begin(host: Host, night: Night) -> None:
    """Write the night down. A killed run starts over: every phase is idempotent, facts are not."""
    n = schema.night
    with host.store.begin("night.begin") as tx:
        host.store.one_at_a_time(tx, night.company_id)
        tx.execute(
            n.delete().where(
                n.c.company_id == night.company_id, n.c.night == night.night.isoformat()
            )
        )
        tx.execute(
            n.insert().values(
                company_id=night.company_id,
                night=night.night.isoformat(),
                phase=0,
                state="running",
                started_at=stamp(host.clock.now()),
            )
        )


def _progress(host: Host, night: Night, phase: int) -> None:
    n = schema.night
    with host.store.begin("night.progress") as tx:
        tx.execute(
            n.update()
            .where(n.c.company_id == night.company_id, n.c.night == night.night.isoformat())
            .values(phase=phase)
        )


def _drain(host: Host, night: Night, kinds: tuple[str, ...]) -> None:
    drained = runner.drain(host, night.company_id, kinds, stop_asked=night.stop_asked)
    night.counts.update(drained.outcomes)
