"""Read one field of a FEC: what it says, and whether it says it as the law asks.

A value whose meaning is certain is taken though its form is wrong, and the form is reported; where
two readings are possible nothing is taken.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

SIGNED = r"(?P<before>[+-]?)(?P<digits>{})(?P<after>[+-]?)"
LAWFUL = re.compile(SIGNED.format(r"[0-9]*(?:,[0-9]*)?"))
LONGEST_AMOUNT = 40
"""Characters of an amount; sums are exact as long as none has more than 28 digits."""

_SHORT = 11
"""Characters up to which an amount is exact whatever it says."""

MOST_DIGITS = 18
"""Digits before the comma: a thousand times the money of the world."""

LEAST = -10
"""Exponent of the last digit after the comma."""

SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:,[0-9]+)?[eE][+-]?[0-9]{1,2}")
"""Taken by the administration's checker."""

DOT = re.compile(SIGNED.format(r"[0-9]*\.[0-9]{1,2}"))
"""One or two digits after a dot: three could be thousands."""

GROUPED = re.compile(SIGNED.format(r"[0-9]{1,3}(?:[ .\u00a0\u202f'][0-9]{3})+,[0-9]+"))
ENGLISH = re.compile(SIGNED.format(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+"))
SPACED = re.compile(SIGNED.format(r"[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+"))


def amount(text: str) -> tuple[Decimal | None, bool]:
    """Read an amount; tell whether its form is the law's. None where it cannot be read."""
    if len(text) <= _SHORT and text[:1] != "," and text.isascii():
        digits = text.replace(",", "", 1)
        if digits.isdigit():  # lawful, as nearly every one is written
            return Decimal(text.replace(",", ".")), True
    if len(text) > LONGEST_AMOUNT:
        return None, False
    if SCIENTIFIC.fullmatch(text):
        return _bounded(Decimal(text.replace(",", "."))), True
    for form in (LAWFUL, DOT, GROUPED, ENGLISH, SPACED):
        if (found := form.fullmatch(text)) and (value := _signed(found, form)) is not None:
            return value, form is LAWFUL
    return None, False


def _signed(found: re.Match[str], form: re.Pattern[str]) -> Decimal | None:
    """Put digits and sign together; a sign before and after, or no digit, is no amount."""
    digits = found["digits"]
    if not any(c.isdecimal() for c in digits) or (found["before"] and found["after"]):
        return None
    if form is ENGLISH:
        digits = digits.replace(",", "")
    elif form is not DOT:
        digits = re.sub(r"[ .\u00a0\u202f']", "", digits).replace(",", ".")
    value = Decimal(digits if digits[0] != "." else f"0{digits}")
    return _bounded(-value if "-" in (found["before"], found["after"]) else value)


def _bounded(value: Decimal) -> Decimal | None:
    """Keep an amount whose sums stay exact; 1E+99 or forty decimals are no money."""
    exponent = value.as_tuple().exponent
    exact = isinstance(exponent, int) and exponent >= LEAST and value.adjusted() < MOST_DIGITS
    return value if exact else None


OTHER_DAYS = (
    re.compile(r"(?P<d>[0-9]{2})[/.-](?P<m>[0-9]{2})[/.-](?P<y>[0-9]{4})"),
    re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"),
)
"""Ways tools write a day that leave no doubt: the year has four digits, and where it stands."""

NO_DAY = frozenset({"", "00000000"})


def day(text: str) -> tuple[date | None, bool]:
    """Read a day; tell whether its form is the law's. None where it cannot be read."""
    if len(text) == 8 and text.isascii() and text.isdigit():
        return _day(int(text[:4]), int(text[4:6]), int(text[6:])), True
    for form in OTHER_DAYS:
        if found := form.fullmatch(text):
            return _day(int(found["y"]), int(found["m"]), int(found["d"])), False
    return None, False


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


SIDES = {"D": 1, "C": -1, "+1": 1, "-1": -1, "1": 1}


def side(text: str) -> int | None:
    """Read the side of an amount: 1 for the debit, -1 for the credit."""
    return SIDES.get(text.upper())
