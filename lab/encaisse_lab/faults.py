"""Strike at every point where a process may die, and judge what stands afterwards.

A seed's baseline is lived once, without a strike, and judged whole. Before each of its stages a
process is set aside that holds the world as it stood; each case is a copy of it, which is struck in
that stage. A case whose stage ends in the very picture the baseline ended in goes on as the
baseline did, and is over; any other lives on to the end and is judged there.
"""

from __future__ import annotations

import gc
import json
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from random import Random

from encaisse_core import chaos
from encaisse_core.errors import CheckFailed
from encaisse_lab import faults_places
from encaisse_lab.faults_case import ACTIONS, Action, Case, Picture, Strike, Wire
from encaisse_lab.faults_check import Findings
from encaisse_lab.faults_host import STAGES
from encaisse_lab.faults_places import Place
from encaisse_lab.faults_town import settle_in
from encaisse_simulator.faults import FaultKind
from encaisse_simulator.transport import SimTransport

CALM_FROM = next(number for number, stage in enumerate(STAGES) if stage.name == "night 4")
"""The stage from which partners behave: by the end everything must have settled."""

READS: tuple[FaultKind, ...] = ("5xx", "429", "malformed", "truncated_list", "lost_reply")
WRITES: tuple[FaultKind, ...] = ("lost_reply", "5xx_after", "5xx", "429", "malformed")
TOKENS: tuple[FaultKind, ...] = ("revoked_token",)

LONGEST = 600
"""Seconds after which a case is taken for hung."""

LOOKED_UP = tuple(f"{kind}.send" for kind in chaos.IN_BOOKS)
"""Sends to partners that keep no key: a sleeper there may double, and that must be named."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ask for one case."""

    seed: int
    point: str
    action: Action | None = None
    stage: str | None = None
    """The stage to strike in; drawn where none is named."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tell how one case ended."""

    wanted: Wanted
    strike: Strike | None
    struck: bool = False
    converged: bool = False
    findings: Findings = field(default_factory=Findings)
    incidents: tuple[str, ...] = ()
    cpu: float = 0.0

    @property
    def hole(self) -> bool:
        """Tell whether this is the documented hole, and only it: a named double after a freeze.

        Between the fence and the send nothing but the partner can tell two senders apart.
        """
        strike, found = self.strike, self.findings
        return (
            strike is not None
            and strike.action == "zombie"
            and strike.point.endswith(".before_send")
            and strike.point.removesuffix(".before_send") in LOOKED_UP
            and bool(found.duplicates)
            and all(any(number in told for number in found.named) for told in found.duplicates)
            and found.journal_ok
            and not found.unbalanced
        )

    @property
    def sound(self) -> bool:
        """Tell whether the strike came and did no harm."""
        return self.struck and not self.incidents and (self.findings.sound or self.hole)


@dataclass
class Report:
    """Hold the cases of a run, and what each baseline passed."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    passed: Counter[str] = field(default_factory=Counter[str])
    broken: list[str] = field(default_factory=list[str])


def wanted(seed: int, cases: int, points: Sequence[str] = tuple(chaos.POINTS)) -> list[Wanted]:
    """Spread cases over points, one seed after the other."""
    return [
        Wanted(seed + number // len(points), points[number % len(points)])
        for number in range(cases)
    ]


def run(
    asked: Sequence[Wanted],
    *,
    database: str | None = None,
    percent: int = 0,
    processes: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Run every case asked for; seeds are shared out among processes."""
    by_seed: dict[int, list[Wanted]] = {}
    for each in asked:
        by_seed.setdefault(each.seed, []).append(each)
    report = Report()
    if processes <= 1 or len(by_seed) == 1:
        for seed, few in by_seed.items():
            _add(report, seed, run_seed(few, database, percent), tell)
        return report
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = {
            seed: pool.submit(run_seed, few, database, percent) for seed, few in by_seed.items()
        }
        for seed, job in jobs.items():
            _add(report, seed, job.result(), tell)
    return report


def _add(report: Report, seed: int, made: Report, tell: Callable[[str], None]) -> None:
    report.outcomes += made.outcomes
    report.passed.update(made.passed)
    report.broken += made.broken
    bad = sum(not each.sound for each in made.outcomes)
    tell(f"Graine {seed} : {len(made.outcomes)} cas, {bad} en défaut")


def run_seed(asked: Sequence[Wanted], database: str | None, percent: int) -> Report:
    """Live one seed's baseline, then its cases, each from the stage it is struck in."""
    seed = asked[0].seed
    town = settle_in(seed)
    place = faults_places.fresh(database)
    case = Case(town, place, Wire(SimTransport(town.world)))
    report = Report()
    holders: list[_Holder] = []
    pictures: list[Picture] = []
    passes: list[Counter[str]] = []
    _stumble(case, percent)
    gc.freeze()
    try:
        for number in range(len(STAGES)):
            if number == CALM_FROM:
                town.world.faults.clear()
            holders.append(_Holder(case, number))
            case.run_stage(number)
            pictures.append(case.picture())
            passes.append(Counter(case.passes))
            report.passed.update(case.passes)
        report.broken += _judged(seed, case, pictures)
        for stage, jobs in sorted(_planned(asked, passes, report).items()):
            report.outcomes += holders[stage].run(jobs, pictures)
    finally:
        for holder in holders:
            holder.end()
        place.drop()
        gc.unfreeze()
    return report


