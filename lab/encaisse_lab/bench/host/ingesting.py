"""Read a million invoices into the store, for the first time and again, beside a raw upsert.

Both are given invoices that are checked already, page by page; making them is outside the time,
laying them out as rows is within it. Ours stores a page with its fence, its sightings, its cursor
and its event, through the door every connector uses; the raw peer upserts the same columns of the
same rows and does nothing else. Two figures beside it are judged by nobody: what part ours has of
a raw peer that is handed its rows ready, and of one that fills ours' own table (`twin.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from encaisse_core import ingest
from encaisse_lab.bench.host import house, raw, twin
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Bench, Finding, Spent, compared, rates, ratio, swept
from encaisse_lab.bench.host.invented import invoices
from encaisse_lab.bench.judging import Goal, Verdict

FIRST = Goal(
    "ingest-first",
    0.33,
    "invoices read for the first time, part of the speed of a raw upsert",
    "factures lues pour la première fois, part de la vitesse d'un upsert brut",
)
AGAIN = Goal(
    "ingest-again",
    0.45,
    "the same invoices read again, part of the speed of a raw upsert",
    "les mêmes factures relues, part de la vitesse d'un upsert brut",
)
GROWTH = Goal(
    "growth",
    1.3,
    "cost of an invoice's first reading beside that of a hundred times fewer invoices",
    "coût d'une première lecture, fois celui qu'elle a avec cent fois moins de factures",
    at_most=True,
)
Beside = Callable[[Database, str, int], Iterator[Spent]]

SMALLER = 100
LEAST = 1_000
"""Invoices below which what a reading costs however short it is would be taken for their cost."""
OTHERS = {
    "raw ready": "part of raw handed its rows ready",
    "twin": "part of raw in our own table, rows ready",
}
FIRST_PG = Goal("ingest-first", 0.45, FIRST.english, FIRST.french)


def measure(bench: Bench) -> Iterator[Finding]:
    """Alternate ours and the raw peer, each into a database of its own, round after round."""
    taken: dict[str, list[Spent]] = {}
    size: dict[str, float] = {}
    small = replace(bench, rows=bench.rows // SMALLER)
    for number in range(1, bench.rounds + 1):
        bench.tell(f"{bench.database.name}, lecture, tour {number}/{bench.rounds}")
        for columns, name in ((raw.FULL, "raw"), (raw.BARE, "bare")):
            url = bench.database.fresh()
            for turn in ("first", "again"):
                given = invoices(bench.rows)
                spent, laid = raw.upsert(bench.database, url, given, bench.page, columns)
                taken.setdefault(f"{name} ready {turn}", []).append(spent)
                taken.setdefault(f"{name} {turn}", []).append(spent + laid)
            size[f"{name} B/row"] = bench.database.size(url) / bench.rows
            bench.database.drop(url)
        for turn, spent in zip(("small", "small again"), ours(small, {}), strict=True):
            taken.setdefault(turn, []).append(spent)
        turns = ("ours first", "ours again", "twin first", "twin again")
        for turn, spent in zip(turns, ours(bench, size, beside=twin.upsert), strict=True):
            taken.setdefault(turn, []).append(spent)
    first = FIRST if bench.database.sqlite else FIRST_PG
    for goal, turn in ((first, "first"), (AGAIN, "again")):
        mine = ("ours", taken[f"ours {turn}"])
        found = compared(bench, goal, bench.rows, mine, ("raw", taken[f"raw {turn}"]))
        bare = taken[f"bare {turn}"]
        more = rates("bare", bench.rows, bare) | {"part of bare": ratio(bare, mine[1])}
        for name, told in OTHERS.items():
            more[told] = ratio(taken[f"{name} {turn}"], mine[1])
        yield Finding(found.verdict, found.database, {**found.figures, **more, **size})
    yield growth(bench, small.rows, taken["small"], taken["ours first"])


def growth(bench: Bench, few: int, small: Sequence[Spent], large: Sequence[Spent]) -> Finding:
    """Judge the cost of one of many invoices by that of one of few, in the same rounds."""
    figures = rates(f"of {few}", few, small) | rates(f"of {bench.rows}", bench.rows, large)
    if few < LEAST:
        verdict = Verdict(GROWTH, None, f"needs {LEAST * SMALLER:,} rows or more")
    else:
        verdict = Verdict(GROWTH, few / bench.rows / ratio(small, large))
    return Finding(verdict, bench.database.name, figures)


def ours(bench: Bench, size: dict[str, float], *, beside: Beside | None = None) -> Iterator[Spent]:
    """Read everything twice into a fresh store; give the time of each without making the list.

    `beside` is a peer that takes its rows from what ours left, and gives its own times after.

    `size` learns the bytes a row takes, with what the raw peer has not: names, fingerprints, where
    its claim will stand, and the indexes they are found by.
    """
    url = bench.database.fresh()
    supply = house.Supply(bench.database.spent, page=bench.page)
    with house.opened(url, bench.folder / "home", {"benchtool": house.tool(supply)}) as opened:
        supply.make = partial(invoices, bench.rows)
        for _ in range(2):
            yield once(bench, opened, supply)
    size["ours B/row"] = bench.database.size(url) / bench.rows
    if beside is not None:
        yield from beside(bench.database, url, bench.page)
    bench.database.drop(url)


def once(bench: Bench, opened: house.House, supply: house.Supply) -> Spent:
    """Read everything once; a reading that fails is no measure."""
    swept()
    supply.outside = Spent(0.0, 0.0)
    started = bench.database.spent()
    done = ingest.pull_invoices(opened.app.host, opened.links[0])
    taken = bench.database.spent() - started - supply.outside
    if done.error is not None:
        raise done.error
    return taken
