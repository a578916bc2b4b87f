"""A referrer earns a share of a fee really kept, once, and gives it back when the fee goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.commissions import (
    ACCRUED,
    EXPENSE,
    PAYABLE,
    RULE_VERSION,
    CommissionLine,
    Posting,
    SettlementFacts,
    accrue,
    balance,
    claw_back,
    payable,
    statement,
)
from encaisse_core.contracts import REFERRER_KINDS, Contract, ReferrerKind

SIGNED = date(2026, 9, 1)
NIGHT = date(2026, 9, 20)
EDITOR = Contract("ctr_1", "ref_1", "editor", date(2026, 1, 1), None, 200_000)
PAID = SettlementFacts("stl_1", "verified", "EUR", date(2026, 9, 10), 120_00)


def accrued(settlement: SettlementFacts = PAID, contract: Contract = EDITOR) -> CommissionLine:
    line = accrue(settlement, contract, SIGNED, on=NIGHT)
    assert line is not None
    return line


def test_a_referrer_earns_its_share_of_the_fee_kept() -> None:
    line = accrued()
    assert (line.basis, line.amount, line.kind) == (120_00, 24_00, "accrual")
    assert line.rule_version == RULE_VERSION
    assert line.postings == (Posting(EXPENSE, 24_00), Posting(ACCRUED, -24_00))


@pytest.mark.parametrize("state", ["pending", "rejected", "reversed"])
def test_only_a_verified_payment_earns_anything(state: str) -> None:
    other = SettlementFacts("stl_1", state, "EUR", PAID.received_on, 120_00)  # type: ignore[arg-type]
    assert accrue(other, EDITOR, SIGNED, on=NIGHT) is None


@pytest.mark.parametrize("fee", [None, 0])
def test_no_fee_no_commission(fee: int | None) -> None:
    assert accrue(replace(PAID, fee=fee), EDITOR, SIGNED, on=NIGHT) is None


def test_money_dated_before_the_signature_earns_nothing_and_the_same_day_does() -> None:
    assert accrue(replace(PAID, received_on=date(2026, 8, 31)), EDITOR, SIGNED, on=NIGHT) is None
    assert accrue(replace(PAID, received_on=SIGNED), EDITOR, SIGNED, on=NIGHT) is not None
    assert accrue(PAID, EDITOR, None, on=NIGHT) is None


def test_a_cabinet_earns_nothing_without_a_recorded_legal_opinion() -> None:
    cabinet = replace(EDITOR, referrer_id="ref_2", kind="cabinet")
    assert accrue(PAID, cabinet, SIGNED, on=NIGHT) is None
    assert accrue(PAID, replace(cabinet, legal_opinion=""), SIGNED, on=NIGHT) is None
    allowed = replace(cabinet, legal_opinion="avis du 2026-05-04")
    assert accrued(contract=allowed).amount == 24_00


def test_every_kind_of_referrer_has_its_rule_and_the_reason() -> None:
    assert set(REFERRER_KINDS) == set(get_args(ReferrerKind))
    assert all(earning.why for earning in REFERRER_KINDS.values())


@pytest.mark.parametrize("rate", [-1, 1_000_001])
def test_a_share_above_the_whole_fee_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="share"):
        replace(EDITOR, rate_ppm=rate)


def test_a_negative_fee_is_an_error_not_a_commission() -> None:
    with pytest.raises(ValueError, match="negative"):
        accrue(replace(PAID, fee=-1), EDITOR, SIGNED, on=NIGHT)


def test_half_a_cent_is_rounded_up_and_less_makes_no_line() -> None:
    half = replace(EDITOR, rate_ppm=500_000)
    assert accrued(replace(PAID, fee=1), half).amount == 1
    assert accrue(replace(PAID, fee=1), replace(EDITOR, rate_ppm=499_999), SIGNED, on=NIGHT) is None


def test_becoming_payable_moves_the_debt_and_adds_nothing() -> None:
    line = accrued()
    moved = payable(line, on=NIGHT)
    assert balance([line, moved]) == {EXPENSE: 24_00, ACCRUED: 0, PAYABLE: -24_00}
    with pytest.raises(ValueError, match="accrual"):
        payable(moved, on=NIGHT)


def test_a_reversal_claws_back_from_wherever_the_debt_stands() -> None:
    line = accrued()
    early = claw_back([line], on=NIGHT)
    assert early is not None
    assert set(early.postings) == {Posting(EXPENSE, -24_00), Posting(ACCRUED, 24_00)}
    late = claw_back([line, payable(line, on=NIGHT)], on=NIGHT)
    assert late is not None
    assert (late.amount, late.basis) == (-24_00, -120_00)
    assert set(late.postings) == {Posting(EXPENSE, -24_00), Posting(PAYABLE, 24_00)}


def test_nothing_is_clawed_back_twice_or_from_nobody() -> None:
    line = accrued()
    back = claw_back([line], on=NIGHT)
    assert back is not None
    assert claw_back([line, back], on=NIGHT) is None
    assert claw_back([], on=NIGHT) is None
    with pytest.raises(ValueError, match="one settlement"):
        claw_back([line, replace(line, settlement_id="stl_2")], on=NIGHT)


def test_a_line_that_does_not_balance_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="balance"):
        replace(accrued(), postings=(Posting(EXPENSE, 1),))


def test_a_statement_is_one_month_of_one_referrer() -> None:
    september = accrued()
    october = payable(september, on=date(2026, 10, 2))
    drawn = statement([september, october], "2026-09")
    assert (drawn.lines, drawn.total, drawn.payable) == ((september,), 24_00, 0)
    drawn = statement([september, october], "2026-10")
    assert (drawn.lines, drawn.total, drawn.payable) == ((october,), 0, 24_00)
    with pytest.raises(ValueError, match="one referrer"):
        statement([september, replace(october, referrer_id="ref_9")], "2026-10")


LIVES = st.lists(
    st.tuples(
        st.integers(0, 10**7),  # fee
        st.booleans(),  # paid out
        st.booleans(),  # reversed
        st.integers(1, 3),  # month accrued
    ),
    max_size=12,
)


@settings(max_examples=examples(60), deadline=None)
@given(lives=LIVES, rate=st.integers(0, 1_000_000))
def test_the_ledger_balances_stays_within_the_fees_and_equals_its_statements(
    lives: list[tuple[int, bool, bool, int]], rate: int
) -> None:
    contract = replace(EDITOR, rate_ppm=rate)
    ledger: list[CommissionLine] = []
    standing_fees = 0
    for i, (fee, paid_out, reversed_, month) in enumerate(lives):
        settlement = replace(PAID, settlement_id=f"stl_{i}", fee=fee, received_on=date(2026, 9, 2))
        line = accrue(settlement, contract, SIGNED, on=date(2026, 8 + month, 5))
        if line is None:
            continue
        assert 0 < line.amount <= fee
        mine = [line]
        if paid_out:
            mine.append(payable(line, on=date(2026, 9 + month, 5)))
        if reversed_:
            back = claw_back(mine, on=date(2026, 9 + month, 6))
            assert back is not None
            mine.append(back)
            assert not any(balance(mine).values())
        else:
            standing_fees += fee
        assert [each.kind for each in mine].count("accrual") == 1
        ledger += mine
    assert sum(balance(ledger).values()) == 0
    assert 0 <= balance(ledger).get(EXPENSE, 0) <= standing_fees
    drawn = [statement(ledger, f"2026-{month:02d}") for month in range(9, 13)]
    assert sum(len(each.lines) for each in drawn) == len(ledger)
    assert sum(each.total for each in drawn) == balance(ledger).get(EXPENSE, 0)
    assert sum(each.payable for each in drawn) == -balance(ledger).get(PAYABLE, 0)
    for each in drawn:
        assert each.total == sum(line.amount for line in each.lines if line.kind != "payable")


@settings(max_examples=examples(60))
@given(fee=st.integers(1, 10**9), rate=st.integers(0, 1_000_000))
def test_the_rounded_share_is_within_half_a_cent_of_the_exact_one(fee: int, rate: int) -> None:
    line = accrue(replace(PAID, fee=fee), replace(EDITOR, rate_ppm=rate), SIGNED, on=NIGHT)
    amount = line.amount if line else 0
    assert abs(2 * (amount * 1_000_000 - fee * rate)) <= 1_000_000
