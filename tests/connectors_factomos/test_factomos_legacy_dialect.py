"""What the older interface's connector says of the differences, proven on the simulated one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

import httpx
from tests.connectors_factomos.books import TOKEN
from tests.connectors_factomos.legacy_books import context
from tests.connectors_factomos.test_factomos_dialect import SimulatedFactomos

from encaisse_api import Denied, Drift, SourceInvoice, Transient
from encaisse_api.conformance.kit import NormaliserKit
from encaisse_api.conformance.vendor import FIRST, SECOND, Told
from encaisse_factomos.legacy.connector import FactomosLegacyConnector
from encaisse_lab.record_factomos import LEGACY_SECRET, LEGACY_TOKEN, sealed

SIRENS = {party.name: party.siren for party in (FIRST, SECOND)}


def told_by(code: int) -> bytes:
    return b'{"error": {"code": %d, "message": "No"}}' % code


class SimulatedLegacy(SimulatedFactomos):
    """Render invoices as the older interface answers them, above the seal."""

    connector = FactomosLegacyConnector
    mark = "page_index"
    ids = (("id",),)
    refusals: ClassVar = {
        "token refused": (200, told_by(-3), Denied),
        "quota used up": (200, told_by(-4), Transient),
        "unknown action": (200, told_by(-6), Drift),
    }
    terms = tuple(
        replace(term, place=("id",)) if term.place == ("pid",) else term
        for term in SimulatedFactomos.terms
    )

    def transport(self) -> httpx.BaseTransport:
        """Answer from the same books, through the seal."""
        self.books.world.factomos.add_legacy_access(TOKEN, LEGACY_TOKEN, LEGACY_SECRET)
        return sealed(self.books.world)

    def listing(self, request: httpx.Request) -> bool:
        """Tell the list of invoices, and write its offset where the kit looks for it."""
        form = parse_qs(request.read().decode())
        if form["action"] != ["listInvoice"]:
            return False
        request.url = request.url.copy_set_param(self.mark, form["page_index"][0])
        return True

    def connect(self, transport: httpx.BaseTransport) -> Any:
        """Build the connector at the instant of these books."""
        return FactomosLegacyConnector(context(self.books.world, transport))

    def told_of(self, item: object) -> Told:
        """Give what was told; a customer whose card was not worth a call stands for his own."""
        told = Told.of(cast("SourceInvoice", item))
        unasked = told.due is None or told.due >= self.books.world.now.date()
        return replace(told, siren=SIRENS.get(told.debtor or "")) if unasked else told


class TestLegacyDialect(NormaliserKit):
    vendor = SimulatedLegacy
