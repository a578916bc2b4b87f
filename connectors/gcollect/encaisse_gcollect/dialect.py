"""Declare which differences the assumed contract has, on the payments collected for an invoice."""

from __future__ import annotations

from encaisse_api.dialect import Dialect

DIALECT = Dialect(
    reads=frozenset(
        {"money.object", "date.instant", "empty.null", "paging.cursor", "error.status", "id.kept"}
    ),
    refuses=frozenset(
        {
            "money.text",
            "money.number",
            "money.whole",
            "money.cents",
            "money.padded",
            "money.comma",
            "money.grouped",
            "money.nbsp",
            "money.nnbsp",
            "date.iso",
            "date.compact",
            "date.local",
            "date.d/m/y",
            "date.d/m/yy",
            "date.seconds",
            "date.milliseconds",
            "date.object",
            "date.padded",
            "empty.absent",
            "empty.text",
            "empty.false",
            "empty.00/00/00",
            "empty.0000-00-00",
        }
    ),
    spares={
        "paging": "lists go on by an opaque mark alone",
        "error.body": "the assumed contract tells errors by HTTP status; a body that is no list "
        "is refused",
        "due": "a payment has no due date",
        "debtor": "a payment names an invoice, and no debtor",
        "id.changing": "a payment keeps its id by contract: it is what tells two payments apart",
    },
)
