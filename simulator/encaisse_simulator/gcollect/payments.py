"""Money from debtors: received, verified, sometimes taken back; and what creditors got directly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, get_args

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.calls import REFERENCE_LENGTH, Call
from encaisse_simulator.gcollect.closing import end_settled, reopen
from encaisse_simulator.gcollect.entities import (
    ClaimedInvoice,
    Parts,
    Procedure,
)
from encaisse_simulator.gcollect.feeds import Placed, feed
from encaisse_simulator.gcollect.movements import (
    DirectPayment,
    Payment,
)
from encaisse_simulator.gcollect.payouts import pay_out, take_back
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.quotes import share, vat_on
from encaisse_simulator.gcollect.rows import direct_payment_row, payment_row
from encaisse_simulator.gcollect.steps import named_invoice
from encaisse_simulator.paris import paris_midnight
from encaisse_simulator.wire import SimResponse, json_response

Method = Literal["card", "paypal", "apple_pay", "google_pay", "bank_transfer", "other"]
METHODS: tuple[Method, ...] = get_args(Method)

VERIFIED_AFTER: Mapping[str, timedelta] = {"bank_transfer": timedelta(hours=24)}
"""How long a payment waits to be verified; methods not named here are verified at once."""


def receive(
    books: Books,
    procedure: Procedure,
    invoice: ClaimedInvoice,
    parts: Parts,
    *,
    at: datetime,
    method: Method,
    mode: str | None,
) -> Payment:
    """Take in a debtor's payment.

    It is the debtor's right to pay late or twice: money on a closed invoice or above what is owed
    is taken in too, but no fee is worked out on it.
    """
    if at > books.now or min(parts.principal, parts.interest, parts.indemnity) < 0:
        raise ValueError("a payment is not in the future and none of its parts is negative")
    if parts.total <= 0 or method not in METHODS:
        raise ValueError(f"no such payment: {parts.total} cents by {method}")
    owed = max(0, invoice.balance) if invoice.status == "in_procedure" else 0
    stamp = books.stamp()
    payment = Payment(
        id=books.ids.draw("pay"),
        creditor_id=procedure.creditor_id,
        procedure_id=procedure.id,
        line=invoice.line,
        parts=parts,
        method=method,
        mode=mode or ("full" if parts.principal >= owed else "partial"),
        received_by="gcollect",
        received_at=at,
        created_at=stamp,
        updated_at=stamp,
        fee_base=min(parts.principal, owed),
        rate=_rate(books, procedure, invoice),
    )
    books.payments[payment.id] = payment
    invoice.collected = invoice.collected.plus(parts)
    invoice.unverified += 1
    _trace(books, procedure, payment, "received", "Paiement reçu", "debtor")
    books.enter(procedure.creditor_id, invoice.line.number, parts.total, "collected", "partner", at)
    delay = VERIFIED_AFTER.get(method)
    if delay is None:
        verify(books, payment)
    else:
        books.at(max(at + delay, books.now), lambda: verify(books, payment))
    return payment


def verify(books: Books, payment: Payment) -> None:
    """Confirm that the money is there: work the fee out, plan the payout, end what is settled."""
    if payment.status != "pending":
        return
    procedure = books.procedures[payment.procedure_id]
    invoice = procedure.invoice(payment.line.external_id)
    if invoice is not None:
        invoice.unverified -= 1
    payment.status, payment.verified_at = "verified", books.now
    payment.fee = share(payment.fee_base, payment.rate)
    payment.fee_vat = vat_on(payment.fee)
    payment.updated_at = books.stamp()
    pay_out(books, payment)
    _trace(books, procedure, payment, "verified", "Paiement vérifié", "system")
    end_settled(books, procedure)


def reverse(books: Books, payment: Payment, *, at: datetime) -> None:
    """Let a payment go back (returned transfer, chargeback): what it settled is owed again."""
    if payment.status == "reversed" or payment.received_by == "creditor":
        raise ValueError(f"payment {payment.id} cannot be reversed")
    if not payment.received_at <= at <= books.now:
        raise ValueError("a payment goes back after it came, and not in the future")
    procedure = books.procedures[payment.procedure_id]
    invoice = procedure.invoice(payment.line.external_id)
    was_verified = payment.status == "verified"
    payment.status, payment.reversed_at = "reversed", at
    payment.updated_at = books.stamp()
    if was_verified:
        take_back(books, payment)
    if invoice is not None:
        invoice.unverified -= 0 if was_verified else 1
        invoice.collected = invoice.collected.plus(payment.parts, -1)
        if invoice.status == "recovered" and invoice.balance > 0:
            invoice.status = "in_procedure"
    _trace(books, procedure, payment, "reversed", "Paiement rejeté", "system")
    cents = -payment.parts.total
    books.enter(procedure.creditor_id, payment.line.number, cents, "reversal", "partner", at)
    owed_again = any(each.status == "in_procedure" for each in procedure.invoices)
    if procedure.status == "closed" and owed_again:
        reopen(books, procedure)


def list_payments(call: Call) -> SimResponse:
    """List payments as a feed, those declared by creditors too."""
    return feed(
        call,
        [
            Placed(each.updated_at, each.id, partial(payment_row, each))
            for each in call.books.payments.values()
            if call.owns(each.creditor_id)
        ],
    )


def declare_direct(call: Call) -> SimResponse:
    """Take a creditor's word that the debtor paid it: what is settled is silent at once."""
    procedure, books = call.procedure(), call.books
    body = call.fields()
    reference = body.text("external_reference", longest=REFERENCE_LENGTH)
    invoice = named_invoice(body, procedure)
    cents = body.money("amount", least=1)
    paid_on = body.day("paid_on")
    settles = body.flag("settles")
    body.text_or_none("source", longest=64)
    body.check()
    if procedure.status == "closed":
        raise Problem("procedure_closed")
    call.claim_reference(procedure.creditor_id, "direct_payment", reference)
    if invoice is None or invoice.status != "in_procedure":
        raise Problem("invalid_transition", "Cette facture n'est plus en procédure.")
    created = books.stamp()
    declared = DirectPayment(
        id=books.ids.draw("dir"),
        procedure_id=procedure.id,
        external_reference=reference,
        line=invoice.line,
        cents=cents,
        paid_on=paid_on,
        settles=settles,
        created_at=created,
    )
    books.direct_payments[declared.id] = declared
    call.keep_reference(procedure.creditor_id, "direct_payment", reference, declared.id)
    invoice.direct_cents += cents
    if settles or invoice.balance <= 0:
        invoice.status = "paid_directly"
    _echo(books, procedure, declared)
    books.touch(procedure)
    books.tell(
        procedure,
        "direct_payment.declared",
        "Paiement direct déclaré",
        reference=reference,
        numbers=[invoice.line.number],
    )
    books.emit(procedure.creditor_id, "direct_payment.declared", declared.id)
    books.enter(procedure.creditor_id, invoice.line.number, cents, "direct_payment", "api", created)
    end_settled(books, procedure)
    return json_response(201, direct_payment_row(declared))


