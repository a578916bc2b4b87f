"""Name the unit of money inside the host: whole cents, so that nothing is ever lost to rounding."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from encaisse_api.money import in_french

Cents: TypeAlias = int
"""Integer hundredths of a euro (or the smallest coin of the claim's currency)."""


def half_up(exact: Fraction) -> Cents:
    """Round an exact amount to the cent, halves away from zero, as an invoice does.

    Python's own `round` takes halves to the even cent, which no accountant expects.
    """
    if exact < 0:
        return -half_up(-exact)
    return int(exact + Fraction(1, 2))


def in_units(cents: Cents) -> Decimal:
    """Give an amount in euros, exactly."""
    return Decimal(cents).scaleb(-2)


def euros(cents: Cents) -> str:
    """Write an amount the way a French reader does: 1 234,56 with a thin no-break space."""
    return in_french(in_units(cents))
