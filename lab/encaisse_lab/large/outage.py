"""Take one tool out while a night runs, and count what opens on claims that were paid there.

A small company in the same six connections: of each tool's invoices some are paid there, some are
not. All are approved and their mandate is signed: only what the tool can still say stops them.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from encaisse_core import nightly
from encaisse_core.app import App
from encaisse_core.clock import VirtualClock
from encaisse_core.host import Host
from encaisse_core.nightly import Night, Phase
from encaisse_lab import year_company
from encaisse_lab.invented import Inventor
from encaisse_lab.large import run as large
from encaisse_lab.large.bills import BOOKS, Bill, Tool
from encaisse_lab.large.outage_steps import PAYS_BEFORE, Case, Kind
from encaisse_lab.large.tools import Desks
from encaisse_lab.large.trouble import SlowWorld
from encaisse_simulator.factomos.legacy import HOST as LEGACY_HOST
from encaisse_simulator.factomos.legacy import Shortened
from encaisse_simulator.factomos.tool import HOST as FACTOMOS_HOST
from encaisse_simulator.faults import FaultKind
from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.libeo.tool import HOST as LIBEO_HOST
from encaisse_simulator.myunisoft import HOST as MYUNISOFT_HOST
from encaisse_simulator.partner import Partner
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.wire import Json, SimRequest, SimResponse

HOSTS: dict[Tool, str] = {
    "factomos": FACTOMOS_HOST,
    "factomos_legacy": LEGACY_HOST,
    "myunisoft": MYUNISOFT_HOST,
    "libeo": LIBEO_HOST,
}
STRIKES: dict[Kind, FaultKind] = {
    "down": "5xx",
    "silent": "lost_reply",
    "truncated": "truncated_list",
    "miscounted": "miscounted_list",
}
SHORTENED: dict[Kind, Shortened] = {"truncated": "agreeing", "miscounted": "contradicting"}
ASIDE, YESTERDAY = "de-cote", "hier"
FOR_EVER = 1_000_000
"""More requests than a night makes."""

FIRST = date(2026, 11, 2)
"""Monday: the company connects its tools, and hands everything over the evening after."""

KEPT: Sequence[tuple[Tool, ...]] = (
    ("factomos",), ("factomos_legacy",), ("myunisoft",), ("libeo",), ("folder",),
    ("factomos", "libeo"), ("myunisoft", "libeo"), ("factomos", "folder"),
)  # fmt: skip
"""Of each: one that will be paid, one that will not."""


class OutageWorld(SlowWorld):
    """Take a host out at a request of a phase."""

    def __init__(self, seed: int, now: datetime) -> None:
        super().__init__(seed, now)
        self.outage: Outage | None = None

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request, after whatever begins with it."""
        out = self.outage is not None and self.outage.met(request)
        if out and self.outage is not None and self.outage.case.kind == "maintenance":
            return MAINTENANCE
        return super().handle(request)


MAINTENANCE = SimResponse(
    200, {"content-type": "text/html; charset=utf-8"}, b"<h1>Maintenance en cours</h1>"
)


@dataclass
class Stale:
    """Answer reads as a tool stood once; its writes reach the tool behind."""

    behind: Partner
    once: Partner
    since: datetime
    world: SlowWorld
    told: bool

    @property
    def host(self) -> str:
        return self.behind.host

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        if request.method != "GET" and request.host != LEGACY_HOST:
            return self.behind.handle(request)
        response = self.once.handle(request)
        if not self.told:
            return response
        age = int((self.world.now - self.since).total_seconds())
        return response.with_headers({"age": str(age)})

    def serves(self, path: str) -> bool:
        return self.behind.serves(path)

    def tick(self) -> None:
        self.behind.tick()

    def published_at(self, base_url: str | None) -> None:
        self.behind.published_at(base_url)

    def ledger(self) -> list[LedgerEntry]:
        return self.behind.ledger()

    def unauthorized(self) -> SimResponse:
        return self.behind.unauthorized()

    def too_many(self, retry_after: int) -> SimResponse:
        return self.behind.too_many(retry_after)

    def cut(self, listing: Mapping[str, Json], *, honest_total: bool) -> Json:
        return self.behind.cut(listing, honest_total=honest_total)


