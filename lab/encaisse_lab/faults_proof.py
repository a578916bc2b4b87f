"""Prove the promise "exactly once": strikes, explorations, real processes, a spoilt wire.

Each layer is also given a bug it claims to find, and must find it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypedDict

from encaisse_core import chaos
from encaisse_lab import (
    explorations,
    faults,
    faults_hands,
    faults_places,
    faults_processes,
    faults_report,
    faults_watch,
    faults_wire,
    faults_workers,
)
from encaisse_lab.broken_on_purpose import Flaw, planted
from encaisse_lab.faults_report import Report, Wanted

DatabaseName = Literal["sqlite", "postgresql"]
DATABASES: tuple[DatabaseName, ...] = ("sqlite", "postgresql")

SEEDS = 20
FAULTY, PERCENT = 5, 10
"""In every fifth seed partners fail as well, in that many of a hundred calls."""

PROCESSES = 2
KILLS, FREEZES, PAIRS = 100, 6, 3
"""On each database: 200 kills and 12 freezes of daemons in all."""

TOLD_KILLS = 12
"""On each database, of a daemon that is told by day what happened."""

WORKER_KILLS, WORKER_FREEZES = 8, 4
"""Of workers that share one queue on PostgreSQL."""

FROZEN: Mapping[str, int] = {"sqlite": FREEZES, "postgresql": FREEZES, "workers": WORKER_FREEZES}
"""Freezes due in a piece of `PIECES`, in each of which another does its work meanwhile."""

HANDS_KILLS, HANDS_ROUNDS, HANDS, NEIGHBOURS = 4, 4, 4, 6
"""On each database, of a daemon that runs the nights of several companies at once."""

PIECES = (
    *DATABASES,
    *(f"told-{name}" for name in DATABASES),
    *(f"hands-{name}" for name in DATABASES),
    "workers",
)
"""What is done to real processes: daemons at night, by day, with several hands; workers."""

PLAYED: Mapping[str, str] = {
    "sqlite": "daemons at night",
    "postgresql": "daemons at night",
    "told": "a daemon that is told by day",
    "hands": "a daemon with several hands",
    "workers": "workers of one queue",
}
"""What each piece is about, as its page says it."""

FIRST_STRUCK: tuple[Wanted, ...] = (
    Wanted(1, "proposals.approve.after_commit", "crash"),
    Wanted(1, "open_procedure.send.after_reply", "crash"),
    Wanted(1, "reverse_payment.send.after_reply", "crash"),
    Wanted(1, "record_payment.done.after_commit", "rival"),
    Wanted(1, "collector.payments.before_commit", "crash", "told 1"),
    Wanted(1, "statements.issue.after_commit", "crash"),
)
"""Cases of the bounded part."""

FOUND_BY_STRIKES: Mapping[Flaw, Wanted] = {
    "lookup": Wanted(1, "reverse_payment.send.after_reply", "crash"),
    "fence": Wanted(1, "reverse_payment.prepare.before_send", "zombie"),
    "cursor": Wanted(1, "collector.payments.before_commit", "crash", "told 1"),
}
"""Planted bugs a strike finds, and which."""


class Explored(TypedDict):
    """Be one exploration: `real` are violations that are no documented hole."""

    what: str
    states: int
    histories: int
    complete: bool
    real: int
    holes: int
    holds: bool


class Wired(TypedDict):
    """Be one month over a spoilt wire."""

    seed: int
    faults: int
    sound: bool


class Looked(TypedDict):
    """Hold what was explored, which planted bugs a strike found, and the spoilt wires."""

    explored: list[Explored]
    found: dict[Flaw, bool]
    wires: list[Wired]


class Struck(TypedDict):
    """Be one seed's cases on one database."""

    database: str
    seed: int
    percent: int
    cases: int
    struck: int
    points: list[str]
    actions: dict[str, int]
    duplicates: int
    missing: int
    holes: int
    unbalanced: int
    journal_ok: bool
    cpu: float


class Killed(TypedDict):
    """Be what was done to real processes on one database."""

    what: str
    database: str
    kills: int
    killed_midway: int
    freezes: int
    pairs: int
    paid: int
    duplicates: int
    missing: int
    unbalanced: int
    journal_ok: bool
    seconds: float


def on(name: str) -> AbstractContextManager[str | None]:
    """Give a server's address, or None for SQLite, until the block ends."""
    return nullcontext(None) if name == "sqlite" else faults_places.embedded_server()


def look(*, short: bool, tell: Callable[[str], None]) -> tuple[Looked, list[str]]:
    """Explore, plant bugs for strikes to find, spoil wires; `short` takes a part of each."""
    told = Looked(explored=[], found={}, wires=[])
    for line in explorations.lines(short=short, tell=tell):
        real = len(line.found.violations) - line.found.holes
        told["explored"].append(
            Explored(
                what=line.what,
                states=line.found.states,
                histories=line.found.histories,
                complete=line.found.complete,
                real=real,
                holes=line.found.holes,
                holds=line.holds,
            )
        )
    flaws: tuple[Flaw, ...] = ("cursor",) if short else tuple(FOUND_BY_STRIKES)
    for flaw in flaws:
        told["found"][flaw] = _found(flaw)
        tell(f"Défaut « {flaw} » : {'trouvé' if told['found'][flaw] else 'PAS TROUVÉ'}")
    for seed in () if short else range(len(faults_wire.WIRE_FAULTS)):
        lived = faults_wire.live(seed)
        wired = Wired(seed=seed, faults=sum(lived.struck.values()), sound=lived.sound)
        told["wires"].append(wired)
        tell(f"Fil, graine {seed}")
    wrong = [f"exploration {each['what']}" for each in told["explored"] if not each["holds"]]
    wrong += [
        f"défaut « {flaw} » introduit, aucune frappe ne le trouve"
        for flaw, seen in told["found"].items()
        if not seen
    ]
    wrong += [f"fil, graine {each['seed']}" for each in told["wires"] if not each["sound"]]
    return told, wrong


