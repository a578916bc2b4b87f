"""Read the spellings MyUnisoft uses for amounts, dates and texts; refuse every other one.

MAD answers write amounts as JSON numbers and dates as 2026-08-31; historic routes write 20260831
and amounts as text; files write a decimal comma. All of these are read, because one dossier meets
several. A spelling with two readings ("1,800" is 1.8 or 1800) is refused: the row is then set
aside, where a person sees it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

_AMOUNT = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,20}|,[0-9]{1,2})?", re.ASCII)
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?:,[0-9]{1,2})?", re.ASCII)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_COMPACT = re.compile(r"[0-9]{8}", re.ASCII)
CENT = Decimal("0.01")
NOISE = Decimal("0.000001")
"""What a sum of binary fractions may be off by; anything more is no rounding of theirs."""


def amount(value: object) -> Decimal:
    """Read euros: 1800, 1800.0, " 1800.00 ", "1800,00", "1 800,00"; null is no amount.

    A JSON number comes here as `int` or `Decimal`, never as a float. The vendor sums in binary, so
    600.0000000000001 is 600.00; 600.004 is refused, since nobody decided to round it.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError(f"montant illisible : {value!r:.40}")
    if isinstance(value, str):
        text = value.strip(" \u00a0\u202f")
        if _GROUPED.fullmatch(text):
            text = re.sub(r"[ \u00a0\u202f]", "", text)
        if not _AMOUNT.fullmatch(text):
            raise ValueError(f"montant illisible : {value[:40]!r}")
        exact = Decimal(text.replace(",", "."))
    else:
        exact = Decimal(value)
    if not exact.is_finite() or abs(exact) >= Decimal(10) ** 13:
        raise ValueError(f"montant impossible : {str(exact)[:40]}")
    cents = exact.quantize(CENT)
    if abs(cents - exact) > NOISE:
        raise ValueError(f"montant plus fin que le centime : {str(exact)[:40]}")
    return cents + Decimal(0)  # "-0.00" has one form


def side(value: object) -> Decimal:
    """Read a debit or a credit; historic routes leave the empty side out or null."""
    return Decimal("0.00") if value is None or value == "" else amount(value)


def day(value: object) -> date:
    """Read a day: 2026-08-31 or 20260831."""
    found = maybe_day(value)
    if found is None:
        raise ValueError("date absente")
    return found


def maybe_day(value: object) -> date | None:
    """Read a day that may be missing: null and "" say so.

    An instant ("2026-08-30T22:00:00Z") is refused: such answers of this vendor fall on the evening
    before the day that is meant.
    """
    if value is None or value == "":
        return None
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    if isinstance(value, bool) or not (_ISO.fullmatch(text) or _COMPACT.fullmatch(text)):
        raise ValueError(f"date illisible : {value!r:.40} (attendu aaaa-mm-jj)")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"date impossible : {text!r}") from None


def words(value: object) -> str:
    """Read a text that may be missing, without its padding; white space inside is folded."""
    if value is None or value is False:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"ni texte ni nombre : {value!r:.40}")
    return " ".join(str(value).split())


def name(value: object) -> str:
    """Read a text that must be there."""
    text = words(value)
    if not text or len(text) > 200:
        raise ValueError("texte vide ou de plus de 200 caractères")
    return text


def identifier(value: object) -> str:
    """Read an id: digits, as text in MAD answers and as a number in historic ones."""
    text = words(value)
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise ValueError(f"identifiant illisible : {text[:40]!r}")
    return text


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
