"""Read one field of a FEC: what it says, and whether it says it as the law asks.

A value whose meaning is certain is taken though its form is wrong, and the form is reported; where
two readings are possible nothing is taken.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

SIGNED = r"(?P<before>[+-]?)(?P<digits>{})(?P<after>[+-]?)"
LAWFUL = re.compile(SIGNED.format(r"\d*(?:,\d*)?"))
SCIENTIFIC = re.compile(r"[+-]?\d+(?:,\d+)?[eE][+-]?\d{1,2}")
"""Taken by the administration's checker."""

DOT = re.compile(SIGNED.format(r"\d*\.\d{1,2}"))
"""One or two digits after a dot: three could be thousands."""

GROUPED = re.compile(SIGNED.format(r"\d{1,3}(?:[ .\u00a0\u202f']\d{3})+,\d+"))
ENGLISH = re.compile(SIGNED.format(r"\d{1,3}(?:,\d{3})+\.\d+"))
SPACED = re.compile(SIGNED.format(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+"))


def amount(text: str) -> tuple[Decimal | None, bool]:
    """Read an amount; tell whether its form is the law's. None where it cannot be read."""
    if SCIENTIFIC.fullmatch(text):
        return Decimal(text.replace(",", ".")), True
    for form in (LAWFUL, DOT, GROUPED, ENGLISH, SPACED):
        if (found := form.fullmatch(text)) and (value := _signed(found, form)) is not None:
            return value, form is LAWFUL
    return None, False


def _signed(found: re.Match[str], form: re.Pattern[str]) -> Decimal | None:
    """Put digits and sign together; a sign before and after, or no digit, is no amount."""
    digits = found["digits"]
    if not any(c.isdigit() for c in digits) or (found["before"] and found["after"]):
        return None
    if form is ENGLISH:
        digits = digits.replace(",", "")
    elif form is not DOT:
        digits = re.sub(r"[ .\u00a0\u202f']", "", digits).replace(",", ".")
    value = Decimal(digits if digits[0] != "." else f"0{digits}")
    return -value if "-" in (found["before"], found["after"]) else value


OTHER_DAYS = (
    re.compile(r"(?P<d>\d{2})[/.-](?P<m>\d{2})[/.-](?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"),
)
"""Ways tools write a day that leave no doubt: the year has four digits, and where it stands."""

NO_DAY = frozenset({"", "00000000"})


def day(text: str) -> tuple[date | None, bool]:
    """Read a day; tell whether its form is the law's. None where it cannot be read."""
    if re.fullmatch(r"\d{8}", text):
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
