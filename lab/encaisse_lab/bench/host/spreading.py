"""Measure how much faster two workers are than one where partners are slow to answer.

Real `encaisse worker` processes on a real PostgreSQL, held by row-level security, read several
companies' invoices from a simulated tool over HTTP. Rounds of one and of two alternate, on the same
companies; the time of a round runs from when its nights are asked for until none is left, so that
starting Python is in none of it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

from encaisse_core import connecting
from encaisse_core.app import DATABASE, FOLDER, ROUTES, App, open_app
from encaisse_core.cli.session import Session
from encaisse_core.clock import PARIS
from encaisse_core.daemon import Daemon
from encaisse_core.workers import calendar
from encaisse_core.workers.calendar import Round
from encaisse_core.workers.queue import Queue, queue
from encaisse_lab import faults_places, faults_workers
from encaisse_lab.bench.host.found import Bench, Finding
from encaisse_lab.bench.judging import Goal, Verdict
from encaisse_lab.invented import with_key
from encaisse_simulator.factomos import HOST
from encaisse_simulator.server import serve
from encaisse_simulator.wire import SimRequest, SimResponse
from encaisse_simulator.world import World

WORKERS = Goal(
    "workers",
    1.7,
    "two workers' nights where a tool is slow, part of one worker's speed",
    "nuits de deux ouvriers devant un outil lent, en part de la vitesse d'un seul",
)
SLOW = timedelta(milliseconds=600)
"""How long the tool takes to answer each call."""

COMPANIES, INVOICES = 6, 5

START = "from encaisse_core.cli.start import main; main()"

LOOK = 0.05
"""Seconds between two looks whether a round is over."""


class SlowWorld(World):
    """Answer late; several calls wait at once, as at a partner with many machines."""

    calls = 0

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        time.sleep(SLOW.total_seconds())
        self.calls += 1
        return super().handle(request)


@dataclass
class Spread:
    """Hold the seconds of each round by number of workers, and what a round asked of the tool."""

    companies: int
    slow_ms: int
    calls: int = 0
    seconds: dict[int, list[float]] = field(default_factory=lambda: {1: [], 2: []})

    @property
    def ratio(self) -> float:
        """Tell how many times as fast two are, by the medians."""
        return median(self.seconds[1]) / median(self.seconds[2])


def measure(bench: Bench) -> Iterator[Finding]:
    """Measure on PostgreSQL; SQLite is one machine's and has no second worker."""
    if bench.database.sqlite:
        return
    found = two_workers(bench.database.uri, rounds=bench.rounds, tell=bench.tell)
    figures: dict[str, float] = {
        f"{count} worker{'s' * (count > 1)} s": median(took)
        for count, took in found.seconds.items()
    } | {"companies": found.companies, "ms an answer": found.slow_ms, "calls": found.calls}
    yield Finding(Verdict(WORKERS, found.ratio), bench.database.name, figures)


def two_workers(
    server: str, *, rounds: int = 3, tell: Callable[[str], None] = lambda _: None
) -> Spread:
    """Measure; `server` is the address of a PostgreSQL in which databases may be made."""
    place = faults_places.fresh(server)
    world = SlowWorld(1, datetime.now(UTC))
    found = Spread(COMPANIES, int(SLOW.total_seconds() * 1000))
    try:
        with serve(world) as http:
            environ = {
                FOLDER: str(place.folder),
                DATABASE: faults_workers.held(place.url or ""),
                ROUTES: f"{HOST}={http.base_url}",
            }
            app = open_app(environ)
            try:
                _settle(app, world)
                asking = queue(_watch(app), environ[DATABASE])
                asyncio.run(_rounds(asking, environ, found, rounds, world, tell))
            finally:
                app.close()
    finally:
        place.drop()
    return found


def _watch(app: App) -> Daemon:
    return Daemon(
        app=app,
        session=Session({}),
        write=lambda _: None,
        wait=lambda _: True,
        stop_asked=lambda: False,
    )


def _settle(app: App, world: SlowWorld) -> None:
    """Connect the companies; note tonight as asked for, so that no worker asks by itself."""
    today = datetime.now(UTC).astimezone(PARIS).date()
    for number in range(COMPANIES):
        siren, token = with_key(f"9000{number:04d}"), f"jeton-{number}"
        world.factomos.add_company(token, siren, f"Société {number}")
        card = world.factomos.add_contact(token, "Client Exemple")
        for each in range(INVOICES):
            issued = today - timedelta(days=60 + each)
            due = issued + timedelta(days=30)
            world.factomos.add_invoice(f"F{number}-{each}", card, issued, due, 100_00 + each)
        company_id = connecting.add_company(
            app.host, siren=siren, name=f"Société {number}", environment="test"
        )
        connecting.connect(
            app.host,
            app.vault,
            company_id=company_id,
            connector="factomos",
            values={"token": token},
        )
    calendar.note(app.host, Round(app.host.clock.today().isoformat(), told=True))


async def _rounds(
    asking: Queue,
    environ: dict[str, str],
    found: Spread,
    rounds: int,
    world: SlowWorld,
    tell: Callable[[str], None],
) -> None:
    async with asking.jobs.open_async():
        for number in range(1 + rounds):  # the first, of each, fills the store
            for count in (1, 2):
                with _working(count, environ) as crew:
                    await _ready(asking, crew)
                    before, started = world.calls, time.monotonic()
                    await asking.ask(asking.watch.app.host.clock.today().isoformat(), again=True)
                    while await asking.waiting():
                        await asyncio.sleep(LOOK)
                    took, calls = time.monotonic() - started, world.calls - before
                    tell(f"tour {number}, {count} : {took:.1f} s, {calls} appels")
                    if number:
                        found.seconds[count].append(took)
                        found.calls = calls


async def _ready(asking: Queue, crew: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until as many workers as were started have said that they live."""
    wanted = len(crew)
    while True:
        row = await asking.jobs.connector.execute_query_one_async(
            "select count(*) as n from procrastinate_workers"
            " where last_heartbeat > now() - interval '20 seconds'"
        )
        if int(row["n"]) >= wanted:
            return
        if any(each.poll() is not None for each in crew):
            raise RuntimeError("a worker ended before it had any work")
        await asyncio.sleep(LOOK)


@contextmanager
def _working(count: int, environ: dict[str, str]) -> Generator[Sequence[subprocess.Popen[bytes]]]:
    command = [sys.executable, "-c", START, "worker", "--log", "json"]
    crew = [
        subprocess.Popen(
            command,
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(count)
    ]
    try:
        yield crew
    finally:
        for each in crew:
            each.terminate()
        for each in crew:
            each.wait(60)
