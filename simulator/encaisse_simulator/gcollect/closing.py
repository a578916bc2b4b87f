"""When a procedure ends, and when money going back opens it again."""

from __future__ import annotations

from datetime import timedelta

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.entities import Attestation, Message, Procedure
from encaisse_simulator.gcollect.pages import attestation_document, euros

FIRST_MESSAGE = timedelta(hours=1)
BETWEEN_MESSAGES = timedelta(days=3)
CHANNELS = ("email", "letter")

WITHOUT_RECOVERY = ("irrecoverable", "debtor_insolvent", "time_barred")
"""Close codes an attestation is issued for."""


def end_settled(books: Books, procedure: Procedure) -> None:
    """End invoices on which nothing is owed, then the procedure once none is left."""
    for invoice in procedure.invoices:
        settled = invoice.balance <= 0 and not invoice.unverified
        if invoice.status == "in_procedure" and settled:
            collected = invoice.collected.principal > 0
            directly = invoice.direct_cents > 0
            invoice.status = (
                "recovered" if collected else "paid_directly" if directly else "withdrawn"
            )
    statuses = {invoice.status for invoice in procedure.invoices}
    if procedure.status == "closed" or "in_procedure" in statuses:
        return
    if "recovered" in statuses:
        close(books, procedure, "recovered_partial" if "withdrawn" in statuses else "recovered")
    elif "paid_directly" in statuses:
        close(books, procedure, "paid_directly")
    else:
        some = any(invoice.collected.total for invoice in procedure.invoices)
        close(books, procedure, "recovered_partial" if some else "withdrawn")


def close(books: Books, procedure: Procedure, code: str) -> None:
    """Close: nobody speaks to the debtor any more."""
    procedure.status, procedure.close_code, procedure.lock = "closed", code, None
    procedure.closed_at = books.stamp()
    procedure.next_message_at = None
    books.touch(procedure)
    books.tell(procedure, "procedure.closed", f"Procédure close : {code}", actor="system")
    books.emit(procedure.creditor_id, "procedure.closed", procedure.id)


def reopen(books: Books, procedure: Procedure) -> None:
    """Open a closed procedure again, because a payment went back."""
    procedure.status, procedure.close_code, procedure.closed_at = "active", None, None
    books.touch(procedure)
    books.tell(procedure, "procedure.reopened", "Procédure rouverte", actor="system")
    books.emit(procedure.creditor_id, "procedure.reopened", procedure.id)
    plan_message(books, procedure, BETWEEN_MESSAGES)


def close_without_recovery(books: Books, procedure: Procedure, code: str, cause: str) -> None:
    """Give up, and attest it free of charge."""
    if code not in WITHOUT_RECOVERY or procedure.status == "closed":
        raise ValueError(f"procedure {procedure.id} cannot close as {code}")
    for invoice in procedure.invoices:
        if invoice.status == "in_procedure":
            invoice.status = "irrecoverable"
    close(books, procedure, code)
    number = f"ANR-{books.now:%Y}-{len(books.attestations) + 1:05d}"
    creditor = books.creditors[procedure.creditor_id]
    lines = [
        (each.line.number, euros(each.line.parts.principal), euros(each.balance))
        for each in procedure.invoices
        if each.status == "irrecoverable"
    ]
    content = attestation_document(number, creditor, lines, cause)
    kept = books.keep_document(creditor.id, content)
    books.attestations[procedure.id] = Attestation(number, books.stamp(), cause, kept.id)
    books.emit(creditor.id, "attestation.issued", procedure.id)


def plan_message(books: Books, procedure: Procedure, after: timedelta) -> None:
    """Plan the next message to the debtor; a later plan replaces an earlier one."""
    when = books.now + after
    procedure.next_message_at = when

    def speak() -> None:
        if procedure.next_message_at != when or procedure.status == "closed":
            return
        owed = [each for each in procedure.invoices if each.status == "in_procedure"]
        numbers = tuple(each.line.number for each in owed if each.balance > 0)
        if procedure.status == "active" and numbers:
            _send(books, procedure, numbers)
        plan_message(books, procedure, BETWEEN_MESSAGES)

    books.at(when, speak)


def _send(books: Books, procedure: Procedure, numbers: tuple[str, ...]) -> None:
    procedure.messages_sent += 1
    channel = CHANNELS[1] if procedure.messages_sent % 3 == 0 else CHANNELS[0]
    siren = books.creditors[procedure.creditor_id].siren
    books.messages.append(Message(books.now, siren, procedure.id, channel, numbers))
    books.tell(
        procedure,
        "message.sent",
        "Message au débiteur",
        actor="system",
        channel=channel,
        numbers=numbers,
    )
