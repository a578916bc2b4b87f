"""How the vendor spells amounts, days and texts, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encaisse_api import wire
from encaisse_myunisoft import (
    refs,
    spelling,
)


@pytest.mark.parametrize(
    ("value", "cents"),
    [
        (1800, 180_000),
        (Decimal("1800.0"), 180_000),
        ("1800", 180_000),
        ("  1800.50 ", 180_050),
        ("1800,5", 180_050),
        ("1 800,50", 180_050),
        ("1\u202f800,50", 180_050),
        ("-12.30", -1_230),
        (Decimal("600.0000000000001"), 60_000),
        (Decimal("-0.0"), 0),
    ],
)
def test_an_amount_is_exact_whatever_its_spelling(value: object, cents: int) -> None:
    read = spelling.amount(value)
    assert read == Decimal(cents).scaleb(-2)
    assert str(read) == f"{Decimal(cents).scaleb(-2):.2f}"


@pytest.mark.parametrize(
    "value",
    [None, "", "1,800", "1.800,00", "1 80", "€12", "1e3", "NaN", 1.5, True, [], "12.345", "１２"],
)
def test_an_amount_of_two_readings_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="montant"):
        spelling.amount(value)


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False))
def test_money_survives_the_wire_without_a_float(amount: Decimal) -> None:
    read = cast("dict[str, object]", wire.read(wire.write({"debit": amount})))
    assert spelling.amount(read["debit"]) == amount
    assert not isinstance(read["debit"], float)


def test_nothing_is_written_as_a_float() -> None:
    with pytest.raises(TypeError):
        wire.write({"debit": 0.1})
    for text in ("NaN", "[Infinity]", '{"a":-Infinity}', "", "{"):
        with pytest.raises(ValueError):
            wire.read(text)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-08-31", date(2026, 8, 31)),
        ("20260831", date(2026, 8, 31)),
        (20260831, date(2026, 8, 31)),
        (" 2026-08-31 ", date(2026, 8, 31)),
        (None, None),
        ("", None),
    ],
)
def test_a_day_is_read_in_both_spellings(value: object, day: date | None) -> None:
    assert spelling.maybe_day(value) == day


@pytest.mark.parametrize("value", ["31/08/2026", "2026-8-31", "0", True, 1.5, "2026-W35-1", []])
def test_another_day_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="date"):
        spelling.maybe_day(value)


@given(st.text(max_size=30), st.integers(0, 9999))
def test_a_reference_comes_apart_as_it_was_put_together(number: str, year: int) -> None:
    number = " ".join(number.split())
    if number:
        ref = refs.Ref("411CLIENT0", year=year, number=number)
        assert refs.parse(str(ref)) == ref
    line = refs.Ref("411CLIENT0", line="880017")
    assert refs.parse(str(line)) == line
    assert refs.parse(number) is None or "/" in number or "#" in number
