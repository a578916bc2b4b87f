"""Split what an e-invoice says is payable into its échéances; add nothing it does not say.

Payment terms in words (BT-20) are never read as a date: "30 jours fin de mois" has two customary
readings, and the difference decides whether somebody is late.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from encaisse_api.money import Money
from encaisse_api.source import Instalment
from encaisse_einvoicing.model import Invoice

ALREADY_PAID = "deja-paye"
"""Ref of the part settled before the first échéance, where the échéances only split the rest."""


def instalments(invoice: Invoice, total: Money, left: Money) -> tuple[Instalment, ...]:
    """List the échéances of `total`, of which `left` is still to pay.

    Several are listed only when each has its amount. Otherwise everything stands at the latest of
    the dates, so that nobody is called late before the day all of it is due; no date at all gives
    no due date. Raises `ValueError` (in French) when their amounts fit neither the total nor what
    is left.
    """
    parts = [(part.due_date, part.amount) for part in invoice.instalments]
    amounts = [amount for _, amount in parts if amount is not None]
    if len(parts) < 2 or len(amounts) < len(parts):
        return (Instalment(ref="1", due_date=_latest(invoice), amount=total, open=left),)
    stated = [Money(amount=amount, currency=total.currency) for amount in amounts]
    ranked = sorted(
        zip((due for due, _ in parts), stated, strict=True),
        key=lambda part: part[0] or date.max,
    )
    if sum(money.minor for money in stated) == left.minor:
        return _splitting_the_rest(ranked, total - left)
    if sum(money.minor for money in stated) == total.minor:
        return _splitting_the_total(ranked, total - left)
    raise ValueError(
        f"les échéances totalisent {sum(amounts, Decimal(0))} {total.currency}, "
        f"ni le total ({total.amount}, BT-112) ni le reste à payer ({left.amount}, BT-115)"
    )


def _latest(invoice: Invoice) -> date | None:
    dates = [part.due_date for part in invoice.instalments if part.due_date]
    if invoice.due_date:
        dates.append(invoice.due_date)
    return max(dates, default=None)


def _splitting_the_rest(
    ranked: list[tuple[date | None, Money]], paid: Money
) -> tuple[Instalment, ...]:
    rest = tuple(
        Instalment(ref=str(place), due_date=due, amount=amount, open=amount)
        for place, (due, amount) in enumerate(ranked, start=1)
    )
    if paid.minor == 0:
        return rest
    nothing = Money.of_minor(0, paid.currency)
    return (Instalment(ref=ALREADY_PAID, amount=paid, open=nothing), *rest)


def _splitting_the_total(
    ranked: list[tuple[date | None, Money]], paid: Money
) -> tuple[Instalment, ...]:
    """Take what was paid off the oldest échéance first (article 1342-10 C. civ.)."""
    left = paid.minor
    listed: list[Instalment] = []
    for place, (due, amount) in enumerate(ranked, start=1):
        taken = left if place == len(ranked) else min(left, amount.minor)
        left -= taken
        open_ = Money.of_minor(amount.minor - taken, amount.currency)
        listed.append(Instalment(ref=str(place), due_date=due, amount=amount, open=open_))
    return tuple(listed)