def _judged(seed: int, case: Case, pictures: Sequence[Picture]) -> list[str]:
    """Judge the baseline: what is wrong without a strike makes comparing with it worthless."""
    found = case.findings()
    wrong = [*case.incidents, *found.duplicates, *found.missing, *found.unbalanced]
    wrong += [told for picture in pictures for told in picture.unaccounted]
    if not found.journal_ok or not all(picture.journal_ok for picture in pictures):
        wrong.append("journal")
    return [f"seed {seed} without a strike: {told}" for told in wrong]


def _stumble(case: Case, percent: int) -> None:
    """Let partners fail that often, each kind of call in its own ways."""
    if not percent:
        return
    faults, chance = case.town.world.faults, percent / 100
    tokens = dict.fromkeys(TOKENS, chance / len(TOKENS) / 10)
    faults.draw(tokens, path="^/v1/(procedures|payments|payouts)")
    faults.draw(dict.fromkeys(READS, chance / len(READS)), method="GET")
    faults.draw(dict.fromkeys(WRITES, chance / len(WRITES)), method="POST|PATCH")


def _planned(
    asked: Sequence[Wanted], passes: Sequence[Counter[str]], report: Report
) -> dict[int, list[tuple[Wanted, Strike]]]:
    """Draw for each case which pass of its point is struck, and how; one never passed is told."""
    jobs: dict[int, list[tuple[Wanted, Strike]]] = {}
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
        action = each.action or _action(chance, each.point)
        jobs.setdefault(stage, []).append((each, Strike(each.point, action, stage, nth)))
    return jobs


def _action(chance: Random, point: str) -> Action:
    """Draw what happens: mostly deaths; nobody sleeps or meets another within a transaction."""
    if point.endswith("before_commit") or chance.random() < 0.5:
        return "crash"
    return chance.choice(ACTIONS[1:])


class _Holder:
    """Set a process aside that holds the world as it stood before a stage."""

    def __init__(self, case: Case, stage: int) -> None:
        context = get_context("fork")
        self._here, there = context.Pipe()
        held = case.places.copied()
        self._held = held
        self._process: ForkProcess = context.Process(
            target=_hold, args=(case, stage, held, there), name=f"stage {stage}"
        )
        self._process.start()
        there.close()

    def run(
        self, jobs: Sequence[tuple[Wanted, Strike]], pictures: Sequence[Picture]
    ) -> list[Outcome]:
        """Run cases one after the other; one whose process is gone did not run, and says so."""
        self._here.send((list(jobs), list(pictures)))
        found: list[Outcome] = []
        for asked, strike in jobs:
            try:
                found.append(self._here.recv())
            except EOFError:
                gone = ("the process that held this stage ended without a word",)
                found.append(Outcome(asked, strike, incidents=gone))
        return found

    def end(self) -> None:
        """Let the process go."""
        with suppress(OSError):
            self._here.send(None)  # others hold copies of this pipe: closing it ends nothing
        self._here.close()
        self._process.join(60)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._held.drop()


def _hold(case: Case, stage: int, held: Place, told: Connection) -> None:
    while (order := told.recv()) is not None:
        jobs, pictures = order
        for asked, strike in jobs:
            _fork(case, stage, held, (asked, strike), pictures, told)


def _fork(
    case: Case,
    stage: int,
    held: Place,
    job: tuple[Wanted, Strike],
    pictures: Sequence[Picture],
    told: Connection,
) -> None:
    """Live one case in a copy of this process; one that ends without a word is told too."""
    process = get_context("fork").Process(
        target=_live, args=(case, stage, held, *job, pictures, told)
    )
    process.start()
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
        process.join()
    if process.exitcode:
        gone = (f"the case's process ended with {process.exitcode}",)
        told.send(Outcome(*job, incidents=gone))


def _live(
    case: Case,
    stage: int,
    held: Place,
    asked: Wanted,
    strike: Strike,
    pictures: Sequence[Picture],
    told: Connection,
) -> None:
    started = time.process_time()
    place = held.copied()
    case.places, case.strike, case.lives = place, strike, 500
    case.incidents.clear()
    try:
        outcome = _to_quiet(case, stage, asked, pictures)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {error}"
        outcome = Outcome(asked, strike, case.struck, incidents=(what[:300],))
    finally:
        place.drop()
    told.send(
        Outcome(
            outcome.wanted,
            outcome.strike,
            outcome.struck,
            outcome.converged,
            outcome.findings,
            outcome.incidents,
            round(time.process_time() - started, 3),
        )
    )


