"""Live one seed's month twice without a strike, and each of its cases from the very pass struck.

The first time is judged whole, and counts how often each point is passed. The second time must draw
the same pictures; at each pass that is to be struck the process is forked, with its stack and the
partners in its memory, and what is committed then is put where the copy alone works. One that dies
starts its stage again from what was committed; one that sleeps or meets another goes on where it
stands. A case that comes, at the end of a phase or of a stage, to the very picture the month
without a strike had there goes on as that did, and is over; any other lives on to the end and is
judged there.
"""

from __future__ import annotations

import gc
import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from contextvars import Context
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import NoReturn

from encaisse_core import chaos
from encaisse_lab import faults_places
from encaisse_lab.faults_case import ACTIONS, Action, Case, Picture, Strike, Wire
from encaisse_lab.faults_check import Findings
from encaisse_lab.faults_host import STAGES
from encaisse_lab.faults_places import Ground, Place
from encaisse_lab.faults_report import Outcome, Report, Wanted
from encaisse_lab.faults_town import Town, settle_in
from encaisse_simulator.faults import FaultKind
from encaisse_simulator.transport import SimTransport

CALM_FROM = next(number for number, stage in enumerate(STAGES) if stage.name == "night 4")
"""The stage from which partners behave: by the end everything must have settled."""

READS: tuple[FaultKind, ...] = ("5xx", "429", "malformed", "truncated_list", "lost_reply")
WRITES: tuple[FaultKind, ...] = ("lost_reply", "5xx_after", "5xx", "429", "malformed")
TOKENS: tuple[FaultKind, ...] = ("revoked_token",)

PATIENCE = 8
"""How often a person tries again where partners fail on purpose."""

LONGEST = 600
"""Seconds after which a case is taken for hung."""

BETWEEN = "night.progress.after_commit"
"""The point passed between two phases of a night."""

LOOKS = 2
"""How many phases after its strike a case is compared midway: later the night's end is near."""

ELSEWHERE = 500
"""Lives of a case are counted from here: none draws the ids of one that had no strike."""


@dataclass
class _Lived:
    """Hold what a month without a strike came to, stage by stage."""

    pictures: list[Picture] = field(default_factory=list[Picture])
    midway: dict[tuple[int, int], Picture] = field(default_factory=dict[tuple[int, int], Picture])
    """What stood between two phases of a night, by stage and phase."""
    passes: list[Counter[str]] = field(default_factory=list[Counter[str]])


def run_seed(asked: Sequence[Wanted], database: str | None, percent: int) -> Report:
    """Live one seed's month, then its cases."""
    seed = asked[0].seed
    report = Report()
    places: list[Place] = []
    ground: Ground | None = None
    ours = os.getpid()
    try:
        for _ in range(2 if database is None else 3):
            places.append(faults_places.fresh(database))
        ground = Ground(places[0])
        lived = _first(_case(seed, ground, percent), report)
        jobs = _planned(asked, lived.passes, report)
        if jobs:
            ground.store.close()
            ground.place = places[1]
            case = _case(seed, ground, percent)
            _Second(case, places[-1], lived, report).live(jobs)
    finally:
        if os.getpid() == ours:
            if ground is not None:
                ground.store.close()
            for place in places:
                place.drop()
    return report


def _case(seed: int, ground: Ground, percent: int) -> Case:
    town = settle_in(seed)
    _stumble(town, percent)
    wire = Wire(SimTransport(town.world))
    return Case(town, ground, wire, patience=PATIENCE if percent else 0)


