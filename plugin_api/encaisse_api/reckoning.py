"""Hold the amounts of one invoice against each other; what cannot be true is refused at the border.

A wrong amount that gets in becomes a claim somebody is asked to pay, so each message names the
invoice, the amounts, and what to say instead. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from encaisse_api.money import Money

if TYPE_CHECKING:
    from encaisse_api.source import SourceInvoice

CREDITS = frozenset({"credit_note", "unallocated_credit"})


def check(invoice: SourceInvoice) -> None:
    """Raise `ValueError` for amounts that contradict each other."""
    _one_currency(invoice)
    _parts(invoice)
    if invoice.kind in CREDITS:
        _credit(invoice)
    else:
        _owed(invoice)


def _one_currency(invoice: SourceInvoice) -> None:
    said = [invoice.total.currency, invoice.open.currency]
    for part in invoice.instalments:
        said += (part.amount.currency, part.open.currency)
    if invoice.credited is not None:
        said.append(invoice.credited.currency)
    if said.count(invoice.currency) != len(said):
        others = sorted({*said} - {invoice.currency})
        raise ValueError(
            f"{invoice.number}: amounts in more than one currency ({', '.join(others)} beside "
            f"`currency` {invoice.currency})"
        )


def _parts(invoice: SourceInvoice) -> None:
    first, *others = invoice.instalments
    total, left = first.amount.amount, first.open.amount
    if others:
        if len({part.ref for part in invoice.instalments}) <= len(others):
            raise ValueError(f"{invoice.number}: two instalments share one reference")
        for part in others:
            total += part.amount.amount
            left += part.open.amount
    for summed, whole, what in (
        (total, invoice.total.amount, "instalments do not add up to the total"),
        (left, invoice.open.amount, "open instalments do not add up to `open`"),
    ):
        if summed != whole:
            raise ValueError(f"{invoice.number}: {what} ({summed} against {whole})")


def _credit(invoice: SourceInvoice) -> None:
    number, total, left = invoice.number, invoice.total.amount, invoice.open.amount
    if total > 0 or left > 0:
        raise ValueError(
            f"{number}: a {invoice.kind} carries negative amounts, not {total} with "
            f"{left} open; write what the debtor may deduct below zero"
        )
    if left < total:
        raise ValueError(f"{number}: {left} open of a credit of {total}")
    if invoice.state == "settled" and left:
        raise ValueError(f"{number}: `settled` with {left} of the credit still open")
    for part in invoice.instalments:
        if not part.amount.amount <= part.open.amount <= 0:
            raise ValueError(_bad_part(invoice, part.ref, part.amount, part.open))


def _owed(invoice: SourceInvoice) -> None:
    number, total, left = invoice.number, invoice.total.amount, invoice.open.amount
    if total < 0:
        raise ValueError(
            f"{number}: {total} is no total of an invoice; below zero it is a `credit_note` "
            "or an `unallocated_credit`"
        )
    if left > total:
        raise ValueError(
            f"{number}: {left} open of {total}; `total` is all that was asked for, "
            "rounding included"
        )
    if left < 0 and invoice.state == "open":
        raise ValueError(f"{number}: {left} open; an invoice paid too much is `settled`")
    if left > 0 and invoice.state == "settled":
        raise ValueError(f"{number}: `settled` with {left} still open")
    if invoice.credited is not None and invoice.credited.amount < 0:
        raise ValueError(f"{number}: `credited` {invoice.credited.amount} takes nothing off")
    for part in invoice.instalments:
        # Paid too much, an échéance may stand below zero; then none beside it is still owed.
        low, high = (None, 0) if left < 0 else (0, part.amount.amount)
        within = part.open.amount <= high and (low is None or low <= part.open.amount)
        if part.amount.amount < 0 or not within:
            raise ValueError(_bad_part(invoice, part.ref, part.amount, part.open))


def _bad_part(invoice: SourceInvoice, ref: str, amount: Money, left: Money) -> str:
    return (
        f"{invoice.number}: instalment {ref} of {amount.amount} with {left.amount} open does not "
        f"fit a {invoice.kind} of {invoice.total.amount} with {invoice.open.amount} open"
    )
