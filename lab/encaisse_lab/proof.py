"""Prove everything part by part: what each part is made of, and whether all of it was made.

A part is made of pieces (`proof_kept.py`); a long one keeps each as soon as it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from encaisse_lab import faults_proof, proof_demo, year_told
from encaisse_lab.faults_proof import DATABASES
from encaisse_lab.fuzz.run import fuzz
from encaisse_lab.large import told as large
from encaisse_lab.proof_kept import PARTS, Part, Piece
from encaisse_lab.year_calendar import TURN, WHOLE, Calendar

PROCESSES = 2

Made = tuple[str, Any, list[str]]
"""A piece's name, its figures, and what does not hold."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Say how much is proven."""

    short: bool
    seeds: Sequence[int]
    years: Sequence[int]
    calendar: Calendar
    cases: int
    struck: Sequence[int]
    """Seeds struck at every point, on each database; none where a few cases stand for all."""


SLICE = Plan(True, range(1, 3), (1,), TURN, 2_000, ())
FULL = Plan(False, range(1, 21), (1, 2), WHOLE, 100_000, range(1, faults_proof.SEEDS + 1))


def names(plan: Plan, part: Part) -> list[str]:
    """List the pieces a part is made of."""
    match part:
        case "strikes" if not plan.short:
            return [f"{name}-{seed:02}" for name in DATABASES for seed in plan.struck]
        case "processes":
            return [] if plan.short else list(faults_proof.PIECES)
        case _:
            return ["slice" if plan.short else "full"]


def of_plan(plan: Plan, pieces: Iterable[Piece]) -> list[Piece]:
    """Leave pieces of another plan out; give the others in the order of parts and names."""
    there = {(piece["part"], piece["name"]): piece for piece in pieces}
    return [
        there[part, name] for part in PARTS for name in names(plan, part) if (part, name) in there
    ]


def unmade(plan: Plan, pieces: Sequence[Piece]) -> list[str]:
    """Name the pieces that are not there: what was not run does not hold."""
    there = {(piece["part"], piece["name"]) for piece in pieces}
    return [
        f"{part} {name}"
        for part in PARTS
        for name in names(plan, part)
        if (part, name) not in there
    ]


def make(
    plan: Plan, part: Part, wanted: Sequence[str], tell: Callable[[str], None]
) -> Iterator[Made]:
    """Make the pieces of a part that are wanted, each given as soon as it is over."""
    if not wanted:
        return
    match part:
        case "demo":
            with _pool() as pool:
                yield (wanted[0], *proof_demo.prove(pool, plan.seeds, tell))
        case "year":
            with _pool() as pool:
                years = year_told.lived(pool, plan.years, plan.calendar, tell)
            yield wanted[0], years, _wrong_years(years)
        case "large":
            proved = large.prove(short=plan.short, tell=tell)
            yield wanted[0], proved, large.wrong(proved)
        case "fuzz":
            told = fuzz(plan.seeds[0], plan.cases, tell=tell)
            wrong = [f"{x['fault']} : {x['what']} ({x['repeat']})" for x in told["failures"]]
            yield wanted[0], told, wrong if told["cases"] else [*wrong, "aucun document lu"]
        case "explore":
            yield (wanted[0], *faults_proof.look(short=plan.short, tell=tell))
        case "strikes" if plan.short:
            yield (wanted[0], *faults_proof.first_strikes())
        case "strikes":
            for name in DATABASES:
                seeds = [seed for seed in plan.struck if f"{name}-{seed:02}" in wanted]
                for struck, wrong in faults_proof.strike(name, seeds) if seeds else ():
                    seed = struck["seed"]
                    tell(f"Frappes sur {name}, graine {seed} : {len(wrong)} en défaut")
                    yield f"{name}-{seed:02}", struck, wrong
        case "processes":
            for piece in faults_proof.PIECES:
                if piece in wanted:
                    killed, wrong = faults_proof.kill(piece)
                    tell(f"Processus, {piece} : {'NE TIENT PAS' if wrong else 'tient'}")
                    yield piece, killed, wrong


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"))


def _wrong_years(years: Sequence[year_told.YearFigures]) -> list[str]:
    return [
        f"année {year['seed']}, {year['lettering']} : {'; '.join(year['faults']) or 'journal'}"
        for year in years
        if not year_told.sound(year)
    ] + ([] if years else ["aucune année vécue"])


def faults(plan: Plan, pieces: Sequence[Piece]) -> list[str]:
    """Say everything that does not hold, what was not run included."""
    return [fault for piece in pieces for fault in piece["faults"]] + [
        f"{what} : pas joué" for what in unmade(plan, pieces)
    ]


def as_json(plan: Plan, pieces: Sequence[Piece]) -> dict[str, object]:
    """Give the outcome as JSON shows it."""
    wrong = faults(plan, pieces)
    return {"short": plan.short, "holds": not wrong, "faults": wrong, "pieces": list(pieces)}


def spoken(plan: Plan, pieces: Sequence[Piece]) -> str:
    """Say the outcome in French: part by part, then what does not hold."""
    lines: list[str] = []
    for part in PARTS:
        made = [piece for piece in pieces if piece["part"] == part]
        asked = names(plan, part)
        if asked:
            wrong = sum(bool(piece["faults"]) for piece in made)
            held = "tient" if len(made) == len(asked) and not wrong else "ne tient pas"
            lines.append(f"{part} : {len(made)} morceau(x) sur {len(asked)}, {held}.")
    return "\n".join([*lines, *faults(plan, pieces)])
