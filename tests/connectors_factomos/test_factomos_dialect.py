"""What the connector says of the differences between tools, proven on the simulated Factomos."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from tests.connectors_factomos.books import NOW, SIREN, TOKEN, Books, open_books
from tests.lent import lent

from encaisse_api import Denied, Drift, Transient
from encaisse_api.conformance.kit import NormaliserKit
from encaisse_api.conformance.vendor import JsonVendor, Known, Term
from encaisse_factomos.connector import FactomosConnector

MONEY = frozenset({"money.text", "money.number", "money.whole"})
NONE = frozenset({"empty.absent", "empty.null", "empty.text", "empty.false"})


def euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


class SimulatedFactomos(JsonVendor):
    """Render invoices as the simulated Factomos answers them."""

    connector = FactomosConnector
    where = ("invoices",)
    number = ("invoice_formated_number",)
    page = 50
    mark = "page"
    due_places: ClassVar = {"due.invoice": ("payment_term_fr",)}
    ids = (("pid",),)
    refusals: ClassVar = {
        "token refused": (401, b'{"error": {"code": -3, "message": "Invalid"}}', Denied),
        "quota used up": (429, b'{"error": {"code": "-4", "message": "Too many"}}', Transient),
        "unknown action": (404, b'{"error": {"code": -6, "message": "Action"}}', Drift),
    }
    terms = (
        Term(("figures_total_withvat",), "money", lambda known: euros(known.cents), MONEY),
        Term(("figures_due",), "money", lambda known: euros(known.cents - known.paid), MONEY),
        Term(("figures_paid",), "money", lambda known: euros(known.paid), MONEY),
        Term(("unix_timestamp",), "date", lambda known: known.issued, frozenset({"date.seconds"})),
        Term(
            ("payment_term_fr",),
            "date",
            lambda known: known.due,
            frozenset({"date.d/m/yy"}),
            frozenset({"empty.absent", "empty.null", "empty.text", "empty.00/00/00"}),
            "due",
        ),
        Term(("invoice_formated_number",), "text"),
        Term(("pid",), "text", lambda known: "inv-1"),
        Term(("invoice_status",), "text", lambda known: "later"),
        Term(("invoice_type",), "text", lambda known: "invoice"),
        Term(("client_company_name",), "text", lambda known: known.debtor.name, empties=NONE),
    )

    books: Books

    def fill(self, invoices: Sequence[Known]) -> None:
        """Enter what the company sent, each customer once."""
        self.books = open_books(daily_calls=1_000_000)
        tool = self.books.world.factomos
        cards: dict[str, str] = {}
        for known in invoices:
            party = known.debtor
            if party.name not in cards:
                cards[party.name] = tool.add_contact(TOKEN, party.name, siret=party.siret)
            ref = tool.add_invoice(
                known.number, cards[party.name], known.issued, known.due, known.cents
            )
            if known.paid:
                tool.customer_pays(ref, known.paid, known.issued)

    def transport(self) -> httpx.BaseTransport:
        """Answer from these books."""
        return self.books.transport

    def listing(self, request: httpx.Request) -> bool:
        """Tell the list of invoices."""
        return request.url.path == "/invoices"

    def connect(self, transport: httpx.BaseTransport) -> Any:
        """Build the connector."""
        http = httpx.Client(transport=transport, headers={"Authorization": f"Bearer {TOKEN}"})
        return FactomosConnector(lent(http, NOW, {"siren": SIREN}))


class TestFactomosDialect(NormaliserKit):
    vendor = SimulatedFactomos
