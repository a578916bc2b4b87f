"""The rates of late payment, semester by semester, as they were published.

L441-10 II C. com.: without a clause the rate is the European Central Bank's main refinancing rate
in force on 1 January (first semester) or 1 July (second), plus ten points. A clause may not go
below three times the legal interest rate. A semester that is not in the table raises: a rate is
published or it does not exist, it is never guessed from the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Semester(NamedTuple):
    """Name half a year: `half` is 1 (January to June) or 2 (July to December)."""

    year: int
    half: int

    @classmethod
    def of(cls, day: date) -> Semester:
        """Give the semester a day lies in."""
        return cls(day.year, 1 if day.month <= 6 else 2)

    @property
    def last_day(self) -> date:
        """Give its last day."""
        return date(self.year, 6, 30) if self.half == 1 else date(self.year, 12, 31)


class Published(NamedTuple):
    """Hold one semester's rates, in percent a year.

    `legal` is the legal interest rate for all but natural persons acting outside their trade,
    `refinancing` the ECB rate on the semester's first day, `source` where both were read.
    """

    legal: Decimal
    refinancing: Decimal
    source: str


class UnknownRate(KeyError):
    """Say that no rate is known for a semester, so that nothing is claimed on a guess."""

    def __init__(self, semester: Semester) -> None:
        super().__init__(semester)
        self.semester = semester

    def __str__(self) -> str:
        return (
            f"Aucun taux publié n'est connu pour le semestre {self.semester.half} de "
            f"{self.semester.year} : les intérêts ne sont pas calculés."
        )


_LEGAL = "https://www.moneyvox.fr/credit/actualites/98471/"
_ECB = "https://www.banque-france.fr/en/policy-rates"
_DECREE_2026 = "arrêté du 15 décembre 2025, https://juriblio.fr/arretes/187383136"
_TO_CHECK = "read in open-source tables only, September 2026: check against the arrêté and the ECB"


def _row(legal: str, refinancing: str, source: str = f"{_LEGAL} ; {_ECB}") -> Published:
    return Published(Decimal(legal), Decimal(refinancing), source)


PUBLISHED: Mapping[Semester, Published] = {
    Semester(2019, 1): _row("0.86", "0.00"),
    Semester(2019, 2): _row("0.87", "0.00"),
    Semester(2020, 1): _row("0.87", "0.00"),
    Semester(2020, 2): _row("0.84", "0.00"),
    Semester(2021, 1): _row("0.79", "0.00"),
    Semester(2021, 2): _row("0.76", "0.00"),
    Semester(2022, 1): _row("0.76", "0.00"),
    Semester(2022, 2): _row("0.77", "0.00"),
    Semester(2023, 1): _row("2.06", "2.50"),
    Semester(2023, 2): _row("4.22", "4.00"),
    Semester(2024, 1): _row("5.07", "4.50"),
    Semester(2024, 2): _row("4.92", "4.25"),
    Semester(2025, 1): _row("3.71", "3.15"),
    Semester(2025, 2): _row("2.76", "2.15"),
    Semester(2026, 1): _row("2.62", "2.15", f"{_DECREE_2026} ; {_ECB}"),
    Semester(2026, 2): _row("2.75", "2.40", _TO_CHECK),
}
"""Every semester known, with its sources."""

POINTS_ABOVE_REFINANCING = Decimal(10)

DEFAULT_RATES: Mapping[Semester, Decimal] = {
    semester: row.refinancing + POINTS_ABOVE_REFINANCING for semester, row in PUBLISHED.items()
}
"""Rate owed without a clause, in percent a year (L441-10 II C. com.)."""


def rate_in(semester: Semester, rates: Mapping[Semester, Decimal] = DEFAULT_RATES) -> Decimal:
    """Give a semester's rate in percent a year; raise `UnknownRate` where none was published."""
    try:
        return rates[semester]
    except KeyError:
        raise UnknownRate(semester) from None
