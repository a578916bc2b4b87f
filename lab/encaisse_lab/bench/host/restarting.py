"""Kill the real daemon at work on a backlog, start it again, and watch what it holds.

`sync_daemon.py` runs as people run it, in a process of its own, and speaks HTTP to a simulated
collector on this machine. The time is the wall's, from starting Python to the first request that
arrives. Of the effect the killed one held nothing is measured: it waits for its lease, as it must,
while the others go on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from encaisse_core import connecting
from encaisse_core.app import DATABASE, FOLDER, ROUTES, open_app
from encaisse_lab.bench.host import draining
from encaisse_lab.bench.host.databases import spent_by
from encaisse_lab.bench.host.found import Bench, Finding
from encaisse_lab.bench.host.invented import SELLER
from encaisse_lab.bench.judging import Goal, Verdict
from encaisse_simulator.gcollect.collector import HOST
from encaisse_simulator.server import serve
from encaisse_simulator.wire import SimRequest, SimResponse
from encaisse_simulator.world import World

RESTART = Goal(
    "restart",
    2.0,
    "from starting a daemon that was killed at work to its first request",
    "du redémarrage d'un service tué en plein travail à sa première requête",
    at_most=True,
    unit=" s",
)
HELD = Goal(
    "rss",
    150.0,
    "most memory the daemon held with that backlog",
    "mémoire la plus haute du service avec ces envois en attente",
    at_most=True,
    unit=" MiB",
)
DAEMON = Path(__file__).parents[4] / "sync_daemon.py"

AT_WORK = 40
"""Requests after which a daemon is in the middle of its work."""

LONGEST = 120.0
"""Seconds a daemon may take to get there."""


class _Collector(World):
    """Note when requests arrive."""

    def __init__(self) -> None:
        super().__init__(1, datetime.now(UTC))
        self.arrived: list[float] = []

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        self.arrived.append(time.monotonic())
        return super().handle(request)


@dataclass(frozen=True, slots=True)
class _Run:
    """Be one daemon's life: seconds to its first request, and the most memory it held."""

    wall: float
    cpu: float
    mib: float


def measure(bench: Bench) -> Iterator[Finding]:
    """Start, kill and start again, once more than there are rounds: the first was never killed."""
    world, url, home = _Collector(), bench.database.fresh(), bench.folder / "home-restart"
    runs: list[_Run] = []
    with serve(world) as http:
        world.gcollect.register_creditor(SELLER, "Essai", "essai", "secret-essai")
        environ = {FOLDER: str(home), DATABASE: url, ROUTES: f"{HOST}={http.base_url}"}
        bench.tell(f"{bench.database.name}, {bench.rows} envois en attente d'un service")
        _settle(environ, bench.rows)
        for number in range(bench.rounds + 1):
            run = _killed(environ, world)
            bench.tell(
                f"{bench.database.name}, service {number} : {run.wall:.2f} s, {run.mib:.0f} Mio"
            )
            runs.append(run)
    bench.database.drop(url)
    again = runs[1:]
    figures = {
        "first start s": runs[0].wall,
        "fastest restart s": min(each.wall for each in again),
        "slowest restart s": max(each.wall for each in again),
        "cpu-s": median(each.cpu for each in again),
        "backlog": bench.rows,
    }
    took = median(each.wall for each in again)
    yield Finding(Verdict(RESTART, took), bench.database.name, figures)
    most = max(each.mib for each in runs)
    yield Finding(Verdict(HELD, most), bench.database.name, {"backlog": bench.rows})


def _settle(environ: dict[str, str], backlog: int) -> None:
    app = open_app(environ)
    try:
        company = connecting.add_company(app.host, siren=SELLER, name="Essai", environment="test")
        link = connecting.connect(
            app.host,
            app.vault,
            company_id=company,
            connector="gcollect",
            values={"client_id": "essai", "client_secret": "secret-essai"},
        )
        draining.plan(app.host, company, link.id, backlog)
    finally:
        app.close()


def _killed(environ: dict[str, str], world: _Collector) -> _Run:
    """Let a daemon work a little and kill it."""
    world.set_now(max(datetime.now(UTC), world.now))
    before, started = len(world.arrived), time.monotonic()
    daemon = subprocess.Popen(
        [sys.executable, str(DAEMON), "--once"],
        env=_as_installed() | environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    cpu = 0.0
    try:
        while len(world.arrived) < before + AT_WORK:
            if not cpu and len(world.arrived) > before:
                cpu = spent_by(daemon.pid)
            if daemon.poll() is not None or time.monotonic() > started + LONGEST:
                raise RuntimeError(f"the daemon made {len(world.arrived) - before} requests only")
            time.sleep(0.01)
        return _Run(world.arrived[before] - started, cpu, _most(daemon.pid))
    finally:
        daemon.kill()
        daemon.wait()


def _as_installed() -> dict[str, str]:
    """Give this environment, but let Python keep what it compiled: an installed one has it kept."""
    return {name: told for name, told in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _most(process: int) -> float:
    """Give the most memory a process has held, in MiB (Linux)."""
    for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) / 1024
    raise RuntimeError("this system does not tell what a process has held")
