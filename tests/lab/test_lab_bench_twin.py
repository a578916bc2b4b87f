"""The raw twin ends with the rows ours ended with, in a table that refuses strangers alike."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from encaisse_core.store import open_store, schema
from encaisse_lab.bench.host import house, ingesting, raw, twin
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Bench
from encaisse_lab.bench.host.invented import invoices


class Kept(Database):
    """Throw nothing away, so that what a measure left can be read."""

    def drop(self, url: str) -> None:
        pass


def test_the_raw_twin_ends_with_the_rows_ours_ends_with(tmp_path: Path) -> None:
    there = Bench(Kept("SQLite", tmp_path), tmp_path, 60, 1, 20, 60, lambda words: None)
    supply = house.Supply(there.database.spent, page=20)
    ours = there.database.fresh()
    with house.opened(ours, tmp_path / "home", {"benchtool": house.tool(supply)}) as opened:
        supply.make = partial(invoices, 60)
        ingesting.once(there, opened, supply)
    spent = list(twin.upsert(there.database, ours, 20))
    assert len(spent) == 2
    assert min(each.wall for each in spent) > 0
    (theirs,) = {*tmp_path.glob("*.db")} - {Path(ours.removeprefix("sqlite:///"))}
    told: list[list[tuple[object, ...]]] = []
    for file in (ours.removeprefix("sqlite:///"), theirs):
        with sqlite3.connect(file) as kept:
            told.append(kept.execute("select * from sighting order by remote_ref").fetchall())
    assert told[0] == told[1]
    assert len(told[0]) == 60


def test_the_raw_peer_may_not_fill_our_table_for_a_company_nobody_knows(tmp_path: Path) -> None:
    database = Database("SQLite", tmp_path)
    columns = tuple(column.name for column in schema.sighting.columns)
    row = tuple(0 if str(each.type) == "BIGINT" else "x" for each in schema.sighting.columns)
    url = database.fresh()
    open_store(url).close()
    into = raw.Into("sighting", columns, twin.KEY)
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        raw.load(database, url, into, [[row]], *twin.HELD)


def test_what_a_record_refers_to_is_filled_in_first() -> None:
    names = [table.name for table in twin.parents(schema.sighting)]
    assert names.index("company") < names.index("connection")
    assert "sighting" not in names
