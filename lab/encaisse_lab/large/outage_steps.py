"""The table of outages: which tool, how it fails, at which step of the night, and when money came.

A case is a row, not luck: every tool times every way to fail times every step times both moments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from encaisse_lab.large.bills import BOOKS, TOOLS, Tool

Kind = Literal[
    "down", "silent", "maintenance", "frozen", "frozen_untold", "truncated", "miscounted"
]
"""Errors; no answer; a page in place of an answer; yesterday's answers, whose age is told or not;
lists without their second half, with a count to match or not."""

KINDS: tuple[Kind, ...] = get_args(Kind)

UNDETECTABLE: frozenset[Kind] = frozenset({"frozen_untold"})
"""Answers of yesterday that say they are today's: no client can know, and what opens is counted
apart."""

Moment = Literal["evening", "night"]
"""The customer paid before the night began, or once the tools were read."""

MOMENTS: tuple[Moment, ...] = get_args(Moment)

PAYS_BEFORE = "stop"
"""The phase before which the money of the moment `night` comes in."""


@dataclass(frozen=True, slots=True)
class Step:
    """Be the point of a night: the nth request to the tool within a phase; 0 is its beginning."""

    phase: str
    nth: int

    def __str__(self) -> str:
        return f"{self.phase}:{self.nth}"


STEPS: Sequence[Step] = (
    Step("retry_stops", 0),
    Step("pull", 1),
    Step("pull", 2),
    Step("pull", 4),
    Step("join", 0),
    Step("reconcile", 0),
    Step("stop", 0),
    Step("write_back", 1),
    Step("write_back", 2),
    Step("post", 0),
    Step("open", 1),
    Step("open", 2),
    Step("open", 4),
    Step("compare", 0),
)
"""Before the pull, on its first page, in mid-list, while it is asked about what left the list,
between the phases, during write-back, at the gate for one invoice or the next, at the end."""

NOT_ITS_WAY: Mapping[Tool, frozenset[Kind]] = {
    "folder": frozenset({"silent", "maintenance", "frozen", "miscounted"}),
    "myunisoft": frozenset({"miscounted"}),
}
"""What cannot happen to a tool: a folder is asked nothing over the wire (it is not mounted, half of
it is missing, or yesterday's copy is), and MyUnisoft's lists have no count."""


@dataclass(frozen=True, slots=True)
class Case:
    """Be one row of the table, and the seed it is played with."""

    seed: int
    tool: Tool
    kind: Kind
    step: Step
    moment: Moment

    def __str__(self) -> str:
        return f"{self.tool}/{self.kind}/{self.step}/{self.moment}"

    @property
    def repeat(self) -> str:
        """Give the command that plays it again."""
        return f"encaisse year --outage --seed {self.seed} --case {self}"


def cases(seed: int) -> Iterator[Case]:
    """Give the whole table, in order."""
    for tool in TOOLS:
        for kind in KINDS:
            if kind in NOT_ITS_WAY.get(tool, ()):
                continue
            for step in STEPS:
                if not _reached(tool, step):
                    continue
                for moment in MOMENTS:
                    yield Case(seed, tool, kind, step, moment)


def _reached(tool: Tool, step: Step) -> bool:
    """Tell whether a tool is asked anything at a step: a folder never is, by one of our calls."""
    if step.nth == 0:
        return True
    return tool == BOOKS if step.phase == "write_back" else tool != "folder"


def slice_of(seed: int, every: int) -> list[Case]:
    """Give one case in `every`, so that a short run still meets each tool and each kind.

    The number of steps and moments is even: an odd `every` goes through all of them.
    """
    return [case for place, case in enumerate(cases(seed)) if place % every == seed % every]