def _first(case: Case, report: Report) -> _Lived:
    """Live it without a strike, and judge it: what is wrong already makes comparing worthless."""
    lived = _Lived()

    def between(name: str, nth: int) -> None:
        if name == BETWEEN:
            lived.midway[case.stage, nth] = case.picture(midway=True)

    case.on_pass = between
    with chdir(case.ground.place.folder), chaos.hooked(case.passed):
        for number in range(len(STAGES)):
            _calm(case, number)
            case.run_stage(number)
            lived.passes.append(Counter(case.passes))
            lived.pictures.append(case.picture())
            report.passed.update(lived.passes[-1])
        found = case.findings()
    wrong = [*case.incidents, *found.duplicates, *found.missing, *found.unbalanced]
    wrong += [told for picture in lived.pictures for told in picture.unaccounted]
    if not found.journal_ok or not all(picture.journal_ok for picture in lived.pictures):
        wrong.append("journal")
    report.broken += [f"seed {case.town.seed} without a strike: {told}" for told in wrong]
    return lived


def _calm(case: Case, number: int) -> None:
    if number == CALM_FROM:
        case.town.world.faults.clear()


def _stumble(town: Town, percent: int) -> None:
    """Let partners fail that often, each kind of call in its own ways."""
    if not percent:
        return
    faults, chance = town.world.faults, percent / 100
    tokens = dict.fromkeys(TOKENS, chance / len(TOKENS) / 10)
    faults.draw(tokens, path="^/v1/(procedures|payments|payouts)")
    faults.draw(dict.fromkeys(READS, chance / len(READS)), method="GET")
    faults.draw(dict.fromkeys(WRITES, chance / len(WRITES)), method="POST|PATCH")


Jobs = dict[tuple[int, str, int], list[tuple[Wanted, Strike]]]
"""What is to be struck, by stage, point and pass."""


def _planned(asked: Sequence[Wanted], passes: Sequence[Counter[str]], report: Report) -> Jobs:
    """Draw for each case which pass of its point is struck, and how; one never passed is told."""
    jobs: Jobs = {}
    for each in asked:
        chance = Random(f"strike-{each.seed}-{each.point}")
        places = [
            (number, nth)
            for number, passed in enumerate(passes)
            if each.stage in (None, STAGES[number].name)
            for nth in range(1, passed[each.point] + 1)
        ]
        if not places:
            report.outcomes.append(Outcome(each, None))
            continue
        stage, nth = chance.choice(places)
        strike = Strike(each.point, _action(chance, each), stage, nth)
        jobs.setdefault((stage, each.point, nth), []).append((each, strike))
    return jobs


def _action(chance: Random, asked: Wanted) -> Action:
    """Draw what happens: mostly deaths; nobody sleeps or meets another within a transaction."""
    if asked.point.endswith("before_commit"):
        return "crash"
    if asked.action is not None:
        return asked.action
    return "crash" if chance.random() < 0.5 else chance.choice(ACTIONS[1:])


