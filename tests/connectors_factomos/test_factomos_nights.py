"""Whole nights of the host on both dialects, under a daily quota smaller than the account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.connectors_factomos.books import NOW, SIREN, TOKEN

from encaisse_api import Quota, Transient
from encaisse_core import connecting, ingest, nightly
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import Link
from encaisse_core.store import schema
from encaisse_factomos.connector import FactomosConnector
from encaisse_factomos.legacy.connector import FactomosLegacyConnector
from encaisse_lab.record_factomos import LEGACY_SECRET, LEGACY_TOKEN
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

pytestmark = pytest.mark.slow  # whole nights of a company

LIMIT, RESERVE = 30, 10
PULLS = LIMIT - RESERVE
INVOICES, EACH = 70, 4
ACCESS = {
    "factomos": {"token": TOKEN},
    "factomos_legacy": {"token": LEGACY_TOKEN, "secret": LEGACY_SECRET},
}


@dataclass
class Street:
    """Hold one company whose Factomos is larger than a night's calls."""

    app: App
    world: World
    clock: VirtualClock
    company: str
    pids: list[str]

    def connect(self, connector: str) -> Link:
        return connecting.connect(
            self.app.host,
            self.app.vault,
            company_id=self.company,
            connector=connector,
            values=ACCESS[connector],
        )

    def night(self) -> nightly.Night:
        """Let a day pass and run the whole night."""
        self.clock.sleep(timedelta(days=1).total_seconds())
        return nightly.run_night(self.app.host, self.company, self.app.signer)

    def pull(self, made: Link) -> ingest.Pulled:
        """Let a day pass and run the part of the night that reads this tool."""
        self.clock.sleep(timedelta(days=1).total_seconds())
        return ingest.pull_invoices(self.app.host, made)

    def shown(self) -> dict[str, str]:
        """Give the presence of every record by its number."""
        s = schema.sighting.c
        with self.app.host.store.begin() as tx:
            return {row.number: row.presence for row in tx.execute(select(s.number, s.presence))}

    def states(self) -> dict[str, str]:
        c = schema.claim.c
        with self.app.host.store.begin() as tx:
            return {row.number: row.state for row in tx.execute(select(c.number, c.state))}

    def cursors(self) -> list[str]:
        with self.app.host.store.begin() as tx:
            return list(tx.execute(select(schema.cursor.c.value)).scalars())

    def failed(self, made: Link) -> bool:
        c = schema.connection.c
        with self.app.host.store.begin() as tx:
            row = tx.execute(select(c.failed_at).where(c.id == made.id)).one()
        return row.failed_at is not None

    @property
    def calls(self) -> int:
        return self.world.factomos.calls_today(TOKEN)


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    quota = Quota(
        scope="grant",
        limit=LIMIT,
        period=timedelta(days=1),
        calendar_day=True,
        reserve=RESERVE,
    )
    for kind in (FactomosConnector, FactomosLegacyConnector):
        small = type(kind.manifest).model_validate({**dict(kind.manifest), "quotas": (quota,)})
        monkeypatch.setattr(kind, "manifest", small)
    yield from _street(tmp_path, LIMIT)


