"""Workers on one PostgreSQL: a night is asked for once, run once, not lost with its worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.conftest import WORKER, as_owner, fresh_postgres
from tests.core.houses import House, make

from encaisse_core import daemon
from encaisse_core.cli.session import Session
from encaisse_core.clock import VirtualClock
from encaisse_core.daemon import AT, Daemon
from encaisse_core.errors import DONE
from encaisse_core.store import preparing, schema
from encaisse_core.workers import calendar, working
from encaisse_core.workers.calendar import Round
from encaisse_core.workers.queue import Queue, Stopped, queue

INVOICES = 2


@dataclass
class Crew:
    """One company's house, and workers that share its queue."""

    house: House
    url: str
    said: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    told_to_end: bool = False

    def daemon(self) -> Daemon:
        return Daemon(
            app=self.house.app,
            session=Session({}),
            write=lambda line: self.said.append(json.loads(line)),
            wait=lambda _: True,
            stop_asked=lambda: self.told_to_end,
        )

    def queue(self) -> Queue:
        return queue(self.daemon(), self.url)

    def work(self) -> int:
        return working.work(self.daemon(), self.url, once=True, stop=lambda _: None)

    def heard(self, event: str) -> int:
        return sum(line["event"] == event for line in self.said)

    def nights(self) -> list[tuple[str, str]]:
        n = schema.night.c
        with self.house.host.store.begin() as tx:
            return [tuple(row) for row in tx.execute(select(n.night, n.state))]


@pytest.fixture
def crew(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> Iterator[Crew]:
    url = fresh_postgres(request)
    preparing.prepare(as_owner(url), WORKER)
    made = make(url, tmp_path, clock, invoices=INVOICES)
    yield Crew(made, url)
    made.app.close()


def test_a_round_asked_for_now_runs_every_companys_night_and_ends(crew: Crew) -> None:
    assert crew.work() == DONE
    assert crew.nights() == [(crew.house.clock.today().isoformat(), "done")]
    assert crew.heard("night") == 1
    assert crew.house.count("claim") == INVOICES
    with crew.house.host.store.begin() as tx:  # it said that it lived, and that it left
        names = set(tx.execute(select(schema.heartbeat.c.name)).scalars())
    assert not any(name.startswith(daemon.WORKER) for name in names)


def test_nights_are_due_from_ten_past_four_and_asked_for_once(crew: Crew) -> None:
    host, clock = crew.house.host, crew.house.clock
    clock.set(datetime(2026, 2, 3, 3, 9, 59, tzinfo=UTC))
    assert calendar.due(host, AT) is None
    clock.set(datetime(2026, 2, 3, 3, 10, tzinfo=UTC))
    assert calendar.due(host, AT) == clock.today()
    clock.sleep(timedelta(hours=9).total_seconds())  # a machine that was off at that hour
    asyncio.run(_opened(crew.queue(), "plan"))
    assert crew.heard("nights_asked_for") == 1
    assert calendar.due(host, AT) is None
    asyncio.run(_opened(crew.queue(), "plan"))
    assert crew.heard("nights_asked_for") == 1


@pytest.mark.slow
def test_a_night_that_is_done_is_not_run_again_nor_one_whose_date_is_over(crew: Crew) -> None:
    made, tonight = crew.queue(), crew.house.clock.today().isoformat()
    made.night(crew.house.company, tonight)
    made.night(crew.house.company, tonight)
    made.night(crew.house.company, "2026-01-31")
    assert (crew.heard("night"), crew.heard("night_missed")) == (1, 1)


@pytest.mark.slow
def test_a_night_told_to_end_goes_back_to_the_others(crew: Crew) -> None:
    made = crew.queue()
    crew.told_to_end = True
    with pytest.raises(Stopped):
        made.night(crew.house.company, crew.house.clock.today().isoformat())
    assert crew.nights()[0][1] == "running"
    crew.told_to_end = False
    assert crew.work() == DONE
    assert crew.nights()[0][1] == "done"


@pytest.mark.parametrize("asked_again", [pytest.param(False, marks=pytest.mark.slow), True])
def test_what_a_killed_worker_held_is_taken_over(crew: Crew, asked_again: bool) -> None:
    """Its jobs stay `doing` for ever otherwise, and its companies locked."""
    tonight = crew.house.clock.today().isoformat()

    async def die() -> None:
        made = crew.queue()
        async with made.jobs.open_async():
            await made.ask(tonight)
            manager = made.jobs.job_manager
            held = await manager.fetch_job(["nights"], await manager.register_worker())
            assert held is not None
            await made.jobs.connector.execute_query_async(
                "update procrastinate_workers set last_heartbeat = now() - interval '1 hour'"
            )
            if asked_again:
                await made.ask(tonight)

    asyncio.run(die())
    given = asyncio.run(_opened(crew.queue(), "give_back"))
    assert given == 1
    assert crew.work() == DONE
    assert crew.nights() == [(tonight, "done")]


@pytest.mark.slow
def test_the_end_of_a_round_is_told_once(crew: Crew) -> None:
    tonight = crew.house.clock.today().isoformat()
    calendar.note(crew.house.host, Round(tonight, told=False))
    asyncio.run(_opened(crew.queue(), "tend"))
    asyncio.run(_opened(crew.queue(), "tend"))
    over = [line for line in crew.said if line["event"] == "nights_over"]
    assert [line["not_done"] for line in over] == [1]


async def _opened(made: Queue, what: str) -> Any:
    async with made.jobs.open_async():
        if what == "give_back":
            return await made.give_back()
        return await getattr(made, what)(0)
