"""The days of a simulated year: when it begins, and when the accountant ends the exercice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

YEARS = ((date(2026, 1, 1), date(2026, 12, 31)), (date(2027, 1, 1), date(2027, 12, 31)))
"""The two exercices: calendar years, as most are."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Say which nights are lived, and what happens at the end of the first exercice.

    On each day of `carried` the accountant writes the à-nouveaux anew, provisionally; on `closed`
    for good.
    """

    start: date
    nights: int
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
    date(2026, 7, 1), 365, (date(2027, 1, 11), date(2027, 2, 15)), date(2027, 3, 31)
)
"""A year: half in each exercice."""

TURN = Calendar(
    date(2026, 11, 30), 60, (date(2027, 1, 5), date(2027, 1, 12)), date(2027, 1, 19)
)
"""The turn of the year alone."""
