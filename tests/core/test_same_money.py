"""Money a tool shows first, which the collector names later: one payment or two, a person says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, add_tool, answer, line_of, open_tasks, payments

from encaisse_api import Money, OutcomeUnknown, ProcedureState, Transient
from encaisse_core import ingest, nightly, reconcile, runner, stops
from encaisse_core.errors import UsageError
from encaisse_core.host import links
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


def unheard(house: House) -> list[bool]:
    """Let the collector name no payment for as long as what is returned holds True."""
    kind = house.shelf.known["papercollector"]
    pull: Callable[..., Any] = kind.pull_payments_collected  # type: ignore[attr-defined]
    down = [True]

    def pull_or_fail(self: Any, since: Any) -> Any:
        if down[0]:
            raise Transient("en panne")
        return pull(self, since)

    kind.pull_payments_collected = pull_or_fail  # type: ignore[attr-defined]
    return down


def tomorrow(house: House) -> date:
    return (house.clock.now() + timedelta(days=1)).date()


def declared(house: House) -> int:
    return sum(kind == "direct_payment" for kind, _, _ in house.paper.stops)


def kinds(house: House) -> set[str]:
    return {kind for _, kind, _ in open_tasks(house)}


def sentences(house: House, kind: str) -> list[str]:
    t = schema.task.c
    with house.host.store.begin() as tx:
        query = select(t.sentence).where(t.kind == kind, t.done_at.is_(None)).order_by(t.id)
        return list(tx.execute(query).scalars())


def typed_first(house: House, cents: int = 40_00, typed: int = 40_00) -> list[str]:
    """Let somebody type a collector's payment in while the collector cannot be read."""
    opened = house.open_everything()
    down = unheard(house)
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, cents, tomorrow(house))
    house.paper.pay("F-2", typed)
    house.night()
    assert payments(house, "F-2") == [("source", typed)]
    assert declared(house) == 0, "it may be the collector's own, which could not be asked"
    down[0] = False
    house.night()
    return opened


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


def test_two_tools_that_show_it_are_both_told_already(house: House) -> None:
    second = add_tool(house)
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    house.paper.pay("F-4", 50_00)
    second.pay("F-4", 50_00)
    house.night()
    down[0] = False
    house.night()
    answer(house, "maybe_same", verdict="same")
    for _ in range(3):
        house.night()
    assert house.claim("F-4")["open"] == 350_00
    assert house.paper.written == second.written == []
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
    assert ("source", 15_00) not in payments(house, "F-2")
    house.night()
    assert ("source", 15_00) in payments(house, "F-2"), "money of its own, whatever was answered"
    assert house.claim("F-2")["open"] == 200_00 - 40_00 - 15_00


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


def said_again(house: House, **changed: Any) -> None:
    """Let the collector say something else of its payment; it is read at the next night."""
    was = house.paper.collected["p1"]
    now = house.clock.now() + timedelta(hours=1)
    house.paper.collected["p1"] = was.model_copy(update=changed | {"updated_at": now})


def test_of_a_settlement_of_another_amount_by_now_the_answer_still_holds(house: House) -> None:
    typed_first(house)
    more = Money.of_minor(45_00, "EUR")
    said_again(house, amount=more, principal=more)
    house.night()
    assert payments(house, "F-2") == [("source", 40_00)], "it waits, whatever is said meanwhile"
    answer(house, "maybe_same", verdict="same")
    for _ in range(2):
        house.night()
    assert sorted(payments(house, "F-2")) == [
        ("collector", 45_00),
        ("source", -40_00),
        ("source", 40_00),
    ]
    assert house.claim("F-2")["open"] == 200_00 - 45_00
    assert declared(house) == 0
    assert house.paper.written == []
    (said,) = sentences(house, "typed_otherwise")
    assert "de 40,00 en 45,00" in said


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_of_a_settlement_that_went_back_meanwhile_the_answer_still_holds(
    house: House, verdict: str
) -> None:
    typed_first(house)
    house.paper.reverse("p1", tomorrow(house))
    house.night()
    answer(house, "maybe_same", verdict=verdict)
    for _ in range(2):
        house.night()
    assert declared(house) == (verdict == "different")
    collected = [cents for origin, cents in payments(house, "F-2") if origin == "collector"]
    assert sorted(collected) == [-40_00, 40_00], "both lines belong in the books"
    assert house.claim("F-2")["open"] == (200_00 if verdict == "same" else 160_00)


