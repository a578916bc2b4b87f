"""A collector that is silent for thousands of stops: each is asked about once, a page at a time."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from tests.core import plans
from tests.core.houses import House

from encaisse_api import Transient
from encaisse_core import stops, tasks
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

PAGE = 20
MANY = 2 * PAGE + 3


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stops, "ASKED_AT_ONCE", PAGE)


def silent(house: House) -> list[str]:
    """Let a stop wait for its answer, and many more beside it; give the ids of all."""
    house.open_everything()
    house.paper.pay("F-1", 100_00)
    house.paper.silent_collector = Transient("en panne")
    house.night()
    e = schema.effect
    with house.host.store.begin() as tx:
        (waits,) = rows(tx.execute(select(e).where(e.c.state == "planned")))
        more = [
            {**waits, "id": f"eff_{place:026}", "key": f"enc-{place:026}", "cause": str(place)}
            for place in range(MANY - 1)
        ]
        tx.execute(e.insert(), more)
    house.clock.sleep(stops.ACKNOWLEDGED_WITHIN.total_seconds())
    return sorted([str(waits["id"]), *(str(each["id"]) for each in more)])


def questions(house: House) -> list[str]:
    t = schema.task.c
    with house.host.store.begin() as tx:
        query = select(t.subject).where(t.kind == stops.UNACKNOWLEDGED)
        return sorted(tx.execute(query).scalars())


def test_every_silent_stop_is_asked_about_once_by_pages_off_an_index(house: House) -> None:
    waiting = silent(house)
    asked = plans.statements(
        house,
        lambda: stops.ask_about_silence(house.host, house.company),
        "FROM effect",
        "FROM task",
    )
    assert questions(house) == waiting
    assert len(asked) == MANY // PAGE + 1
    assert stops.ask_about_silence(house.host, house.company) == 0
    assert ["ix_effect_ready" in step for step in plans.steps(house, asked[0], "effect")] == [True]
    assert ["ix_task_subject" in step for step in plans.steps(house, asked[0], "task")] == [True]


def test_a_stop_somebody_was_asked_about_is_not_asked_about_again(house: House) -> None:
    waiting = silent(house)
    with house.host.store.begin() as tx:
        now = house.clock.now()
        for place, subject in enumerate(waiting[: PAGE + 1]):
            about = (tx, house.company, stops.UNACKNOWLEDGED, subject)
            tasks.ask(*about, "?", task_id=f"tsk_{place:026}", at=now)
            tasks.close(*about, "vu", at=now)
    left = MANY - PAGE - 1
    assert stops.ask_about_silence(house.host, house.company) == left
    with house.host.store.begin() as tx:
        t = schema.task.c
        unanswered = select(func.count()).where(t.kind == stops.UNACKNOWLEDGED, t.done_at.is_(None))
        assert tx.execute(unanswered).scalar_one() == left
