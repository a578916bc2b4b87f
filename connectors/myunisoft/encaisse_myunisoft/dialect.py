"""Declare which differences between tools MyUnisoft has; the kit proves each."""

from __future__ import annotations

from encaisse_api.dialect import Dialect

DIALECT = Dialect(
    reads=frozenset(
        {
            "money.text",
            "money.number",
            "money.whole",
            "money.padded",
            "money.comma",
            "money.grouped",
            "money.nbsp",
            "money.nnbsp",
            "date.iso",
            "date.compact",
            "date.padded",
            "empty.absent",
            "empty.null",
            "empty.text",
            "empty.false",
            "error.status",
            "error.body",
            "due.line",
            "due.invoice",
            "due.absent",
            "debtor.call",
            "id.changing",
        }
    ),
    refuses=frozenset(
        {
            "money.object",
            "date.local",
            "date.instant",
            "date.d/m/y",
            "date.d/m/yy",
            "date.seconds",
            "date.milliseconds",
            "date.object",
            "empty.00/00/00",
            "empty.0000-00-00",
        }
    ),
    spares={
        "money.cents": "amounts are euros by the norm, and a whole number is read so",
        "paging": "movements come as one bare list; the balance of each account proves it whole",
        "debtor.row": "the row names an account; who it is takes the list of accounts",
        "id.kept": "ids of lines change from year to year; the ref is account, year and number",
    },
)
