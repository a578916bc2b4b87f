"""Grants: secrets kept apart, one renewal for everybody, and no access that dies in silence."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from encaisse_api import (
    ClientCredentialsAuth,
    CodeAuth,
    Denied,
    Drift,
    Manifest,
    Rejected,
    Transient,
)
from encaisse_api.manifest import Auth
from encaisse_core import grants
from encaisse_core.clock import SeededIds, SystemClock, SystemIds, VirtualClock
from encaisse_core.errors import UsageError
from encaisse_core.http import Door
from encaisse_core.store import Store, open_store, schema
from encaisse_core.vault import Kek, Vault

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOST = "api.example.org"
TOKEN_URL = f"https://{HOST}/oauth/token"
CLIENT = {"client_id": "ident-123", "client_secret": "secret-tres-cache"}
KEY = bytes(range(32))


def _manifest(auth: Auth | None = None) -> Manifest:
    return Manifest(
        slug="exemple",
        name="Exemple",
        summary_fr="Partenaire d'essai.",
        contract="assumed",
        test_hosts=(HOST,),
        auth=auth or ClientCredentialsAuth(token_url=TOKEN_URL, scope="read write"),
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

    def door(self, **options: timedelta) -> Door:
        return Door(
            store=self.store,
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
            transport=httpx.MockTransport(self.partner),
            **options,
        )

    def client(self) -> httpx.Client:
        return self.door().lend(
            manifest=self.manifest, grant_id=self.grant_id, account=None, environment="test"
        )

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


def _open(path: Path) -> Store:
    store = open_store(f"sqlite:///{path}")
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
def world(tmp_path: Path) -> Iterator[World]:
    store = _open(tmp_path / "grants.sqlite")
    store.set_virtual_now(AT)
    clock = VirtualClock(AT, [store.set_virtual_now])
    ids = SeededIds(11, clock)
    vault = Vault(Kek(KEY), ids)
    grant_id = _create(store, vault, ids)
    yield World(store, clock, vault, ids, Partner(), _manifest(), grant_id)
    store.close()


def _by_code(world: World, *, access: str = "perime", refresh: str | None = "r0") -> None:
    """Make the grant one of authorization code, with a token set that a person obtained."""
    auth = CodeAuth(authorize_url=f"https://{HOST}/authorize", token_url=TOKEN_URL, scope="read")
    world.manifest = _manifest(auth)
    world.partner.rotating = True
    world.give_tokens(access, refresh, AT + timedelta(hours=1))


def _told(error: Exception) -> str:
    """Write all an error report could hold: message, chain, and the locals of our frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if Path(__file__).name not in frame.filename]
    return "\n".join(
        [repr(error), *traceback.format_exception(error), *(repr(f.locals) for f in frames)]
    )


# --- secrets -------------------------------------------------------------------------------------


def test_secrets_are_read_back_and_never_shown(world: World) -> None:
    with world.store.begin() as connection:
        secrets = grants.read_secrets(connection, world.vault, world.grant_id)
        raw = connection.execute(select(schema.credential)).all()
    assert {k: v.get_secret_value() for k, v in secrets.items()} == CLIENT
    assert "secret-tres-cache" not in repr(secrets) + str(secrets) + repr(raw)


def test_a_credential_row_moved_to_another_grant_does_not_decrypt(world: World) -> None:
    other = _create(world.store, world.vault, world.ids)
    c = schema.credential
    with world.store.begin() as connection:
        row = connection.execute(
            select(c.c.wrapped_key, c.c.nonce, c.c.ciphertext).where(
                c.c.grant_id == world.grant_id, c.c.field == "client_id"
            )
        ).one()
        connection.execute(
            c.update()
            .where(c.c.grant_id == other, c.c.field == "client_id")
            .values(**dict(row._mapping))
        )
        with pytest.raises(Exception, match="ne se déchiffre pas"):
            grants.read_secrets(connection, world.vault, other)
        grants.read_secrets(connection, world.vault, world.grant_id)


