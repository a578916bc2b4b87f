"""Draw how each goal stands on each database: what was measured as a multiple of its goal.

The line at one is the goal. Of a goal that is a limit (seconds, memory) the bar is what was allowed
by what was used, so that longer is better everywhere. The picture is the file, whole: no script, no
font from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from encaisse_lab.bench.host.found import Finding
from encaisse_lab.bench.judging import figure

MOST = 4.0
"""Multiples of a goal that are drawn; a longer bar ends there, with an arrow."""

WIDTH, LABEL, ROW, HEAD = 760, 210, 22, 40
UNIT = (WIDTH - LABEL - 120) / MOST
MET, UNMET, GOAL, INK = "#2f7d5b", "#b3432b", "#222222", "#222222"


def times(found: Finding) -> float | None:
    """Tell how many times its goal a figure reaches; None where it was not measured."""
    goal, value = found.verdict.goal, found.verdict.value
    if value is None:
        return None
    if not goal.at_most:
        return value / goal.due
    if value == 0:
        return MOST if found.verdict.met else 0.0
    return goal.due / value


def draw(found: Sequence[Finding]) -> str:
    """Draw the chart as SVG."""
    measured = [each for each in found if each.verdict.value is not None]
    height = HEAD + ROW * len(measured) + 14
    return "\n".join([*_frame(height), *_bars(measured), _goal_line(height), "</svg>", ""])


def _frame(height: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" font-family="DejaVu Sans, sans-serif" '
        f'font-size="12" fill="{INK}">'
    )
    yield "<title>Each figure as a multiple of its goal</title>"
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'


def _bars(measured: Sequence[Finding]) -> Iterator[str]:
    for number, each in enumerate(measured):
        top, reached = HEAD + ROW * number, times(each) or 0.0
        verdict = each.verdict
        long = UNIT * min(reached, MOST)
        told = figure(verdict.goal, verdict.value) + (" →" if reached > MOST else "")
        yield (
            f'<text x="{LABEL - 8}" y="{top + 13}" text-anchor="end">'
            f"{escape(verdict.goal.key)} · {escape(each.database)}</text>"
        )
        colour = MET if verdict.met else UNMET
        yield f'<rect x="{LABEL}" y="{top}" width="{long:.1f}" height="{ROW - 6}" fill="{colour}"/>'
        yield f'<text x="{LABEL + long + 6:.1f}" y="{top + 13}">{escape(told)}</text>'


def _goal_line(height: int) -> str:
    at = LABEL + UNIT
    where = f'x1="{at:.1f}" y1="{HEAD - 8}" x2="{at:.1f}" y2="{height - 8}"'
    return (
        f'<line {where} stroke="{GOAL}" stroke-dasharray="4 3"/>'
        f'<text x="{at:.1f}" y="{HEAD - 14}" text-anchor="middle">goal</text>'
    )
