"""The same company's books, reached by the older interface as the host reaches it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import httpx
from tests.connectors_factomos.books import SIREN, TOKEN, Books, open_books

from encaisse_api import Context
from encaisse_factomos.legacy.connector import FactomosLegacyConnector
from encaisse_lab.record_factomos import LEGACY_SECRET, LEGACY_TOKEN, sealed
from encaisse_simulator.world import World

Answered = Callable[[dict[str, str], httpx.Response], httpx.Response]


class Between(httpx.BaseTransport):
    """See the plain forms pass, count them by action, and let a test alter an answer."""

    def __init__(self, inner: httpx.BaseTransport, altered: Answered | None = None) -> None:
        self._inner = inner
        self._altered = altered
        self.asked: list[dict[str, str]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[-1] for name, values in parse_qs(request.read().decode()).items()}
        self.asked.append(form)
        answer = self._inner.handle_request(request)
        answer.read()
        return self._altered(form, answer) if self._altered else answer

    def count(self, action: str) -> int:
        return sum(form["action"] == action for form in self.asked)


def context(
    world: World, transport: httpx.BaseTransport, headers: dict[str, str] | None = None
) -> Context:
    """Lend what a connector has, at the world's instant."""
    now = world.now
    return Context(
        http=httpx.Client(transport=transport, headers=headers),
        settings={"siren": SIREN},
        account=None,
        today=now.astimezone(ZoneInfo("Europe/Paris")).date(),
        now=now,
        log=logging.getLogger("tests.factomos"),
        deadline=now + timedelta(minutes=30),
    )


@dataclass
class LegacyBooks(Books):
    """Hold the books with a pair of keys of the older interface."""

    def connector(self, altered: Answered | None = None) -> tuple[FactomosLegacyConnector, Between]:
        between = Between(sealed(self.world), altered)
        return FactomosLegacyConnector(context(self.world, between)), between

    def ref(self, number: str) -> str:
        return self.world.factomos.serial(self.pids[number])


def open_legacy_books() -> LegacyBooks:
    """Open the books of a company with one customer, to both interfaces."""
    books = open_books()
    books.world.factomos.add_legacy_access(TOKEN, LEGACY_TOKEN, LEGACY_SECRET)
    return LegacyBooks(books.world, books.contact, books.transport)
