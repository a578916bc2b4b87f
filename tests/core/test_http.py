"""The door: where requests may go, how fast, how often, and what a lost answer means."""

from __future__ import annotations

import gzip
import itertools
import json
import logging
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import httpx
import pytest

from encaisse_api import (
    BearerAuth,
    Denied,
    Drift,
    HeaderAuth,
    Manifest,
    OutcomeUnknown,
    PartnerError,
    Quota,
    Rejected,
    Transient,
)
from encaisse_api.manifest import Auth
from encaisse_core import grants
from encaisse_core.clock import SeededIds, SystemClock, SystemIds, VirtualClock
from encaisse_core.errors import UsageError
from encaisse_core.http import Door, guard_base_url, quotas
from encaisse_core.http import transport as transport_module
from encaisse_core.store import Store, open_store, schema
from encaisse_core.vault import Kek, Vault

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOST = "api.example.org"
BASE = f"https://{HOST}"
KEY = "cle-secrete-4242"


def _manifest(*limits: Quota, auth: Auth | None = None) -> Manifest:
    return Manifest(
        slug="exemple",
        name="Exemple",
        summary_fr="Partenaire d'essai.",
        contract="assumed",
        test_hosts=(HOST, "docs.example.org"),
        live_hosts=("live.example.org",),
        auth=auth or BearerAuth(),
        quotas=limits,
    )


