"""A partner on loopback and a world to call it from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from encaisse_api import (
    BearerAuth,
    Manifest,
    Quota,
    Setting,
)
from encaisse_api.auth import Auth
from encaisse_core import grants
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.http import Door
from encaisse_core.store import Store, open_store, schema
from encaisse_core.vault import Kek, Vault

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOST = "api.example.org"
BASE = f"https://{HOST}"
KEY = "cle-secrete-4242"


class Server(ThreadingHTTPServer):
    """Answer on loopback as a script says: (status, headers, body), or a socket to misuse."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet when a client has gone."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, Server)
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
        if self.command != "HEAD":
            self.wfile.write(content)
        self.close_connection = length != str(len(content))

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
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

    @staticmethod
    def manifest(*limits: Quota, auth: Auth | None = None) -> Manifest:
        return Manifest(
            slug="exemple",
            name="Exemple",
            summary_fr="Partenaire d'essai.",
            contract="documented",
            test_hosts=(HOST, "docs.example.org"),
            live_hosts=("live.example.org",),
            auth=auth or BearerAuth(),
            quotas=limits,
            settings=tuple(
                Setting(name=name, label_fr=name, label_en=name, secret=True)
                for name in ("token", "api_key", "more", "user", "password")
            ),
        )

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
        answer: Server | Callable[[httpx.Request], httpx.Response],
        manifest: Manifest | None = None,
        *,
        grant_id: str | None = None,
        account: str | None = None,
        deadline: datetime | None = None,
    ) -> httpx.Client:
        if isinstance(answer, Server):
            door = self.door(routes={HOST: answer.base})
        else:
            door = self.door(transport=httpx.MockTransport(answer))
        return door.lend(
            manifest=manifest or self.manifest(),
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
