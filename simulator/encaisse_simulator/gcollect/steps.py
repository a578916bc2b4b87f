"""What a creditor changes in a procedure: pause, resume, withdraw, claim less."""

from __future__ import annotations

from typing import cast

from encaisse_simulator.gcollect.calls import REFERENCE_LENGTH, Call
from encaisse_simulator.gcollect.closing import end_settled
from encaisse_simulator.gcollect.entities import ClaimedInvoice, Parts, Procedure, Reason
from encaisse_simulator.gcollect.fields import Fields
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.rows import etag, money
from encaisse_simulator.wire import Json, SimResponse

PAUSES = ("dispute", "payment_check", "creditor")
WITHDRAWALS = ("paid_directly", "credit_note", "dispute", "refusal", "creditor", "error")


def pause(call: Call) -> SimResponse:
    """Suspend every message."""
    procedure = call.procedure()
    body = call.fields()
    reference = body.text("external_reference", longest=REFERENCE_LENGTH)
    reason = body.text("reason", among=PAUSES)
    body.check()
    _refuse_closed(procedure)
    call.claim_reference(procedure.creditor_id, "pause", reference)
    if procedure.status != "active":
        raise Problem("invalid_transition", "La procédure est déjà suspendue.")
    procedure.status, procedure.lock = "paused", cast("Reason", reason)
    _done(call, procedure, "pause", "paused", "Procédure suspendue", reference, {"reason": reason})
    _enter(call, procedure, procedure.invoices, "procedure_paused")
    return call.answer_procedure(procedure)


def resume(call: Call) -> SimResponse:
    """Speak again."""
    procedure = call.procedure()
    body = call.fields()
    reference = body.text("external_reference", longest=REFERENCE_LENGTH)
    body.text_or_none("reason")
    body.check()
    _refuse_closed(procedure)
    call.claim_reference(procedure.creditor_id, "resume", reference)
    if call.books.open_dispute_of(procedure) is not None:
        raise Problem("dispute_open")
    if procedure.status != "paused":
        raise Problem("invalid_transition", "La procédure n'est pas suspendue.")
    procedure.status, procedure.lock = "active", None
    _done(call, procedure, "resume", "resumed", "Procédure reprise", reference, {})
    _enter(call, procedure, procedure.invoices, "procedure_resumed")
    return call.answer_procedure(procedure)


def withdraw(call: Call) -> SimResponse:
    """Take invoices back, all of them when none is named."""
    procedure = call.procedure()
    body = call.fields()
    reference = body.text("external_reference", longest=REFERENCE_LENGTH)
    reason = body.text("reason", among=WITHDRAWALS)
    named = {name: body.texts(name) for name in ("invoice_numbers", "external_ids")}
    for field, names in named.items():
        if any(procedure.invoice(name) is None for name in names):
            body.fault(field, "unknown_value", "Une facture n'est pas de cette procédure.")
    body.check()
    _refuse_closed(procedure)
    call.claim_reference(procedure.creditor_id, "withdraw", reference)
    wanted = {name for names in named.values() for name in names}
    taken = [
        invoice
        for invoice in procedure.invoices
        if invoice.status == "in_procedure"
        and (not wanted or wanted & {invoice.line.number, invoice.line.external_id})
    ]
    if not taken:
        raise Problem("invalid_transition", "Ces factures ne sont plus en procédure.")
    for invoice in taken:
        invoice.status = "withdrawn"
    numbers = [invoice.line.number for invoice in taken]
    _done(
        call,
        procedure,
        "withdraw",
        "withdrawn",
        "Factures retirées",
        reference,
        {"reason": reason, "invoice_numbers": numbers},
    )
    _enter(call, procedure, taken, "procedure_withdrawn")
    end_settled(call.books, procedure)
    return call.answer_procedure(procedure)