def test_a_settlement_nobody_confirms_any_more_cannot_be_said_to_be_the_same(house: House) -> None:
    typed_first(house)
    said_again(house, state="pending")
    house.night()
    with pytest.raises(UsageError, match="confirm"):
        answer(house, "maybe_same", verdict="same")
    assert payments(house, "F-2") == [("source", 40_00)]
    answer(house, "maybe_same", verdict="different")
    house.night()
    assert declared(house) == 1


def test_what_a_tool_shows_meanwhile_is_not_swallowed_by_the_answer(house: House) -> None:
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.night()
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", 15_00)
    house.night()
    answer(house, "maybe_same", verdict="same")
    for _ in range(2):
        house.night()
    assert ("source", 15_00) in payments(house, "F-2")
    assert house.claim("F-2")["open"] == 200_00 - 40_00 - 15_00


def test_an_answer_that_comes_late_says_what_was_asked(house: House) -> None:
    opened = house.open_everything()
    house.paper.bug = ZeroDivisionError("x")  # the collector's payment cannot be written meanwhile
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.paper.pay("F-2", 40_00)
    for _ in range(20):
        house.night()
    answer(house, "maybe_same", verdict="same")
    house.paper.bug = None
    for _ in range(3):
        house.night()
    assert house.paper.written == [], "somebody typed it in, as the person said"
    assert house.claim("F-2")["open"] == 160_00


def test_both_tools_that_show_it_are_explained_by_one_answer(house: House) -> None:
    second = add_tool(house)
    opened = house.open_everything()
    house.paper.bug = ZeroDivisionError("x")
    second.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    house.paper.pay("F-4", 50_00)
    second.pay("F-4", 50_00)
    house.night()
    answer(house, "maybe_same", verdict="same")
    house.paper.bug = second.bug = None
    for _ in range(3):
        house.night()
    assert sentences(house, "maybe_same") == []
    assert house.paper.written == second.written == []
    assert house.claim("F-4")["open"] == 350_00


def test_an_answer_is_not_kept_open(house: House) -> None:
    typed_first(house)
    with pytest.raises(UsageError, match="--keep"):
        answer(house, "maybe_same", verdict="different", lift=False)
    assert payments(house, "F-2") == [("source", 40_00)]


def test_who_is_asked_whether_it_is_the_same_is_not_told_to_call_meanwhile(house: House) -> None:
    typed_first(house)
    for _ in range(3):
        house.night()
    assert kinds(house) == {"maybe_same"}


def test_a_call_is_not_asked_for_any_more_once_the_collector_took_the_stop(house: House) -> None:
    house.open_everything()
    down = unheard(house)
    house.paper.pay("F-2", 40_00)
    for _ in range(2):
        house.night()
    assert kinds(house) == {"stop_unacknowledged"}
    (said,) = sentences(house, "stop_unacknowledged")
    assert ".)" not in said
    down[0] = False
    for _ in range(2):
        house.night()
    assert declared(house) == 1
    assert kinds(house) == set()


def test_nothing_is_suspended_after_the_answer(house: House) -> None:
    kind: Any = house.shelf.known["papercollector"]
    pause, down = kind.pause, [True]

    def pause_or_fail(self: Any, key: str, told: Any) -> Any:
        if down[0]:
            raise Transient("en panne")
        return pause(self, key, told)

    kind.pause = pause_or_fail
    typed_first(house)
    answer(house, "maybe_same", verdict="different")
    down[0] = False
    for _ in range(2):
        house.night()
    assert [told for told, _, _ in house.paper.stops] == ["direct_payment"]
    assert house.effect_states("pause") == ["refused"]