def _to_quiet(case: Case, stage: int, asked: Wanted, pictures: Sequence[Picture]) -> Outcome:
    """Live from the struck stage on, as long as anything differs from the baseline."""
    for number in range(stage, len(STAGES)):
        if number == CALM_FROM:
            case.town.world.faults.clear()
        case.run_stage(number)
        seen = case.picture()
        if seen.unaccounted or not seen.journal_ok:
            found = Findings(missing=seen.unaccounted, journal_ok=seen.journal_ok)
            return Outcome(asked, case.strike, case.struck, False, found, tuple(case.incidents))
        if seen == pictures[number]:
            return Outcome(asked, case.strike, case.struck, True, incidents=tuple(case.incidents))
    return Outcome(asked, case.strike, case.struck, False, case.findings(), tuple(case.incidents))


def as_json(
    report: Report, *, seed: int, database: str | None, percent: int
) -> Mapping[str, object]:
    """Give the figures as JSON shows them; each failure with the command that repeats it."""
    outcomes = report.outcomes
    by_point: dict[str, dict[str, int]] = {}
    for each in outcomes:
        told = by_point.setdefault(each.wanted.point, {"cases": 0, "struck": 0, "bad": 0})
        told["cases"] += 1
        told["struck"] += each.struck
        told["bad"] += not each.sound
    counted = [each for each in outcomes if not each.hole]
    return {
        "seed": seed,
        "database": "sqlite" if database is None else "postgresql",
        "faults": percent,
        "cases": len(outcomes),
        "chaos_points": sum(1 for told in by_point.values() if told["struck"]),
        "actions": dict(
            sorted(Counter(each.strike.action for each in outcomes if each.strike).items())
        ),
        "converged": sum(each.converged for each in outcomes),
        "duplicates": sum(len(each.findings.duplicates) for each in counted),
        "missing": sum(len(each.findings.missing) for each in counted),
        "holes": sum(each.hole for each in outcomes),
        "ledger_imbalance": sum(len(each.findings.unbalanced) for each in outcomes),
        "journal_ok": bool(outcomes) and all(each.findings.journal_ok for each in outcomes),
        "unreached": sorted(name for name, told in by_point.items() if not told["struck"]),
        "cpu_per_case": round(sum(each.cpu for each in outcomes) / max(1, len(outcomes)), 3),
        "by_point": dict(sorted(by_point.items())),
        "broken": report.broken,
        "failures": [failure(each, database, percent) for each in outcomes if not each.sound],
    }


def failure(each: Outcome, database: str | None, percent: int) -> Mapping[str, object]:
    """Say of one case what is wrong and how to see it again."""
    found, strike = each.findings, each.strike
    more = f" --database {database}" if database else ""
    more += f" --faults {percent}" if percent else ""
    if each.wanted.action:
        more += f" --action {each.wanted.action}"
    if each.wanted.stage:
        more += f" --stage '{each.wanted.stage}'"
    return {
        "repeat": f"encaisse faults --seed {each.wanted.seed} --point {each.wanted.point} "
        f"--cases 1{more}",
        "action": strike.action if strike else None,
        "stage": STAGES[strike.stage].name if strike else None,
        "nth": strike.nth if strike else None,
        "struck": each.struck,
        "duplicates": list(found.duplicates),
        "missing": list(found.missing),
        "unbalanced": list(found.unbalanced),
        "journal_ok": found.journal_ok,
        "incidents": list(each.incidents),
    }


def spoken(report: Report) -> str:
    """Say the outcome in French: the figures, then each failure with what repeats it."""
    bad = [each for each in report.outcomes if not each.sound]
    holes = sum(each.hole for each in report.outcomes)
    lines = [
        f"{len(report.outcomes)} cas, "
        f"{len({each.wanted.point for each in report.outcomes if each.struck})} points frappés, "
        f"{len(bad)} en défaut.",
    ]
    if holes:
        lines.append(f"{holes} double(s) du trou documenté, chacun signalé à une personne.")
    lines += report.broken
    for each in bad:
        told = failure(each, None, 0)
        lines.append(f"{told['repeat']} : {json.dumps(told, ensure_ascii=False)}")
    return "\n".join(lines)


def sound(report: Report) -> bool:
    """Tell whether something was run and nothing is wrong."""
    return bool(report.outcomes) and not report.broken and all(e.sound for e in report.outcomes)


def check(report: Report) -> None:
    """Raise `CheckFailed` with the first failures."""
    if sound(report):
        return
    bad = [each for each in report.outcomes if not each.sound]
    told = [*report.broken, *(f"{each.wanted.point} (graine {each.wanted.seed})" for each in bad)]
    raise CheckFailed(
        f"{len(bad)} cas de panne en défaut. {'; '.join(told[:3]) or 'Aucun cas joué.'}"
    )
