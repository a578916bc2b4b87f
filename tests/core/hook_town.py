"""A company with an invoicing tool that tells news and a collector at work, both simulated."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from stdnum import luhn

from encaisse_api.conformance import signed_headers
from encaisse_core import connecting, nightly, proposals, runner
from encaisse_core.app import App, open_app
from encaisse_core.cli.watching import seen
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.hooks.lookout import Lookout
from encaisse_core.hooks.receiving import path
from encaisse_core.host import Link, links
from encaisse_core.nightly import Night
from encaisse_core.store import schema
from encaisse_core.watch.lines import Lines
from encaisse_libeo.manifest import MANIFEST
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

START = datetime(2026, 4, 13, 16, 0, tzinfo=UTC)
SIREN, SIRET = "812345676", "81234567600017"
KEY, SECRET = "cle-d-essai", "whsec-invente"
CLIENT = {"client_id": "essai", "client_secret": "secret-d-essai"}
VALUES = {
    "libeo": {"api_key": KEY, "siret": SIRET, "webhook_secret": SECRET},
    "gcollect": CLIENT,
}
CENTS = 120_000


@dataclass
class Town:
    """Hold the host, the world it lives in, and the sales that are at the collector."""

    app: App
    world: World
    clock: VirtualClock
    company: str
    sales: dict[str, str]
    used: int = 0
    port: int = 0
    lookout: Lookout | None = None

    def connect(self, slug: str) -> None:
        """Connect a partner, or connect it again."""
        connecting.connect(
            self.app.host,
            self.app.vault,
            company_id=self.company,
            connector=slug,
            values=VALUES[slug],
        )

    def night(self) -> Night:
        """Run tomorrow's night."""
        self.clock.sleep(timedelta(days=1).total_seconds())
        return nightly.run_night(self.app.host, self.company, self.app.signer)

    def link(self, connector: str) -> Link:
        """Find a connection."""
        with self.app.host.store.begin() as tx:
            known = links(tx, self.company, states=("active", "paused"))
        return next(each for each in known if each.connector == connector)

    def fresh(self) -> str:
        """Name a sale no test has touched."""
        self.used += 1
        return f"VTE-{self.used - 1}"

    def calm(self) -> Town:
        """Let an hour pass, and end what was told, planned or broken before."""
        self.told()
        self.clock.sleep(timedelta(hours=1).total_seconds())
        self.world.faults.clear()
        self.look()
        return self

    def signed(self, body: bytes, secret: str = SECRET) -> Mapping[str, str]:
        """Sign a body now, as the tool does."""
        scheme = MANIFEST.webhook
        assert scheme is not None
        return signed_headers(scheme, secret, body, self.clock.now())

    def pays(self, sale: str, cents: int = CENTS) -> None:
        """Let the customer of a sale pay the company directly, in sight of its tool alone."""
        today = self.clock.now().date()
        self.world.libeo.customer_pays(self.sales[sale], cents, today)

    def told(self) -> list[tuple[Mapping[str, str], bytes]]:
        """Take what the tool has to tell."""
        return [(each.headers, each.body) for each in self.world.libeo.deliveries()]

    def path(self) -> str:
        """Give where the tool calls."""
        return path(self.company, self.link("libeo").id)

    def post(
        self, headers: Mapping[str, str], body: bytes, path: str | None = None
    ) -> tuple[int, dict[str, bool]]:
        """Deliver over real HTTP on the loopback."""
        where = f"http://127.0.0.1:{self.port}{path or self.path()}"
        request = urllib.request.Request(where, data=body, headers=dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def look(self) -> int:
        """Let the lookout do what is due."""
        assert self.lookout is not None
        return self.lookout.once()

    def declared(self, sale: str) -> list[int]:
        """List the direct payments of a sale that the collector acknowledged, in cents."""
        e, c = schema.effect.c, schema.claim.c
        query = (
            select(e.payload)
            .join(schema.claim, (e.company_id == c.company_id) & (e.subject == c.id))
            .where(e.kind == "declare_direct_payment", e.state == "done", c.number == sale)
            .order_by(e.created_at, e.id)
        )
        with self.app.host.store.begin() as tx:
            return [int(json.loads(payload)["amount"]) for payload in tx.execute(query).scalars()]

    def rows(self, table: str) -> int:
        """Count a table's rows."""
        with self.app.host.store.begin() as tx:
            count = select(func.count()).select_from(schema.metadata.tables[table])
            return int(tx.execute(count).scalar_one())

    def calls(self) -> int:
        """Count the calls the tool has answered today."""
        return self.world.libeo.calls_today(KEY)

    def ended(self, sale: str) -> bool:
        """Tell whether the collector ended a sale as paid, whatever we believe."""
        (line,) = (
            each for each in self.world.gcollect.procedures_ledger() if each.invoice_number == sale
        )
        return line.close_code == "paid_directly"


@contextmanager
def open_town(url: str, home: Path, *, sales: int) -> Iterator[Town]:
    """Bring the sales to the collector, then listen on a free port."""
    world, clock = World(7, START), VirtualClock(START)
    clock.on_advance.append(world.set_now)
    world.libeo.add_company(KEY, SIRET, "Fournil Exemple SAS", webhook_secret=SECRET)
    world.gcollect.register_creditor(SIREN, "Fournil Exemple SAS", *CLIENT.values())
    made = {
        f"VTE-{n}": world.libeo.add_receivable(
            KEY, f"VTE-{n}", f"Client {n}", _buyer(n), date(2026, 2, 1), date(2026, 3, 1), CENTS
        )
        for n in range(sales)
    }
    app = open_app(
        {"ENCAISSE_DATABASE_URL": url},
        folder=home,
        clock=clock,
        ids=SeededIds(3, clock),
        transport=SimTransport(world),
    )
    try:
        company = connecting.add_company(app.host, siren=SIREN, name="Fournil", environment="test")
        town = Town(app.of(company), world, clock, company, made)
        for slug in VALUES:
            town.connect(slug)
        _hand_over(town)
        town.lookout = Lookout(app.host)
        stream = io.StringIO()
        where = ("127.0.0.1", 0)
        with seen(app, Lines(stream, "json"), where, None, lookout=town.lookout):
            said = [json.loads(line) for line in stream.getvalue().splitlines()]
            town.port = next(line["port"] for line in said if "port" in line)
            yield town
    finally:
        app.close()


def _buyer(number: int) -> str:
    """Invent a customer's SIREN."""
    stem = f"99910{number:03}"
    return stem + luhn.calc_check_digit(stem)


def _hand_over(town: Town) -> None:
    """Approve, sign and open, and let the collector work for two days."""
    town.night()
    host = town.app.host
    proposals.approve(host, town.company, proposals.propose(host, town.company), by="essai")
    runner.drain(host, town.company, nightly.OPENINGS)
    for mandate in town.world.gcollect.pending_mandates():
        town.world.gcollect.sign_mandate(mandate, name="Essai", email="essai@example.org")
    for _ in range(2):
        town.night()
    assert len(town.world.gcollect.procedures_ledger()) == len(town.sales)
    town.told()  # what was told before is not of interest
