"""Money a tool shows first, which the collector names later: one payment or two, a person says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.core.houses import House, answer, line_of, payments
from tests.core.same_money import (
    declared,
    kinds,
    sentences,
    tomorrow,
    two_tools,
    typed_first,
    unheard,
)

from encaisse_api import ProcedureState
from encaisse_core import ingest, nightly, reconcile, runner, stops, writeback
from encaisse_core.host import links
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


@pytest.mark.parametrize("typed", [40_00, 40_00 - 4_00 - 80], ids=["gross", "net of the fee"])
def test_what_the_collector_names_later_is_asked_about(house: House, typed: int) -> None:
    typed_first(house, typed=typed)
    assert house.claim("F-2")["hold"] == "maybe_same"
    for _ in range(12):
        house.night()
    assert payments(house, "F-2") == [("source", typed)]
    assert declared(house) == 0
    assert house.paper.written == []
    assert kinds(house) >= {"maybe_same"}


def test_said_to_be_the_same_it_is_the_collectors_alone(house: House) -> None:
    typed_first(house)
    answer(house, "maybe_same", verdict="same")
    assert house.claim("F-2")["open"] == 160_00
    assert sorted(payments(house, "F-2")) == [
        ("collector", 40_00),
        ("source", -40_00),
        ("source", 40_00),
    ]
    for _ in range(3):
        house.night()
    assert declared(house) == 0
    assert house.paper.written == []
    assert house.claim("F-2")["open"] == 160_00
    assert house.claim("F-2")["hold"] is None
    assert house.paper.invoices["r-F-2"].open.minor == 160_00


def test_said_to_be_different_both_count_and_each_is_told_once(house: House) -> None:
    typed_first(house)
    answer(house, "maybe_same", verdict="different")
    assert house.claim("F-2")["open"] == 120_00
    for _ in range(3):
        house.night()
    assert sorted(payments(house, "F-2")) == [("collector", 40_00), ("source", 40_00)]
    assert declared(house) == 1
    assert [cents for _, _, cents in house.paper.written] == [40_00]
    assert house.claim("F-2")["hold"] is None


def test_what_waits_for_an_answer_waits_however_long_and_goes_out_with_it(house: House) -> None:
    typed_first(house)
    for _ in range(60):
        house.night()
    assert house.effect_states("declare_direct_payment") == ["planned"], "nobody gave it up"
    assert kinds(house) == {"maybe_same"}
    answer(house, "maybe_same", verdict="different")
    runner.drain(house.host, house.company, nightly.STOPS)
    assert declared(house) == 1, "not six hours later"


@pytest.mark.parametrize("target", ["papertool", "othertool"])
def test_two_tools_that_show_it_are_both_told_already(house: House, target: str) -> None:
    papers = two_tools(house, target)
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    for paper in papers.values():
        paper.pay("F-4", 50_00)
    house.night()
    down[0] = False
    house.night()
    answer(house, "maybe_same", verdict="same")
    for _ in range(3):
        house.night()
    assert house.claim("F-4")["open"] == 350_00
    assert [paper.written for paper in papers.values()] == [[], []]
    assert declared(house) == 0


def test_the_collector_is_asked_what_it_received_before_it_is_told_anything(house: House) -> None:
    opened = house.open_everything()
    house.clock.sleep(3600)
    line, today = line_of(house, opened, "F-2"), house.clock.now().date()
    house.paper.collect("p1", opened[0], line, 40_00, today)
    house.paper.pay("F-2", 40_00)
    with house.host.store.begin() as tx:
        tool = next(x for x in links(tx, house.company) if x.connector == "papertool")
    ingest.pull_invoices(house.host, tool)  # by day, a tool told something; nobody else was read
    reconcile.reconcile(house.host, house.company)
    assert stops.plan_stops(house.host, house.company) == 1
    runner.drain(house.host, house.company, nightly.STOPS)
    assert declared(house) == 0
    assert house.claim("F-2")["hold"] == "maybe_same"


def test_what_a_tool_showed_before_the_collector_received_anything_is_not_asked_about(
    house: House,
) -> None:
    opened = house.open_everything()
    house.paper.pay("F-2", 40_00)
    house.night()
    assert declared(house) == 1
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.night()
    assert sorted(payments(house, "F-2")) == [("collector", 40_00), ("source", 40_00)]
    assert kinds(house) == set()


def test_a_declaration_of_the_collectors_own_money_is_taken_back_by_a_person(house: House) -> None:
    opened = house.open_everything()
    received = tomorrow(house)
    house.paper.pay("F-2", 40_00)
    house.night()
    assert declared(house) == 1
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, received)
    house.night()  # the collector took a day to say so
    answer(house, "maybe_same", verdict="same")
    assert kinds(house) == {"double"}
    assert house.claim("F-2")["open"] == 160_00


@pytest.mark.parametrize("why", ["recovered", "irrecoverable"])
def test_what_the_collector_ended_is_not_proposed_before_it_was_heard_out(
    house: House, why: str
) -> None:
    (ref,) = house.open_everything()
    line = line_of(house, [ref], "F-2")
    down = unheard(house)
    if why == "recovered":
        house.paper.collect("p1", ref, line, 200_00, tomorrow(house))
    closed = ProcedureState(
        remote_id=ref, state="closed", close_code=why, updated_at=house.clock.now()
    )
    house.paper.states["s"] = closed
    house.night()
    assert "in_procedure" in house.reasons("F-2"), "nobody knows yet what came in"
    down[0] = False
    for _ in range(2):
        house.night()
    assert ("in_procedure" in house.reasons("F-2")) is False
    assert house.claim("F-2")["state"] == ("settled" if why == "recovered" else "open")


@pytest.mark.parametrize("state", ["done", "uncertain", "parked", "planned"])
def test_a_declaration_nobody_knows_of_is_not_called_made(house: House, state: str) -> None:
    opened = house.open_everything()
    received = tomorrow(house)
    house.paper.pay("F-2", 40_00)
    house.night()
    e = schema.effect.c
    with house.host.store.begin() as tx:
        was = schema.effect.update().where(e.kind == "declare_direct_payment")
        tx.execute(was.values(state=state, ready_at=stamp(house.clock.now() + timedelta(days=9))))
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, received)
    house.night()
    answer(house, "maybe_same", verdict="same")
    (said,) = sentences(house, "double") or [""]
    assert ("a été annoncé" in said) is (state == "done")
    assert ("a peut-être été annoncé" in said) is (state in ("uncertain", "parked"))


def test_one_answer_settles_one_question(house: House) -> None:
    """The collector's payment is typed in; before anybody answers, another order comes up."""
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, tomorrow(house))
    house.night()  # known by the collector, and written into the tool by us
    received = tomorrow(house)
    house.paper.pay("F-2", 30_00)
    house.night()  # a customer who paid the company, it seems
    assert kinds(house) == set()
    house.paper.pay("F-2", 40_00)
    house.night()
    first = sentences(house, "maybe_same")
    assert len(first) == 1, "the tool shows a payment equal to the collector's"
    house.paper.collect("p2", opened[0], line, 30_00, received)
    house.night()
    assert sentences(house, "maybe_same") == first
    answer(house, "maybe_same", verdict="different")
    (second,) = sentences(house, "maybe_same")
    assert "30,00" in second, "what waited behind the first question is asked by itself, at once"
    assert ("collector", 30_00) not in payments(house, "F-2")
    assert house.claim("F-2")["hold"] == "maybe_same"
    answer(house, "maybe_same", verdict="same")
    assert sentences(house, "maybe_same") == []
    assert house.claim("F-2")["hold"] is None
    assert ("source", -30_00) in payments(house, "F-2")
    assert house.claim("F-2")["open"] == 200_00 - 40_00 - 40_00 - 30_00


