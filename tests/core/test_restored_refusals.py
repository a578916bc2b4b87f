"""What was refused when a backup was taken, and sent since, is no customer's money."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from tests.core.houses import House, answer, line_of, payments
from tests.core.same_money import declared
from tests.core.test_backup import back_up, restore

from encaisse_api import Rejected
from encaisse_core import nightly, runner
from encaisse_core.cli import resolving
from encaisse_core.store import schema


def test_an_entry_retried_after_the_backup_is_asked_about(house: House, tmp_path: Path) -> None:
    opened = house.open_everything()
    today = house.clock.today()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 100_00, today)
    house.paper.bug = Rejected("exercice clos")
    for _ in range(12):
        house.night()
    e = schema.effect.c
    with house.host.store.begin() as tx:
        refused = tx.execute(select(e.id).where(e.state == "refused")).scalar_one()
    back_up(house, tmp_path / "hier.zip")
    house.paper.bug = None
    decided = resolving.Decision("retry", "exercice rouvert", "essai")
    resolving.resolve(house.host, house.company, refused, decided)
    runner.drain(house.host, house.company, nightly.WRITE_BACKS)
    assert len(house.paper.written) == 1
    restore(house, tmp_path / "hier.zip", tmp_path / "new")
    house.night()
    assert house.claim("F-4")["hold"] == "maybe_same"
    answer(house, "maybe_same", verdict="same")
    house.night()
    assert payments(house, "F-4") == [("collector", 100_00)]
    assert declared(house) == 0
    assert len(house.paper.written) == 1
