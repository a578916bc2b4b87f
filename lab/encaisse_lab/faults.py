"""Strike at every point where a process may die, and judge what stands afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
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
    made = dict(seeds(asked, database=database, processes=processes, percent=lambda _: percent))
    report = Report()
    for seed, each in sorted(made.items()):
        report.outcomes += each.outcomes
        report.passed.update(each.passed)
        report.broken += each.broken
        bad = sum(not one.sound for one in each.outcomes)
        tell(f"Graine {seed} : {len(each.outcomes)} cas, {bad} en défaut")
    return report


def seeds(
    asked: Sequence[Wanted],
    *,
    database: str | None,
    processes: int,
    percent: Callable[[int], int],
) -> Iterator[tuple[int, Report]]:
    """Run every case asked for, and give each seed as soon as it is over."""
    by_seed: dict[int, list[Wanted]] = {}
    for each in asked:
        by_seed.setdefault(each.seed, []).append(each)
    if processes <= 1 or len(by_seed) == 1:
        for seed, few in by_seed.items():
            yield seed, run_seed(few, database, percent(seed))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(run_seed, few, database, percent(seed)): seed
            for seed, few in by_seed.items()
        }
        for job in as_completed(jobs):
            yield jobs[job], job.result()
