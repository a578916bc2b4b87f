"""What nobody understands on the way of a claim: it waits, and makes no money."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.core.houses import House, make
from tests.core.paper import invoice

from encaisse_api import Money, SourceInvoice
from encaisse_core.clock import VirtualClock


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    made = make(database_url, tmp_path, clock)
    yield made
    made.app.close()


def test_a_total_corrected_in_the_tool_is_no_payment(house: House) -> None:
    house.night()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    claim = house.claim("F-4")
    assert (claim["total"], claim["open"], claim["hold"]) == (350_00, 350_00, None)
    assert house.count("payment") == 0
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_a_total_corrected_after_the_claim_was_handed_over_is_for_a_person(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    assert house.claim("F-4")["hold"] == "total_changed"
    assert house.count("payment") == 0
    assert [kind for kind, _, _ in house.paper.stops] == ["pause"]


def test_a_total_a_person_confirmed_is_taken_over(house: House) -> None:
    opened = house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.paper.add(invoice("F-5", 600_00))
    house.night()
    for number in ("F-4", "F-5"):
        house.answer("total_changed", number, lift=True)
    house.night()
    assert {n: house.claim(n)["open"] for n in ("F-4", "F-5")} == {"F-4": 350_00, "F-5": 600_00}
    assert house.claim("F-4")["hold"] is None
    assert [kind for kind, _, ref in house.paper.stops if ref == opened[0]].count("amend") == 1
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_a_claim_held_twice_is_free_after_the_second_answer(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    disputed = house.paper.invoices["r-F-4"].model_copy(update={"flags": frozenset({"disputed"})})
    house.paper.add(disputed)
    house.night()
    assert house.claim("F-4")["hold"] == "disputed"
    house.answer("disputed", "F-4", lift=True)
    assert house.claim("F-4")["hold"] == "total_changed"
    house.answer("total_changed", "F-4", lift=True)
    assert house.claim("F-4")["hold"] is None


def test_what_happens_again_is_asked_again(house: House) -> None:
    house.open_everything()
    for total in (350_00, 300_00):
        house.paper.add(invoice("F-4", total))
        house.night()
        assert house.claim("F-4")["hold"] == "total_changed"
        house.answer("total_changed", "F-4", lift=True)
    assert [kind for kind, _, _ in house.paper.stops].count("pause") == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "unknown"}, "unknown_status"),
        ({"currency": "USD"}, "currency_changed"),
    ],
)
def test_no_money_is_made_of_what_nobody_understands(
    house: House, change: dict[str, str], why: str
) -> None:
    house.night()
    house.paper.pay("F-4", 400_00)
    known = house.paper.invoices["r-F-4"].model_dump(mode="json") | change
    text = json.dumps(known)
    if "currency" in change:
        text = text.replace('"currency": "EUR"', '"currency": "USD"')
    house.paper.invoices["r-F-4"] = SourceInvoice.model_validate_json(text)
    house.night()
    assert house.count("payment") == 0
    assert house.claim("F-4")["hold"] == why
    assert house.claim("F-4")["state"] == "open"


@pytest.mark.parametrize(
    ("answered", "state"),
    [
        ({"state": "rejected"}, "refused"),
        ({"amount": Money.of_minor(1)}, "parked"),
        ({"amount": None}, "parked"),
        (None, "uncertain"),
        ({"remote_id": "the-same-every-time"}, "done"),
    ],
)
def test_a_receipt_that_does_not_say_all_of_it_is_no_success(
    house: House, answered: dict[str, object] | None, state: str
) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 5_00, date(2026, 2, 5))
    house.paper.collect("p2", opened[0], line, 7_00, date(2026, 2, 5))
    house.paper.receipts = lambda receipt: (
        None if answered is None else receipt.model_copy(update=answered)
    )
    night = house.night()
    assert night.failures == {}
    states = house.effect_states("record_payment")
    expected = {state, "parked"} if state == "done" else {state}
    assert set(states) == expected, states


def test_a_connector_that_cannot_be_built_costs_its_own_work_only(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 5_00, date(2026, 2, 5))

    def broken(self: object, context: object) -> None:
        raise ValueError("Jean Secret")

    monkeypatch.setattr(house.shelf.known["papertool"], "__init__", broken)
    night = house.night()
    assert len(night.failures) == 1
    assert "Secret" not in str(night.failures)
    assert "ValueError" in str(night.failures)
