"""Read amounts, days and texts exactly as one vendor spells them; refuse every other spelling.

Tools write the same invoice in many ways: cents or euros, a point or a comma, seconds or
milliseconds, "00/00/00" for nothing. A value alone often has two readings ("1.234" is 1.234 or
1234), and the wrong one claims another sum or calls
somebody late. So a connector *declares* the spellings it knows its vendor by, as data, once:

    AMOUNTS = Amounts(mark=",", grouped=True)
    TERMS = Days(forms=("d/m/yy",), none=(None, "00/00/00"))

    total: Annotated[Decimal, BeforeValidator(AMOUNTS.read)]

Nothing is inferred from a value. What is not declared raises `ValueError` with a French reason, and
the connector sets the row aside with it (`Page.unreadable`), where a person sees it. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Literal, cast
from zoneinfo import ZoneInfo

from encaisse_api.money import Money, minor_unit

PARIS = ZoneInfo("Europe/Paris")
"""Where a business day is one."""
CENTURY = 2000
"""Two-digit years are 2000 to 2099: rule BR-FR-03 ends there, and no open invoice is older."""
EARLIEST, LATEST = date(1990, 1, 1), date(2099, 12, 31)
"""Days an open invoice can have. Outside is a count in another unit, or a way to say "none"."""
BLANKS = " \u00a0\u202f"
"""Space, no-break space, narrow no-break space: what French writing parts thousands with."""
DIGITS = 13
"""Most figures before the mark; more would not fit the cents a store keeps."""

Nothing = tuple[object, ...]
"""The values a vendor writes where there is nothing, such as `(None, "", False, "00/00/00")`."""


def blank(value: object, none: Nothing) -> bool:
    """Tell whether a value is one of a vendor's ways to say "nothing"; `False` is not 0."""
    return any(type(value) is type(one) and value == one for one in none)


def shown(value: object) -> str:
    """Show the beginning of a value in a reason."""
    return f"{value!r:.40}"


def carried(value: object, carrier: str) -> object:
    """Take the member that carries a value out of its object; the value itself without one."""
    if not carrier:
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"objet attendu, avec « {carrier} » : {shown(value)}")
    members = cast("Mapping[str, object]", value)
    if carrier not in members:
        raise ValueError(f"objet attendu, avec « {carrier} » : {shown(members)}")
    return members[carrier]


_AMBIGUOUS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)


