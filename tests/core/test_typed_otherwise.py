"""Who typed a payment in is told once its collector says otherwise of it."""

from __future__ import annotations

import pytest
from tests.core.houses import House, answer, line_of, nights
from tests.core.same_money import (
    asked_of_the_tool,
    declared,
    hand_over,
    kinds,
    moved_to,
    said_again,
    said_amount,
    sentences,
    the_same_then,
    tomorrow,
    typed_first,
    unheard,
)

from encaisse_api import Money, Transient


def test_typed_first_and_heard_of_as_gone_back_it_is_asked_about_as_well(house: House) -> None:
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.reverse("p1", tomorrow(house))
    down[0] = False
    house.night()
    answer(house, "maybe_same", verdict="same")
    for _ in range(2):
        house.night()
    assert declared(house) == 0
    assert house.claim("F-2")["open"] == 200_00
    (said,) = sentences(house, "typed_otherwise")
    assert "annulé" in said


@pytest.mark.parametrize("how", ["reversed", "changed"])
def test_typed_the_day_its_collector_says_otherwise_it_is_asked_about(
    house: House, how: str
) -> None:
    opened = house.open_everything()
    house.paper.bug = Transient("en panne")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.night()
    house.paper.pay("F-2", 40_00)
    if how == "reversed":
        house.paper.reverse("p1", tomorrow(house))
    else:
        said_amount(house, 45_00)
    house.night()
    house.paper.bug = None
    answer(house, "maybe_same", verdict="same")
    for _ in range(2):
        house.night()
    assert declared(house) == 0
    assert house.claim("F-2")["open"] == (200_00 if how == "reversed" else 155_00)
    assert len(sentences(house, "typed_otherwise")) == 1


def test_who_typed_it_is_told_when_it_goes_back(house: House) -> None:
    asked_of_the_tool(house)
    assert the_same_then(house) == (160_00, 160_00)
    house.paper.reverse("p1", tomorrow(house))
    for _ in range(2):
        house.night()
    assert house.claim("F-2")["open"] == 200_00
    (said,) = sentences(house, "typed_otherwise")
    assert "annulé un encaissement de 40,00" in said


def test_one_question_asks_about_a_payment_moved_there_and_back(house: House) -> None:
    opened = asked_of_the_tool(house)
    the_same_then(house)
    moved_to(house, opened, "F-3")
    nights(house, 2)
    (said,) = sentences(house, "typed_otherwise")
    assert "Passez l'écriture sur la facture F-3" in said
    moved_to(house, opened, "F-2")
    nights(house, 2)
    assert sentences(house, "typed_otherwise") == [], "it stands where it was typed"


