"""Disputes: everything automatic stops until a person has decided."""

from __future__ import annotations

from functools import partial
from typing import Literal

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.calls import REFERENCE_LENGTH, Call
from encaisse_simulator.gcollect.closing import close, end_settled
from encaisse_simulator.gcollect.entities import (
    ClaimedInvoice,
    Procedure,
)
from encaisse_simulator.gcollect.feeds import Placed, feed
from encaisse_simulator.gcollect.movements import (
    Dispute,
)
from encaisse_simulator.gcollect.payouts import release
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.rows import dispute_row
from encaisse_simulator.gcollect.steps import named_invoice
from encaisse_simulator.ledger import Via
from encaisse_simulator.wire import SimResponse, json_response

REASONS = ("goods_quality", "not_delivered", "price", "already_paid", "identity", "other")


def declare_dispute(call: Call) -> SimResponse:
    """Take a creditor's word that a claim is contested."""
    procedure = call.procedure()
    body = call.fields()
    reference = body.text("external_reference", longest=REFERENCE_LENGTH)
    invoice = named_invoice(body, procedure)
    reason = body.text("reason", among=REASONS)
    body.text_or_none("statement", longest=4000)
    if body.has("amount"):
        body.money("amount", least=1)
    else:
        body.text_or_none("amount")
    body.check()
    if procedure.status == "closed":
        raise Problem("procedure_closed")
    call.claim_reference(procedure.creditor_id, "dispute", reference)
    if invoice is None or invoice.status != "in_procedure":
        raise Problem("invalid_transition", "Cette facture n'est plus en procédure.")
    dispute = open_dispute(call.books, procedure, invoice, reason, "creditor", reference)
    call.keep_reference(procedure.creditor_id, "dispute", reference, dispute.id)
    return json_response(201, dispute_row(dispute))


def list_disputes(call: Call) -> SimResponse:
    """List a procedure's disputes."""
    procedure = call.procedure()
    reference = call.request.one("external_reference")
    return feed(
        call,
        [
            Placed(each.created_at, each.id, partial(dispute_row, each))
            for each in call.books.disputes.values()
            if each.procedure_id == procedure.id and reference in (None, each.external_reference)
        ],
    )


def open_dispute(
    books: Books,
    procedure: Procedure,
    invoice: ClaimedInvoice,
    reason: str,
    opened_by: Literal["creditor", "debtor"],
    reference: str | None,
) -> Dispute:
    """Open a dispute and suspend the procedure."""
    created = books.stamp()
    dispute = Dispute(
        id=books.ids.draw("dsp"),
        procedure_id=procedure.id,
        external_reference=reference,
        line=invoice.line,
        reason=reason,
        opened_by=opened_by,
        created_at=created,
        updated_at=created,
    )
    books.disputes[dispute.id] = dispute
    procedure.status, procedure.lock = "paused", "dispute"
    books.touch(procedure)
    books.tell(
        procedure,
        "dispute.opened",
        "Litige ouvert",
        actor=opened_by,
        reference=reference,
        numbers=[invoice.line.number],
        details={"reason": reason},
    )
    books.emit(procedure.creditor_id, "dispute.opened", dispute.id)
    via: Via = "api" if opened_by == "creditor" else "partner"
    cents = invoice.line.parts.principal
    books.enter(procedure.creditor_id, invoice.line.number, cents, "dispute_opened", via, created)
    return dispute


def resolve_dispute(
    books: Books, dispute: Dispute, resolution: Literal["denied", "upheld", "withdrawn"]
) -> None:
    """Let a person decide: upheld takes the invoice out, anything else goes on."""
    if dispute.status != "open":
        raise ValueError(f"dispute {dispute.id} is resolved already")
    procedure = books.procedures[dispute.procedure_id]
    dispute.status, dispute.resolution = "resolved", resolution
    dispute.updated_at = books.stamp()
    number = dispute.line.number
    books.tell(procedure, "dispute.resolved", "Litige résolu", actor="system", numbers=[number])
    books.emit(procedure.creditor_id, "dispute.resolved", dispute.id)
    invoice = procedure.invoice(dispute.line.external_id)
    if resolution == "upheld" and invoice is not None and invoice.status == "in_procedure":
        invoice.status = "withdrawn"
    if books.open_dispute_of(procedure) is None:
        release(books, procedure.id)
        if procedure.status == "paused":
            procedure.status, procedure.lock = "active", None
    books.touch(procedure)
    gone = all(each.status == "withdrawn" for each in procedure.invoices)
    if resolution == "upheld" and gone and procedure.status != "closed":
        close(books, procedure, "dispute_upheld")
    else:
        end_settled(books, procedure)
