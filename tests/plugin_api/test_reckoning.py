"""Amounts that cannot be true do not cross the border."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from encaisse_api import Debtor, Instalment, Money, SourceInvoice


def euros(amount: str, currency: str = "EUR") -> Money:
    return Money.model_validate({"amount": amount, "currency": currency})


def invoice(
    total: str,
    left: str,
    *,
    parts: tuple[tuple[str, str], ...] = (),
    credited: Money | None = None,
    **said: Any,
) -> SourceInvoice:
    return SourceInvoice(
        ref="i-1",
        number="F1",
        issue_date=date(2026, 1, 15),
        total=euros(total),
        open=euros(left),
        credited=credited,
        instalments=tuple(
            Instalment(ref=str(place), amount=euros(amount), open=euros(rest))
            for place, (amount, rest) in enumerate(parts or ((total, left),))
        ),
        debtor=Debtor(),
        **said,
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"total": "100", "left": "100.01"}, "100.01 open of 100.00"),
        ({"total": "-100", "left": "-100"}, "no total of an invoice"),
        ({"total": "100", "left": "-1"}, "paid too much is `settled`"),
        ({"total": "100", "left": "1", "state": "settled"}, "`settled` with 1.00 still open"),
        ({"total": "100", "left": "50", "credited": euros("5", "USD")}, "USD beside `currency`"),
        ({"total": "100", "left": "50", "credited": euros("-5")}, "takes nothing off"),
        ({"total": "100", "left": "0", "parts": (("100", "50"), ("0", "-50"))}, "instalment 1"),
        ({"total": "100", "left": "50", "parts": (("150", "50"), ("-50", "0"))}, "instalment 1"),
        ({"total": "100", "left": "60", "parts": (("50", "60"), ("50", "0"))}, "instalment 0"),
        (
            {
                "total": "100",
                "left": "-10",
                "state": "settled",
                "parts": (("50", "5"), ("50", "-15")),
            },
            "instalment 0",
        ),
        ({"total": "100", "left": "50", "parts": (("40", "50"),)}, "40.00 against 100.00"),
        ({"total": "100", "left": "50", "parts": (("100", "40"),)}, "40.00 against 50.00"),
        ({"kind": "credit_note", "total": "100", "left": "100"}, "negative amounts"),
        ({"kind": "unallocated_credit", "total": "-100", "left": "10"}, "negative amounts"),
        ({"kind": "credit_note", "total": "-100", "left": "-101"}, "-101.00 open of a credit"),
        ({"kind": "credit_note", "total": "-100", "left": "-1", "state": "settled"}, "still open"),
        (
            {
                "kind": "credit_note",
                "total": "-10",
                "left": "-5",
                "parts": (("-20", "-5"), ("10", "0")),
            },
            "instalment 1",
        ),
    ],
)
def test_amounts_that_contradict_each_other_are_refused(said: Any, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        invoice(**said)
    assert message in str(refused.value)
    assert "F1" in str(refused.value)


@pytest.mark.parametrize(
    "said",
    [
        {"total": "100", "left": "100"},
        {"total": "100", "left": "0", "state": "settled"},
        {"total": "100", "left": "-250", "state": "settled"},  # paid more than thrice
        {"total": "100", "left": "-20", "state": "unknown"},  # a status nobody knows, amounts kept
        {"total": "100", "left": "100", "state": "cancelled"},
        {"total": "0", "left": "0", "state": "settled"},
        {
            "kind": "down_payment",
            "total": "100",
            "left": "40",
            "parts": (("60", "0"), ("40", "40")),
        },
        {"kind": "credit_note", "total": "-100", "left": "-40"},
        {"kind": "credit_note", "total": "-100", "left": "0", "state": "settled"},
        {"total": "100", "left": "50", "credited": euros("50")},
    ],
)
def test_what_a_tool_may_well_say_is_taken(said: Any) -> None:
    assert invoice(**said).number == "F1"
