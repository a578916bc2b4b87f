"""Read UBL 2.1 Invoice and CreditNote: EN 16931, Peppol, XRechnung, EXTENDED-CTC-FR."""

import re
from functools import cache
from typing import Final

from encaisse_einvoicing.reading.shape import groups, move, text
from encaisse_einvoicing.reading.values import decimal, flag, iso_date, name
from encaisse_einvoicing.reading.plan import Plan, Raw, Syntax, compile_plan
from encaisse_einvoicing.terms import Kind

_OASIS = "urn:oasis:names:specification:ubl:schema:xsd:"
_NAMESPACES: Final = {
    "cac": f"{_OASIS}CommonAggregateComponents-2",
    "cbc": f"{_OASIS}CommonBasicComponents-2",
}
_CONVERTERS: Final = {
    Kind.AMOUNT: decimal,
    Kind.NAME: name,
    Kind.TAX_AMOUNT: decimal,
    Kind.NUMBER: decimal,
    Kind.DATE: iso_date,
    Kind.FLAG: flag,
}
INVOICE: Final = Syntax("UBL Invoice", "ubl", "Invoice", _NAMESPACES, _CONVERTERS)
CREDIT_NOTE: Final = Syntax("UBL CreditNote", "credit_note", "CreditNote", _NAMESPACES, _CONVERTERS)
VAT_SCHEME: Final = "VAT"
_PROJECT: Final = "50"
_CREDITOR_SCHEME: Final = "SEPA"
_NO_ORDER: Final = "NA"
_SUBJECT: Final = re.compile(r"#([A-Z]{3})#(.*)", re.DOTALL)
"""A subject code before the text of a note: UBL has no element for it (BR-FR-05)."""


@cache
def invoice_plan() -> Plan:
    """Compile the table for invoices once."""
    return compile_plan(INVOICE)


@cache
def credit_note_plan() -> Plan:
    """Compile the table for credit notes once."""
    return compile_plan(CREDIT_NOTE)


def settle_invoice(raw: Raw) -> None:
    """Bring what UBL says in its own way to the shape both syntaxes share."""
    for note in groups(raw, "notes"):
        found = _SUBJECT.fullmatch(text(note, "text") or "")
        if found is not None:
            note["subject_code"], note["text"] = found[1], found[2].strip()
    if "sales_order_reference" in raw and text(raw, "order_reference") == _NO_ORDER:
        del raw["order_reference"]  # UBL asks an order beside a sales order; NA stands for none
    for field in ("seller", "payee"):
        party = raw.get(field)
        for identifier in groups(party, "ids") if isinstance(party, dict) else []:
            if text(identifier, "scheme") == _CREDITOR_SCHEME:
                move(identifier, "value", raw, "creditor_id")  # BT-90 lives among the ids
                identifier.clear()
    for means in groups(raw, "payment_means"):
        due = means.pop("due_date", None)
        if due is not None:
            terms = raw.setdefault("terms", [])
            assert isinstance(terms, list)
            terms.append({"due_date": due})


def settle_credit_note(raw: Raw) -> None:
    """Do as for an invoice, the project reference being a document of type 50 here."""
    for document in groups(raw, "documents"):
        if text(document, "type_code") == _PROJECT:
            move(document, "id", raw, "project_reference")
            document.clear()
    settle_invoice(raw)
