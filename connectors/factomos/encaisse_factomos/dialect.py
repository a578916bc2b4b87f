"""Declare which differences between tools Factomos has; the kit proves each."""

from __future__ import annotations

from encaisse_api.dialect import Dialect

DIALECT = Dialect(
    reads=frozenset(
        {
            "money.text",
            "money.number",
            "money.whole",
            "date.d/m/yy",
            "date.seconds",
            "empty.absent",
            "empty.null",
            "empty.text",
            "empty.false",
            "empty.00/00/00",
            "paging.page",
            "error.status",
            "error.body",
            "due.invoice",
            "due.absent",
            "debtor.call",
            "id.kept",
        }
    ),
    refuses=frozenset(
        {
            "money.object",
            "money.padded",
            "money.comma",
            "money.grouped",
            "money.nbsp",
            "money.nnbsp",
            "date.iso",
            "date.compact",
            "date.local",
            "date.instant",
            "date.d/m/y",
            "date.milliseconds",
            "date.object",
            "date.padded",
            "empty.0000-00-00",
        }
    ),
    spares={
        "money.cents": "amounts are euros by the vendor's documentation, and a whole number is "
        "read so",
        "paging": "REST lists go on by page number; the rows a page says it has are checked",
        "due.line": "an invoice has one payment term, and lists carry no lines",
        "debtor.row": "the row has the customer's name, and no number that identifies it",
        "id.changing": "an invoice keeps its pid; one entered anew joins by its number",
    },
)
