"""Strike at every point where a process may die, and judge what stands afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from encaisse_core import chaos
from encaisse_lab.faults_report import Report, Wanted
from encaisse_lab.faults_seed import run_seed


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