@cache
def _patterns(mark: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Give the forms of an amount with these decimal marks, by groups of thousands and without."""
    return (
        re.compile(rf"-?[0-9]{{1,3}}(?:[{BLANKS}][0-9]{{3}})+(?:[{mark}][0-9]+)?", re.ASCII),
        re.compile(rf"(-?[0-9]{{1,{DIGITS}}})(?:[{re.escape(mark)}]([0-9]{{1,20}}))?", re.ASCII),
    )


@dataclass(frozen=True, slots=True)
class Amounts:
    """Declare how one vendor spells amounts.

    `mark` holds the decimal marks its texts use. `grouped`: thousands stand apart by a blank of any
    width. `padded`: blanks may stand around. `numbers`: JSON numbers are read as well as texts;
    `floats`: also Python's own, by the shortest text that gives them back. `minor`: whole numbers
    of the smallest coin, `places` decimals of it. `noise` is what a sum of binary fractions may be
    off by. `carrier` names the member of an object the amount stands in. `none` is how the vendor
    writes that there is no amount, which only `maybe` accepts.
    """

    mark: Literal[".", ",", ".,"] = "."
    grouped: bool = False
    padded: bool = False
    numbers: bool = True
    floats: bool = False
    minor: bool = False
    places: int = 2
    noise: Decimal = Decimal(0)
    carrier: str = ""
    none: Nothing = ()

    def read(self, value: object) -> Decimal:
        """Read an amount that must be there; exact, and as fine as declared.

        Raises `ValueError` for a spelling not declared, for more decimals than `places`, and for a
        text that could be one group of thousands: "1.000" may be 1 or 1000.
        """
        found = carried(value, self.carrier)
        if isinstance(found, str):
            return self._checked(self._of_text(found))
        if isinstance(found, bool) or not isinstance(found, int | Decimal | float):
            raise ValueError(f"montant illisible : {shown(found)}")
        if isinstance(found, float):
            if not self.floats or not math.isfinite(found):
                raise ValueError(f"montant en virgule flottante : {shown(found)}")
            return self._checked(Decimal(repr(found)))
        if not self.numbers:
            raise ValueError(f"montant attendu en texte : {shown(found)}")
        return self._checked(Decimal(found))

    def maybe(self, value: object) -> Decimal | None:
        """Read an amount that may be missing, by one of the declared ways to say so."""
        if blank(value, self.none):
            return None
        if self.carrier and blank(carried(value, self.carrier), self.none):
            return None
        return self.read(value)

    def _of_text(self, written: str) -> Decimal:
        text = written.strip(BLANKS) if self.padded else written
        grouped, plain = _patterns(self.mark)
        if self.grouped and grouped.fullmatch(text):
            text = re.sub(f"[{BLANKS}]", "", text)
        found = plain.fullmatch(text)
        if found is None or (self.minor and found[2]):
            raise ValueError(f"montant illisible : {shown(written)}")
        if self.places < 3 and _AMBIGUOUS.fullmatch(text):
            raise ValueError(f"montant ambigu, milliers ou millièmes : {shown(written)}")
        return Decimal(f"{found[1]}.{found[2]}" if found[2] else found[1])

    def _checked(self, amount: Decimal) -> Decimal:
        if not amount.is_finite() or abs(amount) >= Decimal(10) ** DIGITS:
            raise ValueError(f"montant impossible : {str(amount)[:40]}")
        if self.minor:
            if _places(amount):
                raise ValueError(f"montant plus fin que le centime : {str(amount)[:40]}")
            return Decimal(int(amount)).scaleb(-self.places)
        if self.places > 2:
            if _places(amount) > self.places:
                raise ValueError(f"montant à plus de {self.places} décimales : {str(amount)[:40]}")
            return amount  # its decimals as written: `coined` knows how many its currency has
        cents = amount.quantize(Decimal(1).scaleb(-self.places))
        if abs(cents - amount) > self.noise:
            raise ValueError(f"montant plus fin que le centime : {str(amount)[:40]}")
        return cents + Decimal(0)  # "-0.00" has one form


def coined(amount: Decimal, currency: str) -> Money:
    """Give an amount the currency that stands beside it, refusing more decimals than it has.

    Even of zeros: "1.000" EUR has one decimal too many, and may be a thousand euros.
    """
    if _places(amount) > minor_unit(currency):
        raise ValueError(f"montant de {amount} plus fin que la monnaie {currency}")
    return Money(amount=amount, currency=currency)


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


Form = Literal[
    "iso", "compact", "local", "instant", "d/m/y", "d/m/yy", "seconds", "milliseconds", "date"
]


@dataclass(frozen=True, slots=True)
class Days:
    """Declare how one vendor spells days: the forms it uses, and its ways to say there is none.

    =============== ============================================================================
    iso             2026-03-31
    compact         20260331, text or number
    local           2026-03-31T08:00:00 or with a blank, no offset: the day it says
    instant         2026-03-30T22:00:00Z, or an offset: the day it is then in `zone`
    d/m/y           31/03/2026
    d/m/yy          31/03/26, of this century
    seconds         1774908000 since 1970, text or number: the day it is then in `zone`
    milliseconds    1774908000000 since 1970
    date            a Python date
    =============== ============================================================================

    A day before 1990 or after 2099 is refused: it comes from a count in another unit ("20260331" as
    seconds is in 1970), or is a way to say "none" nobody declared ("0001-01-01").

    Two forms one value could be both of (a compact day is a number of seconds too) cannot be
    declared together. `carrier` names the member of an object the day stands in.
    """

    forms: tuple[Form, ...]
    none: Nothing = ()
    zone: ZoneInfo = PARIS
    padded: bool = False
    carrier: str = ""
    what: str = "date"

    def __post_init__(self) -> None:
        counted = [form for form in self.forms if form in ("compact", "seconds", "milliseconds")]
        if len(counted) > 1 or not self.forms:
            raise ValueError(f"no value tells these forms apart: {', '.join(counted) or 'none'}")

    def read(self, value: object) -> date:
        """Read a day that must be there."""
        found = self.maybe(value)
        if found is None:
            raise ValueError(f"{self.what} absente")
        return found

    def maybe(self, value: object) -> date | None:
        """Read a day, None where the vendor says there is none in one of the declared ways."""
        found = value if blank(value, self.none) else carried(value, self.carrier)
        if blank(found, self.none):
            return None
        if self.padded and isinstance(found, str):
            found = found.strip(BLANKS)
        for form in self.forms:
            if (read := FORMS[form]).fits(found):
                try:
                    return _believed(read.day(found, self.zone))
                except (ValueError, OverflowError, OSError):
                    raise ValueError(f"{self.what} impossible : {shown(found)}") from None
        expected = " ou ".join(FORMS[form].french for form in self.forms)
        raise ValueError(f"{self.what} illisible : {shown(found)} (attendu {expected})")


def _believed(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError("outside of the days an invoice can have")
    return day


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold one form of a day: how it looks, how it is read, and its name for a French reader."""

    french: str
    pattern: str
    day: Callable[[object, ZoneInfo], date]
    counts: bool = False

    def fits(self, value: object) -> bool:
        """Tell whether a value is written in this form; only `counts` are numbers too."""
        if self.pattern == "":
            return isinstance(value, date) and not isinstance(value, datetime)
        number = self.counts and isinstance(value, int) and not isinstance(value, bool)
        if not (isinstance(value, str) or number):
            return False
        return re.fullmatch(self.pattern, str(value), re.ASCII) is not None


def _french_day(value: object, _: ZoneInfo) -> date:
    day, month, year = (int(part) for part in str(value).split("/"))
    return date(year if year > 99 else CENTURY + year, month, day)


def _iso_day(value: object, _: ZoneInfo) -> date:
    return date.fromisoformat(str(value)[:10])


def _compact_day(value: object, _: ZoneInfo) -> date:
    return date.fromisoformat(str(value))


def _instant_day(value: object, zone: ZoneInfo) -> date:
    return datetime.fromisoformat(str(value)).astimezone(zone).date()


def _second_day(value: object, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(int(str(value)), UTC).astimezone(zone).date()


def _millisecond_day(value: object, zone: ZoneInfo) -> date:
    return _second_day(int(str(value)) // 1000, zone)


def _python_day(value: object, _: ZoneInfo) -> date:
    return cast("date", value)


_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
FORMS: Mapping[Form, Reading] = {
    "iso": Reading("aaaa-mm-jj", _ISO, _iso_day),
    "compact": Reading("aaaammjj", r"[0-9]{8}", _compact_day, counts=True),
    "local": Reading("aaaa-mm-jj hh:mm:ss", f"{_ISO}[ T]{_CLOCK}", _iso_day),
    "instant": Reading(
        "ISO 8601 avec son décalage", f"{_ISO}T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})", _instant_day
    ),
    "d/m/y": Reading("jj/mm/aaaa", r"[0-9]{2}/[0-9]{2}/[0-9]{4}", _french_day),
    "d/m/yy": Reading("jj/mm/aa", r"[0-9]{2}/[0-9]{2}/[0-9]{2}", _french_day),
    "seconds": Reading("secondes depuis 1970", r"-?[0-9]{1,12}", _second_day, counts=True),
    "milliseconds": Reading(
        "millisecondes depuis 1970", r"-?[0-9]{1,15}", _millisecond_day, counts=True
    ),
    "date": Reading("une date", "", _python_day),
}
"""Each form of a day and its reader."""


def instant(value: object) -> datetime:
    """Read an instant: ISO 8601 with its offset; raises `ValueError` for any other writing."""
    if not FORMS["instant"].fits(value):
        raise ValueError("instant illisible (attendu ISO 8601 avec son décalage)")
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"instant impossible : {shown(value)}") from None


@dataclass(frozen=True, slots=True)
class Words:
    """Declare how one vendor writes texts: its ways to say "none", and whether digits stand bare.

    Blanks around a text never count; `folded` makes one of each run inside. `numbers`: an id or a
    number may come as a JSON number. A text of more than `longest` characters is none of a form.
    """

    none: Nothing = (None,)
    numbers: bool = True
    folded: bool = False
    longest: int = 512

    def maybe(self, value: object) -> str:
        """Read a text that may be missing: "" then."""
        if blank(value, self.none):
            return ""
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not isinstance(value, str) and not (self.numbers and whole):
            raise ValueError(f"texte attendu : {shown(value)}")
        text = " ".join(str(value).split()) if self.folded else str(value).strip()
        if "\x00" in text:
            raise ValueError("texte avec un caractère nul")
        return text

    def read(self, value: object) -> str:
        """Read a text that must be there."""
        text = self.maybe(value)
        if not text or len(text) > self.longest:
            raise ValueError(f"texte vide ou de plus de {self.longest} caractères")
        return text


def count(value: object) -> int:
    """Read a number of rows, text or number."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole or isinstance(value, str)) or not re.fullmatch(r"[0-9]{1,9}", str(value)):
        raise ValueError(f"nombre illisible : {shown(value)}")
    return int(str(value))
