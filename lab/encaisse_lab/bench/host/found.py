"""What a measure is given, and what it gives back."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.judging import Goal, Verdict


@dataclass(frozen=True, slots=True)
class Bench:
    """Hold one database, the sizes asked for, and a folder of one's own."""

    database: Database
    folder: Path
    rows: int
    rounds: int
    page: int
    """Invoices in one page, for ours and for the raw peer alike."""
    peer_rows: int
    """Invoices given to a peer that would take hours for all of them, and to ours beside it."""
    tell: Callable[[str], None]
    """Say how far the run is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Say how one goal stands on one database, with the figures it was worked out from."""

    verdict: Verdict
    database: str
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """Name with its unit -> value; for people and for the JSON, never judged."""
    code: str = ""
    """The commit it was measured on, where it was kept to be joined with others."""


Measure = Callable[[Bench], Iterator[Finding]]
"""Measure something on one database; a measure that does not concern it finds nothing."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Be the time a piece of work took: by the wall, and of all processors (client and server)."""

    wall: float
    cpu: float

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.cpu - other.cpu)

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


def swept() -> None:
    """Leave what was made before out of what Python looks through for a measure's own garbage.

    The libraries of all peers are loaded, some 300,000 objects; walking them once is as much as
    reading 2,000 invoices, and falls into one round or another by chance.
    """
    gc.collect()
    gc.freeze()


def ratio(peer: Sequence[Spent], ours: Sequence[Spent], *, wall: bool = False) -> float:
    """Tell which part of the peer's speed ours has: the median of the rounds' ratios.

    In processor time unless asked otherwise, because the machine may be shared; rounds are paired,
    so that what slows one of a pair slows the other.
    """
    pairs = zip(peer, ours, strict=True)
    return median(
        (theirs.wall / mine.wall) if wall else (theirs.cpu / mine.cpu) for theirs, mine in pairs
    )


def rates(name: str, rows: int, rounds: Sequence[Spent]) -> dict[str, float]:
    """Write the median of some rounds as rows a second, by the wall and by processor time."""
    return {
        f"{name} rows/s": rows / median(each.wall for each in rounds),
        f"{name} rows/cpu-s": rows / median(each.cpu for each in rounds),
    }


def compared(
    bench: Bench,
    goal: Goal,
    rows: int,
    ours: tuple[str, Sequence[Spent]],
    peer: tuple[str, Sequence[Spent]],
) -> Finding:
    """Judge ours by a peer that did the same with the same rows in the same rounds."""
    figures = rates(*ours[:1], rows, ours[1]) | rates(*peer[:1], rows, peer[1])
    figures["by the wall"] = ratio(peer[1], ours[1], wall=True)
    return Finding(Verdict(goal, ratio(peer[1], ours[1])), bench.database.name, figures)
