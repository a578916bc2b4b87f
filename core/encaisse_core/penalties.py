"""Compute what lateness costs between professionals: interest, and the indemnity of 40 euros.

Both are due by right, without a reminder (L441-10 II C. com.), outside the scope of VAT, and never
part of the principal. A consumer owes neither here: interest at the legal rate from a mise en
demeure only (C. civ. 1231-6), which a person starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from encaisse_core.cents import Cents, half_up
from encaisse_core.claim_facts import DebtorKind, Insolvency
from encaisse_core.predicates import INSOLVENT
from encaisse_core.rates import DEFAULT_RATES, Semester, rate_in

INDEMNITY: Cents = 4000
"""Recovery indemnity, once per late invoice however many échéances it has (D441-5 C. com.)."""

DAYS_IN_YEAR = 365


@dataclass(frozen=True, slots=True)
class Segment:
    """Give the interest of one semester: both days counted, `rate` in percent a year."""

    first_day: date
    last_day: date
    days: int
    rate: Decimal
    cents: Cents


def late_interest(
    principal: Cents,
    due: date,
    until: date,
    rates: Mapping[Semester, Decimal] = DEFAULT_RATES,
) -> tuple[Segment, ...]:
    """Compute simple interest on an unpaid amount from the day after `due` to `until` included.

    Each semester has its own rate and is rounded half up to the cent. The days counted are
    (due, until]: counting [due, until) gives as many days but another sum when the rate changes.
    After a part payment, call again with what is left, from the payment's date. Pass a clause's
    rate as a mapping over the semesters. Raises `UnknownRate` for a semester without a rate, and
    ValueError for a negative amount.
    """
    if principal < 0:
        raise ValueError(f"interest runs on what is owed, not on {principal}")
    segments: list[Segment] = []
    first = due + timedelta(days=1)
    while first <= until:
        semester = Semester.of(first)
        last = min(until, semester.last_day)
        days = (last - first).days + 1
        rate = rate_in(semester, rates)
        exact = Fraction(principal * days) * Fraction(rate) / (100 * DAYS_IN_YEAR)
        segments.append(Segment(first, last, days, rate, half_up(exact)))
        first = last + timedelta(days=1)
    return tuple(segments)


def indemnity(debtor_kind: DebtorKind, insolvency: Insolvency = "none") -> Cents:
    """Give the indemnity one late invoice carries: none from a consumer or an insolvent debtor.

    L441-10 II C. com. grants it among professionals (a public buyer owes its own, D2192-35 code de
    la commande publique, the same amount), and not where a collective procedure forbids to pay.
    """
    if insolvency in INSOLVENT or debtor_kind not in ("company", "public"):
        return 0
    return INDEMNITY
