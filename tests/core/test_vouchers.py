"""A payout's voucher balances, touches 411 with principal only, and leaves 467 at zero."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.vouchers import DoesNotAddUp, Line, PaidOut, Voucher, voucher

PAID = PaidOut("p-1", "F-12", 1000_00, 30_00, 40_00, 5_00, 100_00, 20_00)


def sums(lines: tuple[Line, ...]) -> dict[str, int]:
    """Add debits less credits by account."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.account] = totals.get(line.account, 0) + line.debit - line.credit
    return totals


def drawn(*paid: PaidOut) -> Voucher:
    return voucher("po-1", "GCollect", paid, sum(each.net for each in paid))


def test_the_voucher_of_one_payment_has_each_amount_on_its_account() -> None:
    made = drawn(PAID)
    assert [(x.account, x.debit, x.credit) for x in made.lines] == [
        ("467", 1075_00, 0),
        ("411", 0, 1000_00),
        ("7631", 0, 30_00),
        ("7581", 0, 40_00),
        ("758", 0, 5_00),
        ("6226", 100_00, 0),
        ("44566", 20_00, 0),
        ("401", 0, 120_00),
        ("401", 120_00, 0),
        ("467", 0, 120_00),
    ]
    assert [(x.account, x.debit, x.credit) for x in made.expected_bank] == [
        ("512", 955_00, 0),
        ("467", 0, 955_00),
    ]


def test_the_customers_line_bears_the_invoice_number_and_the_fee_the_payout() -> None:
    made = drawn(PAID)
    assert {line.reference for line in made.lines if line.account == "411"} == {"F-12"}
    assert {line.reference for line in made.lines if line.account == "6226"} == {"po-1"}
    assert all("GCollect" in line.label for line in made.lines)


def test_money_taken_back_swaps_the_sides() -> None:
    back = PaidOut("p-1", "F-12", -1000_00, -30_00, -40_00, -5_00, -100_00, -20_00)
    forth, undone = drawn(PAID), drawn(back)
    assert [(x.account, x.credit, x.debit) for x in undone.lines] == [
        (x.account, x.debit, x.credit) for x in forth.lines
    ]
    assert sums(undone.expected_bank) == {"512": -955_00, "467": 955_00}


def test_a_payment_and_its_reversal_in_one_payout_expect_no_transfer() -> None:
    back = PaidOut("p-1", "F-12", -1000_00, -30_00, -40_00, -5_00, -100_00, -20_00)
    made = drawn(PAID, back)
    assert made.expected_bank == ()
    assert not any(sums(made.lines).values())
    assert sum(line.account == "411" for line in made.lines) == 2


def test_a_fee_kept_on_money_taken_back_leaves_the_creditor_owing() -> None:
    made = drawn(replace(PAID, principal=-1000_00, interest=0, indemnity=0, costs=0))
    assert sums(made.expected_bank) == {"512": -1120_00, "467": 1120_00}


def test_a_payout_whose_lines_make_another_net_is_not_posted() -> None:
    with pytest.raises(DoesNotAddUp, match="po-1 de GCollect"):
        voucher("po-1", "GCollect", [PAID], PAID.net + 1)


CENTS = st.integers(-(10**8), 10**8)
PAYOUTS = st.lists(
    st.builds(
        PaidOut,
        st.just("p"),
        st.sampled_from(["F-1", "F-2"]),
        CENTS,
        CENTS,
        CENTS,
        CENTS,
        CENTS,
        CENTS,
    ),
    max_size=8,
)


ACCOUNTS = {"411", "467", "401", "512", "6226", "44566", "7631", "7581", "758"}


@settings(max_examples=examples(60))
@given(PAYOUTS)
def test_every_payout_balances_and_467_ends_at_zero_once_the_bank_line_came(
    paid: list[PaidOut],
) -> None:
    made = drawn(*paid)
    for lines in (made.lines, made.expected_bank):
        assert sum(x.debit for x in lines) == sum(x.credit for x in lines)
        assert all(min(x.debit, x.credit) == 0 < max(x.debit, x.credit) for x in lines)
    assert sums(made.lines + made.expected_bank).get("467", 0) == 0
    assert sums(made.lines).get("401", 0) == 0
    assert "512" not in sums(made.lines)
    assert sums(made.lines).get("411", 0) == -sum(each.principal for each in paid)
    assert {x.account for x in made.lines + made.expected_bank} <= ACCOUNTS