class _Second:
    """Live a month again, and fork a case off wherever one is to be struck."""

    def __init__(self, case: Case, struck_in: Place, lived: _Lived, report: Report) -> None:
        self.case, self.lived, self.report = case, lived, report
        self._struck_in = struck_in
        """Whose database cases fill again, where there is a server."""
        self._jobs: Jobs = {}
        self._ours: tuple[Wanted, Strike] | None = None
        """What struck this process, once it is a case."""
        self._told: Connection | None = None
        self._over = 0
        """How many phases of the night were over when this process was struck."""
        self._started = 0.0

    def live(self, jobs: Jobs) -> None:
        """Live until the last case is over."""
        self._jobs = jobs
        case, last = self.case, max(stage for stage, _, _ in jobs)
        case.on_pass = self._pass
        gc.collect()
        try:
            with chdir(case.ground.place.folder), chaos.hooked(case.passed):
                for number in range(last + 1):
                    _calm(case, number)
                    case.run_stage(number)
                    if self._ours is not None:
                        self._end(number)
                    self._compare(number)
        finally:
            if self._ours is not None:
                os._exit(1)  # what is left open belongs to the process this one was forked from
        for (stage, point, nth), left in self._jobs.items():
            at = f"pass {nth} of {point} in {STAGES[stage].name} did not come the second time"
            self.report.outcomes += [Outcome(*job, incidents=(at,)) for job in left]

    def _compare(self, number: int) -> None:
        if self.case.picture() != self.lived.pictures[number]:
            what = (
                f"seed {self.case.town.seed}: {STAGES[number].name} ended otherwise the second time"
            )
            self.report.broken.append(what)

    def _pass(self, name: str, nth: int) -> None:
        """Hear a pass; in what a fork makes of this process, be struck."""
        if self._ours is not None:
            if name == BETWEEN and 0 < nth - self._over <= LOOKS:
                self._judge(self.case.picture(midway=True), self.lived.midway.get(self._at(nth)))
            return
        for job in self._jobs.pop((self.case.stage, name, nth), []):
            if self.case.ground.within and job[1].action != "crash":
                within = "it is called within a transaction, where nobody may sleep"
                self.report.outcomes.append(Outcome(*job, incidents=(within,)))
            elif not self._forked(job):
                self._strike(job[1].action)
                return

    def _at(self, phase: int) -> tuple[int, int]:
        return (self.case.stage, phase)

    def _forked(self, job: tuple[Wanted, Strike]) -> bool:
        """Fork; True in the process that goes on unharmed, once the case is over."""
        here, there = Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            here.close()
            self._ours, self._told = job, there
            return False
        there.close()
        try:
            told = here.recv() if here.poll(LONGEST) else None
        except EOFError:
            told = Outcome(*job, incidents=("the case's process ended without a word",))
        if told is None:
            os.kill(child, signal.SIGKILL)
            told = Outcome(*job, incidents=(f"not over after {LONGEST} s",))
        os.waitpid(child, 0)
        here.close()
        self.report.outcomes.append(told)
        return True

    def _strike(self, action: Action) -> None:
        """Be struck: die, which never returns, or sleep or meet another and go on."""
        gc.freeze()  # what came with the fork is not this case's garbage
        self._started = time.process_time()
        case = self.case
        try:
            case.ground.move(self._struck_in.filled(case.ground.place))
            case.lives = ELSEWHERE
            self._over = case.passes[BETWEEN]
            case.incidents.clear()
            if action == "crash":
                Context().run(self._start_again)
            if action in ("freeze", "zombie"):
                case.sleep()
            if action in ("rival", "zombie"):
                case.meet()
        except BaseException as error:
            self._tell(Findings(), False, _where(error))

    def _start_again(self) -> NoReturn:
        """Leave the dead where they stand, below this call, and live on."""
        self.case.bury()
        self.case.run_stage(self.case.stage)
        self._end(self.case.stage)

    def _end(self, stage: int) -> NoReturn:
        """Live on from the end of the struck stage, as long as anything differs."""
        case = self.case
        try:
            for number in range(stage, len(STAGES)):
                if number > stage:
                    _calm(case, number)
                    case.run_stage(number)
                self._judge(case.picture(), self.lived.pictures[number])
            self._tell(case.findings(), False)
        except BaseException as error:
            self._tell(Findings(), False, _where(error))

    def _judge(self, seen: Picture, without: Picture | None) -> None:
        """End here where all is as it was without a strike, or something is wrong already."""
        if seen.unaccounted or not seen.journal_ok:
            found = Findings(missing=seen.unaccounted, journal_ok=seen.journal_ok)
            self._tell(found, False)
        if seen == without:
            self._tell(Findings(), True)

    def _tell(self, found: Findings, converged: bool, *more: str) -> NoReturn:
        """Send how this case ended, and end with it."""
        assert self._ours is not None and self._told is not None
        cpu = round(time.process_time() - self._started, 3)
        incidents = (*self.case.incidents, *more)
        asked, strike = self._ours
        self._told.send(Outcome(asked, strike, True, converged, found, incidents, cpu))
        if self.case.ground.place.folder != self._struck_in.folder:
            self.case.ground.place.leave()
        os._exit(0)


def _where(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {error}"[:300]
