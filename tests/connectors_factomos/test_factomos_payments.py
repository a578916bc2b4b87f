"""What stands under our reference on an invoice, and what is doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast

import pytest

from encaisse_api import (
    Conflict,
    Drift,
    Money,
    OutcomeUnknown,
    PaymentEntry,
    Rejected,
    ReversalEntry,
)
from encaisse_factomos import payments

Payload = Callable[[str], Mapping[str, object]]
KEY = "enc-0000000000000000000000000a"
UNDO = "enc-0000000000000000000000000b"
STRANGE = "enc-0000000000000000000000000c"


def entry(amount: str = "120.50", on: str = "2026-03-22", currency: str = "EUR") -> PaymentEntry:
    return PaymentEntry(
        invoice_ref="inv-1",
        invoice_number="F1",
        amount=Money.model_validate({"amount": amount, "currency": currency}),
        paid_on=date.fromisoformat(on),
        reference=KEY,
        label="Recouvrement",
    )


def undoing(amount: str = "120.50") -> ReversalEntry:
    return ReversalEntry(
        invoice_ref="inv-1",
        invoice_number="F1",
        payment_remote_id="pay-2",
        amount=Money.model_validate({"amount": amount}),
        reversed_on=date(2026, 3, 25),
        reference=UNDO,
        label="Impayé",
    )


def test_a_payment_is_written_with_our_key_as_its_reference() -> None:
    assert payments.payment(KEY, entry()).body() == {
        "montant": "120.50",
        "type": "other",
        "reference": KEY,
        "payment_date": "2026-03-22",
    }


def test_a_reversal_is_the_same_sum_below_zero_under_its_own_reference() -> None:
    body = payments.reversal(UNDO, undoing()).body()
    assert (body["montant"], body["reference"]) == ("-120.50", UNDO)


def test_our_line_is_found_by_its_reference(payload: Payload) -> None:
    rows = payments.rows_of(payload("payments"), "Essai")
    found = payments.find(payments.payment(KEY, entry()), rows)
    assert found is not None
    assert (found.remote_id, found.amount) == ("pay-2", entry().amount)
    undone = payments.find(payments.reversal(UNDO, undoing()), rows)
    assert undone is not None
    assert (undone.remote_id, undone.amount) == ("pay-3", undoing().amount)


def test_a_line_under_no_reference_of_ours_is_not_ours(payload: Payload) -> None:
    rows = payments.rows_of(payload("payments"), "Essai")
    assert payments.find(payments.payment(STRANGE, entry()), rows) is None


@pytest.mark.parametrize("other", [entry("120.51"), entry(on="2026-03-23")])
def test_our_reference_on_another_sum_or_day_is_for_a_person(
    payload: Payload, other: PaymentEntry
) -> None:
    rows = payments.rows_of(payload("payments"), "Essai")
    with pytest.raises(Conflict):
        payments.find(payments.payment(KEY, other), rows)


def test_a_line_without_any_reference_may_be_ours_and_is_doubt(payload: Payload) -> None:
    listed = [dict(row) for row in cast("list[dict[str, object]]", payload("payments")["payments"])]
    del listed[-1]["reference"]
    with pytest.raises(Drift, match="reference : champ absent"):
        payments.rows_of({"payments": listed, "total_payments": len(listed)}, "Essai")


def test_our_reference_twice_is_a_double_a_person_removes(payload: Payload) -> None:
    rows = payments.rows_of(payload("payments"), "Essai")
    with pytest.raises(Conflict) as caught:
        payments.find(payments.payment(KEY, entry()), (*rows, rows[1]))
    assert "2 fois" in caught.value.message


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"payments": None},
        {"payments": {}},
        {"payments": []},
        {"payments": [], "total_payments": 1},
        {"payments": [{}], "total_payments": 1},
        {"payments": ["x"], "total_payments": 1},
        {"payments": [], "total_payments": -1},
    ],
)
def test_a_list_that_is_none_is_doubt(answer: dict[str, object]) -> None:
    with pytest.raises(Drift):
        payments.rows_of(answer, "Essai")


def test_a_row_cut_off_a_list_is_doubt(payload: Payload) -> None:
    whole = payload("payments")
    short = {**whole, "payments": cast("list[Any]", whole["payments"])[:-1]}
    with pytest.raises(Drift):
        payments.rows_of(short, "Essai")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"payment": {}},
        {"payment": {"payment_id": "p", "montant": "1", "reference": KEY}},
        {
            "payment": {
                "payment_id": "p",
                "montant": "120.50",
                "reference": STRANGE,
                "payment_date": "2026-03-22",
            }
        },
        {
            "payment": {
                "payment_id": "p",
                "montant": "12.50",
                "reference": KEY,
                "payment_date": "2026-03-22",
            }
        },
    ],
)
def test_a_reply_that_is_not_our_line_proves_nothing(answer: dict[str, object]) -> None:
    with pytest.raises(OutcomeUnknown):
        payments.written(payments.payment(KEY, entry()), answer)


def test_dollars_do_not_enter_books_in_euros() -> None:
    with pytest.raises(Rejected):
        payments.payment(KEY, entry(currency="USD"))
