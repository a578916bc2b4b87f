"""Lend the tests of Factomos its payloads, and a connector on any transport."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from encaisse_api import Context
from encaisse_factomos.answers import Answer, document
from encaisse_factomos.connector import FactomosConnector

NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
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
        token: str = "tok-essai",
        now: datetime = NOW,
        siren: str = "987654324",
    ) -> FactomosConnector:
        client = httpx.Client(
            transport=transport,
            base_url="https://api.factomos.com",
            headers={"Authorization": f"Bearer {token}"},
        )
        opened.append(client)
        return FactomosConnector(
            Context(
                http=client,
                settings={"siren": siren},
                account=None,
                today=now.astimezone(ZoneInfo("Europe/Paris")).date(),
                now=now,
                log=logging.getLogger("tests.factomos"),
                deadline=now + timedelta(minutes=10),
            )
        )

    yield build
    for client in opened:
        client.close()