def list_direct(call: Call) -> SimResponse:
    """List the direct payments declared in a procedure."""
    procedure = call.procedure()
    reference = call.request.one("external_reference")
    return feed(
        call,
        [
            Placed(each.created_at, each.id, partial(direct_payment_row, each))
            for each in call.books.direct_payments.values()
            if each.procedure_id == procedure.id and reference in (None, each.external_reference)
        ],
    )


def _echo(books: Books, procedure: Procedure, declared: DirectPayment) -> None:
    """Show a direct payment among the payments: no fee, no payout."""
    stamp = books.stamp()
    echo = Payment(
        id=books.ids.draw("pay"),
        creditor_id=procedure.creditor_id,
        procedure_id=procedure.id,
        line=declared.line,
        parts=Parts(principal=declared.cents),
        method="other",
        mode="full" if declared.settles else "partial",
        received_by="creditor",
        received_at=paris_midnight(declared.paid_on),
        created_at=stamp,
        updated_at=stamp,
        fee_base=0,
        rate=0,
        status="verified",
        verified_at=stamp,
        fee=0,
        fee_vat=0,
        direct_payment_id=declared.id,
    )
    books.payments[echo.id] = echo


def _trace(
    books: Books, procedure: Procedure, payment: Payment, became: str, title: str, actor: str
) -> None:
    books.touch(procedure)
    numbers = [payment.line.number]
    books.tell(procedure, f"payment.{became}", title, actor=actor, numbers=numbers)
    books.emit(payment.creditor_id, f"payment.{became}", payment.id)


def _rate(books: Books, procedure: Procedure, invoice: ClaimedInvoice) -> int:
    """Give the rate quoted for this claim."""
    for quote_id in books.mandates[procedure.mandate_id].quote_ids:
        quote = books.quotes[quote_id]
        if any(each.external_id == invoice.line.external_id for each in quote.invoices):
            return quote.rate
    raise ValueError(f"invoice {invoice.line.number} was never quoted")
