"""Know UN/CEFACT Cross Industry Invoice (D16B, D22B): Factur-X, XRechnung, EN 16931.

`settle` brings what was read to the shape both syntaxes share, `unsettle` undoes it for writing.
"""

from functools import cache
from typing import Final

from encaisse_einvoicing.reading.plan import Plan, Raw, Syntax, compile_plan
from encaisse_einvoicing.reading.shape import group, groups, move, parties, text
from encaisse_einvoicing.reading.values import cii_date, decimal, flag, name
from encaisse_einvoicing.terms import Kind
from encaisse_einvoicing.writing.flatten import complete_price, lay_terms
from encaisse_einvoicing.writing.gaps import Report

_UNECE = "urn:un:unece:uncefact:data:standard:"
SYNTAX: Final = Syntax(
    name="CII",
    column="cii",
    root="rsm:CrossIndustryInvoice",
    namespaces={
        "rsm": f"{_UNECE}CrossIndustryInvoice:100",
        "ram": f"{_UNECE}ReusableAggregateBusinessInformationEntity:100",
        "udt": f"{_UNECE}UnqualifiedDataType:100",
        "qdt": f"{_UNECE}QualifiedDataType:100",
    },
    converters={
        Kind.AMOUNT: decimal,
        Kind.NAME: name,
        Kind.TAX_AMOUNT: decimal,
        Kind.NUMBER: decimal,
        Kind.FLAG: flag,
    },
    formatted={Kind.DATE: cii_date},
)
VAT_SCHEME: Final = "VA"
_TENDER: Final = "50"
_TAX_POINT: Final = {"5": "3", "29": "35", "72": "432"}
"""BT-8 as CII writes it (UNTDID 2475) -> as the invoice keeps it (UNTDID 2005)."""


_TAX_POINT_BACK: Final = {theirs: ours for ours, theirs in _TAX_POINT.items()}
_BASES: Final = (
    ("base_quantity", "gross_base_quantity"),
    ("base_quantity_unit", "gross_base_quantity_unit"),
)
"""Each half of a price's base quantity, and where the gross price has its own."""
_SUPPORTING: Final = "916"
"""UNTDID 1001: a document that supports the invoice (BG-24)."""
_PROJECT_NAME: Final = "Project reference"
"""What CEN/TS 16931-3-3 puts where the schema wants a name beside BT-11."""


@cache
def plan() -> Plan:
    """Compile the table for this syntax once."""
    return compile_plan(SYNTAX)


def settle(raw: Raw) -> None:
    """Bring what CII says in its own way to the shape both syntaxes share."""
    name = text(raw, "extensions.project_name")
    if name is not None and name.casefold() == _PROJECT_NAME.casefold():
        del raw["extensions.project_name"]  # the schema wants one, and this says none
    code = text(raw, "tax_point_code")
    if code is not None:
        raw["tax_point_code"] = _TAX_POINT.get(code, code)
    for document in groups(raw, "documents"):
        if text(document, "type_code") == _TENDER:
            move(document, "id", raw, "tender_reference")
            document.clear()
    for line in groups(raw, "lines"):
        for field, of_gross in _BASES:
            if of_gross in line and line.setdefault(field, line[of_gross]) == line[of_gross]:
                del line[of_gross]
    for _, party in parties(raw):
        contact = group(party, "contact")
        if "name" not in contact:
            move(contact, "department", contact, "name")  # either one is BT-41


def unsettle(raw: Raw, report: Report) -> None:
    """Say in CII's own way what both syntaxes share."""
    lay_terms(raw, report, explicit=False)
    if "project_reference" in raw:
        raw.setdefault("extensions.project_name", _PROJECT_NAME)
    if raw.get("tax_currency") == raw.get("currency") and "tax_currency" in raw:
        report(
            "no_place", "BT-6", "tax_currency", "devise de comptabilisation", "BR-53 : égale BT-5"
        )
        del raw["tax_currency"]
    code = text(raw, "tax_point_code")
    if code is not None:
        raw["tax_point_code"] = _TAX_POINT_BACK.get(code, code)
    for document in groups(raw, "documents"):
        document.setdefault("type_code", _SUPPORTING)
    tender = raw.pop("tender_reference", None)
    if tender is not None:
        raw["documents"] = [*groups(raw, "documents"), {"id": tender, "type_code": _TENDER}]
    for line in groups(raw, "lines"):
        if "price_discount" in line:
            complete_price(line)
        for field, of_gross in _BASES:
            if of_gross in line and line.get(field) in (None, line[of_gross]):
                report("no_place", "", of_gross, "quantité de base du prix brut", "")
