"""What a collector was told of, and went back since, is claimed again once a person called it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.core.houses import House, answer, make, nights
from tests.core.merging import merge, pay, second_tool, unmerge
from tests.core.same_money import sentences, unheard
from tests.core.stops_told import (
    WITHOUT,
    credited,
    hear_amended,
    hear_declared,
    muted,
    stops_of,
    undeclaring,
)

from encaisse_api import OutcomeUnknown, ProcedureState, Transient
from encaisse_core import nightly, runner
from encaisse_core.clock import VirtualClock


@pytest.mark.parametrize("declares", [True, False])
def test_a_person_has_the_collector_claim_again_what_went_back(
    tmp_path: Path, clock: VirtualClock, declares: bool
) -> None:
    without = () if declares else WITHOUT
    house = make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock, without=without)
    house.open_everything()
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", -40_00)
    nights(house, 2)
    (told,) = sentences(house, "told_and_gone")
    assert "demandez-lui de le réclamer de nouveau" in told
    assert "F-2" in told


@pytest.mark.parametrize("cents", [40_00, 200_00])
def test_nobody_is_asked_where_nothing_was_told_or_the_claim_came_back(
    house: House, cents: int
) -> None:
    house.open_everything()
    mute = muted(house, "declare_direct_payment")
    mute[0] = cents == 40_00  # not told at all; told, and the claim given back
    house.paper.pay("F-2", cents)
    house.night()
    house.paper.pay("F-2", -cents)
    house.night()
    mute[0] = False
    nights(house, 2)
    assert sentences(house, "told_and_gone") == []
    assert stops_of(house, "direct_payment") == (cents == 200_00)


@pytest.mark.parametrize("called", [False, True])
def test_what_a_collector_claims_is_lowered_and_never_raised(
    tmp_path: Path, clock: VirtualClock, called: bool
) -> None:
    house = undeclaring(tmp_path, clock)
    said = hear_amended(house)
    house.open_everything()
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", -40_00)
    house.night()
    assert said == [160_00]
    if called:
        answer(house, "told_and_gone")  # the collector claims 200 again
    credited(house, "F-2", 10_00, 190_00)
    nights(house, 2)
    assert said == [160_00, *([190_00] if called else [])]
    if not called:
        (asked,) = sentences(house, "told_and_gone")
        assert "160,00 de principal, alors que 190,00 sont dus" in asked


def test_a_collector_is_heard_once_for_all_a_tool_showed_since(house: House) -> None:
    house.open_everything()
    kind: Any = house.shelf.known["papercollector"]
    pull, readings = kind.pull_payments_collected, [0]

    def read(self: Any, since: Any) -> Any:
        readings[0] += 1
        return pull(self, since)

    for number in range(1, 8):
        house.paper.pay(f"F-{number}", 10_00)
    down = unheard(house)
    house.night()
    assert house.effect_states("declare_direct_payment") == ["planned"] * 7
    kind.pull_payments_collected = read
    down[0] = False
    house.clock.sleep(7 * 3600)
    runner.drain(house.host, house.company, nightly.STOPS)
    assert house.effect_states("declare_direct_payment") == ["done"] * 7
    assert readings == [1]


def gone_again(house: House, cents: int) -> None:
    """Let the customer pay, and the money go back."""
    for moved in (cents, -cents):
        house.paper.pay("F-2", moved)
        house.night()


def test_what_one_procedure_was_told_is_not_taken_off_in_the_next(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    said = hear_amended(house)
    opened = house.open_everything()
    gone_again(house, 40_00)
    for ref in opened:
        house.paper.states[ref] = ProcedureState(
            remote_id=ref, state="closed", close_code="abandoned", updated_at=house.clock.now()
        )
    nights(house, 4)
    assert sentences(house, "told_and_gone") == [], "it claims nothing any more"
    assert len(house.open_everything()) > len(opened)
    credited(house, "F-2", 10_00, 190_00)
    nights(house, 2)
    assert said == [160_00, 190_00]


def test_a_payment_that_goes_and_comes_back_lowers_a_claim_once(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    said = hear_amended(house)
    house.open_everything()
    gone_again(house, 120_00)
    assert len(sentences(house, "told_and_gone")) == 1
    house.paper.pay("F-2", 120_00)
    nights(house, 2)
    assert said == [80_00]
    assert sentences(house, "told_and_gone") == []


def test_a_person_is_told_what_a_collector_is_to_claim(tmp_path: Path, clock: VirtualClock) -> None:
    house = undeclaring(tmp_path, clock)
    said = hear_amended(house)
    house.open_everything()
    gone_again(house, 150_00)
    credited(house, "F-2", 100_00, 100_00)
    nights(house, 2)
    assert said == [50_00]
    (asked,) = sentences(house, "told_and_gone")
    assert "100,00 de principal en tout" in asked


def test_a_lowering_in_doubt_is_not_taken_for_heard(tmp_path: Path, clock: VirtualClock) -> None:
    house = undeclaring(tmp_path, clock)
    house.open_everything()
    kind: Any = house.shelf.known["papercollector"]
    amend, find, down = kind.amend, kind.find_amendment, [True]
    said, first = list[int](), list[str]()

    def amended(self: Any, key: str, told: Any) -> Any:
        if not first:
            first.append(key)
            raise OutcomeUnknown("réponse perdue")  # it never arrived
        said.append(told.principal.minor)
        return amend(self, key, told)

    def found(self: Any, key: str, told: Any) -> Any:
        if first == [key] and down[0]:
            raise Transient("en panne")
        return find(self, key, told)

    kind.amend, kind.find_amendment = amended, found
    gone_again(house, 40_00)
    credited(house, "F-2", 10_00, 190_00)
    house.night()
    down[0] = False
    nights(house, 3)
    assert said == [190_00]
    assert sentences(house, "told_and_gone") == []


@pytest.mark.parametrize("credit", [0, 5_00])
def test_who_is_lowered_by_two_payments_at_once_is_asked_about_when_one_goes(
    tmp_path: Path, clock: VirtualClock, credit: int
) -> None:
    house = undeclaring(tmp_path, clock)
    kind: Any = house.shelf.known["papercollector"]
    send, said, mute = kind.amend, list[int](), [True]

    def amend(self: Any, key: str, told: Any) -> Any:
        if mute[0] and said:
            raise Transient("en panne")
        said.append(told.principal.minor)
        return send(self, key, told)

    kind.amend = amend
    house.open_everything()
    down = unheard(house)
    for cents in (40_00, 10_00):
        house.paper.pay("F-2", cents)
        house.night()
    down[0] = False
    house.night()
    assert said == [150_00], "told of both; the second has nothing to tell any more"
    house.paper.pay("F-2", -10_00)
    house.night()
    mute[0] = False
    if credit:
        credited(house, "F-2", credit, 160_00 - credit)
    nights(house, 2)
    assert said == [150_00]
    assert len(sentences(house, "told_and_gone")) == 1


@pytest.mark.parametrize("arrived", [False, True])
def test_after_a_call_a_collector_is_lowered_from_what_it_claims(
    tmp_path: Path, clock: VirtualClock, arrived: bool
) -> None:
    house = undeclaring(tmp_path, clock)
    house.open_everything()
    kind: Any = house.shelf.known["papercollector"]
    amend, find, down = kind.amend, kind.find_amendment, [True]
    claims, first = [200_00], list[str]()

    def amended(self: Any, key: str, told: Any) -> Any:
        if not first:
            first.append(key)
            if arrived:
                claims[0] = told.principal.minor
                amend(self, key, told)
            raise OutcomeUnknown("réponse perdue")
        assert told.principal.minor <= claims[0]
        claims[0] = told.principal.minor
        return amend(self, key, told)

    def found(self: Any, key: str, told: Any) -> Any:
        if first == [key] and down[0]:
            raise Transient("en panne")
        return find(self, key, told)

    kind.amend, kind.find_amendment = amended, found
    gone_again(house, 40_00)
    if arrived:
        claims[0] = 200_00  # as the person asked of it
        answer(house, "told_and_gone")
        down[0] = False
        nights(house, 2)
    credited(house, "F-2", 10_00, 190_00)
    nights(house, 2)
    if sentences(house, "told_and_gone"):
        answer(house, "told_and_gone")  # it claims more: there is nothing to call about
    down[0] = False
    nights(house, 4)
    assert house.claim("F-2")["open"] == 190_00
    assert claims == [190_00]
    assert sentences(house, "told_and_gone") == []


def test_nobody_is_asked_about_a_lowering_that_was_never_sent(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    house.open_everything()
    mute = muted(house, "amend")
    gone_again(house, 40_00)
    mute[0] = False
    house.clock.sleep(7 * 3600)
    runner.drain(house.host, house.company, nightly.STOPS)
    assert house.effect_states("amend") == ["refused"]
    assert sentences(house, "told_and_gone") == []


@pytest.mark.parametrize("declares", [True, False])
def test_what_an_undone_merge_takes_back_is_claimed_again(
    tmp_path: Path, clock: VirtualClock, declares: bool
) -> None:
    without = () if declares else WITHOUT
    house = make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock, without=without)
    hear: Any = hear_declared if declares else hear_amended
    said = hear(house)
    house.open_everything()
    second = second_tool(house)
    house.night()
    pay(second, "X-3", 50_00)
    house.night()
    merged = merge(house, "F-3", "X-3")
    house.night()
    assert len(said) == 1
    unmerge(house, merged)
    nights(house, 2)
    assert house.claim("F-3")["open"] == 300_00
    assert len(sentences(house, "told_and_gone")) == 1
