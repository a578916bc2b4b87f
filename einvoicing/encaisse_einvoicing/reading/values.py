"""Turn the text of a value into a decimal, a date or a flag, whole or not at all.

Lexical forms: XML Schema part 2 (decimal, boolean, date); UNTDID 2379 for the dates of CII.
A text that is not wholly one of them gives an issue and no value: nothing is cut, completed
or guessed.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from encaisse_einvoicing.reading.step import Convert, Converted, Scalar

_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_MAX_DIGITS: Final = 40
"""Longer numbers are refused: BR-FR allows 19 digits, no honest amount has 40."""
_REMEMBERED: Final = 4096
"""Numbers and days kept as read: rates, quantities and dates come back all over invoices."""
_ISO_DAY_ZONE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})")
_CII_DAY: Final = "102"
_CII_TIMES: Final = {
    "203": re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{4}"),
    "204": re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{6}"),
}
"""UNTDID 2379 format of a day with its minutes, or its seconds too -> its form."""
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_NOT_A_FLAG: Final = Converted(
    None, "flag_invalid", "n'est ni true ni false ; la valeur n'a pas été lue"
)
_NOT_A_DECIMAL: Final = Converted(
    None, "amount_invalid", "n'est pas un nombre décimal ; la valeur n'a pas été lue"
)
_NOT_A_DATE: Final = Converted(
    None, "date_invalid", "n'est pas une date du calendrier ; la valeur n'a pas été lue"
)


class Remembered(dict[str, Scalar | Converted]):
    """Convert texts, each only the first time it is met; `Remembered(…).convert` is a `Convert`.

    The look-up is the dictionary's own. `lru_cache` also moves what it finds to the head of a list,
    for which it reaches into memory so often that a number is as soon made anew.
    """

    def __init__(self, convert: Convert) -> None:
        """Start with nothing kept."""
        super().__init__()
        self._made = convert
        self.convert: Final[Convert] = self.__getitem__

    def __missing__(self, text: str) -> Scalar | Converted:
        """Convert and keep, up to the cap; then all is forgotten, and what comes back is kept."""
        found = self._made(text)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = found
        return found


def _decimal(text: str) -> Decimal | Converted:
    """Read an `xsd:decimal`: a dot, no exponent, no thousands separator.

    Digits with at most one dot are told without the form, which costs as much as the number.
    """
    if len(text) > _MAX_DIGITS:
        return _NOT_A_DECIMAL
    if (text.isascii() and text.replace(".", "", 1).isdigit()) or _DECIMAL.fullmatch(text):
        return Decimal(text)
    return _NOT_A_DECIMAL


def name(text: str) -> str:
    """Read a name: white space is folded, as XML Schema does for a token."""
    return " ".join(text.split())


def flag(text: str) -> bool | Converted:
    """Read an `xsd:boolean`."""
    return _FLAGS.get(text, _NOT_A_FLAG)


def _iso_date(text: str) -> date | Converted:
    """Read an `xsd:date`; a time zone after it is legal there, useless here, and reported."""
    day = _iso_day(text)
    if day is not None:
        return day
    day = _calendar(_ISO_DAY_ZONE.fullmatch(text))
    if day is None:
        return _NOT_A_DATE
    return Converted(
        day, "date_with_zone", "porte un fuseau horaire, ignoré : seul le jour est retenu"
    )


decimal: Final = Remembered(_decimal).convert
iso_date: Final = Remembered(_iso_date).convert


@lru_cache(maxsize=_REMEMBERED)
def cii_date(text: str, code: str) -> date | Converted:
    """Read a date with its UNTDID 2379 format: 102 by the standard, 203 and 204 as well.

    A whole ISO 8601 day (2026-08-15) can be nothing else: it is read whatever the format
    announced, and reported.
    """
    code = code or _CII_DAY
    if code == _CII_DAY:
        if len(text) == 8 and text.isascii() and text.isdigit():
            try:
                return date.fromisoformat(text)
            except ValueError:
                return _NOT_A_DATE
    elif code not in _CII_TIMES:
        return Converted(
            None, "date_format", f"suit un format inconnu ({code}) ; la date n'a pas été lue"
        )
    else:
        day = _calendar(_CII_TIMES[code].fullmatch(text))
        if day is not None:
            return Converted(
                day, "date_with_time", "porte une heure, ignorée : seul le jour est retenu"
            )
    day = _iso_day(text)
    if day is None:
        return _NOT_A_DATE
    return Converted(
        day,
        "date_written_otherwise",
        f"n'est pas au format {code} annoncé ; elle est lue comme une date ISO",
    )


def _iso_day(text: str) -> date | None:
    """Read AAAA-MM-JJ; Python's own reader takes other forms too, but none with both dashes."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _calendar(found: "re.Match[str] | None") -> date | None:
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
