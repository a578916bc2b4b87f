"""Every cent of every payment is on an échéance or still the debtor's, whatever happens next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.allocate import Allocation, Line, Open, allocate

JUNE, JULY = date(2026, 6, 30), date(2026, 7, 31)
THREE = [Open("no date", None, 50), Open("july", JULY, 200), Open("june", JUNE, 100)]


def test_the_oldest_instalment_is_paid_first_and_one_without_date_last() -> None:
    assert allocate(320, THREE) == Allocation(
        (Line("june", 100), Line("july", 200), Line("no date", 20)), 0
    )


def test_a_part_payment_stops_where_the_money_does() -> None:
    assert allocate(130, THREE).lines == (Line("june", 100), Line("july", 30))


def test_what_nothing_can_take_stays_the_debtors() -> None:
    assert allocate(400, THREE).unallocated == 50
    assert allocate(10, []) == Allocation((), 10)


def test_a_settled_or_credited_instalment_takes_nothing() -> None:
    assert allocate(30, [Open("a", JUNE, 0), Open("b", JUNE, -5), Open("c", JULY, 20)]) == (
        Allocation((Line("c", 20),), 10)
    )


def test_a_source_that_names_the_instalment_is_followed_and_no_further() -> None:
    assert allocate(250, THREE, only={"july"}) == Allocation((Line("july", 200),), 50)
    assert allocate(250, THREE, only=()) == Allocation((), 250)


def test_equal_due_dates_keep_the_order_given() -> None:
    same = [Open("b", JUNE, 10), Open("a", JUNE, 10)]
    assert [line.id for line in allocate(15, same).lines] == ["b", "a"]


@pytest.mark.parametrize("cents", [0, -1])
def test_money_that_goes_back_is_a_reversal_not_a_payment(cents: int) -> None:
    with pytest.raises(ValueError, match="payment"):
        allocate(cents, THREE)


# --- any order of partial, over-, double, reversed payments ------------------------------------

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 400)),
        st.tuples(st.just("reverse"), st.integers(0, 30)),
        st.tuples(st.just("refund"), st.integers(0, 30)),
    ),
    max_size=25,
)


@settings(max_examples=examples(60), deadline=None)
@given(
    amounts=st.lists(st.integers(0, 300), min_size=1, max_size=4),
    acts=ACTS,
    only=st.none() | st.sets(st.sampled_from(["e0", "e1", "e2"])),
)
def test_cents_are_conserved_under_any_order_of_payments_and_reversals(
    amounts: list[int], acts: list[tuple[str, int]], only: set[str] | None
) -> None:
    opens = {f"e{i}": amount for i, amount in enumerate(amounts)}
    payments: list[tuple[int, Allocation]] = []
    standing: dict[int, Allocation] = {}
    refunded = 0
    for act, value in acts:
        if act == "pay":
            due = [Open(key, JUNE, cents) for key, cents in opens.items()]
            made = allocate(value, due, only=only)
            standing[len(payments)] = made
            payments.append((value, made))
            lines = made.lines
        elif act == "reverse" and value in standing:
            lines = tuple(Line(x.id, -x.cents) for x in standing.pop(value).lines)
        elif act == "refund" and value in standing:
            refunded += standing[value].unallocated
            standing[value] = replace(standing[value], unallocated=0)
            lines = ()
        else:
            continue
        for line in lines:
            opens[line.id] -= line.cents
        for i, amount in enumerate(amounts):
            assert 0 <= opens[f"e{i}"] <= amount
        for paid, made in payments:
            assert made.allocated + made.unallocated == paid
        on_claim = sum(made.allocated for made in standing.values())
        assert on_claim == sum(amounts) - sum(opens.values())
        assert on_claim <= sum(amounts)
    assert refunded <= sum(paid for paid, _ in payments)
