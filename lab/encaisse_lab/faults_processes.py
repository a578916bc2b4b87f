"""Kill and freeze real processes of the daemon at random moments, on real HTTP and a real database.

Customers pay small sums of their own amount through the collector, so that each must stand in the
books once. A killed daemon is started again, a frozen one is let go once its leases are over and
another has done its work, two daemons and a click run side by side. One that freezes in the middle
of a transaction has the database to itself: the other waits, and does its work once it is let go.
In the end one is let run in peace, and what stands in the books is compared with what was paid.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from encaisse_core.app import DATABASE, FOLDER, ROUTES, open_app
from encaisse_core.clock import PARIS
from encaisse_lab import books_check, faults_child, faults_host, faults_places
from encaisse_lab import faults_town as towns
from encaisse_lab.faults_places import Place
from encaisse_lab.faults_town import Town
from encaisse_lab.partners import HOSTS
from encaisse_simulator.server import serve
from encaisse_simulator.wire import SimRequest, SimResponse
from encaisse_simulator.world import World

LEASE = 15.0
"""Seconds of an effect's lease in a child: a write into MyUnisoft is some thirty calls with its
look-ups, a second or two of a busy machine at the pace partners let a child have."""

FROZEN = LEASE + 2.0
LONGEST = 600.0
"""Seconds a daemon may take for one night in peace."""

MOST_NIGHTS = 3
"""Nights in which every procedure must have been opened, on a machine that is busy."""

TRIES = 4
"""Times a freeze is tried before it counts as one that could not be done."""

EACH_TIME = 2
"""Payments before each kill or freeze."""


@dataclass
class Processes:
    """Count what was done to processes and what was found afterwards."""

    database: str
    kills: int = 0
    killed_midway: int = 0
    freezes: int = 0
    held: int = 0
    """Freezes within a transaction, when another could do nothing."""
    pairs: int = 0
    paid: int = 0
    direct: int = 0
    """Cents paid to the company, of which the collector must hear once."""
    duplicates: list[str] = field(default_factory=list[str])
    missing: list[str] = field(default_factory=list[str])
    unbalanced: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])
    journal_ok: bool = False

    @property
    def sound(self) -> bool:
        """Tell whether everything was done and nothing is wrong."""
        wrong = self.duplicates or self.missing or self.unbalanced or self.failed
        return self.journal_ok and self.paid > 0 and not wrong


class _Counting(World):
    """Count the calls partners get, so that a moment of a night can be chosen."""

    calls = 0

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        self.calls += 1
        return super().handle(request)


def logged(
    module: str, asked: Sequence[str], environ: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a module of the laboratory; what it says is kept in a file."""
    with log.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", f"encaisse_lab.{module}", *asked],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )


@dataclass
class Street:
    """Hold one town in real time, served over HTTP, and the daemons that work for it."""

    place: Place
    town: Town
    world: _Counting
    chance: Random
    environ: dict[str, str]
    told: Processes
    owed: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])

    def pay(self) -> None:
        """Let customers pay a few sums of which no two are equal."""
        with self.world.locked():
            self.world.set_now(datetime.now(UTC))
            for _ in range(EACH_TIME):
                self.told.paid += 1
                bill = self.town.bills[("parts", "lowered")[self.told.paid % 2]]
                cents = self.told.paid
                procedure = self.world.gcollect.procedure_ids(bill.number)[-1]
                self.world.gcollect.debtor_pays(procedure, bill.number, cents)
                self.owed[bill.number, cents] += 1

    def live_now(self) -> None:
        """Let partners live in the same time as who is started."""
        with self.world.locked():
            self.world.set_now(max(datetime.now(UTC), self.world.now))

    def start(self) -> subprocess.Popen[bytes]:
        """Start a daemon for one night."""
        self.live_now()
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "encaisse_lab.faults_child", "--once"],
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def peace(self) -> None:
        """Let one daemon run to its end."""
        self.end(self.start())

    def end(self, daemon: subprocess.Popen[bytes]) -> None:
        """Wait for a daemon; one that fails is told."""
        try:
            _, said = daemon.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.communicate()
            self.told.failed.append(f"a night took more than {LONGEST:.0f} s")
            return
        if daemon.returncode not in (0, 1):
            last = (said or b"").decode(errors="replace").strip().splitlines()[-1:]
            self.told.failed.append(f"exit {daemon.returncode} {' '.join(last)[:200]}")

    def freeze(
        self, frozen: subprocess.Popen[bytes], other: subprocess.Popen[bytes] | None = None
    ) -> None:
        """Stop a process past its leases while another does its work, then let it go on.

        The other is one that runs already, or is started.
        Who is stopped within a transaction keeps others from writing, which SQLite bears for half a
        minute: it is let go before, and the other's work comes after.
        """
        frozen.send_signal(signal.SIGSTOP)
        until = time.monotonic() + FROZEN
        held = self.place.held()
        if other is None or other.poll() is not None:
            other = self.start()
        if held:
            self.told.held += 1
        else:
            self.told.freezes += 1
            self.end(other)
        time.sleep(max(0.0, until - time.monotonic()))
        frozen.send_signal(signal.SIGCONT)
        self.end(frozen)
        if held:
            self.end(other)

    def moment(self, daemon: subprocess.Popen[bytes]) -> bool:
        """Wait until a daemon is at work, and a random while more; tell whether it still runs."""
        before = self.world.calls
        until = time.monotonic() + LONGEST
        while self.world.calls == before and daemon.poll() is None:
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        seen = self.world.calls
        more = self.chance.randint(0, 70)
        while self.world.calls < seen + more and daemon.poll() is None:
            time.sleep(0.002)
        return daemon.poll() is None


