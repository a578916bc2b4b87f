"""What an answer to "is it the same money?" settles, whatever was said or shown meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.houses import House, answer, line_of, payments
from tests.core.same_money import (
    asked_of_the_tool,
    collected,
    declared,
    declared_cents,
    failing,
    kinds,
    said_again,
    said_amount,
    sentences,
    the_same_then,
    tomorrow,
    two_tools,
    typed_first,
    unheard,
)

from encaisse_api import OutcomeUnknown, Transient
from encaisse_core import nightly, runner
from encaisse_core.errors import UsageError


def test_of_a_settlement_of_another_amount_by_now_the_answer_still_holds(house: House) -> None:
    typed_first(house)
    said_amount(house, 45_00)
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
    assert "45,00" in said


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
    collected(house, "F-2", 40_00)
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


def test_a_settlement_that_is_not_the_payment_in_question_may_be_another(house: House) -> None:
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    for _ in range(2):  # the customer paid as much to the company, beside what was typed in
        house.paper.pay("F-2", 40_00)
        house.night()
    down[0] = False
    house.night()
    answer(house, "maybe_same", verdict="different")
    assert house.claim("F-2")["hold"] == "maybe_same", "the other one is asked about"
    answer(house, "maybe_same", verdict="same")
    for _ in range(2):
        house.night()
    assert kinds(house) == set()
    assert house.claim("F-2")["open"] == 200_00 - 2 * 40_00
    assert declared_cents(house) == 40_00
    assert house.paper.written == []


def test_what_is_neither_of_two_payments_is_asked_once_of_each(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    for name in ("p1", "p2"):
        house.paper.collect(name, opened[0], line, 40_00, tomorrow(house))
    house.paper.bug = ZeroDivisionError("x")  # neither can be written meanwhile
    house.night()
    house.paper.pay("F-2", 40_00)
    house.night()
    for _ in range(2):
        assert house.claim("F-2")["hold"] == "maybe_same"
        answer(house, "maybe_same", verdict="different")
    house.paper.bug = None
    for _ in range(3):
        house.night()
    assert kinds(house) == set()
    assert house.claim("F-2")["open"] == 200_00 - 3 * 40_00
    assert declared_cents(house) == 40_00
    assert len(house.paper.written) == 2


@pytest.mark.parametrize("target", ["papertool", "othertool"])
def test_each_tool_that_shows_it_is_asked_about_by_itself(house: House, target: str) -> None:
    papers = two_tools(house, target)
    opened = house.open_everything()
    failing(papers, until=True)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    for paper in papers.values():
        paper.pay("F-4", 50_00)
    house.night()
    failing(papers, until=False)
    named = set()
    for _ in papers:
        (said,) = sentences(house, "maybe_same")
        named.add(next(tool for tool in papers if tool in said))
        answer(house, "maybe_same", verdict="same")
    assert named == set(papers), "the second is asked about at once"
    for _ in range(3):
        house.night()
    assert sentences(house, "maybe_same") == []
    assert [paper.written for paper in papers.values()] == [[], []]
    assert house.claim("F-4")["open"] == 350_00


@pytest.mark.parametrize("target", ["papertool", "othertool"])
@pytest.mark.parametrize("verdict", ["same", "different"])
def test_another_tool_that_shows_more_is_asked_whether_it_has_it_as_a_part(
    house: House, target: str, verdict: str
) -> None:
    """Typed into one tool; the other shows more: with other money, or other money only."""
    papers = two_tools(house, target)
    opened = house.open_everything()
    failing(papers, until=True)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 40_00, tomorrow(house))
    papers["othertool"].pay("F-4", 40_00)
    house.night()
    house.paper.pay("F-4", 55_00)
    papers["othertool"].pay("F-4", 15_00 if verdict == "same" else 55_00)
    house.night()
    failing(papers, until=False)
    answer(house, "maybe_same", verdict="same")
    (said,) = sentences(house, "maybe_same")
    assert "en fait-il partie" in said
    answer(house, "maybe_same", verdict=verdict)
    for _ in range(3):
        house.night()
    direct = 15_00 if verdict == "same" else 55_00
    assert house.claim("F-4")["open"] == 400_00 - 40_00 - direct
    assert declared_cents(house) == direct
    assert papers["othertool"].written == []
    written = verdict == "different" and target == "papertool"
    assert [cents for _, _, cents in house.paper.written] == [40_00] * written
    assert sentences(house, "maybe_same") == []


def test_another_payment_typed_elsewhere_is_asked_about_as_what_it_is(house: House) -> None:
    papers = two_tools(house, "othertool")
    opened = house.open_everything()
    line = line_of(house, opened, "F-4")
    failing(papers, until=True)
    house.paper.collect("p1", opened[0], line, 27_19, tomorrow(house))
    house.paper.pay("F-4", 27_19)
    house.night()
    house.paper.collect("p2", opened[0], line, 41_13, tomorrow(house))
    papers["othertool"].pay("F-4", 41_13)
    house.night()
    failing(papers, until=False)
    answer(house, "maybe_same", verdict="same")
    (said,) = sentences(house, "maybe_same")
    assert "41,13 apparaît dans othertool alors qu'un paiement égal" in said
    answer(house, "maybe_same", verdict="same")
    for _ in range(3):
        house.night()
    assert house.claim("F-4")["open"] == 400_00 - 27_19 - 41_13
    assert declared(house) == 0
    assert [cents for _, _, cents in papers["othertool"].written] == [27_19]


@pytest.mark.parametrize("bug", [ZeroDivisionError("x"), OutcomeUnknown("coupure")])
def test_what_is_typed_while_our_entry_is_in_doubt_is_asked_about_before_it_is_written(
    house: House, bug: Exception
) -> None:
    opened = house.open_everything()
    house.paper.bug = bug
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.night()
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.bug = None
    for _ in range(3):
        house.night()
    assert house.paper.written == []
    answer(house, "maybe_same", verdict="same")
    for _ in range(3):
        house.night()
    assert house.paper.written == []
    assert house.claim("F-2")["open"] == house.paper.invoices["r-F-2"].open.minor == 160_00
    assert declared(house) == 0


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


@pytest.mark.parametrize("failed", [Transient("en panne"), OutcomeUnknown("coupure")])
def test_nothing_is_suspended_after_the_answer(house: House, failed: Exception) -> None:
    kind: Any = house.shelf.known["papercollector"]
    pause, down = kind.pause, [True]

    def pause_or_fail(self: Any, key: str, told: Any) -> Any:
        if down[0]:
            raise failed
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


def test_a_collector_that_doubts_for_a_night_changes_no_answer(house: House) -> None:
    asked_of_the_tool(house)
    for state in ("pending", "verified"):
        said_again(house, state=state)
        house.night()
    assert the_same_then(house) == (160_00, 160_00)
    assert house.paper.written == []


def test_a_collector_that_says_another_amount_changes_no_answer(house: House) -> None:
    asked_of_the_tool(house)
    said_amount(house, 45_00)
    house.night()
    assert the_same_then(house) == (155_00, 160_00), "what was typed is short: a person sees it"
    assert house.paper.written == []
    (said,) = sentences(house, "typed_otherwise")
    assert "45,00" in said


def test_the_answer_holds_for_what_is_left_of_a_fall(house: House) -> None:
    asked_of_the_tool(house)
    house.paper.pay("F-2", -10_00)
    house.night()
    assert the_same_then(house)[0] == 160_00
    assert house.paper.written == []


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