@pytest.mark.parametrize("value", ["", "  ", "abc\ndef", "abc\x00", "a\u200bb"])
def test_a_misshapen_secret_is_refused_and_nothing_is_kept(world: World, value: str) -> None:
    with pytest.raises(UsageError) as refused, world.store.begin() as connection:
        grants.create_grant(
            connection,
            world.vault,
            world.ids,
            at=AT,
            organisation_id="org_1",
            connector="exemple",
            environment="test",
            secrets={"token": value},
        )
    assert "abc" not in refused.value.message
    with world.store.begin() as connection:
        count = select(func.count()).select_from(schema.access_grant)
        assert connection.execute(count).scalar_one() == 1


def test_a_pasted_line_end_around_a_secret_is_taken_away(world: World) -> None:
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, {"token": " abc\r\n"})
        secrets = grants.read_secrets(connection, world.vault, world.grant_id)
    assert secrets["token"].get_secret_value() == "abc"


def test_a_setting_cannot_pose_as_the_token_set(world: World) -> None:
    with pytest.raises(UsageError), world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, {grants.TOKENS: "x"})


def test_a_grant_of_another_connector_or_environment_is_not_lent(world: World) -> None:
    other = world.manifest.model_copy(update={"slug": "autre"})
    with pytest.raises(UsageError, match="celui de exemple"):
        world.door().lend(manifest=other, grant_id=world.grant_id, account=None, environment="test")
    with pytest.raises(UsageError, match="n'existe pas"):
        world.door().lend(
            manifest=world.manifest, grant_id="grt_0", account=None, environment="test"
        )
    with pytest.raises(UsageError, match="demande un accès"):
        world.door().lend(manifest=world.manifest, grant_id=None, account=None, environment="test")


def test_a_missing_or_impossible_secret_is_said_before_any_call(world: World) -> None:
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, {"client_id": "clé"})
    with pytest.raises(UsageError, match="client_id") as refused:
        world.client()
    assert "clé" not in refused.value.message.replace("qu'une clé", "")
    with world.store.begin() as connection:
        connection.execute(schema.credential.delete())
    with pytest.raises(UsageError, match="client_id, client_secret"):
        world.client()


def test_a_denied_grant_is_not_lent_until_reconnected(world: World) -> None:
    with world.store.begin() as connection:
        assert grants.mark_denied(connection, world.grant_id, "droit retiré.")
    with pytest.raises(Denied, match=r"droit retiré.*Reconnectez Exemple"):
        world.client()
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, CLIENT)
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    with world.store.begin() as connection:
        grants.end_grant(connection, world.grant_id)
        assert not grants.mark_active(connection, world.grant_id)
        assert grants.read_secrets(connection, world.vault, world.grant_id) == {}
    with pytest.raises(Denied):
        world.client()


# --- client credentials --------------------------------------------------------------------------


def test_a_token_is_fetched_once_and_kept(world: World) -> None:
    with world.client() as client:
        for _ in range(3):
            assert client.get(f"https://{HOST}/v1/x").json() == {"ok": True}
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200  # another unit of work
    assert world.partner.asked == 1
    assert world.partner.bodies == [{"grant_type": ["client_credentials"], "scope": ["read write"]}]


def test_a_token_is_renewed_a_minute_before_its_end(world: World) -> None:
    client = world.client()
    client.get(f"https://{HOST}/v1/x")
    assert world.tokens().renew_at == AT + timedelta(seconds=3540)
    world.clock.sleep(3539)
    client.get(f"https://{HOST}/v1/x")
    assert world.partner.asked == 1
    world.clock.sleep(2)
    client.get(f"https://{HOST}/v1/x")
    assert world.partner.asked == 2
    assert world.partner.calls == ["GET"] * 3  # no 401 on the way


@pytest.mark.parametrize("life", [None, 5, 0, 10**12])
def test_any_announced_life_gives_a_working_access(world: World, life: int | None) -> None:
    world.partner.life = life
    client = world.client()
    for _ in range(2):
        assert client.get(f"https://{HOST}/v1/x").status_code == 200
        world.clock.sleep(6)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_renewed_and_the_request_sent_again(world: World, method: str) -> None:
    client = world.client()
    client.get(f"https://{HOST}/v1/x")
    world.partner.valid.clear()
    world.partner.calls.clear()
    answer = client.request(method, f"https://{HOST}/v1/x", content=iter([b"a", b"b"]))
    assert answer.status_code == 200
    assert world.partner.calls == [f"{method} ab"] * 2
    assert world.partner.asked == 2


