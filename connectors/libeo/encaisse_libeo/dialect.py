"""Declare which differences between tools the assumed contract has; the kit proves each."""

from __future__ import annotations

from encaisse_api.dialect import Dialect

DIALECT = Dialect(
    reads=frozenset(
        {
            "money.text",
            "money.number",
            "money.whole",
            "date.iso",
            "empty.absent",
            "empty.null",
            "empty.text",
            "paging.cursor",
            "error.status",
            "due.invoice",
            "due.absent",
            "debtor.row",
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
            "date.compact",
            "date.local",
            "date.instant",
            "date.d/m/y",
            "date.d/m/yy",
            "date.seconds",
            "date.milliseconds",
            "date.object",
            "date.padded",
            "empty.false",
            "empty.00/00/00",
            "empty.0000-00-00",
        }
    ),
    spares={
        "money.cents": "amounts are of the main unit by contract, and a whole number is read so",
        "paging": "lists go on by an opaque mark alone",
        "error.body": "the assumed contract tells errors by HTTP status; a body that is no list "
        "is refused",
        "due.line": "the contract has one due date per invoice and no lines",
        "debtor.call": "both parties stand in the row",
        "id.changing": "an invoice keeps its id by contract; one entered anew joins by its number",
    },
)
