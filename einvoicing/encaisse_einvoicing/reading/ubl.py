"""Know UBL 2.1 Invoice and CreditNote: EN 16931, Peppol, XRechnung, EXTENDED-CTC-FR.

The settle functions bring what was read to the shape both syntaxes share, the unsettle functions
undo it for writing. Where the schema wants a value the invoice has not, "NA" stands for none.
"""

import re
from functools import cache
from typing import Final

from encaisse_einvoicing.reading.plan import Convert, Plan, Raw, Syntax, compile_plan
from encaisse_einvoicing.reading.shape import group, groups, move, text
from encaisse_einvoicing.reading.values import decimal, flag, iso_date, name
from encaisse_einvoicing.terms import Kind
from encaisse_einvoicing.writing.flatten import complete_price, complete_tax, lay_terms
from encaisse_einvoicing.writing.gaps import Report

_OASIS = "urn:oasis:names:specification:ubl:schema:xsd:"
_NAMESPACES: Final = {
    "cac": f"{_OASIS}CommonAggregateComponents-2",
    "cbc": f"{_OASIS}CommonBasicComponents-2",
}
_CONVERTERS: Final[dict[Kind, Convert]] = {
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
_NONE: Final = "NA"
_SUBJECT_CODE: Final = re.compile("[A-Z]{3}")
_ORDER_OF_LINE: Final = (
    "extensions.order_reference",
    "extensions.order_date",
    "extensions.sales_order_reference",
    "extensions.sales_order_line",
)
_ORDER_OF_DOCUMENT: Final = ("sales_order_reference", "extensions.order_date")
_STAND_INS: Final = (
    # The field the schema wants, and those beside which it wants it.
    ("extensions.order_reference", ("extensions.sales_order_reference", "extensions.order_date")),
    ("order_line", _ORDER_OF_LINE),
    ("extensions.despatch_advice_line", ("extensions.despatch_advice",)),
)
_CARD: Final = ("card_number", "card_holder")
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
    _settle_notes(groups(raw, "notes"))
    _drop_stand_in(raw, "order_reference", _ORDER_OF_DOCUMENT)
    for line in groups(raw, "lines"):
        if "line_notes" in line:
            _settle_notes(groups(line, "line_notes"))
        for field, beside in _STAND_INS:
            if field in line:
                _drop_stand_in(line, field, beside)
    for field in ("seller", "payee"):
        party = raw.get(field)
        for identifier in groups(party, "ids") if isinstance(party, dict) else []:
            if text(identifier, "scheme") == _CREDITOR_SCHEME:
                move(identifier, "value", raw, "creditor_id")  # BT-90 lives among the ids
                identifier.clear()
    for means in groups(raw, "payment_means"):
        _drop_stand_in(means, "card_network", _CARD)
        due = means.pop("due_date", None)
        if due is not None:
            terms = raw.setdefault("terms", [])
            assert isinstance(terms, list)
            terms.append({"due_date": due})


def _settle_notes(notes: list[Raw]) -> None:
    for note in notes:
        found = _SUBJECT.fullmatch(text(note, "text") or "")
        if found is not None:
            note["subject_code"], note["text"] = found[1], found[2].strip()


def settle_credit_note(raw: Raw) -> None:
    """Do as for an invoice, the project reference being a document of type 50 here."""
    for document in groups(raw, "documents"):
        if text(document, "type_code") == _PROJECT:
            move(document, "id", raw, "project_reference")
            document.clear()
    settle_invoice(raw)


def _drop_stand_in(raw: Raw, field: str, beside: tuple[str, ...]) -> None:
    if raw.get(field) == _NONE and any(other in raw for other in beside):
        del raw[field]


def unsettle_invoice(raw: Raw, report: Report) -> None:
    """Say in UBL's own way what both syntaxes share, for an invoice."""
    lay_terms(raw, report, explicit=True)
    _unsettle(raw, report)


def unsettle_credit_note(raw: Raw, report: Report) -> None:
    """Do as for an invoice; a credit note has no element for BT-9 nor for BT-11."""
    alone = raw.get("due_date") if "instalments" not in raw else None
    if alone is not None and "payment_means" in raw:
        groups(raw, "payment_means")[0]["due_date"] = raw.pop("due_date")
    lay_terms(raw, report, explicit=False)
    project = raw.pop("project_reference", None)
    if project is not None:
        raw["documents"] = [*groups(raw, "documents"), {"id": project, "type_code": _PROJECT}]
    _unsettle(raw, report)


def _unsettle(raw: Raw, report: Report) -> None:
    _unsettle_notes(raw, "notes", "BT-22", report)
    _stand_in(raw, "order_reference", _ORDER_OF_DOCUMENT, report)
    for line in groups(raw, "lines"):
        _unsettle_notes(line, "line_notes", "BT-127", report)
        for field, beside in _STAND_INS:
            _stand_in(line, field, beside, report)
        if "gross_price" in line:
            complete_price(line)
    for means in groups(raw, "payment_means"):
        _stand_in(means, "card_network", _CARD, report)
    for field in ("seller", "payee"):
        ids = groups(group(raw, field), "ids")
        if any(text(each, "scheme") == _CREDITOR_SCHEME for each in ids):
            report("no_place", "", f"{field}.ids", "identifiant SEPA", "se lirait comme BT-90")
    creditor = raw.pop("creditor_id", None)
    if creditor is not None:
        party = raw.setdefault("payee" if "payee" in raw else "seller", {})
        assert isinstance(party, dict)
        sepa: Raw = {"value": creditor, "scheme": _CREDITOR_SCHEME}
        party["ids"] = [*groups(party, "ids"), sepa]
    complete_tax(raw)


def _unsettle_notes(raw: Raw, field: str, term: str, report: Report) -> None:
    """Put the subject before the text; a text that looks so by itself cannot be told from it."""
    for note in groups(raw, field):
        subject, said = text(note, "subject_code"), text(note, "text") or ""
        if subject is None:
            if _SUBJECT.fullmatch(said):
                report("no_place", term, field, "note", "commence comme un code de sujet")
        elif not said:
            del note["subject_code"]  # BT-22 is missing, and told so; on a line nothing wants it
            if term != "BT-22":
                report("missing", term, field, "note de la ligne", "un sujet sans texte")
        elif _SUBJECT_CODE.fullmatch(subject) is None:
            report("no_place", "BT-21", field, "sujet de la note", "n'a pas trois lettres")
        else:
            note["text"] = f"#{subject}#{said}"
            del note["subject_code"]


def _stand_in(raw: Raw, field: str, beside: tuple[str, ...], report: Report) -> None:
    """Put "NA" where the schema wants a value; a true "NA" would be taken for it."""
    if not any(other in raw for other in beside):
        return
    if raw.get(field) == _NONE:
        report("no_place", "", field, "référence « NA »", "se lirait comme une absence")
    raw.setdefault(field, _NONE)
