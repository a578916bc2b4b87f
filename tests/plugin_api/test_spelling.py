"""Each spelling is read as its vendor declares it, and no other way; each doubt is an error."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encaisse_api import Money
from encaisse_api.spelling import (
    PARIS,
    Amounts,
    Days,
    Form,
    Words,
    blank,
    coined,
    count,
    instant,
)

CENTS = st.integers(-(10**14), 10**14)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
EVERY = Amounts(
    mark=".,", grouped=True, padded=True, noise=Decimal("0.000001"), none=(None, "", False)
)


def grouped(cents: int, blank_: str, mark: str) -> str:
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}".replace(",", blank_) + f"{mark}{rest:02d}"


@given(CENTS)
def test_money_in_an_object_is_read_by_the_member_that_carries_it(cents: int) -> None:
    spelling = Amounts(carrier="amount", none=(None,))
    written = f"{Decimal(cents).scaleb(-2):.2f}"
    assert spelling.read({"amount": written, "currency": "EUR"}) == Decimal(written)
    assert spelling.maybe({"amount": None}) is None is spelling.maybe(None)
    for wrong in (written, {"value": written}, [written], None):
        with pytest.raises(ValueError):
            spelling.read(wrong)


@given(CENTS, st.sampled_from([" ", "  ", "\u00a0", "\u202f"]))
def test_padding_is_read_where_declared_and_refused_elsewhere(cents: int, pad: str) -> None:
    written = f"{Decimal(cents).scaleb(-2):.2f}"
    assert Amounts(padded=True).read(f"{pad}{written}{pad}") == Decimal(written)
    with pytest.raises(ValueError, match="illisible"):
        Amounts().read(f"{pad}{written}")


@given(st.integers(-(10**12), 10**12))
def test_a_float_is_read_to_the_cent_where_declared_and_refused_elsewhere(cents: int) -> None:
    assert Amounts(floats=True).read(cents / 100) == Decimal(cents).scaleb(-2)
    with pytest.raises(ValueError, match="virgule flottante"):
        Amounts().read(cents / 100)


@pytest.mark.parametrize("wrong", [0.1 + 0.2, 12.345, float("nan"), float("inf"), 1e300])
def test_a_float_finer_than_the_cent_or_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError):
        Amounts(floats=True).read(wrong)


@given(st.integers(-(10**13) + 1, 10**13 - 1))
def test_cents_are_cents_and_euros_euros_as_declared(cents: int) -> None:
    assert Amounts(minor=True).read(cents) == Decimal(cents).scaleb(-2)
    assert Amounts(minor=True).read(str(cents)) == Decimal(cents).scaleb(-2)
    assert Amounts().read(cents) == Decimal(cents)
    for wrong in (f"{cents}.00", f"{cents},0", Decimal(cents) + Decimal("0.5")):
        with pytest.raises(ValueError):
            Amounts(minor=True).read(wrong)


@given(CENTS, st.sampled_from([" ", "\u00a0", "\u202f"]))
def test_french_thousands_are_read_where_declared_and_refused_elsewhere(
    cents: int, blank_: str
) -> None:
    written = grouped(cents, blank_, ",")
    assert Amounts(mark=",", grouped=True).read(written) == Decimal(cents).scaleb(-2)
    refusers = [Amounts(), Amounts(grouped=True)]
    if abs(cents) >= 100_000:
        refusers.append(Amounts(mark=",", padded=True))
    for other in refusers:
        with pytest.raises(ValueError):
            other.read(written)


@pytest.mark.parametrize("written", ["1.234", "1,234", "999.000", "-12.340", "1,000"])
def test_one_group_of_three_figures_has_two_readings_and_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="ambigu"):
        EVERY.read(written)


@pytest.mark.parametrize(
    "wrong",
    ["1.234,56", "1,234.56", "1 23,45", "1 2345", "12 34", "1e3", "+5", "--5", ".5", "5.", "",
     "1200 €", "٣", "NaN", "1_000", "9" * 14, "0x1", "1\n", True, None, [1], {}],
)  # fmt: skip
def test_a_sum_with_two_readings_or_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        EVERY.read(wrong)


def test_a_sum_of_binary_fractions_is_read_and_a_real_fraction_of_a_cent_is_not() -> None:
    assert EVERY.read(Decimal("600.0000000000001")) == Decimal("600.00")
    for wrong in (Decimal("600.004"), Decimal("1e999999"), Decimal("1e-999999"), Decimal("NaN")):
        with pytest.raises(ValueError):
            Amounts().read(wrong)


@given(ANYTHING)
def test_anything_is_a_sum_to_the_cent_or_a_refusal(value: object) -> None:
    for spelling in (Amounts(), EVERY, Amounts(minor=True), Amounts(carrier="amount")):
        try:
            found = spelling.read(value)
        except ValueError:
            continue
        assert Money(amount=found).amount == found
        assert str(found) != "-0.00"


def test_a_currency_has_its_own_decimals_and_zeros_count() -> None:
    spelling = Amounts(places=3)
    assert coined(spelling.read("12.345"), "TND") == Money(amount=Decimal("12.345"), currency="TND")
    for written, currency in (("1.000", "EUR"), ("12.345", "EUR"), ("1.5", "JPY")):
        with pytest.raises(ValueError, match="plus fin"):
            coined(spelling.read(written), currency)
    with pytest.raises(ValueError):
        spelling.read("1.2345")


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)


WRITTEN: dict[Form, object] = {
    "iso": lambda day: day.isoformat(),
    "compact": lambda day: day.strftime("%Y%m%d"),
    "local": lambda day: f"{day}T23:59:59",
    "instant": lambda day: midnight(day).astimezone(UTC).isoformat().replace("+00:00", "Z"),
    "d/m/y": lambda day: day.strftime("%d/%m/%Y"),
    "d/m/yy": lambda day: day.strftime("%d/%m/%y"),
    "seconds": lambda day: int(midnight(day).timestamp()),
    "milliseconds": lambda day: str(int(midnight(day).timestamp()) * 1000),
    "date": lambda day: day,
}
"""Each form, written by hand here and not by what reads it."""


@pytest.mark.parametrize("form", WRITTEN)
@given(day=DAYS)
def test_a_day_is_read_in_the_form_declared_and_in_no_other(form: Form, day: date) -> None:
    written = WRITTEN[form](day)  # type: ignore[operator]
    assert Days(forms=(form,)).read(written) == day
    for other in set(WRITTEN) - {form}:
        with pytest.raises(ValueError, match=r"illisible|impossible"):
            Days(forms=(other,)).read(written)


@given(DAYS)
def test_a_count_in_another_unit_is_no_day_of_an_invoice(day: date) -> None:
    seconds = int(midnight(day).timestamp())
    for form, wrong in (
        ("seconds", seconds * 1000),
        ("milliseconds", seconds),
        ("seconds", int(day.strftime("%Y%m%d"))),
        ("milliseconds", int(day.strftime("%Y%m%d"))),
    ):
        with pytest.raises(ValueError, match=r"impossible|illisible"):
            Days(forms=(form,)).read(wrong)  # type: ignore[arg-type]


def test_forms_one_value_could_be_both_of_cannot_be_declared_together() -> None:
    for forms in (("seconds", "milliseconds"), ("compact", "seconds"), ()):
        with pytest.raises(ValueError, match="no value tells"):
            Days(forms=forms)


@given(DAYS, st.integers(-12, 14))
def test_an_instant_is_the_day_it_is_in_paris_whatever_its_offset(day: date, hours: int) -> None:
    there = midnight(day).astimezone(timezone(timedelta(hours=hours)))
    assert Days(forms=("instant",)).read(there.isoformat()) == day


NONES = (None, "", False, "00/00/00", "0000-00-00")


@pytest.mark.parametrize("none", NONES, ids=repr)
def test_nothing_is_nothing_only_where_declared(none: object) -> None:
    assert Days(forms=("iso", "d/m/yy"), none=(none,)).maybe(none) is None
    assert Words(none=(none,)).maybe(none) == ""
    assert Amounts(none=(none,)).maybe(none) is None
    others = tuple(other for other in NONES if other is not none)
    with pytest.raises(ValueError):
        Days(forms=("iso", "d/m/yy"), none=others).maybe(none)
    with pytest.raises(ValueError):
        Amounts(none=others).maybe(none)
    for required in (Days(forms=("iso",), none=(none,)).read, Amounts(none=(none,)).read):
        with pytest.raises(ValueError):
            required(none)


def test_false_is_not_zero_and_zero_is_not_nothing() -> None:
    assert blank(False, (False,)) and not blank(0, (False,)) and not blank(False, (0,))
    assert Amounts(none=(False,)).maybe(0) == Decimal("0.00")


@pytest.mark.parametrize("wrong", ["31/02/26", "29/02/2026", "2026-13-01", "20260230"])
def test_an_impossible_day_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="date impossible"):
        Days(forms=("d/m/yy", "d/m/y", "iso", "compact")).read(wrong)


def test_a_number_of_seconds_beyond_any_date_is_refused() -> None:
    with pytest.raises(ValueError, match="date impossible"):
        Days(forms=("seconds",)).read("9" * 12)


@given(ANYTHING)
def test_anything_is_a_day_or_a_refusal(value: object) -> None:
    for spelling in (Days(forms=("iso", "d/m/y", "seconds")), Days(forms=("instant", "compact"))):
        try:
            assert isinstance(spelling.read(value), date)
        except ValueError as error:
            assert str(error).startswith("date ")


def test_a_day_in_an_object_and_a_padded_one_are_read_where_declared() -> None:
    assert Days(forms=("local",), carrier="date").read({"date": "2026-03-31 00:00:00.000000"})
    assert Days(forms=("iso",), padded=True).read(" 2026-03-31 ") == date(2026, 3, 31)
    with pytest.raises(ValueError):
        Days(forms=("iso",)).read(" 2026-03-31 ")


@given(st.text(max_size=30))
def test_a_text_loses_its_padding_and_nothing_else(text: str) -> None:
    if "\x00" in text:
        return
    assert Words().maybe(f"  {text}\t") == text.strip()
    assert Words(folded=True).maybe(text) == " ".join(text.split())


@pytest.mark.parametrize("wrong", [True, 1.5, ["a"], {"a": 1}, "a\x00b"])
def test_a_text_of_another_type_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        Words().maybe(wrong)
    with pytest.raises(ValueError):
        Words(numbers=False).maybe(7)
    assert Words().maybe(7) == "7"


def test_counts_and_instants_are_strict() -> None:
    assert (count("12"), count(12)) == (12, 12)
    for wrong in ("", "1.0", -1, True, None, "٣"):
        with pytest.raises(ValueError):
            count(wrong)
    assert instant("2026-03-31T08:00:00Z") == datetime(2026, 3, 31, 8, tzinfo=UTC)
    for wrong in ("2026-03-31T08:00:00", "2026-03-31", "2026-02-31T08:00:00Z", 1774908000, None):
        with pytest.raises(ValueError):
            instant(wrong)
