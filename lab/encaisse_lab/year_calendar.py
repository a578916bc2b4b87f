"""The days of a simulated year: when it begins, and when the accountant ends the exercice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

YEARS = ((date(2026, 1, 1), date(2026, 12, 31)), (date(2027, 1, 1), date(2027, 12, 31)))
"""The two exercices: calendar years, as most are."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Say which nights are lived, and what happens at the end of the first exercice.

    On `opened` the accountant opens the second exercice; on each day of `carried` he writes the
    à-nouveaux anew, provisionally, on `closed` for good. `pace` is how many invoices are issued on
    an average working day.
    """

    start: date
    nights: int
    pace: float
    opened: date
    carried: tuple[date, ...]
    closed: date

    @property
    def ended(self) -> date:
        """Give the last day of the older exercice."""
        return YEARS[0][1]

    def day(self, number: int) -> date:
        """Give the nth day."""
        return self.start + timedelta(days=number)


WHOLE = Calendar(
    start=date(2026, 7, 1),
    nights=365,
    pace=0.3,
    opened=date(2026, 12, 7),
    carried=(date(2027, 1, 11), date(2027, 2, 15)),
    closed=date(2027, 3, 31),
)
"""A year: half in each exercice."""

TURN = Calendar(
    start=date(2026, 12, 28),
    nights=17,
    pace=0.8,
    opened=date(2026, 12, 28),
    carried=(date(2027, 1, 4), date(2027, 1, 5)),
    closed=date(2027, 1, 6),
)
"""The turn of the year alone."""
