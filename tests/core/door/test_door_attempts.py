"""How often a request is sent, and what a lost answer means."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from encaisse_api import (
    OutcomeUnknown,
    Transient,
)
from encaisse_api.answers import READS

if TYPE_CHECKING:
    from tests.core.door.conftest import Server, World

HOST = "api.example.org"
BASE = f"https://{HOST}"
AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [0, 502, 503, 504, 429])
def test_a_read_is_tried_again(world: World, server: Server, method: str, status: int) -> None:
    server.script = [(status, {}, b"")] * 3
    assert world.client(server).request(method, f"{BASE}/v1").status_code == 200
    assert len(server.seen) == 4
    assert world.elapsed == pytest.approx(0.5 + 1 + 2)


def test_a_read_gives_up_after_four_attempts(world: World, server: Server) -> None:
    server.script = [(503, {"X-Request-Id": "r-9"}, b"")] * 9
    with pytest.raises(Transient, match="Exemple est occupé") as error:
        world.client(server).get(f"{BASE}/v1")
    assert error.value.request_id == "r-9"
    assert len(server.seen) == 4


@pytest.mark.parametrize("status", [200, 204, 301, 400, 403, 404, 409, 418, 501])
def test_any_other_answer_reaches_the_connector_at_once(
    world: World, server: Server, status: int
) -> None:
    server.script = [(status, {}, b"")]
    assert world.client(server).get(f"{BASE}/v1").status_code == status
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_sent_once_whatever_is_answered(
    world: World, server: Server, method: str
) -> None:
    client = world.client(server)
    for status in (502, 503, 504, 500):
        server.script = [(status, {}, b"")]
        assert client.request(method, f"{BASE}/v1").status_code == status
    server.script = [(0, {}, b"")]
    with pytest.raises(OutcomeUnknown, match="Exemple s'est perdue"):
        client.request(method, f"{BASE}/v1")
    server.script = [(200, {"Content-Length": "99"}, b'{"id": ')]
    with pytest.raises(OutcomeUnknown):
        client.request(method, f"{BASE}/v1")
    server.script = [(429, {"Retry-After": "3"}, b"")]
    with pytest.raises(Transient) as busy:
        client.request(method, f"{BASE}/v1")
    assert busy.value.retry_after == timedelta(seconds=3)
    assert len(server.seen) == 7
    assert world.elapsed == 0


def test_a_post_its_connector_calls_a_read_is_tried_again(world: World, server: Server) -> None:
    server.script = [(503, {}, b""), (0, {}, b""), (429, {}, b"")]
    client = world.client(server)
    assert client.post(f"{BASE}/v1", extensions={READS: True}).status_code == 200
    assert len(server.seen) == 4


def test_an_answer_from_a_cache_is_no_reading_once_it_is_an_hour_old(
    world: World, server: Server
) -> None:
    client = world.client(server)
    server.script = [(200, {"Age": "3600"}, b"{}")]
    assert client.get(f"{BASE}/v1").status_code == 200
    server.script = [(200, {"Age": "3601"}, b"{}"), (200, {}, b"{}")]
    assert client.get(f"{BASE}/v1").status_code == 200
    assert len(server.seen) == 3
    server.script = [(200, {"Age": "86400"}, b"{}")] * 4
    with pytest.raises(Transient, match="vieille de 24 h"):
        client.get(f"{BASE}/v1")


def test_a_document_may_be_as_old_as_it_is(world: World, server: Server) -> None:
    kept = {"Age": "86400", "Content-Type": "application/pdf"}
    server.script = [(200, kept, b"%PDF-")]
    assert world.client(server).get(f"{BASE}/v1").content == b"%PDF-"


def test_a_write_that_found_nobody_was_not_made(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        door = world.door(routes={HOST: f"http://127.0.0.1:{taken.getsockname()[1]}"})
        client = door.lend(
            manifest=world.manifest(), grant_id=world.grant(), account=None, environment="test"
        )
        for method in ("POST", "GET"):
            with pytest.raises(Transient, match="Exemple ne répond pas"):
                client.request(method, f"{BASE}/v1")


def test_an_answer_cut_short_is_read_again(world: World, server: Server) -> None:
    server.script = [(200, {"Content-Length": "99"}, b'[{"id": 1},'), (200, {}, b"[]")]
    assert world.client(server).get(f"{BASE}/v1").json() == []


def test_retry_after_is_honoured_in_seconds_and_as_a_date(world: World, server: Server) -> None:
    client = world.client(server)
    server.script = [(429, {"Retry-After": "7"}, b"")]
    client.get(f"{BASE}/v1")
    assert world.elapsed == 7
    later = format_datetime(world.clock.now() + timedelta(seconds=9), usegmt=True)
    server.script = [(503, {"Retry-After": later}, b"")]
    client.get(f"{BASE}/v1")
    assert world.elapsed == 16
    past = format_datetime(AT - timedelta(days=1), usegmt=True)
    server.script = [(503, {"Retry-After": past}, b"")]
    client.get(f"{BASE}/v1")
    assert world.elapsed == 16
    reset = str((world.clock.now() + timedelta(seconds=4)).timestamp())
    server.script = [(429, {"X-Rate-Limit-Reset": reset}, b"")]
    client.get(f"{BASE}/v1")
    assert world.elapsed == pytest.approx(20)


@pytest.mark.parametrize("text", ["demain", "-5", "1e9", "٣", "", "9" * 40, "Mon, 99 Foo"])
def test_a_retry_after_that_says_nothing_stops_nothing(
    world: World, server: Server, text: str
) -> None:
    server.script = [(503, {"Retry-After": text.encode().decode("latin-1")}, b"")]
    if text.startswith("999"):
        with pytest.raises(Transient):
            world.client(server).get(f"{BASE}/v1")
    else:
        assert world.client(server).get(f"{BASE}/v1").status_code == 200
        assert world.elapsed == 0.5


def test_a_wait_longer_than_allowed_is_handed_to_the_host(world: World, server: Server) -> None:
    server.script = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(Transient, match="60 min") as error:
        world.client(server).get(f"{BASE}/v1")
    assert error.value.retry_after == timedelta(hours=1)
    assert (len(server.seen), world.elapsed) == (1, 0)
    server.script = [(503, {"Retry-After": "15"}, b"")] * 5
    with pytest.raises(Transient):
        world.client(server).get(f"{BASE}/v1")
    assert (len(server.seen), world.elapsed) == (3, 15)  # a second 15 s would pass 20 s in all
