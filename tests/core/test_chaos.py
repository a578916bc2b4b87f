"""Points where a process may die: named once, told in one table, and free where nothing hangs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import encaisse_core
from encaisse_core import chaos
from encaisse_core.store import Store, open_store, schema

HOST = Path(encaisse_core.__file__).parent


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    made = open_store(database_url)
    yield made
    made.close()


def _write(store: Store, place: str) -> None:
    with store.begin(place) as tx:
        tx.execute(schema.heartbeat.insert().values(name="n", at="a", body="{}"))


def _written(store: Store) -> int:
    with store.begin() as tx:
        return len(tx.execute(select(schema.heartbeat.c.name)).all())


@pytest.mark.parametrize(("phase", "stands"), [("before_commit", 0), ("after_commit", 1)])
def test_a_death_beside_a_commit_leaves_all_of_it_or_nothing(
    store: Store, phase: str, stands: int
) -> None:
    def die(name: str) -> None:
        if name == f"compare.keep.{phase}":
            raise chaos.Killed

    with chaos.hooked(die), pytest.raises(chaos.Killed):
        _write(store, "compare.keep")
    assert _written(store) == stands


def test_one_hook_hangs_at_a_time_and_is_taken_off(store: Store) -> None:
    heard: list[str] = []
    with chaos.hooked(heard.append):
        with pytest.raises(RuntimeError), chaos.hooked(heard.append):
            pass
        _write(store, "compare.keep")
    _written(store)
    assert heard == ["compare.keep.before_commit", "compare.keep.after_commit"]


def test_calls_are_named_by_what_they_are_for() -> None:
    with chaos.during("pull.invoices"):
        with chaos.during("gate.look"):
            assert chaos.here() == "gate.look"
        assert chaos.here() == "pull.invoices"
    assert chaos.here() == chaos.ELSEWHERE
    with chaos.during("letter.send"):
        assert chaos.here() == "letter.send"
        assert chaos.here(reads=True) == "letter.prepare"


def test_every_place_of_the_table_is_in_the_host_and_no_other_is() -> None:
    sources = "\n".join(
        path.read_text("utf-8") for path in HOST.rglob("*.py") if path.name != "chaos.py"
    )
    commits = set(re.findall(r'\.begin\(f?"([^"]+)"\)', sources))
    calls = set(re.findall(r'during\(f?"([^"]+)"\)', sources))
    calls |= set(re.findall(r'f"(pull\.\{stream\})"', sources))
    calls |= set(re.findall(r'TOKENS = "(token\.[^"]+)"', sources))
    assert _spelt(commits) == set(chaos.COMMITS)
    assert _spelt(calls) == set(chaos.CALLS)
    assert len(chaos.POINTS) >= 60
    assert all(told.endswith(".") for told in chaos.POINTS.values())


FILLED = {
    "{effect.kind}.done": [f"{kind}.done" for kind in chaos.KINDS],
    "{attempt.effect.kind}.find": [f"{kind}.find" for kind in chaos.KINDS],
    "{attempt.effect.kind}.send": [
        *(f"{kind}.send" for kind in chaos.KINDS),
        *(f"{kind}.prepare" for kind in chaos.IN_BOOKS),
    ],
    "{attempt.effect.kind}.look_again": [f"{kind}.look_again" for kind in chaos.IN_BOOKS],
    "{attempt.effect.kind}.look": [f"{kind}.look" for kind in chaos.READ_BACK],
    "collector.{stream}": ["collector.progress", "collector.payments", "collector.payouts"],
    "pull.{stream}": ["pull.progress", "pull.payments", "pull.payouts"],
}


def _spelt(names: set[str]) -> set[str]:
    return {full for name in names for full in FILLED.get(name, [name])}
