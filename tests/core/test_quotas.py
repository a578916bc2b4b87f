"""Quotas: no window holds more calls than the partner allows, whoever makes them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from encaisse_api import (
    Manifest,
    Quota,
)
from encaisse_core.clock import VirtualClock
from encaisse_core.http import quotas
from encaisse_core.store import Store, open_store

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def _manifest(*limits: Quota) -> Manifest:
    return Manifest(
        slug="exemple",
        name="Exemple",
        summary_fr="Partenaire d'essai.",
        contract="assumed",
        quotas=limits,
    )


@dataclass
class Paced:
    """Hold a store and the virtual time it shares."""

    store: Store
    clock: VirtualClock


@pytest.fixture
def world(database_url: str) -> Iterator[Paced]:
    store = open_store(database_url)
    store.set_virtual_now(AT)
    yield Paced(store, VirtualClock(AT, [store.set_virtual_now]))
    store.close()


def _reserve(store: Store, wanted: list[quotas.Bucket], patience: timedelta) -> datetime | None:
    with store.begin() as connection:
        turn = quotas.reserve(connection, store, wanted, patience)
    return turn.at if turn.reserved else None


def _wanted(
    manifest: Manifest, *, keeps_reserve: bool = False, **asked: str | None
) -> list[quotas.Bucket]:
    named = {"environment": "test", "grant_id": "grt_1", "account": None, "method": "GET"}
    given = {**named, "path": "/v1", **asked}
    return quotas.buckets(
        manifest,
        environment=given["environment"] or "",
        grant_id=given["grant_id"],
        account=given["account"],
        method=given["method"] or "",
        path=given["path"] or "",
        keeps_reserve=keeps_reserve,
    )


def _fullest(slots: list[datetime], period: timedelta) -> int:
    return max(sum(1 for s in slots if first <= s < first + period) for first in slots)


@pytest.mark.parametrize(("limit", "seconds"), [(1, 1), (3, 1), (10, 1), (20, 10), (500, 60)])
def test_no_window_ever_holds_more_than_the_limit(world: Paced, limit: int, seconds: int) -> None:
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


def test_the_whole_quota_can_be_used(world: Paced) -> None:
    quota = Quota(scope="partner", limit=20, period=timedelta(seconds=10))
    wanted = _wanted(_manifest(quota))
    slots = [_reserve(world.store, wanted, timedelta(days=1)) for _ in range(200)]
    assert slots[-1] is not None
    assert (slots[-1] - AT).total_seconds() == pytest.approx(198 * 10 / 19, rel=0.01)


def test_days_of_23_and_25_hours_are_days(world: Paced) -> None:
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


def test_several_quotas_hold_together(world: Paced) -> None:
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


def test_a_quota_holds_across_processes_and_threads(database_url: str) -> None:
    store = open_store(database_url)
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


def test_a_reserve_is_left_by_pulls_and_used_by_the_rest(world: Paced) -> None:
    quota = Quota(scope="grant", limit=9, period=timedelta(days=1), calendar_day=True, reserve=4)
    manifest = _manifest(quota)
    pulls = _wanted(manifest, keeps_reserve=True)
    others = _wanted(manifest)
    now = timedelta(0)
    assert [_reserve(world.store, pulls, now) is not None for _ in range(7)] == [True] * 5 + [
        False
    ] * 2
    assert [_reserve(world.store, others, now) is not None for _ in range(5)] == [True] * 4 + [
        False
    ]
    world.clock.sleep(timedelta(hours=3).total_seconds())  # midnight in Paris has passed
    assert [_reserve(world.store, others, now) is not None for _ in range(6)] == [True] * 6
    assert _reserve(world.store, pulls, now) is None


@pytest.mark.parametrize(
    "wrong", [{"calendar_day": False, "reserve": 1}, {"calendar_day": True, "reserve": 9}]
)
def test_a_reserve_is_part_of_a_day(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="reserve"):
        Quota(scope="grant", limit=9, period=timedelta(days=1), **wrong)
