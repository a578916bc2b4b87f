"""Say what each document type code (BT-3, UNTDID 1001) means for collection.

The list is that of rule BR-FR-04 (FNFE-MPE, BR-FR-Flux2), with its French meanings. A code outside
of it is refused with its number: whether it adds to what a customer owes or takes away from it
would be a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class DocumentType:
    """Describe one code.

    `factored`: the debt was sold, its creditor is the factor. `replaces`: the preceding invoices
    (BG-3) no longer stand by themselves, because this document credits or rewrites them.
    """

    meaning_fr: str
    kind: Literal["invoice", "down_payment", "credit_note"] = "invoice"
    factored: bool = False
    replaces: bool = False


def _credit(meaning_fr: str, *, factored: bool = False) -> DocumentType:
    return DocumentType(meaning_fr, "credit_note", factored=factored, replaces=True)


DOCUMENT_TYPES: Mapping[str, DocumentType] = {
    "380": DocumentType("facture"),
    "389": DocumentType("facture auto-facturée"),
    "393": DocumentType("facture affacturée", factored=True),
    "501": DocumentType("facture auto-facturée affacturée", factored=True),
    "386": DocumentType("facture d'acompte", "down_payment"),
    "500": DocumentType("facture d'acompte auto-facturée", "down_payment"),
    "384": DocumentType("facture rectificative", replaces=True),
    "471": DocumentType("facture rectificative auto-facturée", replaces=True),
    "472": DocumentType("facture rectificative affacturée", factored=True, replaces=True),
    "473": DocumentType(
        "facture rectificative auto-facturée affacturée", factored=True, replaces=True
    ),
    "261": _credit("avoir auto-facturé"),
    "262": _credit("avoir pour remise globale"),
    "381": _credit("avoir"),
    "396": _credit("avoir affacturé", factored=True),
    "502": _credit("avoir auto-facturé affacturé", factored=True),
    "503": _credit("avoir d'acompte"),
}

PAID_AT_ISSUE = frozenset({"B2", "S2", "M2"})
"""Frames (BT-23, rule BR-FR-08) of an invoice already paid when issued.

Rule BR-FR-CO-09 makes nothing payable on them.
"""
