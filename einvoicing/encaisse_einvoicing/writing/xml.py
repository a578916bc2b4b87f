"""Write an invoice as CII or UBL, whole or not at all."""

from dataclasses import dataclass
from typing import Final

from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading import cii, ubl
from encaisse_einvoicing.terms import Column
from encaisse_einvoicing.writing.flatten import flatten, keep_one_date
from encaisse_einvoicing.writing.gaps import CannotWrite, Gap
from encaisse_einvoicing.writing.levels import CREDIT_NOTES, LEVELS, Level, SyntaxName
from encaisse_einvoicing.writing.plan import write_plan
from encaisse_einvoicing.writing.render import Writing

_UNSETTLE: Final = {
    "cii": cii.unsettle,
    "ubl": ubl.unsettle_invoice,
    "credit_note": ubl.unsettle_credit_note,
}


@dataclass(frozen=True, slots=True)
class Written:
    """Be a written document: its bytes, what it is, and what was left out on demand."""

    data: bytes
    syntax: str
    level: Level
    left_out: tuple[Gap, ...] = ()


def write_xml(
    invoice: Invoice,
    syntax: SyntaxName = "CII",
    level: Level = "en16931",
    *,
    lossy: bool = False,
    keep_profile: bool = False,
) -> Written:
    """Write an invoice in one syntax at one level; raise `CannotWrite` rather than say less.

    UBL has two documents: BT-3 decides (381, 396, 261... make a CreditNote). `lossy` writes what
    the level can say and lists the rest in `left_out`; what is missing or unwritable is refused
    all the same. `keep_profile` keeps the invoice's own BT-24 instead of the level's. Amounts are
    written as they stand. The bytes are UTF-8 and always the same for the same invoice.
    """
    rules = LEVELS[level]
    column: Column = "cii"
    if syntax == "UBL":
        column = "credit_note" if invoice.type_code in CREDIT_NOTES else "ubl"
    if column != "cii" and rules.ubl is None:
        gap = Gap(code="no_place", field="profile", label=f"niveau {level}", term="BT-24")
        raise CannotWrite(f"UBL ({level})", [gap])
    plan = write_plan(column, level)
    writing = Writing(plan)
    vat_scheme = cii.VAT_SCHEME if column == "cii" else ubl.VAT_SCHEME
    raw = flatten(invoice, vat_scheme, writing.report)
    if not (keep_profile and invoice.profile):
        raw["profile"] = rules.profile
    if not plan.instalments:
        keep_one_date(raw, writing.report)
    _UNSETTLE[column](raw, writing.report)
    data = writing.document(raw)
    gaps = tuple(writing.gaps.values())
    if gaps and not (lossy and all(gap.code == "no_place" for gap in gaps)):
        raise CannotWrite(f"{plan.syntax.name} ({level})", gaps)
    return Written(data, plan.syntax.name, level, gaps)
