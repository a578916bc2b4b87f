"""Run the small company's host as a person and a timer do: stage by stage, each started anew.

A stage is what somebody starts: the first evening, a night, the answers of a morning, the month's
statement. Each may be started again after a death, and must then come to the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path

import httpx
from sqlalchemy import select

from encaisse_api import PartnerError, RecordsPayments, ReportsProgress
from encaisse_core import (
    collector,
    connecting,
    nightly,
    proposals,
    referrers,
    routing,
    runner,
    stating,
)
from encaisse_core.app import App, open_app
from encaisse_core.cli import resolving
from encaisse_core.clock import SeededIds
from encaisse_core.errors import CheckFailed, HostError, UsageError
from encaisse_core.hooks import deliveries
from encaisse_core.hooks.lookout import Lookout
from encaisse_core.hooks.receiving import Letterbox, path
from encaisse_core.host import links
from encaisse_core.store import schema
from encaisse_lab import faults_town as towns
from encaisse_lab.faults_places import Ground
from encaisse_lab.faults_post import COLLECTOR_SECRET, PARTNER_SECRET
from encaisse_lab.faults_town import Town

MONTH = "2026-02"
RATE_PPM = 200_000
REFERRER = "Éditeur des pannes"

ANSWERED = ("refused", "action")
"""Questions about an effect to which the answer is to try it again."""

WATCHED = timedelta(minutes=2)
"""How long the lookout watches at least: a stop whose answer was spoilt is sent again by day."""

ANSWERS = (2, 3, 4, 8)
"""Days on which a person answers what was asked at night."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Name one thing a person or a timer starts, and the instant it is first started at."""

    name: str
    day: int
    at: time
    start: Callable[[App, Town], None]
    then: bool = False
    """Whether people live through the day after it."""
    by_hand: bool = False
    """Whether a person starts it, who reads what it says."""


def opened(
    town: Town,
    ground: Ground,
    life: int,
    transport: httpx.BaseTransport,
    routes: Mapping[str, str] | None = None,
) -> App:
    """Start a process of the host; `life` counts them, since each draws ids of its own.

    Its folder is wherever this process stands. With `routes` it speaks real HTTP to where they
    lead, and `transport` carries nothing.
    """
    return open_app(
        {},
        folder=Path(),
        clock=town.clock,
        ids=SeededIds(1_000 * town.seed + life, town.clock),
        transport=None if routes else transport,
        routes=routes or {},
        store=ground.store,
        loaded=ground.loaded,
    )


def closed(app: App, town: Town) -> None:
    """End a process: it hears the clock no more."""
    with suppress(ValueError):
        town.clock.on_advance.remove(app.host.store.set_virtual_now)
    app.close()


def company(app: App) -> str:
    """Find the one company."""
    with app.host.store.begin() as tx:
        return str(tx.execute(select(schema.company.c.id)).scalar_one())


def evening(app: App, town: Town) -> None:
    """Connect, read, route, propose, approve and sign; what stands already is left alone."""
    host = app.host
    company_id = connecting.add_company(
        host, siren=towns.SIREN, name="Atelier Exemple", environment="test"
    )
    _connect(app, town, company_id, _refer(app, company_id))
    night = nightly.Night(company_id, host.clock.today())
    for phase in (nightly.pull, nightly.join, nightly.reconcile_money):
        phase(host, night)
    with host.store.begin() as tx:
        tools = routing.candidates(host, tx, company_id, RecordsPayments)
        books = next(tool.id for tool in tools if tool.connector == "myunisoft")
        routing.answer(host, tx, company_id, "record_payment", books, decided_by=towns.SIGNER)
    _propose(app, company_id)
    town.sign()


def _propose(app: App, company_id: str) -> None:
    """Propose what may be collected, approve it all, and ask for the mandates."""
    host, p = app.host, schema.proposal.c
    proposals.propose(host, company_id)
    with host.store.begin() as tx:
        waiting = select(p.id).where(p.company_id == company_id, p.state == "proposed")
        made = list(tx.execute(waiting.order_by(p.id)).scalars())
    if made:
        proposals.approve(host, company_id, made, by=towns.SIGNER)
    runner.drain(host, company_id, nightly.OPENINGS)


def _refer(app: App, company_id: str) -> str:
    """Record who brings the books' invoices, once."""
    r = schema.referrer.c
    with app.host.store.begin() as tx:
        known = tx.execute(select(r.id).where(r.company_id == company_id)).scalar_one_or_none()
        if known is not None:
            return str(known)
        made = referrers.add(app.host, tx, company_id, REFERRER, "editor")
        referrers.agree(
            app.host, tx, company_id, made, referrers.Agreed(RATE_PPM, app.host.clock.today())
        )
        identity = referrers.Identity(
            siren="123456782", country="FR", address="1 rue Haute", vat_regime="franchise"
        )
        referrers.identify(app.host, tx, company_id, made, identity)
        return made