def test_a_fall_seen_meanwhile_is_not_explained_by_the_answer_to_a_settlement(house: House) -> None:
    typed_first(house)
    house.paper.pay("F-2", 15_00)
    house.night()
    assert payments(house, "F-2") == [("source", 40_00)], "it waits for the answer"
    answer(house, "maybe_same", verdict="same")
    assert ("source", 15_00) in payments(house, "F-2"), "money of its own, whatever was answered"
    house.night()
    assert house.claim("F-2")["open"] == 200_00 - 40_00 - 15_00


def test_an_entry_put_off_goes_out_as_soon_as_what_its_tool_shows_is_explained(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer pays the company while the first of two entries of the invoice is written."""
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    for name, cents in (("p1", 40_00), ("p2", 25_00)):
        house.paper.collect(name, opened[0], line, cents, tomorrow(house))
    tool: Any = house.shelf.known["papertool"]
    write = tool.record_payment

    def paid_meanwhile(self: Any, key: str, payment: Any) -> Any:
        if not house.paper.written:
            house.paper.pay("F-2", 15_00)
        return write(self, key, payment)

    monkeypatch.setattr(tool, "record_payment", paid_meanwhile)
    house.night()
    assert len(house.paper.written) == 1, "what the tool shows beside it may be the other one"
    reconcile.reconcile(house.host, house.company)
    assert ("source", 15_00) in payments(house, "F-2")
    writeback.plan_write_backs(house.host, house.company)
    runner.drain(house.host, house.company, nightly.WRITE_BACKS)
    assert sorted(cents for _, _, cents in house.paper.written) == [25_00, 40_00]


@pytest.mark.parametrize("why", ["recovered", "irrecoverable", None])
def test_a_list_that_was_cut_is_read_again_before_what_was_ended_is_proposed(
    house: House, why: str | None
) -> None:
    (ref,) = house.open_everything()
    closed = ProcedureState(
        remote_id=ref, state="closed", close_code=why, updated_at=house.clock.now()
    )
    house.paper.states["s"] = closed
    house.night()  # the payment that ended it was not in tonight's list
    assert "in_procedure" in house.reasons("F-2")
    house.paper.collect("p1", ref, line_of(house, [ref], "F-2"), 200_00, tomorrow(house))
    house.night()
    assert house.claim("F-2")["state"] == "settled"
    assert "in_procedure" not in house.reasons("F-1")
