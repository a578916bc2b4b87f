"""What a collector was told of, and went back since, is claimed again once a person called it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.core.houses import House, answer, make, nights
from tests.core.same_money import sentences, unheard
from tests.core.stops_told import WITHOUT, credited, hear_amended, muted, stops_of, undeclaring

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
    assert said == [160_00, 190_00 if called else 150_00]


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
