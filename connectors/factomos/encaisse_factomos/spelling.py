"""Declare how Factomos spells amounts, dates and texts; every other spelling is refused.

Only forms seen in the vendor's own documentation are declared (README of
github.com/thefloatingstone/factomos, sections 16 and 17). A form nobody documented has two readings
as a rule ("1,200" is 1.2 or 1200), and a wrong guess would claim the wrong sum; the row is then set
aside with the reason, where a person sees it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from encaisse_api.spelling import PARIS, Amounts, Days, Words
from encaisse_api.spelling import count as count

AMOUNTS = Amounts()
"""Euros: "26100", "5115.6", "-180", or the same as a JSON number.

Numbers are read too because the vendor mixes both in one answer (`first_row` is text, `last_row` a
number).
"""
TERMS = Days(forms=("d/m/yy",), none=(None, "", "00/00/00"), what="échéance")
"""A due date; "00/00/00" says there is none, and so does a missing field."""
ISSUED = Days(forms=("seconds",), what="date d'émission")
"""`unix_timestamp`, as the day it is in Paris.

The documented 1434664800 is 22:00 UTC on 18 June 2015, midnight in Paris on the 19th: read in UTC,
each invoice would be a day too old.
"""
LOGGED = Days(forms=("iso", "local"))
"""A day of the form 2015-11-02, or with a time after it, as the vendor's logs write."""
WORDS = Words(none=(None, False))
"""A text; null and false, as the vendor writes "none", are empty."""

amount = AMOUNTS.read
term = TERMS.maybe
paris_day = ISSUED.read
iso_day = LOGGED.read
words = WORDS.maybe
name = WORDS.read


def paris_instant(value: object) -> datetime:
    """Read an instant as the vendor's logs write it, 2015-11-02 12:49:31.

    No zone stands there; that it is the time of Paris, as everything else, is assumed. An hour that
    comes twice, when winter time begins, is the first of the two.
    """
    text = WORDS.read(value)
    form = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", text, re.ASCII)
    try:
        return datetime.fromisoformat(form[0] if form else "").replace(tzinfo=PARIS).astimezone(UTC)
    except ValueError:
        raise ValueError(f"instant illisible : {text[:40]!r}") from None
