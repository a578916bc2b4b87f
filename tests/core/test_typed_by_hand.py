"""Random nights in which payments are typed in by hand, named late, changed and reversed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.core.typed_by_hand import Script, World
from tests.counts import examples

pytestmark = pytest.mark.slow

TOOLS = ("papertool", "othertool")
AMOUNTS = (31_07, 17_03, 23_09, 41_13, 27_19)
"""No sum or difference of some of these is another one."""


def drawn(seed: int) -> tuple[Script, dict[str, Any]]:
    """Draw a script, and the house it is played in."""
    r = Random(seed)
    tools, nights = TOOLS[: r.choice([1, 2, 2])], r.randint(6, 12)
    amounts = r.sample(AMOUNTS, len(AMOUNTS))
    script: Script = []
    for name in [f"p{k}" for k in range(r.randint(1, 2))]:
        script += _collected(r, name, amounts.pop(), r.randint(1, nights - 3), tools)
    for name in [f"d{k}" for k in range(r.randint(0, 2))]:
        night, cents = r.randint(1, nights - 2), amounts.pop()
        script += [
            (night + (r.randint(0, 1) if later else 0), ("pay", name, cents, tool))
            for later, tool in enumerate(tools)
        ]
    faults = (("bug", r.choice(["transient", "unknown", "bug"]), ""),
              ("deaf", True, False), ("mute", True, False))  # fmt: skip
    for what, on, off in faults:
        if r.random() < 0.4:
            night = r.randint(1, nights - 2)
            script += [(night, (what, on)), (night + r.randint(1, 3), (what, off))]
    if r.random() < 0.25:
        script.append((r.randint(1, nights), ("lose",)))
    delays = [r.randint(0, 3) for _ in range(6)]
    return script, {"tools": len(tools), "target": r.choice(tools), "delays": delays}


def _collected(r: Random, name: str, cents: int, night: int, tools: tuple[str, ...]) -> Script:
    """Draw what becomes of a payment a collector receives."""
    heard = night + r.randint(0, 1)
    script: Script = [(night, ("receive", name, cents, r.random() < 0.5)), (heard, ("list", name))]
    for tool in tools:
        if r.random() < 0.55:
            script.append((night + r.randint(0, 2), ("type", name, tool)))
    after = heard + r.randint(1, 4)
    match r.randrange(5):
        case 0:
            script.append((after, ("reverse", name)))
        case 1:
            script.append((after, ("change", name, r.choice([5_01, -5_03]))))
        case _:
            pass
    return script


def lived(script: Script, **house: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), **house)
        try:
            wrong = world.live(script)
        finally:
            world.house.app.close()
    assert not wrong, "\n".join([*wrong, *world.log])


@pytest.mark.parametrize("seed", range(examples(16)))
def test_money_counts_once_and_is_told_once_whoever_typed_it(seed: int) -> None:
    script, house = drawn(seed)
    lived(script, **house)


@pytest.mark.parametrize("seed", range(examples(12)))
def test_the_same_holds_however_late_the_answers_and_where_nothing_is_declared(seed: int) -> None:
    script, house = drawn(seed)
    r = Random(f"late {seed}")
    house["delays"] = [r.choice([0, 1, 3, 12]) for _ in range(6)]
    lived(script, **house, declares=r.random() < 0.5)


FIRST, OTHER = TOOLS
KNOWN: Script = [
    (1, ("receive", "p0", 27_19, False)),
    (1, ("list", "p0")),
    (1, ("type", "p0", FIRST)),
]
SECOND: Script = [
    (2, ("receive", "p1", 41_13, False)),
    (2, ("list", "p1")),
    (2, ("type", "p1", OTHER)),
]
STORIES: dict[str, tuple[Script, int]] = {
    "reversed after it was typed": ([*KNOWN, (3, ("reverse", "p0"))], 1),
    "changed twice after it was typed": (
        [*KNOWN, (3, ("change", "p0", 4_00)), (5, ("change", "p0", -9_00))],
        1,
    ),
    "typed first, reversed before the answer": (
        [(1, ("deaf", True)), *KNOWN, (2, ("deaf", False)), (3, ("reverse", "p0"))],
        1,
    ),
    "first heard of as reversed": (
        [(1, ("deaf", True)), *KNOWN, (2, ("reverse", "p0")), (2, ("deaf", False))],
        1,
    ),
    "another one typed into another tool": ([*KNOWN, *SECOND], 2),
    "paid directly, shown by another tool first": (
        [*KNOWN, (2, ("pay", "d0", 41_13, OTHER)), (4, ("pay", "d0", 41_13, FIRST))],
        2,
    ),
    "heard of while another payment was in question": (
        [
            (1, ("bug", "bug")),
            *KNOWN,
            (3, ("deaf", True)),
            (3, ("receive", "p1", 41_13, False)),
            (3, ("list", "p1")),
            (3, ("type", "p1", OTHER)),
            (4, ("deaf", False)),
            (8, ("bug", "")),
        ],
        2,
    ),
    "typed while our entry was in doubt": (
        [(1, ("bug", "unknown")), *KNOWN[:2], (2, ("type", "p0", FIRST)), (3, ("bug", ""))],
        1,
    ),
}


@pytest.mark.parametrize("target", TOOLS)
@pytest.mark.parametrize("story", STORIES)
def test_what_went_wrong_once_goes_right(story: str, target: str) -> None:
    script, tools = STORIES[story]
    if target not in TOOLS[:tools]:
        target = FIRST
    lived(list(script), tools=tools, target=target, delays=[2])
