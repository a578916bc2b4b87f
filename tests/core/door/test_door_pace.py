"""Quotas seen from a connector: a short wait, or a date to come back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from encaisse_api import (
    Quota,
    Transient,
)
from encaisse_core import grants
from encaisse_core.clock import SystemClock, SystemIds
from encaisse_core.http import Door
from encaisse_core.store import open_store, schema
from encaisse_core.vault import Kek, Vault

if TYPE_CHECKING:
    from tests.core.door.conftest import Server, World

HOST = "api.example.org"
BASE = f"https://{HOST}"
KEY = "cle-secrete-4242"
AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def test_a_short_wait_sleeps_and_a_long_one_is_handed_back(world: World, server: Server) -> None:
    quota = Quota(scope="grant", limit=2, period=timedelta(seconds=30))
    client = world.client(server, world.manifest(quota))
    client.get(f"{BASE}/v1")
    client.post(f"{BASE}/v1")
    assert world.elapsed == 15
    two = world.client(
        server, world.manifest(quota), deadline=world.clock.now() + timedelta(seconds=5)
    )
    two.get(f"{BASE}/v1")  # another grant
    with pytest.raises(Transient, match="quota d'appels de Exemple est épuisé") as error:
        two.post(f"{BASE}/v1")  # the wait would pass the deadline
    assert error.value.retry_after == timedelta(seconds=15)
    assert len(server.seen) == 3
    assert world.elapsed == 15


def test_every_attempt_counts(world: World, server: Server) -> None:
    quota = Quota(scope="grant", limit=3, period=timedelta(days=1), calendar_day=True)
    client = world.client(server, world.manifest(quota))
    server.script = [(503, {}, b"")] * 2
    client.get(f"{BASE}/v1")
    with pytest.raises(Transient):
        client.get(f"{BASE}/v1")
    assert len(server.seen) == 3


def test_a_calendar_day_begins_at_midnight_in_paris(world: World, server: Server) -> None:
    quota = Quota(scope="partner", limit=3, period=timedelta(days=1), calendar_day=True)
    client = world.client(server, world.manifest(quota))
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


def test_real_threads_are_paced_on_the_wire(world: World, tmp_path: Path, server: Server) -> None:
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
        manifest=world.manifest(quota), grant_id=grant_id, account=None, environment="test"
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
