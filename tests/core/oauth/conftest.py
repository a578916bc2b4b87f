"""A partner that issues tokens, and a world with one grant to it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from encaisse_api import (
    ClientCredentialsAuth,
    CodeAuth,
    Manifest,
    Setting,
)
from encaisse_api.auth import Auth
from encaisse_core import grants
from encaisse_core.clock import SeededIds, SystemClock, SystemIds, VirtualClock
from encaisse_core.http import Door
from encaisse_core.store import Store, open_store, schema
from encaisse_core.vault import Kek, Vault

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOST = "api.example.org"
TOKEN_URL = f"https://{HOST}/oauth/token"
CLIENT = {"client_id": "ident-123", "client_secret": "secret-tres-cache"}
KEY = bytes(range(32))


def manifest_with(auth: Auth | None = None) -> Manifest:
    return Manifest(
        slug="exemple",
        name="Exemple",
        summary_fr="Partenaire d'essai.",
        contract="assumed",
        test_hosts=(HOST,),
        auth=auth or ClientCredentialsAuth(token_url=TOKEN_URL, scope="read write"),
        settings=tuple(
            Setting(name=name, label_fr=name, label_en=name, secret=True) for name in CLIENT
        ),
    )


@dataclass
class Partner:
    """Issue tokens and check them; every counter is what the partner itself saw."""

    life: int | None = 3600
    rotating: bool = False  # a refresh token serves once; a second use kills the grant
    token_answer: Callable[[], httpx.Response] | None = None
    valid: set[str] = field(default_factory=set[str])
    refresh: str | None = "r0"
    issued: int = 0
    asked: int = 0
    calls: list[str] = field(default_factory=list[str])
    bodies: list[dict[str, list[str]]] = field(default_factory=list[dict[str, list[str]]])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            if request.url.path == "/oauth/token":
                return self._token(request)
            self.calls.append(f"{request.method} {request.content.decode()}".strip())
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token in self.valid:
                return httpx.Response(200, json={"ok": True})
            return httpx.Response(401, headers={"X-Request-Id": "req-77"})

    def _token(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        basic = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        assert basic.decode() == f"{CLIENT['client_id']}:{CLIENT['client_secret']}"
        asked = parse_qs(request.content.decode())
        self.bodies.append(asked)
        if self.token_answer is not None:
            return self.token_answer()
        if asked["grant_type"] == ["refresh_token"] and asked["refresh_token"] != [self.refresh]:
            self.valid.clear()
            self.refresh = None
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.issued += 1
        self.valid = {f"jeton-{self.issued}"}
        answer: dict[str, object] = {
            "access_token": f"jeton-{self.issued}",
            "token_type": "Bearer",
        }
        if self.life is not None:
            answer["expires_in"] = self.life
        if self.rotating:
            self.refresh = f"r{self.issued}"
            answer["refresh_token"] = self.refresh
        return httpx.Response(200, json=answer)


@dataclass
class World:
    """Hold one store, its virtual time, and a door to the partner."""

    store: Store
    clock: VirtualClock
    vault: Vault
    ids: SeededIds
    partner: Partner
    manifest: Manifest
    grant_id: str

    def door(self) -> Door:
        return Door(
            store=self.store,
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
            transport=httpx.MockTransport(self.partner),
        )

    def client(self) -> httpx.Client:
        return self.door().lend(
            manifest=self.manifest, grant_id=self.grant_id, account=None, environment="test"
        )

    def other_grant(self) -> str:
        return _create(self.store, self.vault, self.ids)

    def use(self, auth: Auth) -> None:
        self.manifest = manifest_with(auth)

    def state(self) -> grants.Grant:
        with self.store.begin() as connection:
            return grants.read_grant(connection, self.grant_id)

    def tokens(self) -> grants.Tokens:
        with self.store.begin() as connection:
            return grants.read_tokens(connection, self.vault, self.grant_id)

    def give_tokens(self, access: str, refresh: str | None, renew_at: datetime | None) -> None:
        with self.store.begin() as connection:
            assert grants.save_tokens(
                connection,
                self.vault,
                self.grant_id,
                access=SecretStr(access),
                refresh=SecretStr(refresh) if refresh else None,
                renew_at=renew_at,
                expected_version=grants.read_tokens(connection, self.vault, self.grant_id).version,
            )

    def by_code(self, *, access: str = "perime", refresh: str | None = "r0") -> None:
        """Make the grant one of authorization code, with a token set that a person obtained."""
        auth = CodeAuth(
            authorize_url=f"https://{HOST}/authorize", token_url=TOKEN_URL, scope="read"
        )
        self.manifest = manifest_with(auth)
        self.partner.rotating = True
        self.give_tokens(access, refresh, AT + timedelta(hours=1))


def _open(database_url: str) -> Store:
    store = open_store(database_url)
    with store.begin() as connection:
        connection.execute(
            schema.organisation.insert().values(
                id="org_1", name="Exemple", kind="company", created_at="2026"
            )
        )
    return store


def _create(store: Store, vault: Vault, ids: SeededIds | SystemIds) -> str:
    with store.begin() as connection:
        return grants.create_grant(
            connection,
            vault,
            ids,
            at=AT,
            organisation_id="org_1",
            connector="exemple",
            environment="test",
            secrets=CLIENT,
        )


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    store = _open(database_url)
    store.set_virtual_now(AT)
    clock = VirtualClock(AT, [store.set_virtual_now])
    ids = SeededIds(11, clock)
    vault = Vault(Kek(KEY), ids)
    grant_id = _create(store, vault, ids)
    yield World(store, clock, vault, ids, Partner(), manifest_with(), grant_id)
    store.close()


class TokenServer(ThreadingHTTPServer):
    """Put the partner on a loopback port."""

    daemon_threads = True

    def __init__(self, partner: Partner) -> None:
        super().__init__(("127.0.0.1", 0), TokenHandler)
        self.partner = partner

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class TokenHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, TokenServer)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        response = server.partner(
            httpx.Request(
                self.command,
                f"https://{self.headers['X-Sim-Host']}{self.path}",
                headers=dict(self.headers),
                content=body,
            )
        )
        self.send_response(response.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def served() -> Iterator[TokenServer]:
    server = TokenServer(Partner(rotating=True))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class RealTime:
    """Hold a store on the machine's time, and a grant whose access token has run out."""

    store: Store
    door: Door
    grant_id: str
    manifest: Manifest


@pytest.fixture
def real(database_url: str, served: TokenServer) -> Iterator[RealTime]:
    store = _open(database_url)
    clock = SystemClock()
    ids = SystemIds(clock)
    vault = Vault(Kek(KEY), ids)
    grant_id = _create(store, vault, ids)
    auth = CodeAuth(authorize_url=f"https://{HOST}/authorize", token_url=TOKEN_URL)
    with store.begin() as connection:
        grants.save_tokens(
            connection,
            vault,
            grant_id,
            access=SecretStr("perime"),
            refresh=SecretStr("r0"),
            renew_at=None,
            expected_version=0,
        )
    door = Door(store=store, vault=vault, clock=clock, ids=ids, routes={HOST: served.base})
    yield RealTime(store, door, grant_id, manifest_with(auth))
    door.close()
    store.close()
