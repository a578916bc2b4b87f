"""Run one case: the stages in order, a strike at one point, the process started again, to quiet.

A strike is a death (`crash`), a sleep past every lease (`freeze`), another process that does the
same stage at that very instant (`rival`), or both (`zombie`: the sleeper wakes up after the rival
is done). A death is an exception nothing of ours catches, and whoever is dead commits and sends
nothing any more: what blocks leave behind on their way out is undone as a power cut would.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args

import httpx

from encaisse_api import PartnerError
from encaisse_core import chaos, journal, outbox
from encaisse_core.app import App
from encaisse_core.errors import HostError
from encaisse_lab import books_check, faults_check, faults_host
from encaisse_lab import faults_town as towns
from encaisse_lab.faults_check import Findings
from encaisse_lab.faults_host import STAGES, Stage
from encaisse_lab.faults_places import Place
from encaisse_lab.faults_town import Town

Action = Literal["crash", "freeze", "rival", "zombie"]
ACTIONS: tuple[Action, ...] = get_args(Action)

PAST_LEASES = max(outbox.LEASE.total_seconds(), 120.0) + 60
"""Seconds after which every lease of the host is over."""

MOST_STARTS = 4
"""How often a stage is started before its case is given up as not ending."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Say what happens where: the nth pass of a point within a stage, counted from 1."""

    point: str
    action: Action
    stage: int
    nth: int


Seen = TypeVar("Seen")

KEY = re.compile(rb"enc-[a-z2-7]{26}")
"""How an effect's key is spelt (`outbox.key_of`)."""


class Wire(httpx.BaseTransport):
    """Carry calls to the partners and remember under which keys something was written."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.keys: set[str] = set()
        self.calls = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one call."""
        self.calls += 1
        if request.method not in ("GET", "HEAD"):
            told = b"\n".join((request.read(), request.url.raw_path, *_values(request)))
            self.keys.update(key.decode() for key in KEY.findall(told))
        return self._inner.handle_request(request)


def _values(request: httpx.Request) -> Iterator[bytes]:
    return (value for _, value in request.headers.raw)


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold what stands, whether the journal holds, and calls nobody can account for."""

    drawn: str
    journal_ok: bool
    unaccounted: tuple[str, ...]


@dataclass
class Case:
    """Hold a run of the small company, from whatever stage on."""

    town: Town
    places: Place
    wire: Wire
    strike: Strike | None = None
    struck: bool = False
    lives: int = 0
    routes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where each vendor's host really answers; empty for partners in this process."""
    anchor: str | None = None
    passes: Counter[str] = field(default_factory=Counter[str])
    """How often each point was passed in the stage under way."""
    incidents: list[str] = field(default_factory=list[str])
    _dead: bool = False
    _rival: bool = False

    def run_stage(self, number: int) -> None:
        """Start one stage, again after each death, and let people live through the day after."""
        stage = STAGES[number]
        at = towns.paris(stage.day, stage.at)
        if at > self.town.clock.now():
            self.town.clock.set(at)
        self.passes.clear()
        for _ in range(MOST_STARTS):
            if self._started(stage, number):
                break
        else:
            self.incidents.append(f"{stage.name}: started {MOST_STARTS} times and never over")
        if number == 1 and self.anchor is None:
            self.anchor = self._look(_head)
        if stage.then:
            at = towns.paris(stage.day, faults_host.AFTERNOON)
            if at > self.town.clock.now():
                self.town.clock.set(at)
            self.town.day(stage.day)

    def picture(self) -> Picture:
        """Draw what stands, and verify what can be verified at any time."""

        def read(app: App) -> Picture:
            company_id = faults_host.company(app)
            return Picture(
                faults_check.picture(app, self.town),
                self.anchor is None or books_check.journal_holds(app, company_id, self.anchor),
                tuple(faults_check.unaccounted(app, company_id, self.wire.keys)),
            )

        return self._look(read)

    def findings(self) -> Findings:
        """Judge what stands once the last stage is over."""
        return self._look(
            lambda app: faults_check.look(app, self.town, faults_host.company(app), self.anchor)
        )

    def _look(self, read: Callable[[App], Seen]) -> Seen:
        app = self._open()
        try:
            return read(app)
        finally:
            faults_host.closed(app, self.town)

    def _open(self) -> App:
        self.lives += 1
        return faults_host.opened(
            self.town, self.places.folder, self.places.url, self.lives, self.wire, self.routes
        )

    def _started(self, stage: Stage, number: int) -> bool:
        """Start a process for a stage; False when it died and must be started again."""
        app = self._open()
        try:
            with chaos.hooked(lambda name: self._pass(name, stage, number)):
                stage.start(app, self.town)
        except chaos.Killed:
            self._dead = False
            return False
        except (HostError, PartnerError) as error:
            self.incidents.append(f"{stage.name}: {type(error).__name__} {error.message}")
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            self.incidents.append(f"{stage.name}: {type(error).__name__} at {where}")
        finally:
            faults_host.closed(app, self.town)
        return True

    def _pass(self, name: str, stage: Stage, number: int) -> None:
        if self._rival:
            return
        if self._dead:
            raise chaos.Killed
        self.passes[name] += 1
        strike = self.strike
        if (
            strike is None
            or self.struck
            or (strike.stage, strike.point, strike.nth) != (number, name, self.passes[name])
        ):
            return
        self.struck = True
        if strike.action == "crash":
            self._dead = True
            raise chaos.Killed
        if strike.action in ("freeze", "zombie"):
            self.town.clock.sleep(PAST_LEASES)
        if strike.action in ("rival", "zombie") and not self._alone(name):
            self._rivals(stage)

    def _alone(self, name: str) -> bool:
        """Tell whether nobody else can get on: SQLite has one writer, until it commits."""
        sqlite = (self.places.url or "sqlite").startswith("sqlite")
        return sqlite and name.endswith(".before_commit")

    def _rivals(self, stage: Stage) -> None:
        """Let another process do the whole stage while this one stands still."""
        self._rival = True
        app = self._open()
        try:
            stage.start(app, self.town)
        except (HostError, PartnerError) as error:
            self.incidents.append(f"rival of {stage.name}: {type(error).__name__} {error.message}")
        finally:
            faults_host.closed(app, self.town)
            self._rival = False


def _head(app: App) -> str | None:
    """Note the signed head, as the person who keeps the digest does."""
    company_id = faults_host.company(app)
    with app.host.store.begin() as tx:
        return journal.verify(journal.export(tx, company_id)).head