class _Server(ThreadingHTTPServer):
    """Answer on loopback as a script says: (status, headers, body), or a socket to misuse."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet when a client has gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        server.seen.append((self.command, self.path, dict(self.headers), body))
        status, headers, content = server.script.pop(0) if server.script else (200, {}, b"{}")
        if status == 0:  # a lost answer: the work was done, the connection ends
            self.close_connection = True
            return
        self.send_response(status)
        length = headers.pop("Content-Length", str(len(content)))
        for name, value in {**headers, "Content-Length": length}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = length != str(len(content))

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    made = _Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@dataclass
class World:
    """Hold a store on virtual time and the grants that open doors in it."""

    store: Store
    clock: VirtualClock
    ids: SeededIds
    vault: Vault
    doors: list[Door] = field(default_factory=list[Door])

    def grant(self, environment: str = "test") -> str:
        with self.store.begin() as connection:
            return grants.create_grant(
                connection,
                self.vault,
                self.ids,
                at=AT,
                organisation_id="org_1",
                connector="exemple",
                environment=environment,
                secrets={"token": KEY, "api_key": KEY},
            )

    def door(
        self,
        *,
        routes: dict[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        max_wait: timedelta = timedelta(seconds=20),
    ) -> Door:
        made = Door(
            store=self.store,
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
            routes=routes,
            transport=transport,
            max_wait=max_wait,
        )
        self.doors.append(made)
        return made

    def client(
        self,
        answer: _Server | Callable[[httpx.Request], httpx.Response],
        manifest: Manifest | None = None,
        *,
        grant_id: str | None = None,
        account: str | None = None,
        deadline: datetime | None = None,
    ) -> httpx.Client:
        if isinstance(answer, _Server):
            door = self.door(routes={HOST: answer.base})
        else:
            door = self.door(transport=httpx.MockTransport(answer))
        return door.lend(
            manifest=manifest or _manifest(),
            grant_id=grant_id or self.grant(),
            account=account,
            environment="test",
            deadline=deadline,
        )

    @property
    def elapsed(self) -> float:
        return (self.clock.now() - AT).total_seconds()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(f"sqlite:///{tmp_path / 'http.sqlite'}")
    with store.begin() as connection:
        connection.execute(
            schema.organisation.insert().values(
                id="org_1", name="Exemple", kind="company", created_at="2026"
            )
        )
    store.set_virtual_now(AT)
    clock = VirtualClock(AT, [store.set_virtual_now])
    ids = SeededIds(5, clock)
    made = World(store, clock, ids, Vault(Kek(bytes(32)), ids))
    yield made
    for door in made.doors:
        door.close()
    store.close()


def _ok(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={})


# --- where ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://ailleurs.example.org/v1",
        "https://api.example.org.attaque.example/v1",
        "https://live.example.org/v1",
        "http://api.example.org/v1",
        "ftp://api.example.org/v1",
        "https://api.example.org:8443/v1",
        "https://moi:mot@api.example.org/v1",
        "https://127.0.0.1/v1",
        "https://169.254.169.254/latest/meta-data",
        "https:///v1",
        "/v1",
    ],
)
def test_only_the_declared_hosts_of_the_environment_are_called(
    world: World, server: _Server, url: str
) -> None:
    with pytest.raises(Rejected, match="Exemple") as refused:
        world.client(server).get(url)
    assert refused.value.code == "host_refused"
    assert "mot@" not in refused.value.message
    assert server.seen == []


def test_a_route_opens_no_host_the_manifest_does_not_declare(world: World, server: _Server) -> None:
    door = world.door(routes={"ailleurs.example.org": server.base})
    client = door.lend(
        manifest=_manifest(), grant_id=world.grant(), account=None, environment="test"
    )
    with pytest.raises(Rejected, match="n'est pas déclaré"):
        client.get("https://ailleurs.example.org/v1")
    with pytest.raises(Rejected, match="aucun simulateur"):
        client.get(f"{BASE}/v1")  # declared, but it would leave this machine
    assert server.seen == []


def test_a_routed_request_still_names_the_vendor(world: World, server: _Server) -> None:
    world.client(server).post(
        f"{BASE}/v1/factures?apres=2", json={"a": 1}, headers={"Host": "faux.example.org"}
    )
    [(method, path, headers, body)] = server.seen
    assert (method, path, json.loads(body)) == ("POST", "/v1/factures?apres=2", {"a": 1})
    assert headers["Host"] == HOST
    assert headers["X-Sim-Host"] == HOST
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["User-Agent"].startswith("encaisse/")


def test_a_route_may_lead_below_a_path(world: World, server: _Server) -> None:
    door = world.door(routes={HOST: f"{server.base}/gcollect/"})
    door.lend(manifest=_manifest(), grant_id=world.grant(), account=None, environment="test").get(
        f"{BASE}/v1/x%20y?q=a%2Fb"
    )
    assert server.seen[0][1] == "/gcollect/v1/x%20y?q=a%2Fb"


def test_the_simulator_in_process_sees_the_vendors_address(world: World) -> None:
    seen: list[httpx.Request] = []

    def partner(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"vu": True})

    assert world.client(partner).get(f"{BASE}/v1").json() == {"vu": True}
    assert seen[0].url == f"{BASE}/v1"
    assert "X-Sim-Host" not in seen[0].headers


@pytest.mark.parametrize(
    "base",
    ["http://192.168.1.4:80", "https://sim.example.org", "http://0.0.0.0:1", "ftp://127.0.0.1"],
)
def test_a_route_leads_to_this_machine_only(world: World, base: str) -> None:
    with pytest.raises(UsageError, match="cette machine"):
        world.door(routes={HOST: base})


def test_a_simulator_is_refused_in_live(world: World) -> None:
    for door in (
        world.door(routes={"live.example.org": "http://127.0.0.1:9"}),
        world.door(transport=httpx.MockTransport(_ok)),
    ):
        with pytest.raises(UsageError, match="simulateur"):
            door.lend(
                manifest=_manifest(),
                grant_id=world.grant("live"),
                account=None,
                environment="live",
            )
    with pytest.raises(UsageError, match="Environnement inconnu"):
        world.door().lend(manifest=_manifest(), grant_id=None, account=None, environment="prod")


def test_live_and_test_never_meet(world: World) -> None:
    with pytest.raises(UsageError, match="live"):
        world.door().lend(
            manifest=_manifest(), grant_id=world.grant("live"), account=None, environment="test"
        )
    live = world.door().lend(
        manifest=_manifest(), grant_id=world.grant("live"), account=None, environment="live"
    )
    with pytest.raises(Rejected):
        live.get(f"{BASE}/v1")


def test_a_redirect_is_never_followed(world: World, server: _Server) -> None:
    client = world.client(server)
    for target in (f"{BASE}/v2", "https://ailleurs.example.org/", "http://127.0.0.1/"):
        server.script = [(302, {"Location": target}, b"")] * 2
        assert client.get(f"{BASE}/v1").status_code == 302
        assert client.get(f"{BASE}/v1", follow_redirects=True).status_code == 302
    assert [path for _, path, _, _ in server.seen] == ["/v1"] * 6


def test_a_call_cannot_leave_our_credentials_out(world: World, server: _Server) -> None:
    world.client(server).get(f"{BASE}/v1", auth=("autre", "mot"))
    world.client(server).get(f"{BASE}/v1", headers={"Authorization": "Bearer autre"})
    assert {headers["Authorization"] for _, _, headers, _ in server.seen} == {f"Bearer {KEY}"}


def test_a_vendors_own_header_carries_its_key(world: World, server: _Server) -> None:
    world.client(server, _manifest(auth=HeaderAuth(header="X-Api-Key"))).get(f"{BASE}/v1")
    assert server.seen[0][2]["X-Api-Key"] == KEY


def test_a_refused_key_means_denied_and_one_request(world: World, server: _Server) -> None:
    server.script = [(401, {"X-Request-Id": "r-1"}, b"")]
    with pytest.raises(Denied, match="Reconnectez Exemple") as denied:
        world.client(server).get(f"{BASE}/v1")
    assert denied.value.request_id == "r-1"
    assert len(server.seen) == 1


# --- again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [0, 502, 503, 504, 429])
def test_a_read_is_tried_again(world: World, server: _Server, method: str, status: int) -> None:
    server.script = [(status, {}, b"")] * 3
    assert world.client(server).request(method, f"{BASE}/v1").status_code == 200
    assert len(server.seen) == 4
    assert world.elapsed == pytest.approx(0.5 + 1 + 2)


def test_a_read_gives_up_after_four_attempts(world: World, server: _Server) -> None:
    server.script = [(503, {"X-Request-Id": "r-9"}, b"")] * 9
    with pytest.raises(Transient, match="Exemple est occupé") as error:
        world.client(server).get(f"{BASE}/v1")
    assert error.value.request_id == "r-9"
    assert len(server.seen) == 4


@pytest.mark.parametrize("status", [200, 204, 301, 400, 403, 404, 409, 418, 500, 501])
def test_any_other_answer_reaches_the_connector_at_once(
    world: World, server: _Server, status: int
) -> None:
    server.script = [(status, {}, b"")]
    assert world.client(server).get(f"{BASE}/v1").status_code == status
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_sent_once_whatever_is_answered(
    world: World, server: _Server, method: str
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


def test_a_write_that_found_nobody_was_not_made(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        door = world.door(routes={HOST: f"http://127.0.0.1:{taken.getsockname()[1]}"})
        client = door.lend(
            manifest=_manifest(), grant_id=world.grant(), account=None, environment="test"
        )
        for method in ("POST", "GET"):
            with pytest.raises(Transient, match="Exemple ne répond pas"):
                client.request(method, f"{BASE}/v1")


def test_an_answer_cut_short_is_read_again(world: World, server: _Server) -> None:
    server.script = [(200, {"Content-Length": "99"}, b'[{"id": 1},'), (200, {}, b"[]")]
    assert world.client(server).get(f"{BASE}/v1").json() == []


def test_retry_after_is_honoured_in_seconds_and_as_a_date(world: World, server: _Server) -> None:
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
    world: World, server: _Server, text: str
) -> None:
    server.script = [(503, {"Retry-After": text.encode().decode("latin-1")}, b"")]
    if text.startswith("999"):
        with pytest.raises(Transient):
            world.client(server).get(f"{BASE}/v1")
    else:
        assert world.client(server).get(f"{BASE}/v1").status_code == 200
        assert world.elapsed == 0.5


def test_a_wait_longer_than_allowed_is_handed_to_the_host(world: World, server: _Server) -> None:
    server.script = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(Transient, match="60 min") as error:
        world.client(server).get(f"{BASE}/v1")
    assert error.value.retry_after == timedelta(hours=1)
    assert (len(server.seen), world.elapsed) == (1, 0)
    server.script = [(503, {"Retry-After": "15"}, b"")] * 5
    with pytest.raises(Transient):
        world.client(server).get(f"{BASE}/v1")
    assert (len(server.seen), world.elapsed) == (3, 15)  # a second 15 s would pass 20 s in all


# --- how long ------------------------------------------------------------------------------------


def test_nothing_starts_after_the_deadline(world: World, server: _Server) -> None:
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
    world: World, server: _Server, monkeypatch: pytest.MonkeyPatch
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


def test_a_document_is_handed_over_byte_for_byte(world: World, server: _Server) -> None:
    content = Random(3).randbytes(300_000)
    server.script = [(200, {"Content-Type": "application/pdf"}, content)] * 2
    client = world.client(server)
    assert client.get(f"{BASE}/f.pdf").content == content
    with client.stream("GET", f"{BASE}/f.pdf") as response:
        assert b"".join(response.iter_bytes()) == content
        assert response.headers["Content-Type"] == "application/pdf"


# --- how fast ------------------------------------------------------------------------------------


def _reserve(store: Store, wanted: list[quotas.Bucket], patience: timedelta) -> datetime | None:
    with store.begin() as connection:
        turn = quotas.reserve(connection, store, wanted, patience)
    return turn.at if turn.reserved else None


def _wanted(manifest: Manifest, **asked: str | None) -> list[quotas.Bucket]:
    named = {"environment": "test", "grant_id": "grt_1", "account": None, "method": "GET"}
    given = {**named, "path": "/v1", **asked}
    return quotas.buckets(
        manifest,
        environment=given["environment"] or "",
        grant_id=given["grant_id"],
        account=given["account"],
        method=given["method"] or "",
        path=given["path"] or "",
    )


def _fullest(slots: list[datetime], period: timedelta) -> int:
    return max(sum(1 for s in slots if first <= s < first + period) for first in slots)


@pytest.mark.parametrize(("limit", "seconds"), [(1, 1), (3, 1), (10, 1), (20, 10), (500, 60)])
def test_no_window_ever_holds_more_than_the_limit(world: World, limit: int, seconds: int) -> None:
    period = timedelta(seconds=seconds)
    quota = Quota(scope="partner", limit=limit, period=period)
    wanted = _wanted(_manifest(quota))
    seed = limit * 1000 + seconds
    random = Random(seed)
    slots: list[datetime] = []
    for _ in range(min(3 * limit, 300) + 10):
        slot = _reserve(world.store, wanted, timedelta(days=1))
        assert slot is not None
        slots.append(slot)
        if random.random() < 0.3:
            world.clock.sleep(random.random() * seconds / limit * 4)
    assert _fullest(slots, period) <= limit, f"seed {seed}"
    assert slots == sorted(slots)


def test_the_whole_quota_can_be_used(world: World) -> None:
    quota = Quota(scope="partner", limit=20, period=timedelta(seconds=10))
    wanted = _wanted(_manifest(quota))
    slots = [_reserve(world.store, wanted, timedelta(days=1)) for _ in range(200)]
    assert slots[-1] is not None
    assert (slots[-1] - AT).total_seconds() == pytest.approx(198 * 10 / 19, rel=0.01)


def test_a_short_wait_sleeps_and_a_long_one_is_handed_back(world: World, server: _Server) -> None:
    quota = Quota(scope="grant", limit=2, period=timedelta(seconds=30))
    client = world.client(server, _manifest(quota))
    client.get(f"{BASE}/v1")
    client.post(f"{BASE}/v1")
    assert world.elapsed == 15
    two = world.client(server, _manifest(quota), deadline=world.clock.now() + timedelta(seconds=5))
    two.get(f"{BASE}/v1")  # another grant
    with pytest.raises(Transient, match="quota d'appels de Exemple est épuisé") as error:
        two.post(f"{BASE}/v1")  # the wait would pass the deadline
    assert error.value.retry_after == timedelta(seconds=15)
    assert len(server.seen) == 3
    assert world.elapsed == 15


def test_every_attempt_counts(world: World, server: _Server) -> None:
    quota = Quota(scope="grant", limit=3, period=timedelta(days=1), calendar_day=True)
    client = world.client(server, _manifest(quota))
    server.script = [(503, {}, b"")] * 2
    client.get(f"{BASE}/v1")
    with pytest.raises(Transient):
        client.get(f"{BASE}/v1")
    assert len(server.seen) == 3


def test_a_calendar_day_begins_at_midnight_in_paris(world: World, server: _Server) -> None:
    quota = Quota(scope="partner", limit=3, period=timedelta(days=1), calendar_day=True)
    client = world.client(server, _manifest(quota))
    for _ in range(3):
        client.get(f"{BASE}/v1")
    with pytest.raises(Transient) as error:
        client.get(f"{BASE}/v1")
    assert error.value.retry_after == timedelta(hours=2)  # 22:00 in Paris
    world.clock.set(datetime(2026, 11, 23, 22, 59, 50, tzinfo=UTC))
    client.get(f"{BASE}/v1")  # ten seconds: worth waiting
    assert world.clock.now() == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    client.get(f"{BASE}/v1")
    client.get(f"{BASE}/v1")
    with pytest.raises(Transient) as error:
        client.get(f"{BASE}/v1")
    assert error.value.retry_after == timedelta(days=1)


def test_days_of_23_and_25_hours_are_days(world: World) -> None:
    quota = Quota(scope="partner", limit=1, period=timedelta(days=1), calendar_day=True)
    wanted = _wanted(_manifest(quota))
    for start, hours in (
        (datetime(2027, 3, 27, 23, 0, tzinfo=UTC), 23),
        (datetime(2027, 10, 30, 22, 0, tzinfo=UTC), 25),
    ):
        world.clock.set(start)
        assert _reserve(world.store, wanted, timedelta(0)) == start
        assert _reserve(world.store, wanted, timedelta(0)) is None
        world.clock.sleep(hours * 3600 - 1)
        assert _reserve(world.store, wanted, timedelta(0)) is None
        world.clock.sleep(1)
        assert _reserve(world.store, wanted, timedelta(0)) is not None
        world.clock.sleep(86_400 * 2)


def test_several_quotas_hold_together(world: World) -> None:
    manifest = _manifest(
        Quota(scope="partner", limit=10, period=timedelta(seconds=1)),
        Quota(scope="grant", limit=5, period=timedelta(days=1), calendar_day=True),
    )
    one, two = _wanted(manifest, grant_id="grt_1"), _wanted(manifest, grant_id="grt_2")
    for _ in range(5):
        assert _reserve(world.store, one, timedelta(seconds=20)) is not None
    before = _reserve(world.store, two, timedelta(seconds=20))
    for _ in range(50):
        assert _reserve(world.store, one, timedelta(seconds=20)) is None  # takes nothing
    after = _reserve(world.store, two, timedelta(seconds=20))
    assert before is not None
    assert after is not None
    assert after - before == timedelta(seconds=0.1)


def test_quotas_are_counted_per_scope() -> None:
    def scopes(*limits: Quota, **asked: str | None) -> list[str]:
        return [bucket.scope for bucket in _wanted(_manifest(*limits), **asked)]

    second = timedelta(seconds=1)
    partner = Quota(scope="partner", limit=1, period=second)
    assert scopes(partner, grant_id="grt_1") == scopes(partner, grant_id="grt_2")
    assert scopes(partner) != scopes(partner, environment="live")
    grant = Quota(scope="grant", limit=1, period=second)
    assert scopes(grant, grant_id="grt_1") != scopes(grant, grant_id="grt_2")
    account = Quota(scope="account", limit=1, period=second)
    dossier = scopes(account, grant_id="grt_1", account="dossier 12")
    assert dossier == scopes(account, grant_id="grt_2", account="dossier 12")
    assert dossier != scopes(account, grant_id="grt_1", account="dossier 13")
    assert scopes(account, grant_id="grt_1") != scopes(account, grant_id="grt_2")
    route = Quota(scope="route", limit=1, period=second, route="/v1/factures/*")
    assert scopes(route, path="/v1/factures/1") == scopes(route, path="/v1/factures/2")
    assert scopes(route, path="/v1/clients") == []
    posted = Quota(scope="route", limit=1, period=second, route="POST /v1/factures")
    assert scopes(posted, path="/v1/factures") == []
    assert len(scopes(posted, path="/v1/factures", method="POST")) == 1
    each = Quota(scope="route", limit=1, period=second)
    assert scopes(each, path="/v1/a") != scopes(each, path="/v1/b")
    assert all(len(scope) <= 160 for scope in scopes(partner, grant, account, each))
    assert "dossier" not in "".join(dossier)


RESERVER = """
    import sys
    from datetime import timedelta
    from encaisse_api import Quota
    from encaisse_core.http import quotas
    from encaisse_core.store import open_store

    store = open_store(sys.argv[1], migrate=False)
    quota = Quota(scope="partner", limit=10, period=timedelta(seconds=1))
    wanted = [quotas.Bucket("test/exemple", quota)]
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(60):
        with store.begin() as connection:
            print(quotas.reserve(connection, store, wanted, timedelta(hours=1)).at.isoformat())