@dataclass
class Outage:
    """Begin where its case says, and last until it is ended."""

    case: Case
    world: OutageWorld
    folder: Path
    once: Partner | None
    since: datetime
    phase: str = ""
    requests: int = 0
    begun: bool = False
    met_after: int = 0
    """Requests answered while the tool was out: none means that the case proved nothing."""
    _behind: Partner | None = None

    def enters(self, phase: str) -> None:
        """Hear that a phase begins."""
        self.phase, self.requests = phase, 0
        if (self.case.step.phase, self.case.step.nth) == (phase, 0):
            self._begin()

    def met(self, request: SimRequest) -> bool:
        """Hear of a request about to be answered; tell whether it meets the outage."""
        if request.host != HOSTS.get(self.case.tool):
            return False
        self.requests += 1
        if (self.phase, self.requests) == (self.case.step.phase, self.case.step.nth):
            self._begin()
        self.met_after += self.begun
        return self.begun

    def end(self) -> None:
        """Bring the tool back."""
        self.world.faults.clear()
        self.world.factomos.legacy.shortened = ""
        if self._behind is not None:
            self.world.partners[self._behind.host] = self._behind
        aside = self.folder.with_name(ASIDE)
        if aside.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            aside.rename(self.folder)
        self.world.outage = None

    def _begin(self) -> None:
        if self.begun:
            return
        self.begun = True
        kind, tool = self.case.kind, self.case.tool
        if tool == "folder":
            self._replace_folder()
            self.met_after = 1
        elif kind in ("frozen", "frozen_untold"):
            host = HOSTS[tool]
            self._behind = self.world.partners[host]
            assert self.once is not None
            self.world.partners[host] = Stale(
                self._behind, self.once, self.since, self.world, told=kind == "frozen"
            )
        elif tool == "factomos_legacy" and kind in SHORTENED:
            self.world.factomos.legacy.shortened = SHORTENED[kind]
        elif kind in STRIKES:
            exactly = f"^{HOSTS[tool].replace('.', '[.]')}$"
            self.world.faults.schedule(STRIKES[kind], host=exactly, count=FOR_EVER)

    def _replace_folder(self) -> None:
        aside = self.folder.with_name(ASIDE)
        self.folder.rename(aside)
        if self.case.kind == "truncated":
            shutil.copytree(aside, self.folder)
            for file in sorted(self.folder.iterdir())[::2]:
                file.unlink()
        elif self.case.kind == "frozen_untold":
            shutil.copytree(self.folder.with_name(YESTERDAY), self.folder)


@dataclass
class Town:
    """Hold the small company: its host, its partners, and which invoices are paid tonight."""

    world: OutageWorld
    clock: VirtualClock
    app: App
    company_id: str
    desks: Desks
    folder: Path
    bills: list[Bill]
    paid: list[Bill] = field(default_factory=list[Bill])

    def held(self) -> set[str]:
        """Name the invoices a procedure was ever opened on."""
        lines = self.world.gcollect.procedures_ledger()
        return {line.invoice_number for line in lines}


@dataclass(frozen=True, slots=True)
class Found:
    """Say what a case brought: openings on paid claims, and what opened once the tool was back."""

    case: str
    opened_on_paid: tuple[str, ...]
    opened_unpaid: int
    unpaid: int
    met: bool

    @property
    def vacuous(self) -> bool:
        """Tell whether the tool was out and nobody noticed, so that nothing was proven."""
        return not self.met