def test_a_fresh_token_that_is_refused_means_denied(world: World) -> None:
    client = world.client()
    world.partner.token_answer = lambda: httpx.Response(200, json={"access_token": "inconnu"})
    with pytest.raises(Denied, match="Exemple refuse notre accès") as denied:
        client.get(f"https://{HOST}/v1/x")
    assert denied.value.request_id == "req-77"
    assert world.partner.calls == ["GET", "GET"]
    assert world.partner.asked == 2


@pytest.mark.parametrize(
    ("status", "error"), [(401, "invalid_client"), (400, "unauthorized_client"), (401, None)]
)
def test_a_refused_client_closes_the_grant_with_its_reason(
    world: World, status: int, error: str | None
) -> None:
    world.partner.token_answer = lambda: httpx.Response(
        status, json={"error": error} if error else None
    )
    with pytest.raises(Denied, match="Reconnectez Exemple"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.state().state == "denied"
    assert (error or "401") in (world.state().reason or "")
    assert world.partner.calls == []


@pytest.mark.parametrize("answer", [(503, None), (400, "temporarily_unavailable"), (429, None)])
def test_a_busy_token_endpoint_is_a_later_matter(
    world: World, answer: tuple[int, str | None]
) -> None:
    status, error = answer
    world.partner.token_answer = lambda: httpx.Response(status, json={"error": error})
    if error is None:
        world.partner.token_answer = lambda: httpx.Response(status, text="plus tard")
    with pytest.raises(Transient):
        world.client().post(f"https://{HOST}/v1/x")
    assert world.state().state == "active"
    assert world.partner.asked == 1  # a POST is not repeated
    world.partner.token_answer = None
    assert world.client().post(f"https://{HOST}/v1/x").status_code == 200


def test_a_lost_token_answer_is_no_doubt_about_the_write(world: World) -> None:
    def lost() -> httpx.Response:
        raise httpx.ReadTimeout("lost")

    world.partner.token_answer = lost
    with pytest.raises(Transient):
        world.client().post(f"https://{HOST}/v1/x")
    assert world.partner.calls == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>connexion</html>"),
        httpx.Response(200, json={"token": "secret-tres-cache"}),
        httpx.Response(200, json={"access_token": "secret-tres-cache", "token_type": "mac"}),
        httpx.Response(200, json={"access_token": "secret-tres-\ncache"}),
        httpx.Response(200, json={"access_token": ["secret-tres-cache"]}),
        httpx.Response(302, headers={"Location": "https://ailleurs.example.org/"}),
        httpx.Response(403, text="pare-feu"),
    ],
    ids=lambda answer: answer.text[:24] or str(answer.status_code),
)
def test_a_token_answer_of_another_shape_is_drift_and_not_shown(
    world: World, answer: httpx.Response
) -> None:
    world.partner.token_answer = lambda: answer
    with pytest.raises(Drift) as drift:
        world.client().get(f"https://{HOST}/v1/x")
    assert "secret-tres" not in _told(drift.value) + drift.value.raw
    assert world.state().state == "active"


