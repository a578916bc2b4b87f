"""Bring simulated years down to figures, and say them in French."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import TypedDict

from encaisse_core.cents import euros
from encaisse_core.cli.showing import plural
from encaisse_lab import books_check, tally, year_verdict
from encaisse_lab.year import Lettering, Mode, Year, run
from encaisse_lab.year_calendar import Calendar

PROCESSES = 2
MOST = 5
"""Faults of one kind that are spelled out."""

DOSSIERS: Sequence[tuple[tuple[Lettering, Mode], tuple[Lettering, Mode]]] = (
    (("MONO", "direct"), ("MULTI", "pending")),
    (("MONO", "pending"), ("MULTI", "direct")),
)
"""The two dossiers of an even and of an odd seed: two seeds have lived all four."""

Job = tuple[int, Lettering, Mode, Calendar]


class YearFigures(TypedDict):
    """Be one dossier's year in the JSON of `encaisse year`; the same seed gives the same bytes."""

    seed: int
    lettering: Lettering
    mode: Mode
    nights: int
    nights_unequal: int
    lettered: int
    drafts: int
    to_letter: int
    with_a_person: int
    doubled: int
    lost: int
    loose: int
    unbalanced: int
    journal_ok: bool
    failed_reads: int
    lived: dict[str, int]
    questions: dict[str, int]
    faults: list[str]


def figures(year: Year) -> YearFigures:
    """Count and check a finished year."""
    app, company_id = year.app, year.company_id
    verdict = year_verdict.judge(app, company_id, year.town)
    unbalanced = books_check.unbalanced(app, company_id, year.world.ledger())
    unequal = [
        f"{night} : {each.account} diffère de {euros(each.cents)} €"
        for night, found in year.unequal.items()
        for each in found
    ]
    said = (unequal, verdict.doubled, verdict.lost, verdict.loose, unbalanced)
    return YearFigures(
        seed=year.seed,
        lettering=year.lettering,
        mode=year.mode,
        nights=len(year.nights),
        nights_unequal=len(year.unequal),
        lettered=verdict.lettered,
        drafts=verdict.drafts,
        to_letter=verdict.to_letter,
        with_a_person=verdict.with_a_person,
        doubled=len(verdict.doubled),
        lost=len(verdict.lost),
        loose=len(verdict.loose),
        unbalanced=len(unbalanced),
        journal_ok=books_check.journal_holds(app, company_id, None),
        failed_reads=sum(len(night.failures) for night in year.nights),
        lived=dict(sorted(year.town.done.items())),
        questions=tally.questions(app, company_id),
        faults=[fault for kind in said for fault in kind[:MOST]],
    )


def sound(told: YearFigures) -> bool:
    """Tell whether every night was equal and nothing is doubled, lost or loose."""
    bad = (
        told["nights_unequal"],
        told["doubled"],
        told["lost"],
        told["loose"],
        told["unbalanced"],
        told["failed_reads"],
    )
    return told["journal_ok"] and not any(bad)


def both(seed: int, calendar: Calendar, tell: Callable[[str], None]) -> list[YearFigures]:
    """Live the year of a seed's two dossiers, in two processes."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return lived(pool, [seed], calendar, tell)


def lived(
    pool: Executor, seeds: Sequence[int], calendar: Calendar, tell: Callable[[str], None]
) -> list[YearFigures]:
    """Live the years of some seeds in a pool, and tell of each once it is over."""
    jobs: list[Job] = [(seed, *kind, calendar) for seed in seeds for kind in DOSSIERS[seed % 2]]
    found: list[YearFigures] = []
    for told in pool.map(live, jobs):
        found.append(told)
        tell(f"Année, graine {told['seed']} : {sentence(told)}")
    return found


def live(job: Job) -> YearFigures:
    """Live one dossier's year."""
    with run(*job) as year:
        return figures(year)


def sentence(told: YearFigures) -> str:
    """Say one dossier's year in a sentence."""
    entries = told["lettered"] + told["drafts"] + told["to_letter"]
    held = "tient" if sound(told) else "NE TIENT PAS"
    return (
        f"dossier {told['lettering']}, écritures « {told['mode']} », "
        f"{plural(told['nights'], 'nuit')} dont {told['nights_unequal']} où les soldes diffèrent ; "
        f"{plural(entries, 'écriture')} : {told['lettered']} lettrées, {told['drafts']} en "
        f"attente du comptable, {told['to_letter']} à lettrer après la clôture ; "
        f"{told['with_a_person']} chez une personne, {told['doubled']} en double, "
        f"{told['lost']} perdues, {told['loose']} sans suite : {held}."
    )


def shortened(calendar: Calendar, nights: int | None) -> Calendar:
    """Give the calendar with fewer nights."""
    return calendar if nights is None else replace(calendar, nights=min(nights, calendar.nights))
