"""Read what a French invoice says of its own treatment: notes of subject BAR and ADN, scheme 0226.

BR-FR-20 gives the words of a BAR note, and none of them stands for a public customer: an invoice
for Chorus Pro carries a note of subject ADN that says B2G. A BAR note in other words is prose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from encaisse_einvoicing import Invoice

ARCHIVE_ONLY = "ARCHIVEONLY"
TO_A_CONSUMER = frozenset({"B2C", "B2CINT"})
TO_A_PUBLIC_BODY = frozenset({"B2G", "B2GINT", "B2GOUTOFSCOPE"})
"""B2G as the platforms write it; in a BAR note it is not of the list, and still no doubt."""

CONSUMER_SCHEME = "0226"
"""Scheme of a consumer's identifier in the French reform."""


def archive_only(invoice: Invoice) -> bool:
    """Tell whether the platform was only asked to keep the document."""
    return ARCHIVE_ONLY in _said(invoice, "BAR")


def customer_kind(invoice: Invoice) -> Literal["individual", "public"] | None:
    """Give what the invoice says of its customer where that keeps it out of ordinary collection.

    Said to be a company (B2B), a customer is still what its SIREN says.
    """
    treated = set(_said(invoice, "BAR"))
    if treated & TO_A_CONSUMER or CONSUMER_SCHEME in _buyer_schemes(invoice):
        return "individual"
    if treated & TO_A_PUBLIC_BODY or TO_A_PUBLIC_BODY & set(_said(invoice, "ADN")):
        return "public"
    return None


def _said(invoice: Invoice, subject: str) -> Iterator[str]:
    """List the words of the notes on a subject; UBL may close one with a `#`."""
    for note in invoice.notes:
        if (note.subject_code or "").strip().upper() == subject:
            yield (note.text or "").strip().strip("#").replace(" ", "").upper()


def _buyer_schemes(invoice: Invoice) -> set[str | None]:
    buyer = invoice.buyer
    if buyer is None:
        return set()
    return {buyer.legal_id_scheme, buyer.endpoint_scheme, *(each.scheme for each in buyer.ids)}