def _connect(app: App, town: Town, company_id: str, referrer_id: str) -> None:
    c = schema.connection.c
    active = select(c.connector).where(c.company_id == company_id, c.state == "active")
    with app.host.store.begin() as tx:
        standing = set(tx.execute(active).scalars())
    wanted: Mapping[str, tuple[dict[str, str], str | None]] = {
        "myunisoft": (
            {
                "token": town.world.myunisoft.society_key(town.books.society_id),
                "partner_secret": PARTNER_SECRET,
                "counterpart": towns.FUNDS,
                "mode": "pending",
            },
            referrer_id,
        ),
        "factomos": ({"token": towns.TOKEN}, None),
        "gcollect": (
            {
                "client_id": towns.CLIENT,
                "client_secret": towns.SECRET,
                "webhook_secret": COLLECTOR_SECRET,
            },
            None,
        ),
    }
    for slug, (values, referrer) in wanted.items():
        if slug not in standing:
            connecting.connect(
                app.host,
                app.vault,
                company_id=company_id,
                connector=slug,
                values=values,
                referrer_id=referrer,
            )


def night(app: App, town: Town) -> None:
    """Run tonight."""
    nightly.run_night(app.host, company(app), app.signer)


def told(app: App, town: Town) -> None:
    """Let partners tell what happened and look where they did, as the daemon does by day."""
    host, company_id = app.host, company(app)
    with host.store.begin() as tx:
        known = links(tx, company_id, states=("active", "paused"))
    paths = {each.connector: path(company_id, each.id) for each in known}
    box, day = Letterbox(host, app.vault, wake=lambda: None), towns.day_of(town.clock.now())
    while (letter := town.post.next(day)) is not None:
        answer = box.take(paths[letter.partner], letter.signed(town.clock.now()), letter.body)
        if answer != letter.answered:
            raise CheckFailed(f"{letter.partner}, {letter.way}: {answer}, not {letter.answered}")
        town.post.took(letter)
    lookout, end = Lookout(host, _all_is_well), host.clock.now() + WATCHED
    while True:
        lookout.once()
        with host.store.attending().begin() as tx:
            waits = deliveries.next_ready(tx) is not None
        if not waits and host.clock.now() >= end:
            return
        host.clock.sleep(max(1.0, lookout.rest().total_seconds()))


def _all_is_well(level: str, event: str, said: Mapping[str, object]) -> None:
    """Hear what the lookout says; what it takes for a fault is one of the case."""
    if level == "error":
        raise CheckFailed(f"{event}: {said}")


def answers(app: App, town: Town) -> None:
    """Let a person try again what was refused or needs an act of theirs, which is done by now.

    A tool whose access was lost is connected again first. What no list showed on the first evening
    is proposed too, once the collector was asked for news.
    """
    company_id, t = company(app), schema.task.c
    with suppress(PartnerError, HostError):  # refused once more, it is tried on another day
        _connect(app, town, company_id, _refer(app, company_id))
    with app.host.store.begin() as tx:
        asked = tx.execute(
            select(t.id, t.subject)
            .where(t.company_id == company_id, t.done_at.is_(None), t.kind.in_(ANSWERED))
            .order_by(t.created_at, t.id)
        ).all()
    for task in asked:
        # Where the look-up failed the question stays; what somebody else settled needs no answer.
        with suppress(PartnerError, UsageError):
            decided = resolving.Decision("retry", "C'est fait de notre côté.", towns.SIGNER)
            kind = resolving.resolve(app.host, company_id, task.subject, decided)
            runner.drain(app.host, company_id, (kind,))
    with app.host.store.begin() as tx:
        active = links(tx, company_id)
    collectors = [link for link in active if app.host.can(link, ReportsProgress)]
    for link in collectors:
        collector.pull_collector(app.host, link)
    if collectors:
        _propose(app, company_id)


def statement(app: App, town: Town) -> None:
    """Issue the statement of the month that is over, as the command does."""
    company_id = company(app)
    with app.host.store.begin("statements.issue") as tx:
        app.host.store.one_at_a_time(tx, company_id)
        for draft in stating.drafts(app.host, tx, company_id, MONTH):
            if draft.refusal is None:
                stating.issue(app.host, tx, company_id, draft)


AFTERNOON, TELLING = time(15, 0), time(16, 0)

STAGES: tuple[Stage, ...] = (
    Stage("evening", 0, towns.EVENING, evening, by_hand=True),
    *(
        stage
        for day in towns.NIGHTS
        for stage in (
            Stage(f"night {day}", day, towns.NIGHTLY_AT, night, then=True),
            *((Stage(f"told {day}", day, TELLING, told),) if day in towns.TOLD_ON else ()),
            *(
                (Stage(f"answers {day}", day, time(17, 0), answers, by_hand=True),)
                if day in ANSWERS
                else ()
            ),
        )
    ),
    Stage("statement", towns.NIGHTS[-1], time(18, 0), statement, by_hand=True),
)
"""Everything that is started, in order."""
