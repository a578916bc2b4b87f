"""What the connector says of the differences between partners, proven on its lists of payments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar, cast

import httpx
from tests.connectors_gcollect.counter import answer, connector_on, listing, payload

from encaisse_api import CollectedPayment, Denied, Transient
from encaisse_api.conformance.kit import NormaliserKit
from encaisse_api.conformance.vendor import DATES, MONEY, JsonVendor, Known, Term, Told
from encaisse_gcollect import GCollectConnector

NOTHING = MONEY["money.object"](Decimal(0))
OBJECT = frozenset({"money.object"})


def total(known: Known) -> Decimal:
    return Decimal(known.cents).scaleb(-2)


class ListsOfGCollect(JsonVendor):
    """Render each invoice as one payment of all of it, received on the day it was issued."""

    connector = GCollectConnector
    stream = "pull_payments_collected"
    where = ("items",)
    number = ("allocations", 0, "invoice_number")
    page = 2
    mark = "cursor"
    ids = (("id",),)
    refusals: ClassVar = {
        "access refused": (401, b"{}", Denied),
        "too many calls": (429, b"{}", Transient),
        "out of order": (503, b"<html></html>", Transient),
    }
    terms = (
        Term(("amount",), "money", total, OBJECT),
        Term(("allocations", 0, "principal"), "money", total, OBJECT),
        Term(("received_at",), "date", lambda known: known.issued, frozenset({"date.instant"})),
        Term(("reversed_at",), "text", lambda known: "", empties=frozenset({"empty.null"})),
        Term(("id",), "text", lambda known: "pay_1"),
        Term(("allocations", 0, "invoice_number"), "text"),
        Term(("received_by",), "text", lambda known: "gcollect"),
    )

    rows: list[dict[str, Any]]

    def fill(self, invoices: Sequence[Known]) -> None:
        """Write one row of the hand-written payload for each invoice."""
        self.rows = []
        for place, known in enumerate(invoices):
            row = payload("payment", id=f"pay_{place}", procedure_id=f"prc_{place}")
            part = dict.fromkeys(("interest", "indemnity", "costs"), NOTHING)
            part |= {"principal": MONEY["money.object"](total(known))}
            row["allocations"] = [{**row["allocations"][0], **part, "invoice_number": known.number}]
            row["amount"] = MONEY["money.object"](total(known))
            row["received_at"] = DATES["date.instant"](known.issued)
            self.rows.append(row)

    def transport(self) -> httpx.BaseTransport:
        """Page through the rows by an opaque mark."""

        def respond(request: httpx.Request) -> httpx.Response:
            start = int(request.url.params.get("cursor", "m0")[1:])
            stop = start + self.page
            cursor = f"m{stop}" if stop < len(self.rows) else None
            return answer(
                json.loads(json.dumps(listing(*self.rows[start:stop], cursor=cursor)))
                | {"total": len(self.rows)}
            )

        return httpx.MockTransport(respond)

    def listing(self, request: httpx.Request) -> bool:
        """Tell the list of payments."""
        return request.url.path == "/v1/payments"

    def connect(self, transport: httpx.BaseTransport) -> Any:
        """Build the connector."""
        return connector_on(transport)

    def truth(self, known: Known) -> Told:
        """Give the payment: what came in, and when."""
        return Told(known.number, known.cents, known.cents, known.issued, None, None, None)

    def told_of(self, item: object) -> Told:
        """Give what was told of a payment."""
        paid = cast("CollectedPayment", item)
        cents = paid.amount.minor
        return Told(paid.invoice_number, cents, cents, paid.received_on, None, None, None)

    def ref_of(self, item: object) -> str:
        """Give the payment's id."""
        return cast("CollectedPayment", item).remote_id


class TestGCollectDialect(NormaliserKit):
    vendor = ListsOfGCollect
