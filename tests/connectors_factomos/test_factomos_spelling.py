"""Amounts and dates as Factomos spells them, and every other spelling refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encaisse_factomos import spelling

CENTS = st.integers(-(10**14), 10**14)


@given(CENTS)
def test_every_sum_of_cents_survives_being_written_and_read(cents: int) -> None:
    euros = Decimal(cents).scaleb(-2)
    spellings = {f"{euros:.2f}", f"{euros:f}", f"{euros:.6f}"}
    spellings.add(f"{euros:.2f}".rstrip("0").rstrip("."))
    for text in spellings:
        assert spelling.amount(text) == euros, text


@given(st.integers(-(10**9), 10**9))
def test_a_json_number_is_read_like_its_text(euros: int) -> None:
    assert spelling.amount(euros) == spelling.amount(str(euros))


@pytest.mark.parametrize(
    "wrong",
    [
        "1 200,00",
        "1\u202f200.00",
        "1,200.00",
        "1200,00",
        "1200.00 €",
        "1e3",
        "0.001",
        "8.27758979797363",
        "+5",
        "--5",
        ".5",
        "5.",
        "",
        " 5",
        "٣",
        "NaN",
        "Infinity",
        "9" * 14,
        True,
        None,
        1.5,
        ["5"],
    ],
)
def test_a_sum_with_two_readings_or_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        spelling.amount(wrong)


@given(st.text(max_size=20))
def test_a_text_is_a_sum_to_the_cent_or_refused(text: str) -> None:
    try:
        found = spelling.amount(text)
    except ValueError:
        return
    assert found == Decimal(text)
    assert found.as_tuple().exponent == -2


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_of_the_century_survives_two_digits_of_year(day: date) -> None:
    assert spelling.term(day.strftime("%d/%m/%y")) == day


@pytest.mark.parametrize("none", ["00/00/00", "", None])
def test_no_term_is_no_date(none: object) -> None:
    assert spelling.term(none) is None


@pytest.mark.parametrize(
    "wrong",
    [
        "31/02/26",
        "00/01/26",
        "29/02/26",
        "1/1/26",
        "01/01/2026",
        "2026-01-01",
        "01-01-26",
        260101,
        0.5,
    ],
)
def test_an_impossible_or_foreign_date_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        spelling.term(wrong)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_midnight_in_paris_is_that_day_in_summer_and_winter(day: date) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Paris"))
    assert spelling.paris_day(str(int(midnight.timestamp()))) == day


def test_the_documented_instant_is_the_day_after_in_utc() -> None:
    assert datetime.fromtimestamp(1434664800, UTC).date() == date(2015, 6, 18)
    assert spelling.paris_day("1434664800") == date(2015, 6, 19)


@pytest.mark.parametrize("wrong", ["", "x", "1.5", "9" * 13, "-" + "9" * 12, None, False])
def test_an_instant_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        spelling.paris_day(wrong)


def test_a_payment_day_may_carry_a_time() -> None:
    assert spelling.iso_day("2026-03-25 10:12:31") == date(2026, 3, 25)
    for wrong in ("25/03/26", "2026-02-30", "2026-03-25T10:12:31Z", ""):
        with pytest.raises(ValueError):
            spelling.iso_day(wrong)
