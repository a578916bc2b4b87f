"""Lend the tests of Factomos its payloads, and a connector on any transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from tests.connectors_factomos.books import NOW, SIREN, TOKEN, Books, open_books
from tests.lent import lent

from encaisse_factomos.answers import Answer, document
from encaisse_factomos.connector import FactomosConnector

PAYLOADS = Path(__file__).parent / "payloads"

type_payload = Callable[[str], Mapping[str, object]]
type_connect = Callable[..., FactomosConnector]


@pytest.fixture
def payload() -> type_payload:
    """Read a hand-written payload as an answer is read."""

    def read(name: str) -> Mapping[str, object]:
        body = (PAYLOADS / f"{name}.json").read_bytes()
        return document(Answer("Essai", writes=False, status=200, body=body), NOW)

    return read


@pytest.fixture
def connect() -> Iterator[type_connect]:
    """Build a connector on a transport, at an instant."""
    opened: list[httpx.Client] = []

    def build(
        transport: httpx.BaseTransport,
        *,
        token: str = TOKEN,
        now: datetime = NOW,
        siren: str = SIREN,
    ) -> FactomosConnector:
        client = httpx.Client(
            transport=transport,
            base_url="https://api.factomos.com",
            headers={"Authorization": f"Bearer {token}"},
        )
        opened.append(client)
        return FactomosConnector(lent(client, now, {"siren": siren}))

    yield build
    for client in opened:
        client.close()


@pytest.fixture
def books() -> Books:
    """Open one company's books."""
    return open_books()


@pytest.fixture
def connector(books: Books, connect: type_connect) -> FactomosConnector:
    """Build the connector on these books."""
    return connect(books.transport)