def run(
    seed: int, *, kills: int, freezes: int, pairs: int, database: str | None = None
) -> Processes:
    """Do to real daemons what is asked, that often, then judge."""
    told = Processes("sqlite" if database is None else "postgresql")
    with street_of(seed, told, database) as street:
        for _ in range(kills):
            street.pay()
            daemon = street.start()
            told.killed_midway += street.moment(daemon)
            daemon.kill()
            daemon.communicate()
            told.kills += 1
        for _ in range(TRIES * freezes):
            if told.freezes == freezes:
                break
            street.pay()
            daemon = street.start()
            if street.moment(daemon):
                street.freeze(daemon)
            else:
                street.end(daemon)
        for _ in range(pairs):
            street.pay()
            together = [street.start(), street.start(), street.start()]
            for daemon in together:
                street.end(daemon)
            told.pairs += 1
        for _ in range(2):
            time.sleep(LEASE / 10)
            street.peace()
    return told


@contextmanager
def street_of(
    seed: int, told: Processes, database: str | None, make: type[Street] = Street
) -> Generator[Street]:
    """Open the town's procedures in peace; judge it once the block is over."""
    place = faults_places.fresh(database)
    now = datetime.now(UTC)
    yesterday = now.astimezone(PARIS).date() - timedelta(days=1)
    town = towns.settle_in(seed, first=yesterday, make=_Counting)
    world = town.world
    assert isinstance(world, _Counting)
    world.faults.clear()
    world.set_now(now)
    try:
        with serve(world) as server:
            environ = {FOLDER: str(place.folder)}
            environ[ROUTES] = ",".join(f"{host}={server.base_url}" for host in HOSTS)
            if place.url is not None:
                environ[DATABASE] = place.url
            app = open_app(environ)
            try:
                faults_host.evening(app, town)
            finally:
                app.close()
            own = {**os.environ, **environ, faults_child.LEASE: str(LEASE)}
            own.pop("PYTHONDONTWRITEBYTECODE", None)  # a third of a child's start is compiling
            own["PYTHONPYCACHEPREFIX"] = str(place.folder / "compiled")
            street = make(place, town, world, Random(f"processes-{seed}"), own, told)
            for _ in range(MOST_NIGHTS):
                if len(world.gcollect.procedures_ledger()) == len(town.bills):
                    break
                street.peace()
            yield street
            _judge(street, environ)
    finally:
        place.drop()


def _judge(street: Street, environ: dict[str, str]) -> None:
    """Compare what stands in the books with what was paid; then the host's own books."""
    standing = Counter(
        (entry.invoice_number, entry.amount_cents)
        for entry in street.world.ledger()
        if entry.partner == "myunisoft" and entry.via == "api" and entry.kind == "payment_draft"
    )
    told = street.told
    told.duplicates = [f"{each}" for each in sorted((standing - street.owed).elements())]
    told.missing = [f"{each}" for each in sorted((street.owed - standing).elements())]
    declared = sum(
        entry.amount_cents for entry in street.world.ledger() if entry.kind == "direct_payment"
    )
    if declared != told.direct:
        wrong = told.duplicates if declared > told.direct else told.missing
        wrong.append(f"direct payments: {declared} cents declared, {told.direct} paid")
    app = open_app(environ)
    try:
        company_id = faults_host.company(app)
        told.unbalanced = books_check.unbalanced(app, company_id, street.world.ledger())
        told.journal_ok = books_check.journal_holds(app, company_id, None)
    finally:
        app.close()
