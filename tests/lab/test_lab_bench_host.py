"""The host's benchmark reads the same rows on both sides and calls nothing met that was not."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from encaisse_lab.bench.host import databases, draining, house, ingesting, page, raw
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Bench, Finding, Spent, ratio
from encaisse_lab.bench.host.invented import dicts, invoices
from encaisse_lab.bench.judging import Goal, Verdict

SIZES = {"rows": 60, "peer_rows": 60, "page": 20, "rounds": 1}
GOAL = Goal("some", 0.5, "some speed", "une vitesse")


def bench(folder: Path) -> Bench:
    return Bench(Database("SQLite", folder), folder, 60, 1, 20, 60, lambda words: None)


def test_the_raw_peer_ends_with_the_rows_ours_ends_with(tmp_path: Path) -> None:
    there = bench(tmp_path)
    url = there.database.fresh()
    first = raw.upsert(there.database, url, invoices(60), 20, raw.FULL)
    assert first.wall > 0
    raw.upsert(there.database, url, invoices(60, changed=True), 20, raw.FULL)
    supply = house.Supply(there.database.spent, page=20)
    ours = there.database.fresh()
    with house.opened(ours, tmp_path / "home", {"benchtool": house.tool(supply)}) as opened:
        for changed in (False, True, True):
            supply.make = partial(invoices, 60, changed=changed)
            ingesting.once(there, opened, supply)
    asked = "select {0}, total, record from {1} order by 1"
    with sqlite3.connect(url.removeprefix("sqlite:///")) as told:
        theirs = told.execute(asked.format("remote_ref", "invoice")).fetchall()
    with sqlite3.connect(ours.removeprefix("sqlite:///")) as told:
        assert told.execute(asked.format("remote_ref", "sighting")).fetchall() == theirs
        kinds = "select count(*) from event where kind = 'page_read'"
        assert told.execute(kinds).fetchone() == (6,)  # three pages new, three changed, none again
    assert len(theirs) == 60


def test_growth_is_the_cost_of_one_of_many_beside_one_of_few(tmp_path: Path) -> None:
    there = replace(bench(tmp_path), rows=200_000)
    found = ingesting.growth(there, 2_000, [Spent(9, 1)], [Spent(9, 150)])
    assert found.verdict.value == pytest.approx(1.5)
    assert not found.verdict.met
    assert ingesting.growth(there, 999, [Spent(9, 1)], [Spent(9, 1)]).verdict.value is None


def test_rows_and_checked_invoices_are_the_same_for_one_seed() -> None:
    told = [(row["ref"], row["total"]["amount"]) for row in dicts(600)]
    assert told == [(item.ref, str(item.total.amount)) for item in invoices(600)]
    assert [row["total"] for row in dicts(3, seed=2)] != [row["total"] for row in dicts(3)]


def test_a_ratio_is_the_median_of_pairs_in_processor_time() -> None:
    peer = [Spent(9, 1), Spent(9, 4), Spent(9, 2)]
    ours = [Spent(1, 2), Spent(3, 4), Spent(9, 8)]
    assert ratio(peer, ours) == 0.5
    assert ratio(peer, ours, wall=True) == 3


@pytest.mark.parametrize(("value", "word"), [(0.5, "met"), (0.4, "**not met**")])
def test_the_page_says_how_each_goal_stands(value: float, word: str) -> None:
    found = [Finding(Verdict(GOAL, value), "SQLite", {"ours rows/s": 12_345.6})]
    written = page.page(found, SIZES, 1, "x 1", date(2026, 1, 2))
    assert f"| {value:.2f}x | {word} | ours rows/s 12,346 |" in written
    assert page.as_json(found, SIZES, 1)["goals"][0]["met"] is (word == "met")


def test_what_was_not_measured_is_never_met() -> None:
    found = [Finding(Verdict(GOAL, None, "no server"), "PostgreSQL")]
    assert "| no server | **not measured** |" in page.page(found, SIZES, 1, "x 1", date(2026, 1, 2))
    assert "NON MESURÉ" in next(page.spoken(found))
    assert page.as_json(found, SIZES, 1)["goals"][0]["met"] is None


@pytest.mark.slow
def test_every_effect_of_a_round_is_done_and_the_raw_loop_commits_as_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "TAKEN", 20)
    for name in databases.NAMES:
        with databases.opened(name) as database:
            there = Bench(database, database.folder, 60, 1, 20, 60, lambda words: None)
            keys = [each.verdict.goal.key for each in draining.measure(there)]
            assert keys == ["drain", "backlog"]
