"""How long an answer may take, and how large it may be."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import httpx
import pytest

from encaisse_api import (
    Drift,
    OutcomeUnknown,
    Transient,
)
from encaisse_core.clock import VirtualClock
from encaisse_core.http import transport as transport_module

if TYPE_CHECKING:
    from tests.core.door.conftest import Server, World

HOST = "api.example.org"
BASE = f"https://{HOST}"
AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def test_nothing_starts_after_the_deadline(world: World, server: Server) -> None:
    client = world.client(server, deadline=AT + timedelta(seconds=10))
    server.script = [(503, {"Retry-After": "11"}, b"")]
    with pytest.raises(Transient):
        client.get(f"{BASE}/v1")
    assert world.elapsed == 0
    world.clock.sleep(10)
    with pytest.raises(Transient, match="Le temps prévu pour Exemple est écoulé"):
        client.post(f"{BASE}/v1")
    assert len(server.seen) == 1


def test_timeouts_are_ours_and_shrink_before_the_deadline(world: World) -> None:
    seen: list[dict[str, float]] = []

    def partner(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200)

    client = world.client(partner, deadline=AT + timedelta(seconds=40))
    client.get(f"{BASE}/v1", timeout=None)
    world.clock.sleep(30)
    client.get(f"{BASE}/v1")
    assert [timeout["read"] for timeout in seen] == [30, 10]
    assert [timeout["connect"] for timeout in seen] == [5, 5]


class _Dripping(httpx.SyncByteStream):
    """Send a byte every ten seconds."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.clock.sleep(10)
            yield b"."


def test_an_answer_that_drips_holds_nobody(world: World) -> None:
    def partner(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=_Dripping(world.clock))

    with pytest.raises(OutcomeUnknown, match="délai dépassé"):
        world.client(partner).post(f"{BASE}/v1")
    assert world.elapsed == 70


def test_a_compressed_answer_is_read_and_a_bomb_is_not(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "LARGEST_ANSWER", 100_000)
    encoded = {"Content-Encoding": "gzip"}
    server.script = [(200, dict(encoded), gzip.compress(b'{"a": 1}'))]
    client = world.client(server)
    assert client.get(f"{BASE}/v1").json() == {"a": 1}
    server.script = [(200, dict(encoded), gzip.compress(bytes(10_000_000)))] * 2
    with pytest.raises(Drift, match="Exemple"):
        client.get(f"{BASE}/v1")
    with pytest.raises(OutcomeUnknown):
        client.post(f"{BASE}/v1")
    server.script = [(200, dict(encoded), b"not gzip"), (200, {}, b"{}")]
    assert client.get(f"{BASE}/v1").json() == {}


def test_a_document_is_handed_over_byte_for_byte(world: World, server: Server) -> None:
    content = Random(3).randbytes(300_000)
    server.script = [(200, {"Content-Type": "application/pdf"}, content)] * 2
    client = world.client(server)
    assert client.get(f"{BASE}/f.pdf").content == content
    with client.stream("GET", f"{BASE}/f.pdf") as response:
        assert b"".join(response.iter_bytes()) == content
        assert response.headers["Content-Type"] == "application/pdf"
