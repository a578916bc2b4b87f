"""What becomes of deliveries that are lost, doubled or late, and of partners that are down."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.core.hook_town import CENTS, KEY, Town, open_town
from tests.counts import examples

from encaisse_core.hooks import deliveries
from encaisse_simulator.gcollect.collector import HOST as GCOLLECT_HOST
from encaisse_simulator.libeo.tool import HOST as LIBEO_HOST

SEEDS = range(examples(8))
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Bring one company's sales to the collector once; each test takes fresh ones."""
    home = tmp_path_factory.mktemp("mishaps")
    with open_town(f"sqlite:///{home / 'e.db'}", home / "home", sales=2 + 2 * len(SEEDS)) as made:
        yield made


@pytest.fixture
def town(lived: Town) -> Town:
    """Begin a new hour of it."""
    return lived.calm()


@pytest.mark.parametrize("seed", SEEDS)
def test_lost_doubled_and_late_deliveries_end_in_one_stop_each(town: Town, seed: int) -> None:
    """What is lost is seen with the next delivery of any invoice, or by the night."""
    chance = random.Random(f"hooks-{seed}")
    first, second = town.fresh(), town.fresh()
    part = chance.randrange(1, CENTS)
    town.pays(first, part)
    town.pays(second)
    town.clock.sleep(60)
    town.pays(first, CENTS - part)
    told = [each for each in town.told() for _ in range(chance.randrange(3))]
    chance.shuffle(told)
    for headers, body in told:
        assert town.post(headers, body)[0] == 200
        if chance.random() < 0.5:
            town.look()
    town.clock.sleep(timedelta(minutes=2).total_seconds())
    town.look()
    if not told:
        town.night()
    assert town.ended(first) and town.ended(second), f"seed {seed}, told {len(told)}"
    assert town.declared(second) == [CENTS], f"seed {seed}"
    assert sum(town.declared(first)) == CENTS, f"seed {seed}"


def test_a_tool_or_a_collector_that_is_down_is_asked_again(town: Town) -> None:
    sale = town.fresh()
    town.pays(sale)
    ((headers, body),) = town.told()
    assert town.post(headers, body)[0] == 200
    faults = town.world.faults
    faults.schedule("5xx", method="GET", host=LIBEO_HOST, path="/invoices", count=4)
    faults.schedule("5xx", method="POST", host=GCOLLECT_HOST, path=r"/procedures/.+/.+")
    town.look()
    assert (town.declared(sale), town.look()) == ([], 0)
    town.clock.sleep(deliveries.BACKOFF[0].total_seconds())
    assert town.look() == 1
    assert town.declared(sale) == []
    town.clock.sleep(20)
    assert town.look() == 1
    assert town.ended(sale)


def test_a_tool_whose_access_is_closed_is_heard_and_read_once_it_is_reconnected(
    town: Town,
) -> None:
    sale = town.fresh()
    town.world.faults.revoked.add(KEY)
    town.pays(sale)
    ((headers, body),) = town.told()
    assert town.post(headers, body)[0] == 200
    town.look()
    assert town.link("libeo").state == "paused"
    town.clock.sleep(deliveries.APART.total_seconds())
    assert town.post(town.signed(body), body)[0] == 200
    town.look()
    assert town.declared(sale) == []
    town.world.faults.revoked.clear()
    town.connect("libeo")
    town.clock.sleep(deliveries.APART.total_seconds())
    assert town.post(town.signed(body), body)[0] == 200
    town.look()
    assert town.ended(sale)


def test_the_lookout_finds_whom_to_attend_where_companies_are_kept_apart(
    database_url: str, tmp_path: Path
) -> None:
    with open_town(database_url, tmp_path / "home", sales=1) as town:
        sale = town.fresh()
        town.pays(sale)
        ((headers, body),) = town.told()
        assert town.post(headers, body)[0] == 200
        assert town.look() == 1
        assert town.ended(sale)