def test_a_token_endpoint_on_another_host_is_not_called(world: World) -> None:
    world.manifest = _manifest(ClientCredentialsAuth(token_url="https://autre.example.org/token"))
    with pytest.raises(Rejected, match=r"autre\.example\.org"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.partner.asked == 0


# --- refresh tokens ------------------------------------------------------------------------------


def test_a_rotated_refresh_token_replaces_the_old_one(world: World) -> None:
    _by_code(world)
    client = world.client()
    for expected in ("r1", "r2", "r3"):
        world.partner.valid.clear()
        assert client.get(f"https://{HOST}/v1/x").status_code == 200
        kept = world.tokens().refresh
        assert kept is not None
        assert kept.get_secret_value() == expected
    assert world.partner.bodies[1] == {"grant_type": ["refresh_token"], "refresh_token": ["r1"]}


def test_a_refresh_token_that_is_not_rotated_is_kept(world: World) -> None:
    _by_code(world)
    world.partner.rotating = False
    for _ in range(2):
        world.partner.valid.clear()
        assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    assert world.partner.bodies[1]["refresh_token"] == ["r0"]


def test_a_token_renewed_by_another_is_used_without_renewing_again(world: World) -> None:
    _by_code(world)
    first, second = world.client(), world.client()
    assert first.get(f"https://{HOST}/v1/x").status_code == 200
    assert second.get(f"https://{HOST}/v1/x").status_code == 200
    world.partner.valid.clear()
    assert first.get(f"https://{HOST}/v1/x").status_code == 200
    assert second.get(f"https://{HOST}/v1/x").status_code == 200  # 401, then the kept one
    assert world.partner.asked == 2


def test_a_refusal_of_tokens_another_has_renewed_closes_nothing(world: World) -> None:
    """The rotated-token race: our lease ran out while we were frozen, another renewed."""
    _by_code(world)
    world.partner.valid = {"neuf"}

    def renewed_meanwhile() -> httpx.Response:
        world.give_tokens("neuf", "r9", None)
        return httpx.Response(400, json={"error": "invalid_grant"})

    world.partner.token_answer = renewed_meanwhile
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    assert world.state().state == "active"


def test_the_later_of_two_renewals_gives_way(world: World) -> None:
    _by_code(world)
    world.partner.valid = {"neuf"}

    def renewed_meanwhile() -> httpx.Response:
        world.give_tokens("neuf", "r9", None)
        return httpx.Response(200, json={"access_token": "tardif", "refresh_token": "r8"})

    world.partner.token_answer = renewed_meanwhile
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    kept = world.tokens()
    assert kept.access is not None
    assert kept.access.get_secret_value() == "neuf"


def test_a_renewal_begun_before_a_reconnection_does_not_undo_it(world: World) -> None:
    _by_code(world)
    before = world.tokens()
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, CLIENT)
        assert grants.read_tokens(connection, world.vault, world.grant_id).access is None
        assert not grants.save_tokens(
            connection,
            world.vault,
            world.grant_id,
            access=SecretStr("ancien"),
            refresh=None,
            renew_at=None,
            expected_version=before.version,
        )


