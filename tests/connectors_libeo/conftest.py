"""Lend the tests of Libeo its payloads, and a connector on any transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors_libeo.books import KEY, NOW, SIRET, Books, open_books
from tests.lent import lent

from encaisse_libeo.connector import LibeoConnector

PAYLOADS = Path(__file__).parent / "payloads"


@pytest.fixture
def payload() -> Callable[[str], dict[str, Any]]:
    """Read a hand-written payload as an answer is read."""

    def read(name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            (PAYLOADS / f"{name}.json").read_text("utf-8"), parse_float=str
        )
        return content

    return read


@pytest.fixture
def connect() -> Iterator[Callable[..., LibeoConnector]]:
    """Build a connector on a transport."""
    opened: list[httpx.Client] = []

    def build(
        transport: httpx.BaseTransport, *, key: str = KEY, siret: str = SIRET
    ) -> LibeoConnector:
        client = httpx.Client(transport=transport, headers={"X-Api-Key": key})
        opened.append(client)
        return LibeoConnector(lent(client, NOW, {"siret": siret}))

    yield build
    for client in opened:
        client.close()


@pytest.fixture
def books() -> Books:
    """Open one company's invoices."""
    return open_books()


@pytest.fixture
def connector(books: Books, connect: Callable[..., LibeoConnector]) -> LibeoConnector:
    """Build the connector on these invoices."""
    return connect(books.transport)
