"""Payments and payouts, from GCollect's rows to the contract's values: pure.

One payment of theirs may be spread over several invoices, one `CollectedPayment` of ours speaks of
one invoice: such a payment becomes as many values, told apart by the invoice's `external_id` after
the payment's id. A payment is assumed to be paid out whole, so a payout's lines are told apart by
the same rule and meet their payments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from encaisse_api import CollectedPayment, CollectorPayout, Money, PayoutLine
from encaisse_gcollect.mapping import business_date
from encaisse_gcollect.wire import AllocationRow, PaymentRow, PayoutLineRow, PayoutRow

PaymentState = Literal["pending", "verified", "rejected", "reversed"]
PayoutState = Literal["scheduled", "held", "executed", "failed"]

PAYMENT_STATES: Mapping[str, PaymentState] = {
    "pending": "pending",
    "verified": "verified",
    "rejected": "rejected",
    "reversed": "reversed",
}
"""An unknown status is `pending`: nothing is allocated on it."""

PAYOUT_STATES: Mapping[str, PayoutState] = {
    "scheduled": "scheduled",
    "held": "held",
    "executed": "executed",
    "failed": "failed",
    "returned": "failed",
}
"""An unknown status is `scheduled`: nothing is booked on it."""

RECEIVERS: Mapping[str, Literal["collector", "creditor"]] = {
    "gcollect": "collector",
    "provider": "collector",
    "creditor": "creditor",
}


def collected(row: PaymentRow) -> tuple[CollectedPayment, ...]:
    """Read one payment, one value for each invoice it pays.

    A payment declared by the creditor carries the id of its declaration, because that is the id our
    receipt holds: the host then sees its own write again and not a new payment. The fee is stated
    for the whole payment, so it is only passed on where there is one invoice; else the payout's
    lines tell it. Raises `ValueError` for shares that do not add up, or a receiver nobody knows.
    """
    receiver = RECEIVERS.get(row.received_by)
    if receiver is None:
        raise ValueError(f"paiement {row.id} : on ne sait pas qui a reçu l'argent")
    _add_up(f"paiement {row.id}", row.amount.money(), (_total(each) for each in row.allocations))
    state = PAYMENT_STATES.get(row.status, "pending")
    alone = len(row.allocations) == 1
    identity = row.direct_payment_id or row.id
    return tuple(
        CollectedPayment(
            remote_id=identity if alone else _share(identity, each.external_id),
            procedure_ref=row.procedure_id,
            claim_ref=each.external_id,
            invoice_number=each.invoice_number,
            amount=_total(each),
            principal=each.principal.money(),
            interest=each.interest.money(),
            indemnity=each.indemnity.money(),
            costs=each.costs.money(),
            received_by=receiver,
            received_on=business_date(row.received_at),
            state=state,
            fee=row.fee.money() if alone and row.fee is not None else None,
            fee_vat=row.fee_vat.money() if alone and row.fee_vat is not None else None,
            reversed_on=None if row.reversed_at is None else business_date(row.reversed_at),
            updated_at=row.updated_at,
        )
        for each in row.allocations
    )


def payout(row: PayoutRow) -> CollectorPayout:
    """Read one transfer; every total it states must be that of its lines."""
    name = f"reversement {row.id}"
    _add_up(name, row.gross.money(), (line.gross.money() for line in row.lines))
    _add_up(name, row.fees.money(), (line.fee.money() for line in row.lines))
    _add_up(name, row.fees_vat.money(), (line.fee_vat.money() for line in row.lines))
    return CollectorPayout(
        remote_id=row.id,
        state=PAYOUT_STATES.get(row.status, "scheduled"),
        lines=tuple(_line(line, row.lines) for line in row.lines),
        net=row.net.money(),
        due_on=business_date(row.due_at),
        executed_on=None if row.executed_at is None else business_date(row.executed_at),
        bank_reference=row.bank_reference,
        updated_at=row.updated_at,
    )


def _line(row: PayoutLineRow, lines: Iterable[PayoutLineRow]) -> PayoutLine:
    invoices = {line.external_id for line in lines if line.payment_id == row.payment_id}
    alone = len(invoices) == 1
    return PayoutLine(
        payment_ref=row.payment_id if alone else _share(row.payment_id, row.external_id),
        procedure_ref=row.procedure_id,
        invoice_number=row.invoice_number,
        gross=row.gross.money(),
        fee=row.fee.money(),
        fee_vat=row.fee_vat.money(),
        net=row.net.money(),
    )


def _share(payment_id: str, external_id: str) -> str:
    return f"{payment_id}:{external_id}"


def _total(row: AllocationRow) -> Money:
    parts = (row.principal, row.interest, row.indemnity, row.costs)
    first, *others = (part.money() for part in parts)
    for other in others:
        first = first + other
    return first


def _add_up(name: str, stated: Money, parts: Iterable[Money]) -> None:
    amounts = list(parts)
    strange = any(part.currency != stated.currency for part in amounts)
    if strange or sum(part.minor for part in amounts) != stated.minor:
        raise ValueError(f"{name} : le total annoncé n'est pas la somme de ses lignes")
