"""What the connector says of the differences between tools, proven on the simulated Libeo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from tests.connectors_libeo.books import KEY, NOW, SIRET, Books, open_books
from tests.lent import lent

from encaisse_api import Denied, Transient
from encaisse_api.conformance.kit import NormaliserKit
from encaisse_api.conformance.vendor import JsonVendor, Known, Term
from encaisse_libeo.connector import LibeoConnector

MONEY = frozenset({"money.text", "money.number", "money.whole"})
DAY = frozenset({"date.iso"})
NONE = frozenset({"empty.absent", "empty.null", "empty.text"})


def total(known: Known) -> Decimal:
    return Decimal(known.cents).scaleb(-2)


def left(known: Known) -> Decimal:
    return Decimal(known.cents - known.paid).scaleb(-2)


class SimulatedLibeo(JsonVendor):
    """Render invoices as the simulated Libeo answers them."""

    connector = LibeoConnector
    where = ("items",)
    number = ("number",)
    page = 50
    mark = "cursor"
    due_places: ClassVar = {"due.invoice": ("due_date",)}
    ids = (("id",),)
    refusals: ClassVar = {
        "key refused": (401, b'{"error": {"code": "invalid_key"}}', Denied),
        "too many calls": (429, b'{"error": {"code": "quota_exceeded"}}', Transient),
        "out of order": (503, b"<html></html>", Transient),
    }
    terms = (
        Term(("total",), "money", total, MONEY),
        Term(("balance",), "money", left, MONEY),
        Term(("issue_date",), "date", lambda known: known.issued, DAY),
        Term(("due_date",), "date", lambda known: known.due, DAY, frozenset({"empty.null"}), "due"),
        Term(("number",), "text"),
        Term(("id",), "text", lambda known: "fac-1"),
        Term(("direction",), "text", lambda known: "receivable"),
        Term(("status",), "text", lambda known: "À payer"),
        Term(("currency",), "text", lambda known: "EUR"),
        Term(("buyer", "name"), "text", lambda known: known.debtor.name, empties=NONE,
             feeds="debtor"),
    )  # fmt: skip

    books: Books

    def fill(self, invoices: Sequence[Known]) -> None:
        """Enter what the company sent, some seconds apart."""
        self.books = open_books(daily_calls=100_000)
        tool = self.books.world.libeo
        for known in invoices:
            ref = tool.add_receivable(
                KEY, known.number, known.debtor.name, known.debtor.siren, known.issued, known.due,
                known.cents,
            )  # fmt: skip
            self.books.world.advance(timedelta(seconds=7))
            if known.paid:
                tool.customer_pays(ref, known.paid, known.issued)

    def transport(self) -> httpx.BaseTransport:
        """Answer from these books."""
        return self.books.transport

    def listing(self, request: httpx.Request) -> bool:
        """Tell the list of invoices."""
        return request.url.path == "/v1/invoices"

    def connect(self, transport: httpx.BaseTransport) -> Any:
        """Build the connector."""
        http = httpx.Client(transport=transport, headers={"X-Api-Key": KEY})
        return LibeoConnector(lent(http, NOW, {"siret": SIRET}))


class TestLibeoDialect(NormaliserKit):
    vendor = SimulatedLibeo
