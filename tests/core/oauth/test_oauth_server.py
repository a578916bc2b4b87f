"""Grants against a real OAuth2 server, whose refresh tokens serve once: npm's `oidc-provider`.

A token set that was used and not kept is lost, and using it again kills the grant. So every death
ends in an access that works or in a person who is asked to reconnect.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from tests.core.handing import Shelf
from tests.core.oauth.oidc import CLIENT, HOST, Oidc, serve

from encaisse_api import (
    CodeAuth,
    Connector,
    Context,
    Cursor,
    Denied,
    Manifest,
    Missing,
    Page,
    PartnerError,
    Setting,
    SourceInvoice,
    Stream,
    Transient,
)
from encaisse_core import chaos, connecting, grants, nightly
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds, SystemClock, VirtualClock
from encaisse_core.host import Link, links
from encaisse_core.store import schema

pytestmark = pytest.mark.slow

ME = f"https://{HOST}/me"
SIREN = "123456782"
LONG = timedelta(seconds=121)
"""Longer than a renewal's lease."""

MANIFEST = Manifest(
    slug="exemple",
    name="Exemple",
    summary_fr="Partenaire d'essai.",
    contract="documented",
    test_hosts=(HOST,),
    auth=CodeAuth(authorize_url=f"https://{HOST}/auth", token_url=f"https://{HOST}/token"),
    settings=tuple(
        Setting(name=name, label_fr=name, label_en=name, secret=True) for name in CLIENT
    ),
    streams={"invoices": Stream(mode="snapshot")},
)


class Tool:
    """List no invoice, of whoever the access opens."""

    manifest = MANIFEST

    def __init__(self, context: Context) -> None:
        self.context = context

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        self.context.http.get(ME).raise_for_status()
        yield Page[SourceInvoice](items=(), end=True)

    def read_invoices(self, refs: list[str]) -> list[SourceInvoice | Missing]:
        return [Missing(ref=ref) for ref in refs]


@dataclass
class Place:
    """Hold a host whose one connection a person consented to at the server."""

    app: App
    link: Link
    oidc: Oidc

    def call(self, app: App | None = None) -> int:
        """Call the partner under the grant."""
        with (app or self.app).door.lend(
            manifest=MANIFEST, grant_id=self.link.grant_id, account=None, environment="test"
        ) as client:
            return client.get(ME).status_code

    def tokens(self) -> grants.Tokens:
        with self.app.host.store.begin() as tx:
            return grants.read_tokens(tx, self.app.vault, self.link.grant_id)

    def state(self) -> str:
        with self.app.host.store.begin() as tx:
            return grants.read_grant(tx, self.link.grant_id).state

    def give(self, access: str, refresh: str) -> None:
        """Keep a token set; the access token is due at once."""
        with self.app.host.store.begin() as tx:
            assert grants.save_tokens(
                tx,
                self.app.vault,
                self.link.grant_id,
                access=SecretStr(access),
                refresh=SecretStr(refresh),
                renew_at=self.app.host.store.db_now(tx),
                expected_version=grants.read_tokens(tx, self.app.vault, self.link.grant_id).version,
            )

    def tasks(self) -> list[str]:
        t = schema.task.c
        with self.app.host.store.begin() as tx:
            return list(tx.execute(select(t.kind).where(t.done_at.is_(None))).scalars())

    def connection(self) -> Link:
        with self.app.host.store.begin() as tx:
            return links(tx, self.link.company_id, states=("active", "paused"))[0]


@pytest.fixture(scope="module")
def oidc() -> Iterator[Oidc]:
    with serve() as server:
        yield server


def _open(url: str, home: Path, oidc: Oidc, clock: VirtualClock | SystemClock) -> App:
    known: dict[str, type[Connector]] = {"exemple": Tool}
    return open_app(
        {"ENCAISSE_DATABASE_URL": url},
        folder=home,
        clock=clock,
        ids=SeededIds(5, clock) if isinstance(clock, VirtualClock) else None,
        routes={HOST: oidc.base},
        connectors=Shelf(known),
    )


def _settle(app: App, oidc: Oidc) -> Place:
    company = connecting.add_company(app.host, siren=SIREN, name="Société", environment="test")
    made = connecting.connect(
        app.host, app.vault, company_id=company, connector="exemple", values=CLIENT
    )
    place = Place(app.of(company), made, oidc)
    place.give(*oidc.consent())
    oidc.refreshes()
    oidc.said.clear()
    return place


@pytest.fixture
def place(database_url: str, tmp_path: Path, oidc: Oidc) -> Iterator[Place]:
    """Live on virtual time, so that a lease runs out without waiting for it."""
    app = _open(
        database_url, tmp_path / "home", oidc, VirtualClock(datetime(2026, 11, 23, tzinfo=UTC))
    )
    yield _settle(app, oidc)
    app.close()


@pytest.fixture
def real(database_url: str, tmp_path: Path, oidc: Oidc) -> Iterator[Place]:
    """Live on the machine's time."""
    app = _open(database_url, tmp_path / "home", oidc, SystemClock())
    yield _settle(app, oidc)
    app.close()


def test_a_renewed_access_is_renewed_again(place: Place, oidc: Oidc) -> None:
    seen = set[str]()
    for times in range(1, 4):
        place.app.host.clock.sleep(timedelta(hours=1).total_seconds())
        assert place.call() == 200
        refresh = place.tokens().refresh
        assert refresh is not None
        seen.add(refresh.get_secret_value())
        assert _settled(oidc, times) == (times, 0)
    assert len(seen) == 3


