"""A year in six connections: the same facts from the same seed, and faults that are seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from encaisse_core.store import schema
from encaisse_lab import semantic
from encaisse_lab.large import outage_steps, outages
from encaisse_lab.large.bills import BOOKS, TOOLS
from encaisse_lab.large.outage_steps import KINDS, STEPS, Case, Step
from encaisse_lab.large.run import Large, once_more_in_process, once_more_over_http, run
from encaisse_lab.large.verdict import judge

SEED, INVOICES, NIGHTS = 7, 900, 12


def test_every_tool_fails_in_every_way_at_every_step() -> None:
    every = list(outage_steps.cases(SEED))
    assert len({str(case) for case in every}) == len(every)
    for tool in TOOLS:
        told = {(case.kind, case.step) for case in every if case.tool == tool}
        kinds = set(KINDS) - outage_steps.NOT_ITS_WAY.get(tool, frozenset())
        begins = {step for step in STEPS if step.nth == 0}
        assert {kind for kind, _ in told} == kinds
        assert begins <= {step for _, step in told}
    steps = {case.step for case in every if case.tool == BOOKS}
    assert steps == set(STEPS)


def test_a_slice_of_the_table_meets_every_tool_and_over_the_seeds_every_case() -> None:
    assert {case.tool for case in outage_steps.slice_of(SEED, 61)} == set(TOOLS)
    met = {str(case) for seed in range(61) for case in outage_steps.slice_of(seed, 61)}
    assert met == {str(case) for case in outage_steps.cases(SEED)}


@pytest.fixture(scope="module")
def years() -> Iterator[tuple[Large, Large]]:
    """Live the first nights of a year twice."""
    with run(SEED, INVOICES, NIGHTS) as first, run(SEED, INVOICES, NIGHTS) as second:
        yield first, second


def _export(year: Large) -> str:
    return semantic.export(year.app, year.company_id)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_seed_is_a_year_and_http_changes_nothing(years: tuple[Large, Large]) -> None:
    first, second = years
    assert judge(first).wrong() == dict.fromkeys(judge(first).wrong(), ()), SEED
    assert first.people.done["direct"] > 0
    assert first.world.faults.counts.total() > first.world.calls // 10
    before = _export(first)
    assert before == _export(second)
    once_more_in_process(first)
    once_more_over_http(second)
    assert before != _export(first) == _export(second)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_stands_beside_the_deeds_is_wrong(years: tuple[Large, Large]) -> None:
    year = years[0]
    bill = next(each for each in year.people.bills if each.kept_in == (BOOKS,) and each.rest > 0)
    entered = (bill.number, "payment", 1_234)
    year.world.factomos._enter(  # an entry by a call of ours that nobody asked for
        next(iter(year.world.factomos._accounts.values())),
        year.world.factomos._owner(bill.refs[BOOKS])[1],
        1_234,
        year.clock.today(),
        "payment",
        "api",
    )
    assert judge(year).duplicates == (f"{entered[0]} : payment 12,34 €",)
    year.world.factomos._ledger.pop()
    bill.rest -= 5
    assert [each.split(" ")[0] for each in judge(year).open_amounts] == [bill.number]
    bill.rest += 5
    c = schema.claim.c
    before = _export(year)
    with year.app.host.store.begin() as tx:
        tx.execute(schema.claim.update().where(c.number == bill.number).values(open=c.open - 1))
    assert _export(year) != before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_tool_that_is_out_opens_nothing_and_one_that_lies_is_counted_apart() -> None:
    cases = [
        Case(SEED, BOOKS, "down", Step("pull", 2), "evening"),
        Case(SEED, BOOKS, "frozen", Step("retry_stops", 0), "evening"),
        Case(SEED, BOOKS, "truncated", Step("pull", 1), "evening"),
        Case(SEED, BOOKS, "down", Step("open", 1), "night"),
        Case(SEED, BOOKS, "frozen_untold", Step("retry_stops", 0), "evening"),
    ]
    found = list(zip(cases, outages.play_batch(cases), strict=True))
    told = outages.figures(SEED, found)
    assert outages.sound(told), (SEED, told)
    assert told["cases"] == told["met"] == 4
    assert told["opened_once_back"] == told["to_open"]
    assert told["undetectable_openings"] > 0
