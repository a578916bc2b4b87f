"""Run one case: the stages in order, a strike at one point, the process started again, to quiet.

A strike is a death (`crash`), a sleep past every lease (`freeze`), another process that does the
same stage at that very instant (`rival`), or both (`zombie`: the sleeper wakes up after the rival
is done). Whoever dies is left where it stands, as a killed process is: nothing of it unwinds,
commits, rolls back or sends, and what is started again has only what was committed.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Literal, TypeVar, get_args

import httpx

from encaisse_api import PartnerError
from encaisse_core import journal, outbox
from encaisse_core.app import App
from encaisse_core.errors import HostError, Unreachable
from encaisse_lab import books_check, faults_check, faults_host
from encaisse_lab import faults_town as towns
from encaisse_lab.faults_check import Findings
from encaisse_lab.faults_host import STAGES, Stage
from encaisse_lab.faults_places import Ground
from encaisse_lab.faults_town import Town

Action = Literal["crash", "freeze", "rival", "zombie"]
ACTIONS: tuple[Action, ...] = get_args(Action)

PAST_LEASES = max(outbox.LEASE.total_seconds(), 120.0) + 60
"""Seconds after which every lease of the host is over."""

AGAIN = 600.0
"""Seconds after which a person tries again what a partner failed."""


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
    ground: Ground
    wire: Wire
    lives: int = 0
    routes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where each vendor's host really answers; empty for partners in this process."""
    on_pass: Callable[[str, int], None] = lambda _name, _nth: None
    """Hears each pass of a point in the stage under way: its name, and how many by now."""
    anchor: str | None = None
    passes: Counter[str] = field(default_factory=Counter[str])
    """How often each point was passed in the stage under way."""
    incidents: list[str] = field(default_factory=list[str])
    stage: int = 0
    patience: int = 0
    """How often a person who is told that a partner failed tries the same again."""
    _left: int = 0
    _deaf: bool = False

    def run_stage(self, number: int) -> None:
        """Start one stage, or start it again, and let people live through the day after."""
        self.stage, stage = number, STAGES[number]
        self._until(stage.day, stage.at)
        self.passes.clear()
        self._left = self.patience if stage.by_hand else 0
        while not self._start(stage):
            self.town.clock.sleep(AGAIN)
        if number == 1 and self.anchor is None:
            self.anchor = self._look(_head)
        if stage.then:
            self._until(stage.day, faults_host.AFTERNOON)
            self.town.day(stage.day)

    def _until(self, day: int, hour: time) -> None:
        at = towns.paris(day, hour)
        if at > self.town.clock.now():
            self.town.clock.set(at)

    def picture(self, *, midway: bool = False) -> Picture:
        """Draw what stands, and verify what can be verified at any time."""

        def read(app: App) -> Picture:
            company_id = faults_host.company(app)
            return Picture(
                faults_check.picture(app, self.town, midway=midway),
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
        app, self._deaf = self._open(), True
        try:
            return read(app)
        finally:
            faults_host.closed(app, self.town)
            self._deaf = False

    def _open(self) -> App:
        self.lives += 1
        return faults_host.opened(self.town, self.ground, self.lives, self.wire, self.routes)

    def _start(self, stage: Stage, who: str = "") -> bool:
        """Start a process for a stage; False when what it says is no reason to give up yet."""
        app = self._open()
        try:
            stage.start(app, self.town)
        except (HostError, PartnerError) as error:
            if self._left and isinstance(error, (PartnerError, Unreachable)):
                self._left -= 1
                return False
            self.incidents.append(f"{who}{stage.name}: {type(error).__name__} {error.message}")
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(frame.filename).name}:{frame.lineno}"
            self.incidents.append(f"{who}{stage.name}: {type(error).__name__} at {where}")
        finally:
            faults_host.closed(app, self.town)
        return True

    def passed(self, name: str) -> None:
        """Hear a pass of a point; hung on every point for as long as a seed is lived."""
        if self._deaf:
            return
        self.passes[name] += 1
        self.on_pass(name, self.passes[name])

    def bury(self) -> None:
        """Let whoever runs the stage be dead, as far as others can tell: it hears no clock."""
        self.town.clock.on_advance[:] = [self.town.world.set_now]

    def sleep(self) -> None:
        """Stand still until every lease is over; a person told of it afterwards tries again."""
        if STAGES[self.stage].by_hand:
            self._left += 1
        self.town.clock.sleep(PAST_LEASES)

    def meet(self) -> None:
        """Let another process do the whole stage while this one stands still."""
        self._deaf = True
        self._start(STAGES[self.stage], "rival of ")
        self._deaf = False


def _head(app: App) -> str | None:
    """Note the signed head, as the person who keeps the digest does."""
    company_id = faults_host.company(app)
    with app.host.store.begin() as tx:
        return journal.verify(journal.export(tx, company_id)).head
