"""The host's benchmark reads the same rows on both sides and calls nothing met that was not."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import func, select

from encaisse_core import journal, runner
from encaisse_core.store import schema
from encaisse_lab import proof_kept
from encaisse_lab.bench.host import (
    chart,
    databases,
    draining,
    house,
    ingesting,
    joining,
    page,
    quiet,
    raw,
    raw_outbox,
    reconciling,
)
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Bench, Finding, Spent, ratio
from encaisse_lab.bench.host.invented import dicts, invoices
from encaisse_lab.bench.judging import Goal, Verdict

SIZES = {"rows": 60, "peer_rows": 60, "page": 20, "rounds": 1}
EVENTS = ("effect_done", "stop_acknowledged")
GOAL = Goal("some", 0.5, "some speed", "une vitesse")


def bench(folder: Path) -> Bench:
    return Bench(Database("SQLite", folder), folder, 60, 1, 20, 60, lambda words: None)


def test_the_raw_peer_ends_with_the_rows_ours_ends_with(tmp_path: Path) -> None:
    there = bench(tmp_path)
    url = there.database.fresh()
    first, laid = raw.upsert(there.database, url, invoices(60), 20, raw.FULL)
    assert first.wall > 0
    assert laid.wall > 0
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
    written = page.page(found, SIZES, "x 1", date(2026, 1, 2), "x.svg")
    assert f"| {value:.2f}x | {word} | ours rows/s 12,346 |" in written
    assert page.as_json(found, SIZES, 1)["goals"][0]["met"] is (word == "met")


def test_what_was_not_measured_is_never_met() -> None:
    found = [Finding(Verdict(GOAL, None, "no server"), "PostgreSQL")]
    written = page.page(found, SIZES, "x 1", date(2026, 1, 2), "x.svg")
    assert "| no server | **not measured** |" in written
    assert "NON MESURÉ" in next(page.spoken(found))
    assert page.as_json(found, SIZES, 1)["goals"][0]["met"] is None


def test_the_picture_draws_each_figure_as_a_multiple_of_its_goal() -> None:
    limit = replace(GOAL, key="held <MiB>", at_most=True, due=150.0)
    found = [
        Finding(Verdict(GOAL, 0.25), "SQLite"),
        Finding(Verdict(GOAL, 9.0), "SQLite"),
        Finding(Verdict(limit, 75.0), "SQLite"),
        Finding(Verdict(replace(limit, due=0), 0.0), "SQLite"),
        Finding(Verdict(GOAL, None, "no server"), "PostgreSQL"),
    ]
    assert [chart.times(each) for each in found] == [0.5, 18.0, 2.0, chart.MOST, None]
    drawn = etree.fromstring(chart.draw(found).encode())
    bars = drawn.findall("{*}rect")[1:]
    long = [float(bar.attrib["width"]) for bar in bars]
    assert long == pytest.approx([chart.UNIT * part for part in (0.5, 4, 2, 4)], abs=0.1)
    assert [bar.attrib["fill"] == chart.MET for bar in bars] == [False, True, True, True]
    assert "held <MiB> · SQLite" in "".join(drawn.itertext())


def test_a_piece_joins_the_others_and_replaces_its_own(tmp_path: Path) -> None:
    kept, sizes = tmp_path / "kept.json", {"rows": 60, "rounds": 1}
    joining.joined(kept, [Finding(Verdict(GOAL, 0.4), "SQLite", {"x": 1})], sizes)
    other = Finding(Verdict(GOAL, None, "no server"), "PostgreSQL")
    joining.joined(kept, [other], sizes)
    every = joining.joined(kept, [Finding(Verdict(GOAL, 0.6), "SQLite")], sizes | {"rows": 90})
    assert [(each.database, each.verdict.value) for each in every] == [
        ("PostgreSQL", None),
        ("SQLite", 0.6),
    ]
    assert joining.read(kept) == every
    assert every[1].figures == {"rows": 90, "rounds": 1}
    assert {each.code for each in every} == {proof_kept.commit()}
    assert every[1].code in page.page(every, SIZES, "x 1", date(2026, 1, 2), "x.svg")


@pytest.mark.slow
def test_the_raw_reconciliation_ends_with_the_rows_ours_ends_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = reconciling.measure(bench(tmp_path))
    assert found.verdict.value is not None
    assert found.verdict.value > 0
    monkeypatch.setattr(reconciling, "RAW", reconciling.RAW[:-1])
    with pytest.raises(AssertionError, match="round 1: the peer"):
        list(reconciling.measure(replace(bench(tmp_path), folder=tmp_path / "again")))


def test_the_raw_loop_leaves_the_rows_the_drain_leaves(tmp_path: Path) -> None:
    """The same effects done, and a journal that holds by the host's own check."""
    database, count = Database("SQLite", tmp_path), 12
    told: list[list[tuple[object, ...]]] = []
    for ours in (True, False):
        url, known = database.fresh(), {"benchcollector": draining.BenchCollector}
        with house.opened(url, tmp_path / f"home-{ours}", known) as opened:
            host, company = opened.app.host.of(opened.company), opened.company
            draining.plan(host, company, opened.links[0].id, count)
            if ours:
                runner.drain(host, company, ("pause",))
            else:
                raw_outbox.drain(database, url, company, count)
            with host.store.begin() as tx:
                assert journal.seal(tx, company, host.clock.now(), opened.app.signer) is not None
                e, j = schema.effect.c, schema.event.c
                sent = (e.remote_id == e.key, func.length(e.receipt))
                done = select(e.id, e.kind, e.state, e.token, e.attempts, e.reason, *sent)
                said = select(j.kind, j.subject).where(j.kind.in_(EVENTS)).order_by(j.sequence)
                rows = [tuple(each) for each in tx.execute(done.order_by(e.id))]
                told.append(rows + [tuple(each) for each in tx.execute(said)])
    assert told[0] == told[1]
    assert len(told[0]) == 3 * count


def test_an_unchanged_night_writes_its_run_record_only(tmp_path: Path) -> None:
    (found,) = quiet.measure(bench(tmp_path))
    assert found.verdict.value == 0, found.figures
    assert found.figures["rows of night"] == 1


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
