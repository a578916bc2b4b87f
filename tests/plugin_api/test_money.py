"""An amount at the border is exact, spelt one way, and fits a store."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import iso4217
import pytest
from pydantic import ValidationError

from encaisse_api.money import LARGEST, Money, minor_unit


@pytest.mark.parametrize(
    "amount",
    [
        "1_000",
        "1e3",
        "1E+3",
        "٣٢",  # digits of another script
        "+5",
        " 5",
        "5 ",
        "1 000",
        "1,5",
        ".5",
        "5.",
        "",
        "-",
        "NaN",
        "Infinity",
        "0x10",
        "5\n",
        Decimal("NaN"),
        Decimal("Infinity"),
        0.1,
        1.0,
        True,
    ],
)
def test_what_is_no_plain_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Money(amount=amount)


@pytest.mark.parametrize("currency", ["EUR", "JPY", "TND"])
def test_an_amount_fits_sixty_four_bits_in_minor_units(currency: str) -> None:
    for minor in (LARGEST, -LARGEST):
        assert Money.of_minor(minor, currency).minor == minor
    for minor in (LARGEST + 1, -LARGEST - 1, 10**30):
        with pytest.raises(ValidationError, match="beyond any amount"):
            Money.of_minor(minor, currency)
    with pytest.raises(ValidationError, match="beyond any amount"):
        Money(amount=Decimal("1e400"), currency=currency)


def test_a_sum_that_no_longer_fits_is_refused() -> None:
    with pytest.raises(ValidationError, match="beyond any amount"):
        Money.of_minor(LARGEST) + Money.of_minor(1)


@pytest.mark.parametrize("zero", ["-0", "-0.00", Decimal("-0"), -Decimal("0.00"), 0])
def test_zero_has_one_form(zero: Any) -> None:
    money = Money(amount=zero)
    assert (str(money.amount), money.model_dump_json()) == (
        "0.00",
        '{"amount":"0.00","currency":"EUR"}',
    )
    assert str((-money).amount) == "0.00"


def test_an_exact_decimal_is_taken_however_it_is_held() -> None:
    assert Money(amount=Decimal("1E+3")) == Money.of_minor(100_000)
    assert Money(amount=Decimal("12.5000")) == Money.of_minor(1_250)
    with pytest.raises(ValidationError, match="finer"):
        Money(amount=Decimal("12.5001"))


def test_every_currency_has_the_decimals_of_the_standard() -> None:
    listed = {
        one.code.upper(): one.exponent for one in iso4217.Currency if one.exponent is not None
    }
    assert len(listed) > 150
    assert {code: minor_unit(code) for code in listed} == listed
