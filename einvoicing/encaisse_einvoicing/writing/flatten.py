"""Take an invoice apart into the raw fields the table names: the inverse of `assemble`.

What the readers derive (SIREN, SIRET) is left out where they will derive it again, and is a gap
where they would not.
"""

from datetime import date
from decimal import Decimal
from typing import cast

from pydantic import BaseModel

from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading.identifiers import french_numbers
from encaisse_einvoicing.reading.shape import group, groups, parties, spread_extensions, text
from encaisse_einvoicing.reading.walker import Raw, Scalar
from encaisse_einvoicing.writing.gaps import Report

_OBJECT = "130"
_OTHER_TAX = "FC"


def flatten(invoice: Invoice, vat_scheme: str, report: Report) -> Raw:
    """Give the raw fields both syntaxes share; gaps go to `report`."""
    raw = as_raw(invoice)
    spread_extensions(raw)
    for number, line in enumerate(groups(raw, "lines")):
        spread_extensions(line)
        _line_notes(line, f"lines.{number}.extensions.notes", report)
    for label, party in parties(raw):
        _party(party, label, vat_scheme, report)
    _documents(raw)
    _tax_totals(raw, report)
    return raw


def as_raw(part: BaseModel) -> Raw:
    """Copy a part of the invoice into a dictionary without what is absent or empty."""
    raw: Raw = {}
    for key, value in part.__dict__.items():
        if value is None or value == "":
            continue
        if isinstance(value, (str, Decimal)):
            raw[key] = value
        elif isinstance(value, tuple):
            if value:
                raw[key] = [as_raw(each) for each in cast("tuple[BaseModel, ...]", value)]
        elif isinstance(value, BaseModel):
            inner = as_raw(value)
            if inner:
                raw[key] = inner
        else:
            raw[key] = cast("Scalar", value)
    return raw


def _line_notes(line: Raw, where: str, report: Report) -> None:
    notes: list[Raw] = []
    note = line.pop("note", None)
    if isinstance(note, str):
        notes.append({"text": note})
    for each in groups(line, "extensions.notes"):
        if "subject_code" not in each:
            report("no_place", "BT-127", where, "note de la ligne", "sans sujet : c'est `note`")
        notes.append(each)
    line.pop("extensions.notes", None)
    if notes:
        line["line_notes"] = notes


def _party(party: Raw, label: str, vat_scheme: str, report: Report) -> None:
    siren, source = party.pop("siren", None), party.pop("siren_source", None)
    siret = party.pop("siret", None)
    if siren is not None or siret is not None:
        found = french_numbers(
            text(party, "legal_id"),
            text(party, "legal_id_scheme"),
            tuple((text(each, "value"), text(each, "scheme")) for each in groups(party, "ids")),
            text(party, "vat_id"),
            text(group(party, "address"), "country"),
        )
        if (siren, source, siret) != (found.siren, found.source, found.siret):
            report(
                "no_place",
                "",
                "siren",
                f"SIREN ou SIRET ({label})",
                "à donner comme identifiant légal (registre 0002) ou identifiant (registre 0009)",
            )
    registrations: list[Raw] = []
    for field, scheme in (("vat_id", vat_scheme), ("tax_id", _OTHER_TAX)):
        number = party.pop(field, None)
        if number is not None:
            registrations.append({"id": number, "scheme": scheme})
    if registrations:
        party["registrations"] = registrations


def _documents(raw: Raw) -> None:
    documents: list[Raw] = []
    target = raw.pop("invoiced_object", None)
    if isinstance(target, dict):
        target["type_code"] = _OBJECT
        if "value" in target:
            target["id"] = target.pop("value")
        documents.append(target)
    documents.extend(groups(raw, "attachments"))
    raw.pop("attachments", None)
    if documents:
        raw["documents"] = documents


def _tax_totals(raw: Raw, report: Report) -> None:
    totals = group(raw, "totals")
    found: list[Raw] = []
    for field, code in (("tax", "currency"), ("tax_accounting", "tax_currency")):
        amount, currency = totals.pop(field, None), text(raw, code)
        if amount is None:
            continue
        if currency is None and code == "currency":
            continue  # missing by itself
        if currency is None:
            report("missing", "BT-6", code, "devise de comptabilisation de la TVA", "")
        elif found and found[0]["currency"] == currency:
            report("no_place", "BT-111", "totals.tax_accounting", "second total de TVA", "")
        else:
            found.append({"amount": amount, "currency": currency})
    if found:
        raw["tax_totals"] = found


def lay_terms(raw: Raw, report: Report, *, explicit: bool) -> None:
    """Lay the payment terms out as the readers gather them (BT-20, BT-9 and instalments).

    `explicit` tells that the syntax has an element for BT-9 of its own; otherwise it is the last
    date of the terms, and another one cannot be said.
    """
    terms = groups(raw, "instalments")
    raw.pop("instalments", None)
    due = raw.get("due_date")
    dates = [day for day in (each.get("due_date") for each in terms) if isinstance(day, date)]
    stated = {*dates, due} if explicit and isinstance(due, date) else set(dates)
    bare = [each for each in terms if "amount" not in each]
    said = len(stated) > 1 or len(bare) < len(terms)
    if terms and (not said or {} in terms or any(bare.count(each) > 1 for each in bare)):
        report("no_place", "", "instalments", "échéances", "une seule date, ou la même deux fois")
    if not explicit:
        due = raw.pop("due_date", None)
        if not terms and due is not None:
            terms = [{"due_date": due}]
        elif terms and due != (max(dates) if dates else None):
            report("no_place", "BT-9", "due_date", "date d'échéance", "autre que la dernière")
    elif due is None and dates:
        report("no_place", "BT-9", "due_date", "date d'échéance", "autre que la dernière")
    wording = raw.pop("payment_terms", None)
    if wording is not None:
        first, rest = (terms[0], terms[1:]) if terms else ({}, [])
        terms = [{"text": wording, **first}, *rest]
    if terms:
        raw["terms"] = terms


def keep_one_date(raw: Raw, report: Report) -> None:
    """Leave the instalments out where there is room for one date: BT-9 stays the last of them.

    Never the first one alone: a document must not call late what is not due yet.
    """
    if raw.pop("instalments", None):
        report("no_place", "", "instalments", "échéances", "une seule date à ce niveau")


def complete_price(line: Raw) -> None:
    """Work out the gross price or the discount a schema wants beside the other.

    BT-146 = BT-148 - BT-147 by definition, so the third follows from two; not where the gross
    price is for another quantity.
    """
    net, gross = line.get("net_price"), line.get("gross_price")
    discount = line.get("price_discount")
    if net is None or "gross_base_quantity" in line or (gross is None) == (discount is None):
        return
    if gross is not None:
        line["price_discount"] = _decimal(gross) - _decimal(net)
    elif discount is not None:
        line["gross_price"] = _decimal(net) + _decimal(discount)


def complete_tax(raw: Raw) -> None:
    """Work out BT-110 where the schema wants it: the sum of BT-117 (BR-CO-14)."""
    taxes = [each.get("tax") for each in groups(raw, "vat_breakdown")]
    currency = raw.get("currency")
    totals = groups(raw, "tax_totals")
    if not taxes or None in taxes or any(each.get("currency") == currency for each in totals):
        return
    total: Raw = {"amount": sum(map(_decimal, taxes), Decimal(0)), "currency": currency or ""}
    raw["tax_totals"] = [total, *totals]


def _decimal(value: object) -> Decimal:
    assert isinstance(value, Decimal)
    return value