def test_a_doubtful_declaration_waits_for_its_answer_as_well(house: House) -> None:
    kind: Any = house.shelf.known["papercollector"]
    declare, down = kind.declare_direct_payment, [True]

    def declare_or_fail(self: Any, key: str, told: Any) -> Any:
        if down[0]:
            raise OutcomeUnknown("coupure")
        return declare(self, key, told)

    kind.declare_direct_payment = declare_or_fail
    opened = house.open_everything()
    received = tomorrow(house)
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, received)
    house.night()
    down[0] = False
    house.night()
    assert declared(house) == 0
    answer(house, "maybe_same", verdict="different")
    runner.drain(house.host, house.company, nightly.STOPS)
    assert declared(house) == 1, "not six hours later"


def asked_of_the_tool(house: House) -> None:
    """Let the collector name a payment that cannot be written, and a tool show an equal one."""
    opened = house.open_everything()
    house.paper.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.paper.pay("F-2", 40_00)
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"


def the_same_then(house: House) -> tuple[int, int]:
    """Say it is the same, let the tool be written to again: what the claim owes, and the tool."""
    answer(house, "maybe_same", verdict="same")
    house.paper.bug = None
    for _ in range(3):
        house.night()
    assert declared(house) == 0
    assert sentences(house, "maybe_same") == []
    return house.claim("F-2")["open"], house.paper.invoices["r-F-2"].open.minor


def test_a_collector_that_doubts_for_a_night_changes_no_answer(house: House) -> None:
    asked_of_the_tool(house)
    for state in ("pending", "verified"):
        said_again(house, state=state)
        house.night()
    assert the_same_then(house) == (160_00, 160_00)
    assert house.paper.written == []


def test_a_collector_that_says_another_amount_changes_no_answer(house: House) -> None:
    asked_of_the_tool(house)
    more = Money.of_minor(45_00, "EUR")
    said_again(house, amount=more, principal=more)
    house.night()
    assert the_same_then(house) == (155_00, 160_00), "what was typed is short: a person sees it"
    assert house.paper.written == []
    (said,) = sentences(house, "typed_otherwise")
    assert "de 40,00 en 45,00" in said


def test_the_answer_holds_for_what_is_left_of_a_fall(house: House) -> None:
    asked_of_the_tool(house)
    house.paper.pay("F-2", -10_00)
    house.night()
    assert the_same_then(house)[0] == 160_00
    assert house.paper.written == []


def test_another_tool_shows_it_with_more(house: House) -> None:
    second = add_tool(house)
    opened = house.open_everything()
    house.paper.bug = second.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 40_00, tomorrow(house))
    second.pay("F-4", 40_00)
    house.night()
    house.paper.pay("F-4", 55_00)
    second.pay("F-4", 15_00)
    house.night()
    answer(house, "maybe_same", verdict="same")
    house.paper.bug = second.bug = None
    for _ in range(3):
        house.night()
    assert house.claim("F-4")["open"] == 400_00 - 40_00 - 15_00
    assert house.paper.written == second.written == []
    assert sentences(house, "maybe_same") == []


def test_a_doubtful_pause_is_not_sent_after_the_answer(house: House) -> None:
    kind: Any = house.shelf.known["papercollector"]
    pause, down = kind.pause, [True]

    def pause_or_fail(self: Any, key: str, told: Any) -> Any:
        if down[0]:
            raise OutcomeUnknown("coupure")
        return pause(self, key, told)

    kind.pause = pause_or_fail
    typed_first(house)
    answer(house, "maybe_same", verdict="different")
    down[0] = False
    for _ in range(2):
        house.night()
    assert [told for told, _, _ in house.paper.stops] == ["direct_payment"]
    assert house.effect_states("pause") == ["refused"]


def test_different_is_asked_again_of_what_nobody_confirmed_then(house: House) -> None:
    typed_first(house)
    said_again(house, state="pending")
    house.night()
    answer(house, "maybe_same", verdict="different")
    house.night()
    assert declared(house) == 1
    said_again(house, state="verified")
    house.night()
    answer(house, "maybe_same", verdict="different")
    house.night()
    assert sorted(payments(house, "F-2")) == [("collector", 40_00), ("source", 40_00)]
