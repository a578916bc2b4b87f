"""Settle many companies in: three connections each, a few of them with files at the collector."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from stdnum import luhn

from encaisse_core import companies, connecting, grants, nightly, proposals, runner
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds
from encaisse_core.companies import Newcomer
from encaisse_core.hooks.receiving import path
from encaisse_core.host import Host, links
from encaisse_core.loader import load
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_lab.crowd_quotas import Street, Widened
from encaisse_lab.stage import Stage
from encaisse_simulator.world import World

START = datetime(2026, 4, 12, 18, 0, tzinfo=UTC)
TOOLS = ("libeo", "factomos", "gcollect")
CENTS = 120_000
TOGETHER = 200
"""Companies written in one transaction."""


@dataclass
class Paying:
    """Name an invoice at the collector whose customer will pay its creditor."""

    company_id: str
    connection_id: str
    number: str
    sale: str
    siret: str
    secret: str
    told: datetime | None = None


@dataclass
class Crowd:
    """Hold the host of a crowd, its partners and who is about to be paid."""

    app: App
    world: World
    stage: Stage
    street: Street
    companies: list[str] = field(default_factory=list[str])
    paying: list[Paying] = field(default_factory=list[Paying])

    @property
    def host(self) -> Host:
        """Give the host."""
        return self.app.host

    def pay(self, who: Paying) -> tuple[str, Mapping[str, str], bytes]:
        """Let a customer pay, and give what the tool delivers: where, headers and body."""
        self.street.keep_time(now=True)
        self.world.libeo.customer_pays(who.sale, CENTS, self.stage.now().date())
        (told,) = self.world.libeo.deliveries()
        who.told = self.stage.now()
        return path(who.company_id, who.connection_id), told.headers, told.body


@contextmanager
def settle(seed: int, count: int, paying: int, home: Path) -> Generator[Crowd]:
    """Settle `count` companies in, of which the first `paying` have a file at the collector."""
    world, stage = World(seed, START), Stage(START)
    shelf = Widened(load())
    street = Street(world, stage, {slug: shelf.connector(slug).manifest for slug in TOOLS})
    app = open_app(
        {}, folder=home, clock=stage, ids=SeededIds(seed, stage), transport=street, connectors=shelf
    )
    stage.on_advance.clear()
    app.host.store.share_time(stage.now)  # nobody else is here: no row has to say the time
    crowd = Crowd(app, world, stage, street)
    try:
        for number in range(paying):
            crowd.paying.append(_at_work(crowd, number))
        for first in range(paying, count, TOGETHER):
            _write(crowd, range(first, min(count, first + TOGETHER)))
        yield crowd
    finally:
        app.close()


def siren(number: int) -> str:
    """Invent a SIREN."""
    stem = f"8{number:07}"
    return stem + luhn.calc_check_digit(stem)


def _opened(crowd: Crowd, number: int) -> dict[str, dict[str, str]]:
    """Open a company's accounts at its partners; give what a person would type to connect them."""
    who, name = siren(number), f"Société {number}"
    secret = f"whsec-{number}"
    world = crowd.world
    world.libeo.add_company(f"cle-{number}", f"{who}00017", name, webhook_secret=secret)
    world.factomos.add_company(f"jeton-{number}", who, name)
    world.gcollect.register_creditor(who, name, f"client-{number}", f"secret-{number}")
    return {
        "libeo": {
            "api_key": f"cle-{number}",
            "siret": f"{who}00017",
            "webhook_secret": secret,
        },
        "factomos": {"token": f"jeton-{number}", "siren": who},
        "gcollect": {"client_id": f"client-{number}", "client_secret": f"secret-{number}"},
    }


def _at_work(crowd: Crowd, number: int) -> Paying:
    """Take one company the whole way, from an overdue invoice to an open procedure."""
    values = _opened(crowd, number)
    name = f"VTE-{number}"
    sale = crowd.world.libeo.add_receivable(
        values["libeo"]["api_key"],
        name,
        "Client",
        "987654324",
        date(2026, 2, 1),
        date(2026, 3, 1),
        CENTS,
    )
    crowd.world.libeo.deliveries()
    company = connecting.add_company(
        crowd.host, siren=siren(number), name=f"Société {number}", environment="test"
    )
    app = crowd.app.of(company)
    host = app.host
    for slug in TOOLS:
        connecting.connect(host, app.vault, company_id=company, connector=slug, values=values[slug])
    nightly.run_night(host, company, app.signer)
    proposals.approve(host, company, proposals.propose(host, company), by="essai")
    runner.drain(host, company, nightly.OPENINGS)
    for mandate in crowd.world.gcollect.pending_mandates():
        crowd.world.gcollect.sign_mandate(mandate, name="Essai", email="essai@example.org")
    nightly.run_night(host, company, app.signer)
    crowd.companies.append(company)
    with host.store.begin() as tx:
        tool = next(each for each in links(tx, company) if each.connector == "libeo")
    libeo = values["libeo"]
    return Paying(company, tool.id, name, sale, libeo["siret"], libeo["webhook_secret"])


def _write(crowd: Crowd, numbers: range) -> None:
    """Write companies as connecting them would, without asking each partner who they are."""
    host = crowd.host
    with host.store.begin() as tx:
        for number in numbers:
            values = _opened(crowd, number)
            owner = companies.arriving(host, Newcomer(siren(number), f"Société {number}", "test"))
            companies.add_organisation(host, tx, owner)
            companies.record(host, tx, owner)
            for place, slug in enumerate(TOOLS, 1):
                secret = {
                    s.name for s in host.connectors.connector(slug).manifest.settings if s.secret
                }
                grant_id = grants.create_grant(
                    tx,
                    crowd.app.vault,
                    host.ids,
                    at=host.clock.now(),
                    organisation_id=owner.organisation_id,
                    connector=slug,
                    environment="test",
                    secrets={k: v for k, v in values[slug].items() if k in secret},
                )
                settings = {k: v for k, v in values[slug].items() if k not in secret}
                tx.execute(
                    schema.connection.insert().values(
                        company_id=owner.company_id,
                        id=host.ids.new("cnx"),
                        grant_id=grant_id,
                        connector=slug,
                        account="",
                        state="active",
                        settings=json.dumps(settings),
                        sequence=place,
                        created_at=stamp(host.clock.now()),
                    )
                )
            crowd.companies.append(owner.company_id)
