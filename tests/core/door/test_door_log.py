"""What the door tells the log and the errors, and what it never tells."""

from __future__ import annotations

import itertools
import json
import logging
from typing import TYPE_CHECKING

import httpx
import pytest

from encaisse_api import (
    Denied,
    PartnerError,
    Rejected,
)

if TYPE_CHECKING:
    from tests.core.door.conftest import Server, World

HOST = "api.example.org"
BASE = f"https://{HOST}"
KEY = "cle-secrete-4242"


def test_one_line_is_logged_per_request_and_nothing_private(
    world: World, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = [(503, {}, b""), (200, {"X-Request-Id": "r-5"}, b'{"nom": "Debitrice"}')]
    client = world.client(server)
    client.get(f"{BASE}/v1/contacts/marie@example.org/x?q=Debitrice&token={KEY}")
    server.script = [(0, {}, b"")]
    with pytest.raises(PartnerError):
        client.post(f"{BASE}/v1/{'a' * 80}", json={"nom": "Debitrice"})
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(" ms=")[0] for line in lines] == [
        f"request partner=exemple environment=test method=GET host={HOST} "
        "path=/v1/contacts/…/x status=503",
        f"request partner=exemple environment=test method=GET host={HOST} "
        "path=/v1/contacts/…/x status=200",
        f"request partner=exemple environment=test method=POST host={HOST} "
        "path=/v1/… status=-:RemoteProtocolError",
    ]
    assert lines[1].endswith("request_id=r-5")
    everything = json.dumps([vars(record) for record in caplog.records], default=repr)
    for private in (KEY, "Debitrice", "marie", "Bearer"):
        assert private not in everything, private


def test_a_malformed_header_is_refused_without_quoting_it(world: World, server: Server) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(Rejected) as refused:
            world.client(server).request(
                method, f"{BASE}/v1", headers={"X-Note": f"{KEY}\r\nX-Autre: 1"}
            )
        assert refused.value.code == "request_malformed"
        assert KEY not in str(refused.value) + repr(refused.value.__cause__)
        assert refused.value.__suppress_context__
    assert server.seen == []


def test_a_partners_request_id_cannot_write_in_the_log(world: World) -> None:
    def partner(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, headers={"X-Request-Id": "a b\x1b[31m=" + "x" * 200})

    with pytest.raises(Denied) as denied:
        world.client(partner).get(f"{BASE}/v1")
    assert denied.value.request_id == ("ab31m" + "x" * 200)[:80]


def test_clients_of_one_door_share_connections_and_close_apart(
    world: World, server: Server
) -> None:
    door = world.door(routes={HOST: server.base})
    grant_id = world.grant()
    for _ in range(3):
        with door.lend(
            manifest=world.manifest(), grant_id=grant_id, account=None, environment="test"
        ) as client:
            assert client.get(f"{BASE}/v1").status_code == 200
    for _ in itertools.repeat(None, 2):
        door.close()