def test_two_payments_typed_on_one_invoice_are_each_asked_about(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.bug = ZeroDivisionError("x")
    for name, cents in (("p1", 40_00), ("p2", 27_00)):
        house.paper.collect(name, opened[0], line, cents, tomorrow(house))
        house.paper.pay("F-2", cents)
        house.night()
        answer(house, "maybe_same", verdict="same")
    house.paper.bug = None
    for name in ("p1", "p2"):
        house.paper.reverse(name, tomorrow(house))
    nights(house, 2)
    assert len(sentences(house, "typed_otherwise")) == 2


def test_a_payment_corrected_so_that_its_net_is_what_was_typed_is_told(house: House) -> None:
    asked_of_the_tool(house)
    the_same_then(house)
    more = Money.of_minor(45_00)
    said_again(
        house, amount=more, principal=more, fee=Money.of_minor(5_00), fee_vat=Money.of_minor(0)
    )
    nights(house, 3)
    assert "typed_otherwise" in kinds(house)


@pytest.mark.parametrize("then", ["corrected", "reversed"])
def test_what_is_asked_of_an_entry_is_asked_where_it_stands(house: House, then: str) -> None:
    opened = asked_of_the_tool(house)
    the_same_then(house)
    moved_to(house, opened, "F-3")
    nights(house, 2)
    if then == "corrected":
        said_amount(house, 45_00)
    else:
        house.paper.reverse("p1", tomorrow(house))
    nights(house, 2)
    (said,) = sentences(house, "typed_otherwise")
    assert said.startswith("Facture F-2 :")
    assert ("sur la facture F-3, pour 45,00" if then == "corrected" else "Annulez-y") in said


def test_what_is_asked_is_taken_back_with_the_word_it_was_asked_for(house: House) -> None:
    asked_of_the_tool(house)
    the_same_then(house)
    house.paper.reverse("p1", tomorrow(house))
    nights(house, 2)
    assert len(sentences(house, "typed_otherwise")) == 1
    said_again(house, state="verified", reversed_on=None)
    nights(house, 2)
    assert sentences(house, "typed_otherwise") == []
    for cents in (45_00, 40_00):
        said_amount(house, cents)
        nights(house, 2)
    assert sentences(house, "typed_otherwise") == []


def test_an_entry_somebody_cancelled_is_to_be_made_again(house: House) -> None:
    asked_of_the_tool(house)
    the_same_then(house)
    house.paper.reverse("p1", tomorrow(house))
    nights(house, 2)
    answer(house, "typed_otherwise")
    said_again(house, state="verified", reversed_on=None)
    nights(house, 2)
    (said,) = sentences(house, "typed_otherwise")
    assert "Saisissez-le de nouveau" in said


def test_an_entry_corrected_as_asked_is_no_money_of_the_company(house: House) -> None:
    asked_of_the_tool(house)
    the_same_then(house)
    said_amount(house, 100_00)
    nights(house, 2)
    house.paper.pay("F-2", 60_00)  # 40 is corrected to 100
    nights(house, 2)
    assert declared(house) == 0
    answer(house, "maybe_same", verdict="same")
    nights(house, 2)
    assert house.claim("F-2")["open"] == house.paper.invoices["r-F-2"].open.minor == 100_00
    assert declared(house) == 0
    house.paper.pay("F-2", 60_00)  # and this is the customer's
    nights(house, 2)
    assert declared(house) == 1


def test_a_payout_of_what_was_typed_in_waits_for_its_correction(house: House) -> None:
    asked_of_the_tool(house)
    the_same_then(house)
    said_amount(house, 45_00)
    nights(house, 2)
    house.paper.pay_out("o1", ["p1"], tomorrow(house))
    nights(house, 2)
    assert hand_over(house).payouts == []
    answer(house, "typed_otherwise")
    (handed,) = hand_over(house).payouts
    assert handed["left_out"] == 45_00, "somebody entered all of it"


NET = 40_00 - 4_00 - 80
"""What is left of 40 after the fee and its VAT."""


@pytest.mark.parametrize("how", ["plain", "restored", "corrected and back"])
def test_an_entry_net_of_its_fee_is_left_out_net(house: House, how: str) -> None:
    typed_first(house, typed=NET)
    answer(house, "maybe_same", verdict="same")
    nights(house, 2)
    if how == "restored":
        house.paper.reverse("p1", tomorrow(house))
        nights(house, 2)
        said_again(house, state="verified", reversed_on=None)
        nights(house, 2)
    if how == "corrected and back":
        for cents in (45_00, 40_00):
            said_amount(house, cents)
            nights(house, 2)
    house.paper.pay_out("o1", ["p1"], tomorrow(house))
    nights(house, 2)
    (handed,) = hand_over(house).payouts
    assert handed["left_out"] == NET


@pytest.mark.parametrize("removed", [False, True])
def test_typed_said_to_be_nothing_and_then_again_is_not_written_beside(
    house: House, removed: bool
) -> None:
    typed_first(house)
    said_amount(house, 0)
    house.night()
    answer(house, "maybe_same", verdict="same")
    nights(house, 2)
    if removed:
        house.paper.pay("F-2", -40_00)
        answer(house, "typed_otherwise")
        nights(house, 2)
    said_amount(house, 40_00)
    nights(house, 3)
    assert house.paper.invoices["r-F-2"].open.minor == house.claim("F-2")["open"] == 160_00
    assert len(house.paper.written) == removed
    assert sentences(house, "typed_otherwise") == []
