"""What is handed over to the books balances, closes 467, and never posts a principal twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.entries import ACCOUNTS, Collected, matched, remainder
from encaisse_core.vouchers import Line, PaidOut, voucher

CENTS = st.integers(0, 10**7)


@st.composite
def payouts(draw: st.DrawFn) -> tuple[list[PaidOut], list[int]]:
    """Draw the lines of a payout, some taken back, and how much of each the books have."""
    paid: list[PaidOut] = []
    posted: list[int] = []
    for number in range(draw(st.integers(1, 6))):
        sign = draw(st.sampled_from([1, 1, -1]))
        principal = draw(st.integers(1, 10**7))
        parts = [sign * draw(CENTS) for _ in range(5)]
        paid.append(PaidOut(f"p{number}", f"F-{number}", sign * principal, *parts))
        posted.append(draw(st.sampled_from([0, principal]) | st.integers(0, principal)))
    return paid, posted


def sums(lines: tuple[Line, ...]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.account] = totals.get(line.account, 0) + line.debit - line.credit
    return totals


@settings(max_examples=examples(60), deadline=None)
@given(payouts(), st.sampled_from(["467", "512"]))
def test_written_back_imported_and_transferred_467_closes_and_411_moves_once(
    drawn: tuple[list[PaidOut], list[int]], written_on: str
) -> None:
    paid, posted = drawn
    made = voucher("v-1", "GCollect", paid, sum(each.net for each in paid))
    at = [n for n, line in enumerate(made.lines) if line.account == "411"]
    left = remainder(made.lines, dict(zip(at, posted, strict=True)), written_on)
    assert sum(line.debit for line in left) == sum(line.credit for line in left)
    assert all(min(x.debit, x.credit) == 0 < max(x.debit, x.credit) for x in left)
    written_back = sum(
        cents if each.principal > 0 else -cents for each, cents in zip(paid, posted, strict=True)
    )
    held = written_back if written_on == "467" else 0
    assert held + sums(left + made.expected_bank).get("467", 0) == 0
    principal = sum(each.principal for each in paid)
    assert -written_back + sums(left).get("411", 0) == -principal
    others = {"401", "6226", "44566", "7631", "7581", "758"}
    assert {a: c for a, c in sums(left).items() if a in others} == {
        a: c for a, c in sums(made.lines).items() if a in others
    }
    assert {line.account for line in left} <= set(ACCOUNTS)


def test_more_than_the_line_or_another_account_is_never_taken_off() -> None:
    paid = PaidOut("p1", "F-1", 100_00, fee=10_00, fee_vat=2_00)
    made = voucher("v-1", "GCollect", [paid], paid.net)
    with pytest.raises(ValueError, match="posted already"):
        remainder(made.lines, {1: 100_01}, "467")
    with pytest.raises(ValueError, match="posted already"):
        remainder(made.lines, {0: 1}, "467")


def test_a_payment_taken_back_and_come_again_is_three_lines_of_two_payments() -> None:
    history = [Collected("pay_1", 50_00, "pay_2"), Collected("pay_3", 50_00, None)]
    found = matched([50_00, -50_00, 50_00], history, {})
    assert sorted(one for one in found if one) == ["pay_1", "pay_2", "pay_3"]
    assert found[1] == "pay_2"
    assert matched([50_00], history, {}) == ["pay_3"]
    assert matched([50_00], history, {"pay_3": 50_00}) == ["pay_1"]


def test_what_is_not_known_yet_is_matched_with_nothing() -> None:
    standing = [Collected("pay_1", 50_00, None)]
    assert matched([-50_00], standing, {}) == [None]
    assert matched([50_01], standing, {}) == [None]
    assert matched([50_00, 50_00], standing, {}) == ["pay_1", None]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.booleans()), max_size=5),
    st.lists(st.integers(-60, 60).filter(bool), max_size=8),
)
def test_a_payment_is_never_paid_out_beyond_its_amount(
    payments: list[tuple[int, bool]], principals: list[int]
) -> None:
    history = [
        Collected(f"pay_{n}", cents, f"back_{n}" if undone else None)
        for n, (cents, undone) in enumerate(payments)
    ]
    limits = {each.payment_id: each.amount for each in history}
    limits |= {each.undone_by: each.amount for each in history if each.undone_by}
    taken: dict[str, int] = {}
    for cents, one in zip(principals, matched(principals, history, {}), strict=True):
        if one is not None:
            taken[one] = taken.get(one, 0) + abs(cents)
            assert one.startswith("back") == (cents < 0)
    assert all(cents <= limits[one] for one, cents in taken.items())