def amend(call: Call) -> SimResponse:
    """Claim less; never more."""
    procedure = call.procedure()
    expected = call.request.headers.get("if-match")
    if expected is None:
        raise Problem("precondition_required")
    if expected != etag(procedure.id, procedure.version):
        raise Problem("precondition_failed")
    body = call.fields()
    reference = body.text("external_reference", longest=REFERENCE_LENGTH)
    asked = [(each, *_amended(each, procedure)) for each in body.records("invoices")]
    body.check()
    _refuse_closed(procedure)
    call.claim_reference(procedure.creditor_id, "amend", reference)
    for fields, invoice, parts in asked:
        if invoice is None or parts is None or invoice.status != "in_procedure":
            raise Problem("invalid_transition", "Une facture n'est plus en procédure.")
        paid = invoice.collected.principal + invoice.direct_cents
        if not parts.within(invoice.line.parts) or parts.principal < paid:
            fields.fault("principal", "amount_may_only_fall", "Un montant ne peut que baisser.")
            raise Problem("amount_may_only_fall", f"Facture {invoice.line.number}.")
    changed: list[Json] = []
    for _, invoice, parts in asked:
        if invoice is not None and parts is not None:
            changed.append({"number": invoice.line.number, "principal": money(parts.principal)})
            invoice.lower(parts)
    amended = [invoice for _, invoice, _ in asked if invoice is not None]
    numbers = [invoice.line.number for invoice in amended]
    _done(
        call,
        procedure,
        "amend",
        "amended",
        "Créance réduite",
        reference,
        {"invoice_numbers": numbers, "invoices": changed},
    )
    _enter(call, procedure, amended, "procedure_amended")
    end_settled(call.books, procedure)
    return call.answer_procedure(procedure)


def named_invoice(fields: Fields, procedure: Procedure) -> ClaimedInvoice | None:
    """Read which invoice a body speaks of, by number or by the creditor's own id."""
    field = "external_id" if fields.has("external_id") else "invoice_number"
    other = "invoice_number" if field == "external_id" else "external_id"
    invoice = procedure.invoice(fields.text(field, longest=128))
    also = fields.text_or_none(other, longest=128)
    if invoice is None or (also is not None and procedure.invoice(also) is not invoice):
        fields.fault(field, "unknown_value", "Cette facture n'est pas de cette procédure.")
        return None
    return invoice


def _amended(fields: Fields, procedure: Procedure) -> tuple[ClaimedInvoice | None, Parts | None]:
    field = "external_id" if fields.has("external_id") else "number"
    invoice = procedure.invoice(fields.text(field, longest=128))
    also = fields.text_or_none("number", longest=128)
    if invoice is None or also not in (None, invoice.line.number, invoice.line.external_id):
        fields.fault(field, "unknown_value", "Cette facture n'est pas de cette procédure.")
    given = {
        name: fields.money(name) if fields.has(name) else None
        for name in ("principal", "interest", "indemnity")
    }
    if invoice is None:
        return None, None
    now = invoice.line.parts
    principal, interest, indemnity = given["principal"], given["interest"], given["indemnity"]
    return invoice, Parts(
        now.principal if principal is None else principal,
        now.interest if interest is None else interest,
        now.indemnity if indemnity is None else indemnity,
    )


def _refuse_closed(procedure: Procedure) -> None:
    if procedure.status == "closed":
        raise Problem("procedure_closed")


def _done(
    call: Call,
    procedure: Procedure,
    kind: str,
    became: str,
    title: str,
    reference: str,
    details: dict[str, Json],
) -> None:
    """Leave the traces every step leaves."""
    books = call.books
    call.keep_reference(procedure.creditor_id, kind, reference, procedure.id)
    books.touch(procedure)
    books.tell(procedure, f"procedure.{became}", title, reference=reference, details=details)
    event = became if became in ("paused", "resumed") else "updated"
    books.emit(procedure.creditor_id, f"procedure.{event}", procedure.id)


def _enter(call: Call, procedure: Procedure, invoices: list[ClaimedInvoice], kind: str) -> None:
    for invoice in invoices:
        cents = invoice.line.parts.principal
        at = procedure.updated_at
        call.books.enter(procedure.creditor_id, invoice.line.number, cents, kind, "api", at)
