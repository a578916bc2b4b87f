"""Split what was paid of an invoice among its VAT rates, to the cent, payment after payment.

A 212 gives one amount per VAT rate (MDT-224), which must add up to the payment and, once all is
paid, to what the invoice says of each rate. Rounding each payment by itself does not add up, so it
is always the *cumulated* payment that is split, and a payment is the difference of two splits.

The cumulated split is the apportionment of Webster (Sainte-Laguë): cent by cent to the rate that is
furthest behind its share. Unlike rounding all rates but the last, which takes the rest, it never
goes back: a payment never lowers what a rate has received, so no negative amount (which would
declare a cancellation, annex 7 P1.17) comes out of a positive payment. On two rates both agree.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

CENT: Final = Decimal("0.01")


def split(paid: Decimal, owed: Mapping[Decimal, Decimal]) -> dict[Decimal, Decimal]:
    """Split a cumulated payment by rate; `owed` is TTC per rate, its sum above zero.

    `paid` lies between zero and that sum, all in whole cents. A rate owed a negative amount (a
    deposit given back) goes down as the others go up.
    """
    cents = {rate: _cents(owed[rate]) for rate in sorted(owed, reverse=True)}
    total, part = sum(cents.values()), _cents(paid)
    if total <= 0 or not 0 <= part <= total:
        raise ValueError("what is paid must lie between zero and what is owed")
    ups = {rate: owing for rate, owing in cents.items() if owing > 0}
    downs = {rate: -owing for rate, owing in cents.items() if owing < 0}
    up = _nearest(Fraction(part * sum(ups.values()), total))
    found = {**_apportion(up, ups), **_negated(_apportion(up - part, downs))}
    return {rate: found.get(rate, 0) * CENT for rate in cents}


def split_next(
    before: Decimal, amount: Decimal, owed: Mapping[Decimal, Decimal]
) -> dict[Decimal, Decimal]:
    """Split one payment, or one reversal (negative), made after `before` was collected."""
    now, then = split(before + amount, owed), split(before, owed)
    return {rate: now[rate] - then[rate] for rate in now}


def in_cents(amount: Decimal) -> bool:
    """Tell whether an amount is a whole number of cents, and one that can be counted exactly."""
    try:
        return amount.is_finite() and amount == amount.quantize(CENT)
    except InvalidOperation:  # more digits than the context holds
        return False


def _cents(amount: Decimal) -> int:
    if not in_cents(amount):
        raise ValueError(f"{amount} is not in whole cents")
    return int(amount.scaleb(2))


def _nearest(value: Fraction) -> int:
    """Round half up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _apportion(seats: int, weights: Mapping[Decimal, int]) -> dict[Decimal, int]:
    """Give `seats` cents by highest quotient weight / (2 n + 1), the higher rate first on a tie."""
    total = sum(weights.values())
    if total == 0:
        return {}
    given = {rate: _nearest(Fraction(seats * weight, total)) for rate, weight in weights.items()}
    for _ in range(seats - sum(given.values())):
        ahead = max(weights, key=lambda r: (Fraction(weights[r], 2 * given[r] + 1), r))
        given[ahead] += 1
    for _ in range(sum(given.values()) - seats):
        held = [rate for rate in weights if given[rate] > 0]
        last = min(held, key=lambda r: (Fraction(weights[r], 2 * given[r] - 1), r))
        given[last] -= 1
    return given


def _negated(cents: Mapping[Decimal, int]) -> dict[Decimal, int]:
    return {rate: -amount for rate, amount in cents.items()}
