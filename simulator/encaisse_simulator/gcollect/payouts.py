"""Payouts to creditors: 72 hours after verification [page qonto], fee and its VAT kept."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.calls import Call
from encaisse_simulator.gcollect.feeds import Placed, feed
from encaisse_simulator.gcollect.movements import (
    Payment,
    Payout,
    PayoutLine,
)
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.rows import payout_row
from encaisse_simulator.paris import paris_date
from encaisse_simulator.wire import SimResponse, json_response

PAID_OUT_AFTER = timedelta(hours=72)


def pay_out(books: Books, payment: Payment) -> None:
    """Plan the payout of a verified payment; held while a dispute is open on its procedure."""
    dispute = books.open_dispute_of(books.procedures[payment.procedure_id])
    payout = _planned(books, payment.creditor_id, held=dispute is not None)
    payout.lines.append(_line(payment, sign=1))
    payout.updated_at = books.stamp()
    payment.payout_id = payout.id


def take_back(books: Books, payment: Payment) -> None:
    """Take a reversed payment off the next payout."""
    payout = _planned(books, payment.creditor_id, held=False)
    payout.lines.append(_line(payment, sign=-1))
    payout.updated_at = books.stamp()


def release(books: Books, procedure_id: str) -> None:
    """Let payouts held for a procedure's dispute go."""
    for payout in books.payouts.values():
        if payout.status == "held" and payout.lines[0].procedure_id == procedure_id:
            payout.status, payout.hold_reason = "scheduled", None
            payout.due_at = max(payout.due_at, books.now)
            payout.updated_at = books.stamp()
            _plan_execution(books, payout)


def list_payouts(call: Call) -> SimResponse:
    """List payouts as a feed."""
    return feed(
        call,
        [
            Placed(each.updated_at, each.id, partial(payout_row, each))
            for each in call.books.payouts.values()
            if call.owns(each.creditor_id)
        ],
    )


def read_payout(call: Call) -> SimResponse:
    """Read one payout."""
    payout = call.books.payouts.get(call.values["id"])
    if payout is None or not call.owns(payout.creditor_id):
        raise Problem("not_found")
    return json_response(200, payout_row(payout))


def _planned(books: Books, creditor_id: str, *, held: bool) -> Payout:
    """Give the creditor's payout of the day, a new one when there is none or it must be held.

    A payment that joins a payout opened earlier the same day is paid out before its own 72 hours
    are over: they are a longest delay.
    """
    today = paris_date(books.now)
    if not held:
        for payout in books.payouts.values():
            same_day = paris_date(payout.created_at) == today
            if payout.creditor_id == creditor_id and payout.status == "scheduled" and same_day:
                return payout
    created = books.stamp()
    payout = Payout(
        id=books.ids.draw("pot"),
        creditor_id=creditor_id,
        lines=[],
        due_at=books.now + PAID_OUT_AFTER,
        created_at=created,
        updated_at=created,
        status="held" if held else "scheduled",
        hold_reason="dispute" if held else None,
    )
    books.payouts[payout.id] = payout
    books.emit(creditor_id, "payout.scheduled", payout.id)
    _plan_execution(books, payout)
    return payout


def _plan_execution(books: Books, payout: Payout) -> None:
    def execute() -> None:
        if payout.status == "scheduled" and payout.due_at <= books.now:
            _execute(books, payout)

    books.at(payout.due_at, execute)


def _execute(books: Books, payout: Payout) -> None:
    payout.status, payout.executed_at = "executed", books.now
    payout.bank_reference = f"VIR GCOLLECT {books.ids.token('bank')[:10].upper()}"
    payout.updated_at = books.stamp()
    for line in payout.lines:
        procedure = books.procedures[line.procedure_id]
        procedure.fees += line.fee
        procedure.net_paid_out += line.net
        books.touch(procedure)
        number = line.invoice_number
        books.tell(procedure, "payout.executed", "Reversement", actor="system", numbers=[number])
        books.enter(payout.creditor_id, number, line.net, "payout", "partner", books.now)
    books.emit(payout.creditor_id, "payout.executed", payout.id)


def _line(payment: Payment, *, sign: int) -> PayoutLine:
    return PayoutLine(
        payment_id=payment.id,
        procedure_id=payment.procedure_id,
        invoice_number=payment.line.number,
        external_id=payment.line.external_id,
        gross=sign * payment.parts.total,
        rate=payment.rate,
        fee=sign * (payment.fee or 0),
        fee_vat=sign * (payment.fee_vat or 0),
        reversal=sign < 0,
    )