def settle_in(seed: int, home: Path) -> Town:
    """Connect the six, and have every invoice approved and its mandate signed.

    One more was opened the night before and is paid to the collector: there is something to write.
    """
    start = large.paris(FIRST, large.EVENING)
    world, clock = OutageWorld(seed, start), VirtualClock(start)
    clock.on_advance.append(world.set_now)
    world.wait = clock.sleep
    folder = home / "factures"
    folder.mkdir(parents=True)
    desks, books = large.open_accounts(world, folder)
    inventor = Inventor(Random(f"outage-{seed}"))
    early = Bill(
        "F269999", inventor.company(), (BOOKS,), FIRST - timedelta(days=90),
        FIRST - timedelta(days=60), 123_456, "collected",
    )  # fmt: skip
    desks.enter(early)
    app = large.opened(home, clock, seed, SimTransport(world))
    company_id = large.connect(app, world, books, folder)
    bills = _invented(Random(f"outage-bills-{seed}"), inventor)
    town = Town(world, clock, app, company_id, desks, folder, bills)
    _hand_over(town)
    large.until(clock, FIRST + timedelta(days=1), large.NIGHTLY_AT)
    nightly.run_night(app.host, company_id, app.signer)
    large.until(clock, FIRST + timedelta(days=1), large.EVENING)
    procedure = world.gcollect.procedure_ids(early.number)[-1]
    world.gcollect.debtor_pays(procedure, early.number, early.cents)
    for bill in bills:
        desks.enter(bill)
    _hand_over(town)
    return town


def _hand_over(town: Town) -> None:
    """Read the tools, and let a person approve what is proposed and sign."""
    night = Night(town.company_id, town.clock.today())
    for phase in (nightly.pull, nightly.join, nightly.reconcile_money):
        phase(town.app.host, night)
    year_company.hand_over(town.app, town.company_id, town.world.gcollect)


def _invented(chance: Random, inventor: Inventor) -> list[Bill]:
    """Invent two invoices of each kind, each with a customer of its own."""
    made: list[Bill] = []
    for place, kept_in in enumerate((*KEPT, *KEPT)):
        issued = FIRST - timedelta(days=60 + place)
        due, cents = issued + timedelta(days=30), chance.randint(20_000, 300_000)
        fate = "paid" if place < len(KEPT) else "unpaid"
        made.append(Bill(f"F26{place:04}", inventor.company(), kept_in, issued, due, cents, fate))
    return made


def tonight(case: Case, town: Town) -> Found:
    """Let customers pay, take the tool out while the night runs, look; then run the next night."""
    world, clock, host = town.world, town.clock, town.app.host
    since = clock.now()
    shutil.copytree(town.folder, town.folder.with_name(YESTERDAY))
    once = _as_it_stands(world, case)
    before = town.held()
    if case.moment == "evening":
        _pay(town, case.tool)
    outage = world.outage = Outage(case, world, town.folder, once, since)
    large.until(clock, FIRST + timedelta(days=2), large.NIGHTLY_AT)
    nightly.run_night(host, town.company_id, town.app.signer, phases=_phases(outage, town))
    outage.end()
    opened = town.held() - before
    large.until(clock, FIRST + timedelta(days=3), large.NIGHTLY_AT)
    nightly.run_night(host, town.company_id, town.app.signer)
    later = town.held() - before
    unpaid = {bill.number for bill in town.bills if bill.fate == "unpaid"}
    wrong = {bill.number for bill in town.paid} & (opened | later)
    return Found(
        str(case), tuple(sorted(wrong)), len(later & unpaid), len(unpaid), outage.met_after > 0
    )


def _pay(town: Town, tool: Tool) -> None:
    """Let customers pay at one tool, and at that tool alone, what it shows of theirs."""
    for bill in town.bills:
        if bill.fate == "paid" and tool in bill.kept_in:
            at = replace(bill, kept_in=(tool,))
            town.desks.receive(at, bill.cents, town.clock.today())
            if tool == "folder":  # put away for good, though the folder may be out of reach
                (town.folder.with_name(ASIDE) / bill.refs[tool]).unlink(missing_ok=True)
            town.paid.append(bill)


def _phases(outage: Outage, town: Town) -> tuple[tuple[str, Phase], ...]:
    def within(name: str, phase: Phase) -> Phase:
        def told(host: Host, night: Night) -> None:
            if name == PAYS_BEFORE and outage.case.moment == "night":
                _pay(town, outage.case.tool)
            outage.enters(name)
            phase(host, night)

        return told

    return tuple((name, within(name, phase)) for name, phase in nightly.PHASES)


def _as_it_stands(world: OutageWorld, case: Case) -> Partner | None:
    """Copy a tool as it stands now, on the same clock."""
    if case.kind not in ("frozen", "frozen_untold") or case.tool == "folder":
        return None
    shared = {id(world): world}
    return copy.deepcopy(world.partners[HOSTS[case.tool]], shared)
