"""What the connector says of the differences between tools, proven on the simulated MyUnisoft."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from tests.connectors_myunisoft.office import Office, opened

from encaisse_api import PartnerError, Transient
from encaisse_api.conformance.kit import NormaliserKit
from encaisse_api.conformance.vendor import JsonVendor, Known, Term
from encaisse_myunisoft.connector import MyUnisoftConnector
from encaisse_simulator.transport import SimTransport

MONEY = frozenset(
    f"money.{one}"
    for one in ("text", "number", "whole", "padded", "comma", "grouped", "nbsp", "nnbsp")
)
DAY = frozenset({"date.iso", "date.compact", "date.padded"})
NONE = frozenset({"empty.absent", "empty.null", "empty.text"})
WORD = NONE | {"empty.false"}


def total(known: Known) -> Decimal:
    return Decimal(known.cents).scaleb(-2)


class SimulatedMyUnisoft(JsonVendor):
    """Render invoices as lines of customers, one account each, as the simulated tool answers."""

    connector = MyUnisoftConnector
    number = ("invoiceNumber",)
    doubt = "debtor"
    due_places: ClassVar = {"due.line": ("dueDate",), "due.invoice": ("entry", "dueDate")}
    ids = (("producerId",), ("entry", "producerId"))
    refusals: ClassVar = {
        "key refused": (401, b'{"error": {"code": "ERR-API-KEY"}}', PartnerError),
        "too many calls": (429, b'{"error": {"code": "ERR-TOO-MANY-REQUEST"}}', Transient),
    }
    terms = (
        Term(("value", "debit"), "money", total, MONEY),
        Term(("value", "amount"), "money", lambda known: -total(known), MONEY,
             frozenset({"empty.absent", "empty.null", "empty.text"})),
        Term(("entry", "date"), "date", lambda known: known.issued, DAY),
        Term(("dueDate",), "date", lambda known: known.due, DAY, NONE, "due"),
        Term(("producerId",), "text", lambda known: "910017"),
        Term(("account", "number"), "text", lambda known: "411CLIENT0"),
        Term(("lettering", "state"), "text", lambda known: "none"),
        Term(("description",), "text", lambda known: "", empties=WORD),
    )  # fmt: skip

    office: Office
    stack: ExitStack

    def fill(self, invoices: Sequence[Known]) -> None:
        """Book what the company sold, each customer in an account of its own."""
        self.stack = ExitStack()
        self.office = self.stack.enter_context(opened())
        books = self.office.books
        accounts: dict[str, str] = {}
        for place, known in enumerate(invoices):
            party = known.debtor
            if party.name not in accounts:
                accounts[party.name] = books.add_customer(
                    party.name, number=f"411KIT{place:04}", siren=party.siren
                )
            customer = accounts[party.name]
            books.issue(known.number, customer, known.issued, (known.due, known.cents))
            if known.paid:
                books.receive(customer, known.issued, known.paid, number=known.number)

    def transport(self) -> httpx.BaseTransport:
        """Answer from these books."""
        return SimTransport(self.office.world)

    def listing(self, request: httpx.Request) -> bool:
        """Tell the lists of movements that are no drafts."""
        return request.url.path.endswith("/mad/movements") and "draft" not in request.url.params

    def connect(self, transport: httpx.BaseTransport) -> Any:
        """Build the connector."""
        return self.office.connector(transport)


class TestMyUnisoftDialect(NormaliserKit):
    vendor = SimulatedMyUnisoft