"""


def test_a_quota_holds_across_processes_and_threads(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'quota.sqlite'}")
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(RESERVER)]
    workers = [
        subprocess.Popen(
            [*command, str(store.engine.url)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    quota = Quota(scope="partner", limit=10, period=timedelta(seconds=1))
    wanted = [quotas.Bucket("test/exemple", quota)]
    slots: list[datetime] = []

    def work() -> None:
        for _ in range(20):
            slot = _reserve(store, wanted, timedelta(hours=1))
            assert slot is not None
            slots.append(slot)

    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    threads = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        slots += [
            datetime.fromisoformat(line) for line in worker.communicate(timeout=60)[0].split()
        ]
    assert len(slots) == 160
    assert len(set(slots)) == 160
    assert _fullest(slots, quota.period) <= 10
    store.close()


def test_real_threads_are_paced_on_the_wire(tmp_path: Path, server: _Server) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'wire.sqlite'}")
    clock = SystemClock()
    ids = SystemIds(clock)
    vault = Vault(Kek(bytes(32)), ids)
    with store.begin() as connection:
        connection.execute(
            schema.organisation.insert().values(
                id="org_1", name="Exemple", kind="company", created_at="2026"
            )
        )
        grant_id = grants.create_grant(
            connection,
            vault,
            ids,
            at=AT,
            organisation_id="org_1",
            connector="exemple",
            environment="test",
            secrets={"token": KEY},
        )
    door = Door(store=store, vault=vault, clock=clock, ids=ids, routes={HOST: server.base})
    quota = Quota(scope="grant", limit=20, period=timedelta(seconds=1))
    client = door.lend(
        manifest=_manifest(quota), grant_id=grant_id, account=None, environment="test"
    )
    started = clock.monotonic()
    threads = [
        threading.Thread(target=lambda: [client.get(f"{BASE}/v1") for _ in range(5)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen) == 20
    assert clock.monotonic() - started >= 18 / 19 - 0.05
    door.close()
    store.close()


# --- what is never shown -------------------------------------------------------------------------


def test_one_line_is_logged_per_request_and_nothing_private(
    world: World, server: _Server, caplog: pytest.LogCaptureFixture
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


def test_a_malformed_header_is_refused_without_quoting_it(world: World, server: _Server) -> None:
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


# --- self-hosted tools ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.4",
        "127.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:10.0.0.4",
        "64:ff9b::a00:4",
        "2002:a00:4::",
        "168.63.129.16",
        "224.0.0.1",
    ],
)
def test_a_self_hosted_tool_is_not_looked_for_inside(address: str) -> None:
    for answers in ([address], ["93.184.216.34", address]):
        with pytest.raises(UsageError, match="interne ou réservée"):
            guard_base_url("https://outil.example.org", resolve=lambda _host, a=answers: a)


@pytest.mark.parametrize("address", ["10.0.0.4", "127.0.0.1", "fd12::4"])
def test_a_person_may_allow_their_own_network(address: str) -> None:
    url = guard_base_url(
        "http://outil.lan:8000/compta", allow_private=True, resolve=lambda _host: [address]
    )
    assert str(url) == "http://outil.lan:8000/compta"


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254"]
)
def test_metadata_addresses_never_pass(address: str) -> None:
    with pytest.raises(UsageError):
        guard_base_url("http://x.lan", allow_private=True, resolve=lambda _host: [address])


@pytest.mark.parametrize(
    "url",
    ["", "outil", "ftp://x.org", "https://", "https://a:b@x.org", "https://x.org/?k=1", "h\0"],
)
def test_an_address_of_another_shape_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        guard_base_url(url, resolve=lambda _host: ["93.184.216.34"])


def test_a_public_address_passes_in_https_only() -> None:
    for url, good in (("https://x.example.org/api", True), ("http://x.example.org", False)):
        if good:
            assert guard_base_url(url, resolve=lambda _host: ["93.184.216.34"]).host
        else:
            with pytest.raises(UsageError, match="https"):
                guard_base_url(url, resolve=lambda _host: ["93.184.216.34"])
    with pytest.raises(UsageError, match="aucune adresse"):
        guard_base_url("https://x.example.org", resolve=lambda _host: [])
    with pytest.raises(UsageError, match="interne"):
        guard_base_url("https://2130706433/")  # 127.0.0.1 written as one number


def test_clients_of_one_door_share_connections_and_close_apart(
    world: World, server: _Server
) -> None:
    door = world.door(routes={HOST: server.base})
    grant_id = world.grant()
    for _ in range(3):
        with door.lend(
            manifest=_manifest(), grant_id=grant_id, account=None, environment="test"
        ) as client:
            assert client.get(f"{BASE}/v1").status_code == 200
    for _ in itertools.repeat(None, 2):
        door.close()
