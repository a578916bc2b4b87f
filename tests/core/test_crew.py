"""Several hands, each share once; and a stop that pulls do not hold up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from encaisse_api import Manifest, Quota
from encaisse_core.clock import SeededIds
from encaisse_core.crew import Crew, spread
from encaisse_core.http import Door
from encaisse_core.http.quotas import AHEAD
from encaisse_core.store import open_store
from encaisse_core.vault import Kek, Vault
from encaisse_lab.stage import Stage

NAMES = [f"cmp_{number}" for number in range(40)]
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("hands", [1, 4, 64])
def test_each_share_is_done_once(hands: int) -> None:
    done: Counter[str] = Counter()
    lock = threading.Lock()

    def act(name: str) -> None:
        with lock:
            done[name] += 1

    Crew(hands).share(NAMES, act)
    assert done == Counter(NAMES)


def test_what_one_hand_raises_is_raised_and_ends_the_others() -> None:
    stage = Stage(AT)
    done: list[str] = []

    def act(name: str) -> None:
        stage.sleep(1)
        done.append(name)
        if len(done) == 6:
            raise KeyError(name)

    with pytest.raises(KeyError):
        Crew(4, stage.starts).share(NAMES, act)
    assert 6 <= len(done) <= 6 + 3


def test_companies_are_spread_the_same_way_every_night() -> None:
    order = spread(NAMES)
    assert order == spread(reversed(NAMES)) != NAMES
    assert sorted(order) == sorted(NAMES)


def test_hands_share_the_time_as_well_as_the_work() -> None:
    """Forty companies that wait ten seconds each take four hands a quarter of it."""
    stage = Stage(AT)
    Crew(4, stage.starts).share(NAMES, lambda _: stage.sleep(10))
    assert stage.now() - AT == timedelta(seconds=100)


def test_a_stop_waits_behind_a_second_of_pulls_however_many_there_are(tmp_path: Path) -> None:
    stage = Stage(AT)
    store = open_store(f"sqlite:///{tmp_path / 'e.db'}")
    store.share_time(stage.now)
    ids = SeededIds(1, stage)
    arrived: list[tuple[str, datetime]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        arrived.append((request.method, stage.now()))
        return httpx.Response(200)

    door = Door(
        store=store,
        vault=Vault(Kek(bytes(32)), ids),
        clock=stage,
        ids=ids,
        transport=httpx.MockTransport(answer),
    )
    quota = Quota(scope="partner", limit=4, period=timedelta(seconds=1))
    manifest = Manifest(
        slug="exemple",
        name="Exemple",
        summary_fr="Essai.",
        contract="documented",
        test_hosts=("api.example.org",),
        quotas=(quota,),
    )

    def call(method: str, *, pulls: bool) -> Callable[[], None]:
        def act() -> None:
            with door.lend(
                manifest=manifest,
                grant_id=None,
                account=None,
                environment="test",
                keeps_reserve=pulls,
            ) as client:
                for _ in range(5 if pulls else 1):
                    client.request(method, "https://api.example.org/v1")

        return act

    pulls = [stage.starts(call("GET", pulls=True)) for _ in range(30)]
    stage.sleep(10)
    asked = stage.now()
    stop = stage.starts(call("POST", pulls=False))
    for each in (stop, *pulls):
        each.join()
    store.close()
    (stopped,) = (at for method, at in arrived if method == "POST")
    assert stopped - asked <= AHEAD + quota.period
    assert len(arrived) == 30 * 5 + 1
    times = [at for _, at in arrived]
    for first, last in zip(times, times[quota.limit :], strict=False):
        assert last - first >= quota.period, "never more calls than the limit in one period"
