"""Lay a run of the host's benchmark out: lines in French, JSON, and the page of the docs."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from encaisse_lab.bench.host.found import Finding
from encaisse_lab.bench.host.invented import SEED
from encaisse_lab.bench.judging import due, figure, machine, word

COMMAND = "make bench"

Sizes = dict[str, int]
"""How much was measured: rows, peer_rows, page, rounds."""


def as_json(found: Sequence[Finding], sizes: Sizes, peak: float) -> dict[str, Any]:
    """Lay everything out as plain values."""
    return {
        "machine": machine(),
        "python": platform.python_version(),
        "seed": SEED,
        **sizes,
        "peak_rss_mib": round(peak, 1),
        "goals": [
            {
                "key": each.verdict.goal.key,
                "database": each.database,
                "due": each.verdict.goal.due,
                "at_most": each.verdict.goal.at_most,
                "value": each.verdict.value,
                "met": None if each.verdict.value is None else each.verdict.met,
                "not_measured": each.verdict.why_not or None,
                "figures": dict(each.figures),
                "code": each.code or None,
            }
            for each in found
        ],
    }


def spoken(found: Sequence[Finding]) -> Iterator[str]:
    """Say each goal in one French line, and its figures under it."""
    for each in found:
        verdict = each.verdict
        goal = verdict.goal
        stands = word(verdict, "ATTEINT", "NON ATTEINT", "NON MESURÉ")
        told = verdict.why_not if verdict.value is None else figure(goal, verdict.value)
        yield (
            f"{stands:12} {each.database:11} {goal.french} : {told} "
            f"(but : {due(goal, 'au plus', 'au moins')})"
        )
        yield f"{'':25}{_figures(each)}"


def _figures(found: Finding) -> str:
    return "; ".join(f"{name} {_number(value)}" for name, value in found.figures.items())


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def page(found: Sequence[Finding], sizes: Sizes, versions: str, day: date, picture: str) -> str:
    """Write the page of the docs, in English; `picture` is the file its chart is in."""
    shown = f"![Each figure as a multiple of its goal]({picture})"
    return "\n".join([*_head(sizes, versions, day), shown, "", *_goals(found), ""])


def _head(sizes: Sizes, versions: str, day: date) -> Iterator[str]:
    yield "# Benchmarks of the host"
    yield ""
    yield (
        f"Written by `{COMMAND}` on {day.isoformat()}: {machine()}, Python "
        f"{platform.python_version()}, {versions}; seed {SEED}."
    )
    yield ""
    yield (
        f"{sizes['rows']:,} invoices in pages of {sizes['page']:,}; {sizes['peer_rows']:,} where a "
        f"peer would take hours for all; {sizes['rounds']} rounds, in which ours and its peer "
        "alternate. A ratio is the median of the rounds' ratios, in processor time of client and "
        "server together where nothing else is said, because the machine may be shared; the wall's "
        "is printed beside it. The page may be joined from runs of several days: each row says its "
        "own size and the commit it measured, and a goal that has no row was not measured."
    )
    yield ""
    yield (
        "The raw peer is a program of one page: `sqlite3` `executemany` of an upsert, or `COPY` "
        "into a temporary table and an upsert from there, of the same columns of the same rows, "
        "the record's text included, which it lays out from the same invoices within its time, as "
        "ours does. `bare` leaves that text out. Neither has a cursor, an event, or a second "
        "company. Two more are printed and not judged: the raw peer handed its rows ready, and a "
        "raw upsert of the rows ours leaves, handed ready, into our own table with its keys. dlt "
        "merges the dictionaries ours checks and stores, as it comes: nested lists go into a "
        "second table; beside it, one told to keep them whole, not judged either."
        " The drain's raw loop leaves the rows ours leaves, in the host's own tables: each claim, "
        "fence and result with its two events is a transaction, and it lends no client."
    )
    yield ""


def _goals(found: Sequence[Finding]) -> Iterator[str]:
    yield "| Goal | Database | Due | Measured | | Figures | Code |"
    yield "|---|---|---|---|---|---|---|"
    for each in found:
        verdict = each.verdict
        goal = verdict.goal
        told = verdict.why_not if verdict.value is None else figure(goal, verdict.value)
        stands = word(verdict, "met", "**not met**", "**not measured**")
        yield (
            f"| `{goal.key}`: {goal.english} | {each.database} "
            f"| {due(goal, 'at most', 'at least')} | {told} | {stands} | {_figures(each)} "
            f"| {each.code} |"
        )