def first_strikes() -> tuple[Struck, list[str]]:
    """Strike the cases of the bounded part."""
    report = faults.run(FIRST_STRUCK)
    return _struck("sqlite", 1, 0, report), _wrong("sqlite", None, 0, report)


def strike(name: DatabaseName, seeds: Sequence[int]) -> Iterator[tuple[Struck, list[str]]]:
    """Strike every point once per seed, and give each seed's figures as soon as they are there.

    A point that is not passed in a seed where partners fail is struck in the same seed without.
    """
    asked = [Wanted(seed, point) for seed in seeds for point in chaos.POINTS]
    with on(name) as database:
        for seed, report in faults.seeds(
            asked, database=database, processes=PROCESSES, percent=percent
        ):
            calm = Report()
            left = [each.wanted for each in report.outcomes if each.strike is None]
            if left and percent(seed):
                report.outcomes = [each for each in report.outcomes if each.strike is not None]
                calm = faults.run(left, database=database)
            wrong = _wrong(name, database, percent(seed), report)
            if calm.outcomes:
                wrong += _wrong(name, database, 0, calm)
                report.outcomes += calm.outcomes
            yield _struck(name, seed, percent(seed), report), wrong


def percent(seed: int) -> int:
    """Say how many of a hundred calls partners fail in a seed."""
    return 0 if seed % FAULTY else PERCENT


def kill(piece: str) -> tuple[Killed, list[str]]:
    """Kill and freeze the real processes of one of `PIECES`."""
    started = time.monotonic()
    kind, _, name = piece.rpartition("-")
    with on("postgresql" if name == "workers" else name) as database:
        if name == "workers":
            struck = faults_workers.run(
                1, kills=WORKER_KILLS, freezes=WORKER_FREEZES, database=database or ""
            )
            done = struck.found
            if not struck.taken_over:
                done.failed.append("aucun ouvrier n'a repris la nuit d'un autre")
        elif kind == "told":
            done = faults_watch.run(1, kills=TOLD_KILLS, database=database)
        elif kind == "hands":
            done = faults_hands.run(
                1,
                companies=NEIGHBOURS,
                hands=HANDS,
                kills=HANDS_KILLS,
                rounds=HANDS_ROUNDS,
                database=database,
            )
        else:
            done = faults_processes.run(
                1, kills=KILLS, freezes=FREEZES, pairs=PAIRS, database=database
            )
    due = FROZEN.get(piece, 0)
    if done.freezes < due:
        done.failed.append(f"{done.freezes} processus gelés en plein travail au lieu de {due}")
    told = Killed(
        what=PLAYED[kind or piece],
        database=done.database,
        kills=done.kills,
        killed_midway=done.killed_midway,
        freezes=done.freezes,
        pairs=done.pairs,
        paid=done.paid,
        duplicates=len(done.duplicates),
        missing=len(done.missing),
        unbalanced=len(done.unbalanced),
        journal_ok=done.journal_ok,
        seconds=round(time.monotonic() - started, 1),
    )
    wrong = [*done.duplicates, *done.missing, *done.unbalanced, *done.failed]
    if not (done.sound or wrong):
        wrong.append("rien n'a été joué, ou le journal ne tient pas")
    return told, [f"processus, {piece} : {each}" for each in wrong]


def _struck(name: str, seed: int, faulty: int, report: Report) -> Struck:
    told: Any = faults_report.as_json(report, seed=seed, database=None, percent=faulty)
    return Struck(
        database=name,
        seed=seed,
        percent=faulty,
        cases=told["cases"],
        struck=sum(each.struck for each in report.outcomes),
        points=sorted({each.wanted.point for each in report.outcomes if each.struck}),
        actions=told["actions"],
        duplicates=told["duplicates"],
        missing=told["missing"],
        holes=told["holes"],
        unbalanced=told["ledger_imbalance"],
        journal_ok=told["journal_ok"],
        cpu=round(sum(each.cpu for each in report.outcomes), 1),
    )


def _wrong(name: str, database: str | None, faulty: int, report: Report) -> list[str]:
    """Say what does not hold, each case with what repeats it."""
    bad = [each for each in report.outcomes if not each.sound]
    told = [faults_report.failure(each, database, faulty) for each in bad]
    said = [*report.broken, *(f"{each['repeat']} ({each['incidents']})" for each in told)]
    if not report.outcomes:
        said.append("aucun cas joué")
    return [f"frappes sur {name} : {each}" for each in said]


def _found(flaw: Flaw) -> bool:
    """Tell whether a strike finds a planted bug: by what stands twice or is missing."""
    with planted(flaw):
        report = faults.run([FOUND_BY_STRIKES[flaw]])
    return not report.broken and any(
        each.struck and (each.findings.duplicates or each.findings.missing) and not each.hole
        for each in report.outcomes
    )
