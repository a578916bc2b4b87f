"""Money at the border: an exact amount and its currency."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Self, cast

from pydantic import (
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from encaisse_api.base import Frozen

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""Alphabetic code of ISO 4217."""

MINOR_UNITS = {
    **dict.fromkeys(
        (
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
            "VND", "VUV", "XAF", "XOF", "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""Decimals of currencies that do not have two (ISO 4217, minor unit column)."""

LARGEST = 2**63 - 1
"""Most minor units an amount may have: stores keep them as signed 64-bit integers."""

_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


_STEPS = tuple(Decimal(1).scaleb(-digits) for digits in range(5))
_WHOLES = tuple(Decimal(10**digits) for digits in range(5))
_MOST = tuple(LARGEST * step for step in _STEPS)
"""By decimals of a currency: its smallest coin, how many of them make one, the most of it kept."""


def minor_unit(currency: str) -> int:
    """Tell how many decimals an amount of this currency has."""
    return MINOR_UNITS.get(currency, 2)


def in_french(amount: Decimal) -> str:
    """Write an amount of euros the way a French reader does: 1 234,56, the space thin and unbroken.

    Of amounts in whole cents: what connectors tell people is read beside an invoice.
    """
    return f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",")


class Money(Frozen):
    """Hold an exact amount, no finer than the currency's smallest coin.

    A float is refused, because 0.1 + 0.2 is not 0.3 and somebody's invoice would stay open by a
    cent; so is an amount with more decimals than the currency has, because rounding is a decision
    the reader of the source must take. Text is digits of ASCII with a point, nothing Python alone
    would understand (`1_000`, `1e3`, digits of another script). In minor units an amount fits a
    signed 64-bit integer. JSON: `{"amount": "1234.56", "currency": "EUR"}`.
    """

    amount: Annotated[Decimal, Field(allow_inf_nan=False)]
    currency: Currency = "EUR"

    @field_validator("amount", mode="before")
    @classmethod
    def _plain_digits(cls, value: Any) -> Any:
        if isinstance(value, float | bool):
            kind = type(value).__name__
            raise ValueError(f"money is never a {kind}: pass Decimal or text")
        if isinstance(value, str) and not _TEXT.fullmatch(value):
            raise ValueError(f"{value[:40]!r} is no amount: digits with a point, such as -1234.56")
        return value

    def model_post_init(self, context: Any, /) -> None:
        """Refuse fractions of the smallest coin and give every equal amount one form."""
        digits = minor_unit(self.currency)
        step, amount = _STEPS[digits], self.amount
        # Bounded first: a remainder of more digits than the decimal context holds is an error.
        if not -_MOST[digits] <= amount <= _MOST[digits]:
            raise ValueError(f"{amount:.3e} {self.currency} is beyond any amount we can keep")
        exact = amount.quantize(step)
        if exact != amount:
            raise ValueError(f"{amount} {self.currency} is finer than its smallest coin")
        # Minus zero equals zero and is spelt otherwise. With as many decimals as the coin, never
        # with an exponent, the amount is written as it stands: `str` of it is the JSON.
        object.__setattr__(self, "amount", exact + 0)

    @classmethod
    def of_minor(cls, minor: int, currency: str = "EUR") -> Self:
        """Make money from an integer number of cents (or the currency's smallest coin)."""
        return cls(amount=Decimal(minor).scaleb(-minor_unit(currency)), currency=currency)

    @property
    def minor(self) -> int:
        """Give the amount in cents, the form the store keeps."""
        return int(self.amount * _WHOLES[MINOR_UNITS.get(self.currency, 2)])

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount=self.amount - other.amount, currency=self.currency)

    def __neg__(self) -> Money:
        return Money(amount=-self.amount, currency=self.currency)

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")


_MET: dict[tuple[str, str], Money] = {}
_MOST_MET = 256


def met(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Give money that was checked a moment ago as it was found then: it cannot have changed.

    An invoice says one amount up to four times (its total, what is open, and both of its only
    instalment), and checking them is half of what checking an invoice costs.
    """
    if type(value) is not dict:
        return check(value)
    said = cast("dict[object, object]", value)
    amount, currency = said.get("amount"), said.get("currency")
    if type(amount) is not str or type(currency) is not str or len(said) != 2:
        return check(value)
    known = _MET.get((amount, currency))
    if known is None:
        known = check(value)
        if len(_MET) >= _MOST_MET:
            _MET.clear()
        _MET[amount, currency] = known
    return known
