"""Declare how MyUnisoft spells amounts, dates and texts; every other spelling is refused.

MAD answers write amounts as JSON numbers and dates as 2026-08-31; historic routes write 20260831
and amounts as text; files write a decimal comma. All of these are read, because one dossier meets
several. A spelling with two readings ("1,800" is 1.8 or 1800) is refused: the row is then set
aside, where a person sees it.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from encaisse_api.spelling import Amounts, Days, Words

AMOUNTS = Amounts(mark=".,", grouped=True, padded=True, noise=Decimal("0.000001"), none=(None, ""))
"""Euros: 1800, 1800.0, " 1800.00 ", "1800,00", "1 800,00".

The vendor sums in binary, so 600.0000000000001 is 600.00; 600.004 is refused, since nobody decided
to round it. Historic routes leave the empty side of a movement out or null.
"""
DAYS = Days(forms=("iso", "compact"), none=(None, ""), padded=True)
"""A day: 2026-08-31 or 20260831.

An instant ("2026-08-30T22:00:00Z") is refused: such answers of this vendor fall on the evening
before the day that is meant.
"""
WORDS = Words(none=(None, False), folded=True, longest=200)
"""A text; white space inside is folded, since labels are padded to the width of a column."""

amount = AMOUNTS.read
maybe_amount = AMOUNTS.maybe
day = DAYS.read
maybe_day = DAYS.maybe
words = WORDS.maybe
name = WORDS.read


def side(value: object) -> Decimal:
    """Read a debit or a credit; the empty side is nothing."""
    return AMOUNTS.maybe(value) or Decimal("0.00")


def identifier(value: object) -> str:
    """Read an id: digits, as text in MAD answers and as a number in historic ones."""
    text = words(value)
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise ValueError(f"identifiant illisible : {text[:40]!r}")
    return text


@lru_cache(maxsize=16384)  # the same numbers are compared every night, several times each
def folded(text: str) -> str:
    """Write a number as an entry may carry it: letters and figures alone, without case.

    `piece2` of an entry takes no other sign, so "FA-2026/081" comes back as "FA2026081".
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in plain if c.isascii() and c.isalnum())


def plain(text: str) -> str:
    """Write a word of the vendor without accents, case and signs, to look it up in a table."""
    bare = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in bare if not unicodedata.combining(c)).casefold()
    return " ".join(re.sub(r"[^0-9a-z]+", " ", kept).split())
