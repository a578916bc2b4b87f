"""Reading while another worker writes: PostgreSQL lets both go on, and each keeps what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text
from tests.conftest import fresh_postgres
from tests.core.houses import House, make

from encaisse_core import chaos, collector, ingest, proposals, runner, sightings
from encaisse_core.clock import VirtualClock
from encaisse_core.host import Link, links
from encaisse_core.store import schema

INVOICES = 3


@pytest.fixture
def town(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    """Give a house on PostgreSQL."""
    made = make(fresh_postgres(request), tmp_path, clock, invoices=INVOICES)
    yield made
    made.app.close()


def linked(house: House) -> dict[str, Link]:
    with house.host.store.begin() as tx:
        return {link.connector: link for link in links(tx, house.company)}


def shown(house: House) -> tuple[int, int]:
    s = schema.sighting.c
    with house.host.store.begin() as tx:
        row = tx.execute(select(s.open, s.expected).where(s.number == "F-2")).one()
        return row.open, row.expected


def land_after_the_look(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an entry of 100 € land on F-2 once the page looked at what stands, before it writes."""
    look: Callable[..., Any] = vars(sightings)["_news"]

    def landed(tx: Connection, link: Link, prints: dict[str, str]) -> Any:
        found = look(tx, link, prints)
        if "r-F-2" not in prints:
            return found
        monkeypatch.setattr(sightings, "_news", look)
        s = schema.sighting
        with house.host.store.begin() as other:
            other.execute(
                s.update()
                .where(s.c.number == "F-2")
                .values(written=s.c.written + 1, open=100_00, expected=100_00)
            )
        return found

    monkeypatch.setattr(sightings, "_news", landed)


def test_a_record_an_entry_lands_on_meanwhile_is_left_for_the_next_reading(
    town: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = linked(town)["papertool"]
    ingest.pull_invoices(town.host, tool)
    town.paper.pay("F-2", 20_00)  # told before the entry landed
    land_after_the_look(town, monkeypatch)
    assert ingest.pull_invoices(town.host, tool).changed == 0
    assert shown(town) == (100_00, 100_00)
    assert ingest.pull_invoices(town.host, tool).changed == 1
    assert shown(town) == (180_00, 100_00)


def test_so_is_one_the_list_no_longer_shows(town: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = linked(town)["papertool"]
    ingest.pull_invoices(town.host, tool)
    town.paper.pay("F-2", 200_00)
    land_after_the_look(town, monkeypatch)
    assert ingest.pull_invoices(town.host, tool).changed == 0
    assert shown(town) == (100_00, 100_00)


def locked_at(house: House, place: str, work: Callable[[], object]) -> list[int]:
    """Count the turns that are taken wherever some work is about to commit at a place."""
    counts: list[int] = []

    def look(name: str) -> None:
        if name == f"{place}.before_commit":
            with house.host.store.begin() as tx:
                locks = text("select count(*) from pg_locks where locktype = 'advisory'")
                counts.append(int(tx.execute(locks).scalar_one()))

    with chaos.hooked(look):
        work()
    return counts


@pytest.mark.parametrize("place", ["ingest.vanished_read", "ingest.vanished"])
def test_what_a_list_no_longer_shows_is_stored_one_at_a_time(town: House, place: str) -> None:
    tool = linked(town)["papertool"]
    ingest.pull_invoices(town.host, tool)
    town.paper.pay("F-2", 200_00)
    assert locked_at(town, place, lambda: ingest.pull_invoices(town.host, tool)) == [1]


def waiting_for_its_signature(house: House) -> Link:
    """Let a mandate be signed that nobody has heard of yet."""
    house.night()
    made = proposals.propose(house.host, house.company)
    proposals.approve(house.host, house.company, made, by="essai")
    runner.drain(house.host, house.company)
    house.paper.mandates = {k: (draft, "signed") for k, (draft, _) in house.paper.mandates.items()}
    return linked(house)["papercollector"]


def test_two_workers_who_hear_of_a_signature_note_it_once(house: House) -> None:
    link = waiting_for_its_signature(house)
    kind: Any = house.shelf.known["papercollector"]
    read = kind.read_mandate

    def overtaken(self: Any, ref: str) -> Any:
        kind.read_mandate = read
        assert collector.pull_collector(house.host, link).error is None
        return read(self, ref)

    kind.read_mandate = overtaken
    assert collector.pull_collector(house.host, link).error is None
    e = schema.event.c
    with house.host.store.begin() as tx:
        query = select(func.count()).select_from(schema.event).where(e.kind == "mandate_signed")
        assert tx.execute(query).scalar_one() == 1


def test_a_signature_is_noted_one_at_a_time(town: House) -> None:
    link = waiting_for_its_signature(town)
    counts = locked_at(town, "collector.mandate", lambda: collector.pull_collector(town.host, link))
    assert counts == [1]
