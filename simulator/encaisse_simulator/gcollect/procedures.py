"""Procedures: opened under a signed mandate only, read by id, by reference, or as a feed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import partial

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.calls import REFERENCE_LENGTH, Call
from encaisse_simulator.gcollect.closing import FIRST_MESSAGE, plan_message
from encaisse_simulator.gcollect.entities import (
    AnnexLine,
    ClaimedInvoice,
    Debtor,
    FiledDocument,
    Mandate,
    Procedure,
)
from encaisse_simulator.gcollect.feeds import Placed, feed
from encaisse_simulator.gcollect.fields import Fields
from encaisse_simulator.gcollect.mandates import read_line, signing_url
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.wire import SimResponse


def open_procedure(call: Call) -> SimResponse:
    """Open a procedure on claims a person signed for."""
    body = call.fields()
    creditor_id = call.creditor(body)
    reference = body.text("external_reference", longest=REFERENCE_LENGTH)
    mandate_id = body.text("mandate_id", longest=128)
    scenarios = ("auto", "modulable", "classic", "auction")
    scenario = body.text_or_none("scenario", among=scenarios) or "auto"
    debtor = _debtor(body.record("debtor"))
    _read_creditor(body)
    lines = [read_line(each) for each in body.records("invoices")]
    documents = tuple(_document(each) for each in body.records("documents", least=0))
    names = [_year_number(line) for line in lines]
    if len(set(names)) != len(names):
        body.fault("invoices", "duplicate", "Une facture est citée deux fois.")
    for place, document in enumerate(documents):
        if document.invoice_number not in [line.number for line in lines]:
            body.fault(f"documents/{place}", "unknown_value", "Cette facture n'est pas du lot.")
    body.check()
    books = call.books
    call.claim_reference(creditor_id, "procedure", reference)
    mandate = books.mandates.get(mandate_id)
    if mandate is None or mandate.creditor_id != creditor_id:
        raise Problem("mandate_required", f"Le mandat {mandate_id} n'existe pas.")
    if mandate.status != "signed":
        raise Problem("mandate_required", solution_url=signing_url(mandate, call.base_url))
    _refuse_unsigned(mandate, lines)
    _refuse_doubles(books, creditor_id, lines)
    if debtor.siren in books.insolvent:
        raise Problem("debtor_insolvent")
    opened = books.stamp()
    procedure = Procedure(
        id=books.ids.draw("prc"),
        reference=f"GC-{opened:%y}-{len(books.procedures) + 1:06d}",
        creditor_id=creditor_id,
        external_reference=reference,
        mandate_id=mandate.id,
        scenario=scenario,
        debtor=debtor,
        documents=documents,
        invoices=[ClaimedInvoice(line) for line in lines],
        opened_at=opened,
        updated_at=opened,
    )
    books.procedures[procedure.id] = procedure
    call.keep_reference(creditor_id, "procedure", reference, procedure.id)
    numbers = [line.number for line in lines]
    books.tell(
        procedure, "procedure.opened", "Procédure ouverte", reference=reference, numbers=numbers
    )
    books.emit(creditor_id, "procedure.created", procedure.id)
    for line in lines:
        books.by_invoice[creditor_id, *_year_number(line)].append(procedure)
        cents = line.parts.principal
        books.enter(creditor_id, line.number, cents, "procedure_opened", "api", opened)
    plan_message(books, procedure, FIRST_MESSAGE)
    return call.answer_procedure(procedure, 201)


def read_procedure(call: Call) -> SimResponse:
    """Read a procedure."""
    return call.answer_procedure(call.procedure())


def find_procedure(call: Call) -> SimResponse:
    """Find a procedure by the creditor's own reference."""
    for creditor in call.creditors():
        place = (creditor.id, "procedure", call.values["ref"])
        procedure_id = call.books.references.get(place)
        if procedure_id is not None:
            return call.answer_procedure(call.books.procedures[procedure_id])
    raise Problem("not_found")


def list_procedures(call: Call) -> SimResponse:
    """List procedures as a feed of changes."""
    status = call.request.one("status")
    reference = call.request.one("external_reference")
    return feed(
        call,
        [
            Placed(
                each.updated_at,
                each.id,
                partial(call.procedure_row, each),
            )
            for each in call.books.procedures.values()
            if call.owns(each.creditor_id)
            and status in (None, each.status)
            and reference in (None, each.external_reference)
        ],
    )


def _year_number(line: AnnexLine) -> tuple[str, int]:
    return (line.number, line.issue_date.year)


def _refuse_unsigned(mandate: Mandate, lines: list[AnnexLine]) -> None:
    signed = {(line.external_id, line.number): line for line in mandate.annex}
    for line in lines:
        known = signed.get((line.external_id, line.number))
        if known is None or not line.parts.within(known.parts):
            raise Problem(
                "not_in_mandate", f"La facture {line.number} n'est pas signée pour ce montant."
            )


def _refuse_doubles(books: Books, creditor_id: str, lines: list[AnnexLine]) -> None:
    for line in lines:
        for procedure in books.by_invoice[creditor_id, *_year_number(line)]:
            invoice = procedure.invoice(line.number)
            if invoice is not None and invoice.status == "in_procedure":
                raise Problem(
                    "duplicate_invoice",
                    f"La facture {line.number} est déjà dans une procédure.",
                    existing_id=procedure.id,
                )


def _debtor(fields: Fields) -> Debtor:
    kind = fields.text("kind", among=("company", "individual"))
    name = fields.text("name", longest=200)
    siren = fields.digits("siren", 9)
    fields.digits("siret", 14)
    fields.text_or_none("vat_number", longest=20)
    fields.text_or_none("language", longest=8)
    _read_address(fields)
    emails = [_contact(each) for each in fields.records("contacts", least=0)]
    return Debtor(kind, name, siren, tuple(email for email in emails if email))


def _read_address(fields: Fields) -> None:
    address = fields.record_or_none("address")
    if address is not None:
        address.texts("lines")
        address.text_or_none("postcode", longest=16)
        address.text_or_none("city", longest=200)
        address.text_or_none("country", longest=2)


def _contact(fields: Fields) -> str | None:
    for name in ("name", "phone", "role"):
        fields.text_or_none(name, longest=200)
    return fields.text_or_none("email", longest=200)


def _read_creditor(body: Fields) -> None:
    creditor = body.record_or_none("creditor")
    if creditor is not None:
        creditor.digits("siren", 9)
        creditor.text("name", longest=200)
        _read_address(creditor)
        contact = creditor.record_or_none("contact")
        if contact is not None:
            _contact(contact)


def _document(fields: Fields) -> FiledDocument:
    number = fields.text("invoice_number", longest=70)
    filename = fields.text("filename", longest=200)
    media_type = fields.text("media_type", longest=100)
    encoded = fields.text("content_base64", longest=20_000_000)
    sha256 = fields.text_or_none("sha256", longest=64)
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        fields.fault("content_base64", "invalid", "Du base64 est attendu.")
        content = b""
    if sha256 is not None and sha256 != hashlib.sha256(content).hexdigest():
        fields.fault("sha256", "mismatch", "L'empreinte ne correspond pas au contenu.")
    return FiledDocument(number, filename, media_type, content)
