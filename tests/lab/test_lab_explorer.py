"""Exploring every order finds each planted bug, and nothing in the host's own code."""

from __future__ import annotations

import pytest

from encaisse_api.manifest import Guarantee
from encaisse_core import chaos
from encaisse_lab import explorer_stream
from encaisse_lab.broken_on_purpose import Flaw, planted
from encaisse_lab.explorations import DYING, OVERTAKEN, READING
from encaisse_lab.explorer import Bounds, explore
from encaisse_lab.explorer_scopes import effects


@pytest.mark.parametrize(
    ("flaw", "guarantee", "kinds", "trace"),
    [
        ("lookup", "lookup", ("letter",), 5),
        ("batch", "none", ("letter",), 5),
        ("lane", "key", ("letter", "pause"), 1),
    ],
)
def test_a_planted_bug_is_found_by_its_shortest_history(
    flaw: Flaw, guarantee: Guarantee, kinds: tuple[str, ...], trace: int
) -> None:
    with planted(flaw), effects(guarantee, kinds) as world:
        found = explore(world, DYING, most=60, first=True)
    assert found.shortest is not None
    assert not found.shortest.hole
    assert len(found.shortest.trace) == trace, found.shortest


def test_a_cursor_saved_before_its_page_loses_the_page() -> None:
    with planted("cursor"), explorer_stream.pages() as world:
        found = explore(world, READING, first=True)
    assert found.shortest is not None
    assert "killed" in " ".join(found.shortest.trace)


def test_no_death_loses_a_page() -> None:
    with explorer_stream.pages() as world:
        found = explore(world, READING)
    assert found.complete
    assert found.states > 5
    assert found.violations == []


@pytest.mark.parametrize("guarantee", ["key", "lookup", "none"])
def test_the_first_histories_of_two_workers_do_no_harm(guarantee: Guarantee) -> None:
    with effects(guarantee) as world:
        found = explore(world, DYING, most=16)
    assert found.histories > 16
    assert found.violations == []


@pytest.mark.slow
@pytest.mark.parametrize("guarantee", ["key", "lookup", "none"])
def test_a_worker_overtaken_past_its_lease_doubles_nowhere_but_in_the_hole(
    guarantee: Guarantee,
) -> None:
    with effects(guarantee) as world:
        found = explore(world, OVERTAKEN)
    assert found.complete
    assert len(found.violations) == found.holes
    assert (found.holes > 0) == (guarantee == "lookup")


@pytest.mark.slow
def test_an_ignored_fence_is_found() -> None:
    with planted("fence"), effects("lookup") as world:
        found = explore(world, OVERTAKEN, first=True)
    assert found.shortest is not None
    assert not found.shortest.hole
    assert "every lease expires" in found.shortest.trace


def test_a_depth_of_nothing_explores_nothing() -> None:
    with effects("key") as world:
        assert explore(world, Bounds(depth=0)).states == 0


def test_the_double_of_a_sleeper_is_named_to_a_person() -> None:
    with effects("lookup") as world:
        world.reset()
        slept: list[str] = []

        def sleep(name: str) -> None:
            if name == "letter.send.before_send" and not slept:
                slept.append(name)
                world.expire()
                world.work(-1)

        with chaos.hooked(sleep):
            world.work(-1)
        assert world.wrong() is not None
        assert world.named()