def _street(folder: Path, daily_calls: int, invoices: int = INVOICES) -> Iterator[Street]:
    clock, world = VirtualClock(NOW), World(11, NOW)
    clock.on_advance.append(world.set_now)
    tool = world.factomos
    tool.add_company(TOKEN, SIREN, "Atelier Exemple SARL", daily_calls=daily_calls)
    tool.add_legacy_access(TOKEN, LEGACY_TOKEN, LEGACY_SECRET)
    customers = [tool.add_contact(TOKEN, f"Client {n}") for n in range(-(-invoices // EACH))]
    pids = [
        tool.add_invoice(
            f"F-{n:03}", customers[n // EACH], date(2026, 2, 1), date(2026, 3, 1), 10_000 + n
        )
        for n in range(invoices)
    ]
    app = open_app(
        {"ENCAISSE_DATABASE_URL": f"sqlite:///{folder / 'encaisse.db'}"},
        folder=folder,
        clock=clock,
        ids=SeededIds(1, clock),
        transport=SimTransport(world),
    )
    company = connecting.add_company(
        app.host, siren=SIREN, name="Atelier Exemple SARL", environment="test"
    )
    yield Street(app, world, clock, company, pids)
    app.close()


def test_an_account_larger_than_a_night_is_read_over_several(street: Street) -> None:
    made = street.connect("factomos_legacy")
    first = street.pull(made)
    assert first.error is not None and "quota" in first.error.message
    assert street.calls == PULLS
    assert len(street.shown()) == 50
    assert street.failed(made)
    last = street.night()
    assert street.calls == PULLS  # the pass is whole, and a new one has begun
    assert last.failures == {}
    assert not street.failed(made)
    assert street.shown() == {f"F-{n:03}": "live" for n in range(INVOICES)}
    assert len(street.states()) == INVOICES


def test_calls_are_left_for_everything_but_pulls(street: Street) -> None:
    made = street.connect("factomos_legacy")
    street.pull(made)
    host = street.app.host
    with host.open(made, keeps_reserve=True) as pull, pytest.raises(Transient):
        pull.probe()
    assert street.calls == PULLS
    with host.open(made) as effect:
        for _ in range(RESERVE):
            effect.probe()
        with pytest.raises(Transient) as used_up:
            effect.probe()
    assert used_up.value.retry_after is not None
    assert street.calls == LIMIT


def test_what_happens_between_two_nights_of_one_pass_is_seen_soon_after(street: Street) -> None:
    made = street.connect("factomos_legacy")
    street.pull(made)
    tool = street.world.factomos
    tool.customer_pays(street.pids[0], 10_000, date(2026, 4, 15))  # shown the first night
    tool.customer_pays(street.pids[60], 10_060, date(2026, 4, 15))  # not shown yet
    tool.delete_invoice(street.pids[1])
    whole = [street.pull(made).error is None for _ in range(4)]
    assert sum(whole) >= 2
    street.night()
    assert street.states()["F-000"] == "settled"
    assert "F-060" not in street.states()  # never shown while it was open
    assert street.shown()["F-001"] == "vanished"
    live = {number for number, presence in street.shown().items() if presence == "live"}
    assert live == {f"F-{n:03}" for n in range(INVOICES)} - {"F-001", "F-060"}


def test_a_place_left_too_long_ago_says_nothing(street: Street) -> None:
    made = street.connect("factomos_legacy")
    street.pull(made)
    assert len(street.cursors()) == 1
    tool = street.world.factomos
    for place, pid in enumerate(street.pids[:8]):
        tool.customer_pays(pid, 10_000 + place, date(2026, 4, 15))
    street.clock.sleep(timedelta(days=3).total_seconds())
    street.pull(made)
    street.pull(made)
    street.night()
    states = street.states()
    assert {states[f"F-{n:03}"] for n in range(8)} == {"settled"}


def test_a_pass_cut_by_a_fault_and_not_by_the_quota_starts_anew(street: Street) -> None:
    for pid in street.pids[20:]:
        street.world.factomos.delete_invoice(pid)
    made = street.connect("factomos_legacy")
    street.world.faults.schedule("5xx", nth=3, count=100)
    assert street.pull(made).error is not None
    assert street.cursors() == []
    street.world.faults.clear()
    assert street.pull(made).error is None
    assert len(street.shown()) == 20


def test_the_newer_dialect_needs_no_second_night_for_the_same_account(street: Street) -> None:
    made = street.connect("factomos")
    assert street.pull(made).error is None
    assert len(street.shown()) == INVOICES
    # A list of cards and its end, four empty lists, two pages of late invoices and their end.
    assert street.calls == 2 + 4 + 3
    assert not street.failed(made)


def test_both_dialects_of_one_account_make_one_claim_of_each_invoice(tmp_path: Path) -> None:
    for street in _street(tmp_path, 500, invoices=9):
        street.connect("factomos")
        street.connect("factomos_legacy")
        street.night()
        s = schema.sighting.c
        with street.app.host.store.begin() as tx:
            claims = list(tx.execute(select(s.claim_id)).scalars())
        assert len(claims) == 18
        assert len(set(claims)) == len(street.states()) == 9