def test_eight_threads_make_one_refresh(real: Place, oidc: Oidc) -> None:
    start, seen = threading.Barrier(8), list[object]()

    def work() -> None:
        start.wait()
        try:
            seen.append(real.call())
        except Exception as error:
            seen.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * 8
    assert _settled(oidc, 1) == (1, 0)


WORKER = """
    import os, signal, sys
    from pathlib import Path
    from encaisse_core import chaos
    from encaisse_core.app import open_app
    from tests.core.handing import Shelf
    from tests.core.oauth.test_oauth_server import HOST, MANIFEST, ME, Tool

    url, home, base, grant_id, dies_at = sys.argv[1:]
    app = open_app({"ENCAISSE_DATABASE_URL": url}, folder=Path(home), routes={HOST: base},
                   connectors=Shelf({"exemple": Tool}))

    def strike(name):
        if name == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    client = app.door.lend(manifest=MANIFEST, grant_id=grant_id, account=None, environment="test")
    print("ready", flush=True)
    sys.stdin.readline()
    with chaos.hooked(strike):
        print(client.get(ME).status_code)
"""


def _worker(place: Place, dies_at: str = "") -> subprocess.Popen[str]:
    made = subprocess.Popen(
        [
            *(sys.executable, "-W", "ignore", "-c", textwrap.dedent(WORKER)),
            place.app.host.store.engine.url.render_as_string(hide_password=False),
            *(str(place.app.folder), place.oidc.base, place.link.grant_id, dies_at),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert made.stdout is not None
    assert made.stdout.readline() == "ready\n"
    return made


def test_three_processes_make_one_refresh(real: Place, oidc: Oidc) -> None:
    workers = [_worker(real) for _ in range(3)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=60)[0] for worker in workers] == ["200\n"] * 3
    assert _settled(oidc, 1) == (1, 0)


def test_a_token_another_process_rotated_is_never_shown_again(place: Place, oidc: Oidc) -> None:
    """One client read the tokens before the other renewed them."""
    host = place.app
    with host.door.lend(
        manifest=MANIFEST, grant_id=place.link.grant_id, account=None, environment="test"
    ) as early:
        assert early.get(ME).status_code == 200
        host.host.clock.sleep(timedelta(hours=1).total_seconds())
        assert place.call() == 200
        assert early.get(ME).status_code == 200
    assert _settled(oidc, 2) == (2, 0)


def test_tokens_rotated_past_our_store_end_in_a_person_who_reconnects(
    place: Place, oidc: Oidc
) -> None:
    """As after a restored backup: our refresh token was used, and showing it kills the grant."""
    refresh = place.tokens().refresh
    assert refresh is not None
    assert oidc.refresh(refresh.get_secret_value()) == 200
    night = nightly.Night(place.link.company_id, place.app.host.clock.today())
    nightly.pull(place.app.host, night)
    assert (place.state(), place.connection().state) == ("denied", "paused")
    assert place.tasks() == ["reconnect"]
    assert "Reconnectez" in night.failures[place.link.id]
    again = nightly.Night(place.link.company_id, place.app.host.clock.today())
    nightly.pull(place.app.host, again)
    assert _settled(oidc, 1, 1) == (1, 1), "a closed access is not tried every night"
    _reconnect(place)
    final = nightly.Night(place.link.company_id, place.app.host.clock.today())
    nightly.pull(place.app.host, final)
    assert (final.failures, place.tasks()) == ({}, [])


def _reconnect(place: Place) -> None:
    """Consent again, as the task asks."""
    host = place.app.host
    connecting.connect(
        host,
        place.app.vault,
        company_id=place.link.company_id,
        connector="exemple",
        values=CLIENT,
    )
    place.give(*place.oidc.consent())


POINTS = [
    f"{where}.{phase}"
    for where, phases in (
        ("token.lease", chaos.COMMIT),
        ("token.request", chaos.CALL),
        ("token.keep", chaos.COMMIT),
        ("token.drop", chaos.COMMIT),
    )
    for phase in phases
]
LOST = {"token.request.after_reply", "token.keep.before_commit"}
"""Deaths after which the server rotated a token nobody kept."""


@pytest.mark.parametrize("point", POINTS)
def test_a_death_while_renewing_ends_in_a_working_access_or_a_person(
    place: Place, point: str
) -> None:
    def die(name: str) -> None:
        if name == point:
            raise chaos.Killed

    with chaos.hooked(die), pytest.raises(chaos.Killed):
        place.call()
    outcome = _later(place)
    assert outcome == ("denied" if point in LOST else "works"), point
    assert place.state() == ("denied" if point in LOST else "active")


@pytest.mark.parametrize("point", sorted(LOST))
def test_a_process_killed_before_it_kept_its_tokens_asks_a_person(real: Place, point: str) -> None:
    worker = _worker(real, point)
    worker.communicate("go\n", timeout=60)
    assert worker.returncode == -signal.SIGKILL
    with real.app.host.store.begin() as tx:  # the dead one's lease would last two minutes
        tx.execute(schema.refresh_lease.update().values(until="2026-01-01T00:00:00.000000Z"))
    with pytest.raises(Denied, match="Reconnectez"):
        real.call()
    assert real.state() == "denied"


def _later(place: Place) -> str:
    """Call again, as the next runs would; give how it ends."""
    for _ in range(3):
        try:
            assert place.call() == 200
            return "works"
        except Denied:
            return "denied"
        except Transient:
            place.app.host.clock.sleep(LONG.total_seconds())
        except PartnerError as error:
            return type(error).__name__
    return "silent"


def _settled(oidc: Oidc, granted: int, refused: int = 0) -> tuple[int, int]:
    """Wait until the server has said so many refreshes, and a moment more for one too many."""
    end = time.monotonic() + 10
    while oidc.refreshes() < (granted, refused) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.1)
    return oidc.refreshes()
