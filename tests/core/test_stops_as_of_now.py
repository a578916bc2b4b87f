"""What a stop tells its collector is what is so when it is told, not when it was planned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.houses import House, answer, line_of, nights
from tests.core.same_money import (
    declared,
    kinds,
    sentences,
    tomorrow,
    two_tools,
    typed_first,
    unheard,
)
from tests.core.stops_told import (
    credited,
    hear_amended,
    hear_declared,
    muted,
    stops_of,
    undeclaring,
)

from encaisse_api import ProcedureState, Transient
from encaisse_core import collector, deliver, ingest, nightly, reconcile, runner, stops
from encaisse_core import kinds as host_kinds
from encaisse_core.clock import VirtualClock
from encaisse_core.host import links


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_a_credit_is_told_without_money_that_is_the_collectors_own(
    tmp_path: Path, clock: VirtualClock, verdict: Any
) -> None:
    house = undeclaring(tmp_path, clock)
    said = hear_amended(house)
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 100_00, tomorrow(house))
    house.paper.pay("F-4", 100_00)
    house.night()
    credited(house, "F-4", 50_00, 250_00)
    house.night()
    assert said == [], "the collector could not be asked whether the money is its own"
    down[0] = False
    house.night()
    assert said == []
    answer(house, "maybe_same", verdict=verdict)
    nights(house, 3)
    assert said[-1] == (350_00 if verdict == "same" else 250_00)


def test_a_declaration_that_waited_ends_nothing_that_is_owed_again(house: House) -> None:
    opened = house.open_everything()
    mute = [True]
    said = hear_declared(house, mute)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 160_00, tomorrow(house))
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.reverse("p1", tomorrow(house))
    mute[0] = False
    nights(house, 2)
    assert said == [(40_00, False)]
    assert "in_procedure" in house.reasons("F-2")


def test_a_declaration_an_answer_sends_ends_nothing_that_is_owed_again(house: House) -> None:
    opened = house.open_everything()
    said = hear_declared(house)
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 160_00, tomorrow(house))
    house.paper.pay("F-2", 160_00)
    house.night()
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.reverse("p1", tomorrow(house))
    down[0] = False
    house.night()
    answer(house, "maybe_same", verdict="same")
    nights(house, 2)
    assert said == [(40_00, False)]


def test_a_declaration_that_waited_ends_what_was_paid_meanwhile(house: House) -> None:
    opened = house.open_everything()
    mute = [True]
    said = hear_declared(house, mute)
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 160_00, tomorrow(house))
    house.night()
    mute[0] = False
    nights(house, 2)
    assert said == [(40_00, True)]


def test_a_claim_lowered_and_then_paid_is_withdrawn_once(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    house.open_everything()
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", 160_00)
    nights(house, 2)
    assert [kind for kind, _, _ in house.paper.stops].count("withdraw") == 1


def test_lowering_that_waited_becomes_a_withdrawal_once_all_is_paid(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    house.open_everything()
    down = unheard(house)
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", 160_00)
    house.night()
    down[0] = False
    nights(house, 2)
    assert [kind for kind, _, _ in house.paper.stops if kind != "pause"] == ["withdraw"]


def test_heard_means_read_after_what_the_tool_showed(house: House) -> None:
    opened = house.open_everything()
    house.clock.sleep(3600)
    line, today = line_of(house, opened, "F-2"), house.clock.now().date()
    with house.host.store.begin() as tx:
        by = {link.connector: link for link in links(tx, house.company)}
    kind: Any = house.shelf.known["papercollector"]
    pull = kind.pull_payouts

    def payouts(self: Any, since: Any) -> Any:
        house.clock.sleep(30)
        house.paper.collect("p1", opened[0], line, 40_00, today)
        house.paper.pay("F-2", 40_00)
        ingest.pull_invoices(house.host, by["papertool"])
        house.clock.sleep(30)
        yield from pull(self, since)

    kind.pull_payouts = payouts
    collector.pull_collector(house.host, by["papercollector"])
    kind.pull_payouts = pull
    reconcile.reconcile(house.host, house.company)
    stops.plan_stops(house.host, house.company)
    runner.drain(house.host, house.company, nightly.STOPS)
    assert declared(house) == 0
    assert "maybe_same" in kinds(house)


def test_a_pause_under_way_when_the_answer_comes_is_not_sent_after_it(house: House) -> None:
    kind: Any = house.shelf.known["papercollector"]
    pause, tries = kind.pause, [0]

    def answered_meanwhile(self: Any, key: str, told: Any) -> Any:
        tries[0] += 1
        if tries[0] == 1:
            answer(house, "maybe_same", verdict="different")
            raise Transient("timeout")
        return pause(self, key, told)

    kind.pause = answered_meanwhile
    typed_first(house)
    nights(house, 2)
    assert tries == [1]
    assert "pause" not in [kind for kind, _, _ in house.paper.stops]


def test_a_fault_in_reading_a_collector_parks_no_stop(house: House) -> None:
    house.open_everything()
    kind: Any = house.shelf.known["papercollector"]
    pull, broken = kind.pull_payments_collected, [True]

    def read(self: Any, since: Any) -> Any:
        if broken[0]:
            raise ZeroDivisionError("x")
        return pull(self, since)

    kind.pull_payments_collected = read
    house.paper.pay("F-2", 40_00)
    house.night()
    assert house.effect_states("declare_direct_payment") == ["planned"]
    broken[0] = False
    house.night()
    assert declared(house) == 1


def test_an_answer_between_the_check_and_putting_off_sends_the_stop(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed_first(house)
    close, once = deliver._close, [True]

    def late(attempt: Any, state: str, **how: Any) -> str:
        if once[0] and how["reason"] == host_kinds.ANSWER_AWAITED:
            once[0] = False
            answer(house, "maybe_same", verdict="different")
        return close(attempt, state, **how)

    house.clock.sleep(7 * 3600)
    monkeypatch.setattr(deliver, "_close", late)
    runner.drain(house.host, house.company, nightly.STOPS)
    assert not once[0]
    runner.drain(house.host, house.company, nightly.STOPS)
    assert declared(house) == 1


def _part_paid_before(house: House) -> None:
    house.night()
    house.paper.pay("F-2", 40_00)
    house.night()
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 160_00, tomorrow(house))


def _went_back(house: House) -> None:
    opened = house.open_everything()
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", -40_00)
    house.night()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 200_00, tomorrow(house))


def _paid_twice(house: House) -> None:
    opened = house.open_everything()
    house.paper.bug = Transient("x")
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 200_00, tomorrow(house))
    house.night()
    house.paper.pay("F-2", 150_00)


@pytest.mark.parametrize("story", [_part_paid_before, _went_back, _paid_twice])
def test_a_claim_settled_without_the_company_tells_nothing(
    house: House, story: Callable[[House], None]
) -> None:
    story(house)
    nights(house, 2)
    assert house.claim("F-2")["open"] == 0
    assert stops_of(house, "withdraw") == 0


def test_lowering_that_had_nothing_to_tell_is_told_once_it_has(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    said = hear_amended(house)
    house.open_everything()
    down, mute = unheard(house), muted(house, "withdraw")
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", 160_00)
    house.night()
    down[0] = False
    house.night()
    house.paper.pay("F-2", -160_00)
    house.night()
    mute[0] = False
    nights(house, 3)
    assert said == [160_00]


def test_a_claim_credited_again_is_withdrawn(house: House) -> None:
    mute = muted(house, "withdraw")
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 160_00, tomorrow(house))
    house.night()
    credited(house, "F-2", 40_00, 0)
    house.night()
    house.paper.reverse("p1", tomorrow(house))
    nights(house, 2)
    mute[0] = False
    house.night()
    credited(house, "F-2", 200_00, 0)
    nights(house, 3)
    assert stops_of(house, "withdraw") == 1


@pytest.mark.parametrize("paid", [40_00, 200_00])
def test_a_procedure_opened_again_is_told_what_it_was_not_while_closed(
    tmp_path: Path, clock: VirtualClock, paid: int
) -> None:
    house = undeclaring(tmp_path, clock)
    mute = muted(house, "withdraw" if paid == 200_00 else "amend")
    (ref,) = house.open_everything()
    house.paper.pay("F-2", paid)
    house.night()

    def moved(state: Any, **more: Any) -> None:
        told = ProcedureState(remote_id=ref, state=state, updated_at=house.clock.now(), **more)
        house.paper.states["s"] = told

    moved("closed", close_code="x")
    house.night()
    mute[0] = False
    house.night()
    moved("active")
    nights(house, 3)
    assert len(house.paper.stops) == 1


def test_what_was_paid_beyond_all_does_not_keep_a_claim_there(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    opened = house.open_everything()
    down = unheard(house)
    house.paper.pay("F-2", 200_00)
    house.night()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 50_00, tomorrow(house))
    down[0] = False
    nights(house, 3)
    assert stops_of(house, "withdraw") == 1
    assert "in_procedure" not in house.reasons("F-2") or house.reasons("F-2") == {"paid"}


def test_a_claim_taken_back_for_two_reasons_is_taken_back_once(house: House) -> None:
    papers = two_tools(house, "papertool")
    mute = muted(house, "withdraw")
    house.open_everything()
    credited(house, "F-1", 100_00, 0)
    house.night()
    known = papers["othertool"].invoices["r-F-1"]
    papers["othertool"].add(known.model_copy(update={"flags": frozenset({"disputed"})}))
    house.night()
    mute[0] = False
    nights(house, 2)
    assert stops_of(house, "withdraw") == 1


def test_a_stop_planned_again_that_stays_silent_is_asked_about_again(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = undeclaring(tmp_path, clock)
    muted(house, "amend")
    muted(house, "withdraw")
    house.open_everything()
    house.paper.pay("F-2", 40_00)
    nights(house, 2)
    assert len(sentences(house, "stop_unacknowledged")) == 1
    house.paper.pay("F-2", 160_00)
    nights(house, 2)
    house.paper.pay("F-2", -160_00)
    nights(house, 5)
    assert house.effect_states("amend") == ["planned"]
    assert len(sentences(house, "stop_unacknowledged")) == 1
