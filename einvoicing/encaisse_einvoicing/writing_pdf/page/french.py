"""Write amounts, dates and identifiers the French way, for a page a person reads.

A narrow no-break space groups digits by three and a no-break space comes before a symbol
(Imprimerie nationale, "Lexique des règles typographiques"; the space itself: CLDR, locale fr).
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final

NARROW: Final = "\u202f"
SPACE: Final = "\u00a0"
MINUS: Final = "\u2212"
_SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF"}
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def number(value: Decimal, decimals: int = 0) -> str:
    """Write a number with every digit it has, and at least so many after the comma.

    Nothing is rounded: what the XML says to the tenth of a cent, the page says too. What is no
    number (NaN) is written as it is.
    """
    if not value.is_finite():
        return str(value)
    whole, _, rest = f"{value.copy_abs():f}".partition(".")
    rest = rest.rstrip("0").ljust(decimals, "0")
    groups = f"{int(whole):,}".replace(",", NARROW) if len(whole) <= 300 else whole
    sign = MINUS if value < 0 else ""
    return f"{sign}{groups},{rest}" if rest else f"{sign}{groups}"


def amount(value: Decimal, currency: str | None) -> str:
    """Write an amount with its two decimals at least, and its currency."""
    text = number(value, 2)
    return text if currency is None else f"{text}{SPACE}{_SYMBOLS.get(currency, currency)}"


def percentage(value: Decimal) -> str:
    """Write a rate: 5,5 %."""
    return f"{number(value)}{SPACE}%"


def day(value: date | None) -> str:
    """Write a day: 15/01/2026; nothing for none."""
    return "" if value is None else f"{value.day:02}/{value.month:02}/{value.year:04}"


def account(text: str) -> str:
    """Group an IBAN by four, as banks print it; anything else is left as it is written."""
    bare = "".join(text.split()).upper()
    if _IBAN.fullmatch(bare) is None:
        return text
    return SPACE.join(bare[start : start + 4] for start in range(0, len(bare), 4))


def siren(text: str) -> str:
    """Group the nine digits of a SIREN by three."""
    return SPACE.join((text[:3], text[3:6], text[6:]))


def siret(text: str) -> str:
    """Group a SIRET: its SIREN, then the five digits of the place."""
    return f"{siren(text[:9])}{SPACE}{text[9:]}"
