"""What the connector says of the differences between tools, proven on files it reads."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import httpx
from tests.connectors_folder.papers import CII, NOW, USUAL
from tests.lent import lent

from encaisse_api.conformance.kit import NormaliserKit
from encaisse_api.conformance.seat import Pass
from encaisse_api.conformance.vendor import SPOILT, Change, Known, Row, Term, Vendor
from encaisse_folder.connector import FolderConnector

MONEY = frozenset({"money.text", "money.whole", "money.padded"})
DAY = frozenset({"date.compact", "date.iso", "date.padded"})
NOTHING = "\N{EMPTY SET}"


def euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


class Files(Vendor):
    """Render each invoice as a CII file; a term that is absent has no element."""

    connector = FolderConnector
    due_places: ClassVar = {"due.invoice": ("due",)}
    terms = (
        Term(("total",), "money", lambda known: euros(known.cents), MONEY),
        Term(("payable",), "money", lambda known: euros(known.cents - known.paid), MONEY),
        Term(("issued",), "date", lambda known: known.issued, DAY),
        Term(
            ("due",),
            "date",
            lambda known: known.due,
            DAY,
            frozenset({"empty.absent", "empty.text"}),
            "due",
        ),
        Term(("number",), "text"),
        Term(("code",), "text", lambda known: "380"),
    )

    rows: Sequence[Row]

    def fill(self, invoices: Sequence[Known]) -> None:
        """Write the terms of each invoice."""
        self.rows = [_row(known) for known in invoices]

    def pull(self, change: Change | None = None, number: str = SPOILT) -> Pass:
        """Write the files anew, one changed, and read the folder."""
        done = Pass()
        with tempfile.TemporaryDirectory() as folder:
            for place, row in enumerate(self.rows):
                known = dict(row)
                if change is not None and known["number"] == number:
                    change(known)
                (Path(folder) / f"{place}.xml").write_text(_paper(known), "utf-8")
            connector = FolderConnector(lent(httpx.Client(), NOW, {"path": folder}))
            done.pages.extend(connector.pull_invoices(None))
        return done

    def strange(self, value: object) -> tuple[object, ...]:
        """Give words where a number or a day belongs; every text may be a text."""
        return ("<ram:ID>x</ram:ID>", "douze") if isinstance(value, Decimal | date) else ()


def _row(known: Known) -> Row:
    net = known.cents * 5 // 6
    sums = {
        "net": net,
        "tax": known.cents - net,
        "total": known.cents,
        "prepaid": known.paid,
        "payable": known.cents - known.paid,
    }
    days = {"issued": known.issued, "due": known.due}
    return {
        **USUAL,
        "number": known.number,
        "customer": known.debtor.name,
        "buyer": known.debtor.siren,
        **{name: f"{euros(cents):.2f}" for name, cents in sums.items()},
        **{name: f"{day:%Y%m%d}" for name, day in days.items() if day is not None},
        **{name: NOTHING for name, day in days.items() if day is None},
    }


def _paper(row: Row) -> str:
    """Write one file, without the elements that would hold nothing."""
    named = {**dict.fromkeys((*USUAL, "number"), NOTHING), **row}
    return re.sub(rf"<[^<>/]+>{NOTHING}</[^<>]+>", "", CII.format(**named))


class TestFolderDialect(NormaliserKit):
    vendor = Files
