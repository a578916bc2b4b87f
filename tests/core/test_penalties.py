"""What lateness costs is computed as published, to the cent, and never guessed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.cents import euros, half_up
from encaisse_core.penalties import INDEMNITY, indemnity, late_interest
from encaisse_core.rates import (
    DEFAULT_RATES,
    PUBLISHED,
    Semester,
    UnknownRate,
    rate_in,
)

DAYS = st.dates(date(2019, 1, 1), date(2026, 12, 31))


def test_the_worked_example_comes_to_1281_82() -> None:
    """12 000 EUR due on 15/11/2025, counted to 30/09/2026, the day after the due date included."""
    segments = late_interest(12_000_00, date(2025, 11, 15), date(2026, 9, 30))
    assert [(s.days, s.rate, s.cents) for s in segments] == [
        (46, Decimal("12.15"), 183_75),
        (181, Decimal("12.15"), 723_01),
        (92, Decimal("12.40"), 375_06),
    ]
    assert sum(s.cents for s in segments) == 1281_82
    assert (segments[0].first_day, segments[0].last_day) == (date(2025, 11, 16), date(2025, 12, 31))
    assert segments[-1].last_day == date(2026, 9, 30)


def test_nothing_is_owed_on_the_due_date_and_one_day_the_day_after() -> None:
    due = date(2026, 3, 31)
    assert late_interest(10_000_00, due, due) == ()
    assert late_interest(10_000_00, due, due - timedelta(days=9)) == ()
    (segment,) = late_interest(10_000_00, due, date(2026, 4, 1))
    assert (segment.days, segment.cents) == (1, 333)


def test_an_invoice_due_on_the_last_day_of_a_semester_runs_at_the_next_rate_only() -> None:
    (segment,) = late_interest(365_00, date(2026, 6, 30), date(2026, 7, 10))
    assert segment.rate == Decimal("12.40")


def test_a_half_cent_is_rounded_up() -> None:
    half = {Semester(2026, 1): Decimal("18.25")}
    (segment,) = late_interest(1000, date(2026, 1, 1), date(2026, 1, 2), half)
    assert segment.cents == 1  # 1000 x 18.25 % / 365 = 0.5
    assert [half_up(Fraction(n, 2)) for n in (1, 3, 5, -1, -3)] == [1, 2, 3, -1, -2]


@pytest.mark.parametrize("until", [date(2027, 1, 1), date(2030, 5, 5)])
def test_a_semester_without_a_published_rate_raises_and_nothing_is_extrapolated(
    until: date,
) -> None:
    with pytest.raises(UnknownRate, match="semestre 1 de 2027"):
        late_interest(100_00, date(2026, 12, 31), until)


def test_a_semester_before_the_table_raises_too() -> None:
    with pytest.raises(KeyError):
        rate_in(Semester(2018, 2))


def test_a_clause_brings_its_own_rates() -> None:
    clause = dict.fromkeys(PUBLISHED, Decimal(15))
    (segment,) = late_interest(365_00, date(2026, 1, 1), date(2026, 1, 11), clause)
    assert segment.cents == 150


def test_interest_does_not_run_on_a_credit() -> None:
    with pytest.raises(ValueError, match="owed"):
        late_interest(-1, date(2026, 1, 1), date(2026, 2, 1))


def test_the_rate_without_a_clause_is_the_refinancing_rate_plus_ten_points() -> None:
    known = {(2019, 1): "10.00", (2023, 1): "12.50", (2024, 2): "14.25", (2025, 1): "13.15"}
    for semester, rate in known.items():
        assert DEFAULT_RATES[Semester(*semester)] == Decimal(rate)


def test_the_table_has_every_semester_without_a_hole_and_says_where_it_was_read() -> None:
    years = range(2019, 2027)
    assert list(PUBLISHED) == [Semester(year, half) for year in years for half in (1, 2)]
    assert all(row.source for row in PUBLISHED.values())


@settings(max_examples=examples(60), deadline=None)
@given(principal=st.integers(0, 10**9), due=DAYS, until=DAYS)
def test_the_segments_cover_each_late_day_once(principal: int, due: date, until: date) -> None:
    segments = late_interest(principal, due, until)
    assert sum(s.days for s in segments) == max(0, (until - due).days)
    day = due
    for segment in segments:
        assert segment.first_day == day + timedelta(days=1)
        assert Semester.of(segment.first_day) == Semester.of(segment.last_day)
        day = segment.last_day
        exact = Fraction(principal * segment.days) * Fraction(segment.rate) / 36500
        assert abs(segment.cents - exact) <= Fraction(1, 2)
    assert not segments or day == until


@settings(max_examples=examples(60), deadline=None)
@given(principal=st.integers(0, 10**9), due=DAYS, until=DAYS, more=st.integers(1, 400))
def test_interest_never_shrinks_as_time_or_debt_grows(
    principal: int, due: date, until: date, more: int
) -> None:
    def owed(cents: int, day: date) -> int:
        return sum(s.cents for s in late_interest(cents, due, min(day, date(2026, 12, 31))))

    assert owed(principal, until) <= owed(principal + more, until)
    assert owed(principal, until) <= owed(principal, until + timedelta(days=more))


def test_the_indemnity_is_40_euros_between_professionals_and_nothing_otherwise() -> None:
    assert INDEMNITY == 4000
    assert indemnity("company") == indemnity("public") == indemnity("company", "unknown") == 4000
    assert indemnity("individual") == indemnity("unknown") == 0
    for state in ("sauvegarde", "redressement", "liquidation"):
        assert indemnity("company", state) == 0


@pytest.mark.parametrize(
    ("cents", "written"),
    [
        (0, "0,00"),
        (5, "0,05"),
        (-5, "-0,05"),
        (123456, "1\u202f234,56"),
        (10**8, "1\u202f000\u202f000,00"),
    ],
)
def test_amounts_are_written_the_french_way(cents: int, written: str) -> None:
    assert euros(cents) == written
