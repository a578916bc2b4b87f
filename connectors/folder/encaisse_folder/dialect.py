"""Declare which differences between tools e-invoices have; the kit proves each."""

from __future__ import annotations

from encaisse_api.dialect import Dialect

DIALECT = Dialect(
    reads=frozenset(
        {
            "money.text",
            "money.whole",
            "money.padded",
            "date.iso",
            "date.compact",
            "date.padded",
            "empty.absent",
            "empty.text",
            "due.invoice",
            "due.absent",
            "debtor.row",
            "id.kept",
        }
    ),
    refuses=frozenset(
        {
            "money.cents",
            "money.comma",
            "money.grouped",
            "money.nbsp",
            "money.nnbsp",
            "date.local",
            "date.instant",
            "date.d/m/y",
            "date.d/m/yy",
            "date.seconds",
            "date.milliseconds",
            "empty.00/00/00",
            "empty.0000-00-00",
        }
    ),
    spares={
        "money.number": "XML carries texts, no numbers of JSON",
        "money.object": "an amount of EN 16931 is an element with its currency beside it",
        "date.object": "a date of EN 16931 is an element",
        "empty.null": "XML has no null",
        "empty.false": "XML has no false that stands for nothing",
        "paging": "files of a folder are read one by one",
        "error": "nobody is asked over a network",
        "due.line": "EN 16931 has due dates of the invoice, none of its lines",
        "debtor.call": "the buyer stands in the document",
        "id.changing": "the ref is the file's path; a copy elsewhere joins by its number",
    },
)
