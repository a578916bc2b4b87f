"""Read the spellings Factomos uses for amounts and dates; refuse every other one.

Only forms seen in the vendor's own documentation are read (README of
github.com/thefloatingstone/factomos, sections 16 and 17). A form nobody documented has two readings
as a rule ("1,200" is 1.2 or 1200), and a wrong guess would claim the wrong sum; the row is then set
aside with the reason, where a person sees it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
CENTURY = 2000
"""Two-digit years are 2000 to 2099: the tool opened in this century, and BR-FR-03 ends there."""

_AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,6})?", re.ASCII)
_TERM = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{2})", re.ASCII)
_INSTANT = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_NO_TERM = "00/00/00"


def amount(value: object) -> Decimal:
    """Read an amount of euros: "26100", "5115.6", "-180", or the same as a JSON number.

    Numbers are read too because the vendor mixes both in one answer (`first_row` is text,
    `last_row` a number); a JSON fraction arrives here as its own text, never as a float. Raises
    `ValueError` for a thousands separator, a decimal comma, a currency sign, or less than a cent.
    """
    text = _text(value)
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"montant illisible : {text[:40]!r}")
    exact = Decimal(text)
    cents = exact.quantize(Decimal("0.01"))
    if cents != exact:
        raise ValueError(f"montant plus fin que le centime : {text[:40]!r}")
    return cents


def term(value: object) -> date | None:
    """Read a due date, dd/mm/yy; "00/00/00" says there is none, and so does a missing field."""
    if value is None or value == "":
        return None
    text = _text(value)
    if text == _NO_TERM:
        return None
    found = _TERM.fullmatch(text)
    if found is None:
        raise ValueError(f"échéance illisible : {text[:40]!r} (attendu jj/mm/aa)")
    day, month, year = (int(part) for part in found.groups())
    try:
        return date(CENTURY + year, month, day)
    except ValueError:
        raise ValueError(f"échéance impossible : {text!r}") from None


def paris_day(value: object) -> date:
    """Read `unix_timestamp` as the day it is in Paris.

    The documented 1434664800 is 22:00 UTC on 18 June 2015, midnight in Paris on the 19th: read in
    UTC, each invoice would be a day too old.
    """
    text = _text(value)
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"date d'émission illisible : {text[:40]!r}")
    try:
        return datetime.fromtimestamp(int(text), UTC).astimezone(PARIS).date()
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"date d'émission impossible : {text!r}") from None


def count(value: object) -> int:
    """Read a row count, text or number."""
    text = _text(value)
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(f"nombre de lignes illisible : {text[:40]!r}")
    return int(text)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError(f"ni texte ni nombre : {value!r:.40}")
    return str(value)


def iso_day(value: object) -> date:
    """Read a day of the form 2015-11-02, or with a time after it, as the vendor's logs write."""
    text = _text(value)
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})( [0-9:]{8})?", text, re.ASCII)
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError:
        raise ValueError(f"date illisible : {text[:40]!r} (attendu aaaa-mm-jj)") from None


def words(value: object) -> str:
    """Read a text that may be missing; null and false, as the vendor writes "none", are empty."""
    if value is None or value is False:
        return ""
    return _text(value).strip()


def name(value: object) -> str:
    """Read a text that must be there."""
    text = words(value)
    if not text or len(text) > 512:
        raise ValueError("texte vide ou de plus de 512 caractères")
    return text