@pytest.mark.parametrize("refresh", [None, "r-inconnu"])
def test_without_a_working_refresh_token_a_person_reconnects(
    world: World, refresh: str | None
) -> None:
    _by_code(world, refresh=refresh)
    with pytest.raises(Denied, match="Reconnectez Exemple"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.state().state == "denied"
    with pytest.raises(Denied, match="fermé"):
        world.client()


# --- crashes -------------------------------------------------------------------------------------


class _Killed(BaseException):
    """Stand for a process that ends between two statements."""


def _die_while_keeping(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the process after the partner answered, before anything was kept, lease included."""

    def die(*_args: object, **_named: object) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(grants, "save_tokens", die)
        patch.setattr(grants, "drop_lease", die)
        with pytest.raises(_Killed):
            world.client().get(f"https://{HOST}/v1/x")
    with world.store.begin() as connection:
        assert connection.execute(select(schema.refresh_lease)).one() is not None


def test_a_crash_before_keeping_client_credentials_ends_in_working(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _die_while_keeping(world, monkeypatch)
    with pytest.raises(Transient) as held:  # the dead process's lease still stands
        world.client().get(f"https://{HOST}/v1/x")
    assert held.value.retry_after is not None
    assert timedelta(0) < held.value.retry_after <= grants.LEASE
    world.clock.sleep(held.value.retry_after.total_seconds())
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200


def test_a_crash_before_keeping_a_rotated_token_ends_in_reconnect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _by_code(world)
    _die_while_keeping(world, monkeypatch)
    world.clock.sleep(grants.LEASE.total_seconds())
    with pytest.raises(Denied, match="Reconnectez Exemple"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.state().state == "denied"
    assert "invalid_grant" in (world.state().reason or "")


def test_a_lease_is_judged_by_the_stores_clock(world: World) -> None:
    with world.store.begin() as connection:
        assert grants.take_lease(connection, world.store, world.grant_id, "a") is None
        assert grants.take_lease(connection, world.store, world.grant_id, "b") is not None
        grants.drop_lease(connection, world.grant_id, "b")  # not b's to give back
        assert grants.take_lease(connection, world.store, world.grant_id, "b") is not None
    world.store.set_virtual_now(AT + grants.LEASE)
    with world.store.begin() as connection:
        assert grants.take_lease(connection, world.store, world.grant_id, "b") is None
        assert grants.take_lease(connection, world.store, world.grant_id, "a") is not None


# --- at once -------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    """Put the partner on a loopback port."""

    daemon_threads = True

    def __init__(self, partner: Partner) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.partner = partner

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
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
def served() -> Iterator[_Server]:
    server = _Server(Partner(rotating=True))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _real(path: Path, server: _Server) -> tuple[Store, Door, str, Manifest]:
    store = _open(path)
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
    door = Door(store=store, vault=vault, clock=clock, ids=ids, routes={HOST: server.base})
    return store, door, grant_id, _manifest(auth)


def test_eight_threads_make_one_renewal(tmp_path: Path, served: _Server) -> None:
    store, door, grant_id, manifest = _real(tmp_path / "threads.sqlite", served)
    start = threading.Barrier(8)
    seen: list[object] = []

    def work() -> None:
        with door.lend(
            manifest=manifest, grant_id=grant_id, account=None, environment="test"
        ) as client:
            start.wait()
            try:
                seen.append(client.get(f"https://{HOST}/v1/x").status_code)
            except Exception as error:
                seen.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * 8
    assert served.partner.asked == 1
    door.close()
    store.close()


WORKER = """
    import sys, json
    from datetime import timedelta
    from pathlib import Path
    from encaisse_api import CodeAuth, Manifest
    from encaisse_core.clock import SystemClock, SystemIds
    from encaisse_core.http import Door
    from encaisse_core.store import open_store
    from encaisse_core.vault import Kek, Vault

    url, base, grant_id, manifest = sys.argv[1:]
    clock = SystemClock()
    ids = SystemIds(clock)
    door = Door(
        store=open_store(url, migrate=False), vault=Vault(Kek(bytes(range(32))), ids), clock=clock,
        ids=ids, routes={"api.example.org": base},
    )
    client = door.lend(
        manifest=Manifest.model_validate_json(manifest), grant_id=grant_id, account=None,
        environment="test",
    )
    print("ready", flush=True)
    sys.stdin.readline()
    print(client.get("https://api.example.org/v1/x").status_code)
"""


def test_two_processes_make_one_renewal(tmp_path: Path, served: _Server) -> None:
    store, door, grant_id, manifest = _real(tmp_path / "processes.sqlite", served)
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(WORKER)]
    arguments = [str(store.engine.url), served.base, grant_id, manifest.model_dump_json()]
    workers = [
        subprocess.Popen(
            [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=60)[0] for worker in workers] == ["200\n"] * 2
    assert served.partner.asked == 1
    door.close()
    store.close()


# --- what is never shown -------------------------------------------------------------------------


def test_no_token_and_no_secret_is_logged_or_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    _by_code(world, access="perime-secret", refresh="r0")
    told: list[str] = []
    with world.client() as client:
        client.get(f"https://{HOST}/v1/x")
        world.partner.token_answer = lambda: httpx.Response(400, json={"error": "invalid_grant"})
        world.partner.valid.clear()
        try:
            client.get(f"https://{HOST}/v1/x")
        except Denied as error:
            told.append(_told(error))
    logged = [json.dumps(vars(record), default=repr) for record in caplog.records]
    everything = "\n".join(told + logged)
    basic = base64.b64encode(":".join(CLIENT.values()).encode()).decode()
    assert "POST" in everything
    for secret in ("secret-tres-cache", "perime-secret", "jeton-1", basic, "'r1'", "r0"):
        assert secret not in everything, secret
