"""Let one daemon run several companies' nights at once, in real threads on one database.

Every company has the same invoices by number, and no two sums anybody pays are equal: what landed
at another company's partner, twice or nowhere is seen in the partners' ledgers. Partners fail as
well, and the daemon is killed in the midst of its nights.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from stdnum import luhn

from encaisse_core import connecting, nightly, proposals, runner
from encaisse_core.app import DATABASE, FOLDER, ROUTES, open_app
from encaisse_core.clock import PARIS, SeededIds, VirtualClock
from encaisse_lab import books_check, faults_child, faults_places
from encaisse_lab.faults_processes import LEASE, LONGEST, Processes, logged
from encaisse_lab.partners import HOSTS
from encaisse_simulator.faults import FaultKind
from encaisse_simulator.server import serve
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

BILLS = 6
CENTS = 5_000_00
LEAST = 10_00
"""Less than this nobody pays: what is left of a sum after the collector's fee is no other sum, or
the host would rightly ask whether they are the same money.
"""
SHARE = 0.06
"""How often partners fail a read, and a write."""

READS: tuple[FaultKind, ...] = ("5xx", "429", "malformed", "lost_reply")
WRITES: tuple[FaultKind, ...] = ("lost_reply", "5xx_after", "5xx", "429")

TROUBLE = ("night_failed", "lookout_failed", "no_heartbeat")
"""What a daemon says where a night came to nothing."""

Owed = tuple[str, str]
"""(company's SIREN, invoice number)."""

Moved = tuple[str, str, int]
"""(company's SIREN, invoice number, cents)."""


@dataclass
class Hands(Processes):
    """Count what was done and what was found afterwards."""

    companies: int = 0
    hands: int = 0
    nights: int = 0
    """Nights a daemon said were done."""
    together: int = 0
    """Most companies seen in the midst of their night at one time."""
    collected: Counter[Moved] = field(default_factory=Counter[Moved])
    straight: Counter[Owed] = field(default_factory=Counter[Owed])
    """Cents paid to each company, by invoice; the collector must hear of the sum."""

    @property
    def sound(self) -> bool:
        """Tell whether nights ran at once and nothing is wrong."""
        return super().sound and self.nights > 0 and self.together > 1


@dataclass
class _Quarter:
    """Hold the companies, where their partners answer, and how a daemon is started for them."""

    world: World
    environ: dict[str, str]
    chance: Random
    told: Hands
    pids: Mapping[Owed, str]
    opened: Mapping[Owed, str]
    sirens: list[str]
    logs: list[Path] = field(default_factory=list[Path])
    _sum: int = LEAST

    def pay(self) -> None:
        """Let every company be paid twice: by way of the collector, and directly."""
        with self.world.locked(), self.world.faults.paused():
            self.world.set_now(max(datetime.now(UTC), self.world.now))
            for siren in self.sirens:
                first, second = self.chance.sample(range(BILLS), 2)
                self._sum += 1
                number = f"F{first:03d}"
                opened = self.opened[siren, number]
                self.world.gcollect.debtor_pays(opened, number, self._sum)
                self.told.collected[siren, number, self._sum] += 1
                self.told.paid += 1
                self._sum += 1
                number = f"F{second:03d}"
                pid, today = self.pids[siren, number], self.world.now.date()
                self.world.factomos.customer_pays(pid, self._sum, today, "VIR CLIENT")
                self.told.straight[siren, number] += self._sum
                self.told.direct += self._sum

    def start(self) -> subprocess.Popen[bytes]:
        """Start a daemon for one night of every company."""
        log = Path(self.environ[FOLDER]) / f"hands-{len(self.logs)}.log"
        self.logs.append(log)
        asked = ("--once", "--log", "json", "--hands", str(self.told.hands))
        return logged("faults_child", asked, self.environ, log)

    def end(self, daemon: subprocess.Popen[bytes]) -> None:
        """Wait for it, and read what it said."""
        try:
            code = daemon.wait(LONGEST)
        except subprocess.TimeoutExpired:
            daemon.kill()
            code = daemon.wait()
        if code not in (0, 1):
            self.told.failed.append(f"exit {code}")
        self.hear()

    def hear(self) -> None:
        """Read the last log: nights done and failed, and how many ran at one time."""
        busy: Counter[str] = Counter()
        for line in self.logs[-1].read_text("utf-8").splitlines():
            if not line.startswith("{") or not line.endswith("}"):
                if line.strip():
                    self.told.failed.append(line[:200])
                continue
            said = json.loads(line)
            self.told.nights += said["event"] == "night"
            if said["event"] in TROUBLE:
                self.told.failed.append(line[:300])
            if said["event"] == "phase":
                busy[said["company"]] += 1
                midst = sum(0 < n < len(nightly.PHASES) for n in busy.values())
                self.told.together = max(self.told.together, midst)


def run(
    seed: int, *, companies: int, hands: int, kills: int, rounds: int, database: str | None = None
) -> Hands:
    """Kill the daemon that often in its nights, let others run to their end, then judge."""
    name = "sqlite" if database is None else "postgresql"
    told = Hands(name, companies=companies, hands=hands)
    with _settled(seed, told, database) as quarter:
        faults = quarter.world.faults
        faults.draw(dict.fromkeys(READS, SHARE / len(READS)), method="GET")
        writes = dict.fromkeys(WRITES, SHARE / len(WRITES))
        faults.draw(writes, method="POST|PATCH", path="payments|procedures")
        for number in range(kills + rounds):
            quarter.pay()
            daemon = quarter.start()
            if number < kills:
                time.sleep(quarter.chance.uniform(1.5, 5.0))
                told.killed_midway += daemon.poll() is None
                daemon.kill()
                daemon.wait()
                told.kills += 1
                quarter.hear()
            else:
                quarter.end(daemon)
        quarter.world.faults.clear()
        for _ in range(2):
            time.sleep(LEASE if kills else LEASE / 10)
            quarter.end(quarter.start())
    return told


@contextmanager
def _settled(seed: int, told: Hands, database: str | None) -> Generator[_Quarter]:
    """Take every company to open procedures on simulated time, then go on in real time."""
    place = faults_places.fresh(database)
    yesterday = datetime.now(PARIS) - timedelta(days=1)
    start = yesterday.replace(hour=18, minute=30, second=0, microsecond=0).astimezone(UTC)
    world, clock = World(seed, start), VirtualClock(start)
    clock.on_advance.append(world.set_now)
    environ = {FOLDER: str(place.folder)}
    if place.url is not None:
        environ[DATABASE] = place.url
    sirens = [_siren(number) for number in range(told.companies)]
    pids: dict[Owed, str] = {}
    opened: dict[Owed, str] = {}
    try:
        app = open_app(
            environ, clock=clock, ids=SeededIds(seed, clock), transport=SimTransport(world)
        )
        known: list[str] = []
        try:
            for siren in sirens:
                name = f"Société {siren}"
                pids |= _accounts(world, siren, name, yesterday.date())
                company = connecting.add_company(
                    app.host, siren=siren, name=name, environment="test"
                )
                known.append(company)
                own = app.of(company)
                for slug, values in _values(siren).items():
                    connecting.connect(
                        own.host, own.vault, company_id=company, connector=slug, values=values
                    )
                nightly.run_night(own.host, company, own.signer)
                made = proposals.propose(own.host, company)
                proposals.approve(own.host, company, made, by="essai")
                runner.drain(own.host, company, nightly.OPENINGS)
                for mandate in world.gcollect.pending_mandates():
                    world.gcollect.sign_mandate(mandate, name="Essai", email="essai@example.org")
                nightly.run_night(own.host, company, own.signer)
                for number in (f"F{place:03d}" for place in range(BILLS)):
                    opened[siren, number] = world.gcollect.procedure_ids(number)[-1]
        finally:
            app.close()
        assert len(world.gcollect.procedures_ledger()) == BILLS * told.companies
        with serve(world) as server:
            environ[ROUTES] = ",".join(f"{host}={server.base_url}" for host in HOSTS)
            own_environ = {**os.environ, **environ, faults_child.LEASE: str(LEASE)}
            own_environ["PYTHONPYCACHEPREFIX"] = str(place.folder / "compiled")
            own_environ.pop("PYTHONDONTWRITEBYTECODE", None)
            chance = Random(f"hands-{seed}")
            quarter = _Quarter(world, own_environ, chance, told, pids, opened, sirens)
            yield quarter
            _judge(quarter, known)
    finally:
        place.drop()


def _accounts(world: World, siren: str, name: str, today: date) -> dict[Owed, str]:
    """Open a company's accounts with its overdue invoices; give their ids."""
    token = f"jeton-{siren}"
    world.factomos.add_company(token, siren, name)
    world.gcollect.register_creditor(siren, name, f"client-{siren}", f"secret-{siren}")
    pids: dict[Owed, str] = {}
    for number in range(BILLS):
        buyer = _checked(f"7{number:02}{siren[3:8]}")
        card = world.factomos.add_contact(
            token,
            f"Client {number} de {name}",
            siret=_checked(f"{buyer}0001"),
            address="1 rue Haute",
            postcode="75002",
            city="Paris",
        )
        issued, due = today - timedelta(days=60), today - timedelta(days=20)
        pids[siren, f"F{number:03d}"] = world.factomos.add_invoice(
            f"F{number:03d}", card, issued, due, CENTS
        )
    return pids


def _values(siren: str) -> dict[str, dict[str, str]]:
    return {
        "factomos": {"token": f"jeton-{siren}", "siren": siren},
        "gcollect": {"client_id": f"client-{siren}", "client_secret": f"secret-{siren}"},
    }


def _siren(number: int) -> str:
    """Invent a SIREN."""
    return _checked(f"8{number:07}")


def _checked(stem: str) -> str:
    return stem + str(luhn.calc_check_digit(stem))


def _judge(quarter: _Quarter, companies: list[str]) -> None:
    """Compare the partners' ledgers, company by company, with what was paid; then the journals."""
    told, ledger = quarter.told, quarter.world.ledger()
    standing: Counter[Moved] = Counter()
    declared: Counter[Owed] = Counter()
    for entry in ledger:
        where = (entry.account_siren, entry.invoice_number)
        if entry.partner == "factomos" and entry.via == "api" and entry.kind == "payment":
            standing[*where, entry.amount_cents] += 1
        if entry.partner == "gcollect" and entry.kind == "direct_payment":
            declared[where] += entry.amount_cents
    told.duplicates += map(str, sorted((standing - told.collected).elements()))
    told.missing += map(str, sorted((told.collected - standing).elements()))
    told.failed += [
        f"direct {where}: {declared[where]} declared, {told.straight[where]} paid"
        for where in sorted(declared.keys() | told.straight.keys())
        if declared[where] != told.straight[where]
    ]
    held: list[bool] = []
    app = open_app(quarter.environ)
    try:
        for siren, company in zip(quarter.sirens, companies, strict=True):
            own, mine = app.of(company), [e for e in ledger if e.account_siren == siren]
            told.unbalanced += books_check.unbalanced(own, company, mine)
            held.append(books_check.journal_holds(own, company, None))
    finally:
        app.close()
    told.journal_ok = all(held)
