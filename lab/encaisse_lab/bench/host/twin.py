"""A raw upsert of the very rows ours leaves, ready to write, into the table ours keeps them in.

Beside `raw`, whose table is its own, it shows what of our cost is the table itself: the names,
keys, indexes and foreign keys that joining, deciding and undoing go by.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, Table, func, select

from encaisse_core.store import open_store, schema
from encaisse_core.store.engine import plain_engine
from encaisse_lab.bench.host import raw
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Spent, swept

KEY = ("company_id", "connection_id", "remote_ref")
HELD = ("pragma foreign_keys = on",)
"""What SQLite has to be told to hold, and PostgreSQL holds by itself."""


def upsert(database: Database, ours: str, page: int) -> Iterator[Spent]:
    """Upsert the records of a store that was read into, twice, into an empty one."""
    url = database.fresh()
    open_store(url).close()
    source, target = plain_engine(ours), plain_engine(url)
    columns = tuple(column.name for column in schema.sighting.columns)
    into = raw.Into(schema.sighting.name, columns, KEY)
    before = HELD if database.sqlite else ()
    try:
        with source.connect() as told, target.begin() as tx:
            for table in parents(schema.sighting):
                if rows := [dict(row) for row in told.execute(select(table)).mappings()]:
                    tx.execute(table.insert(), rows)
        for _ in range(2):
            swept()
            with source.connect() as told:
                yield raw.load(database, url, into, _pages(told, page), *before)
        _whole(source, target)
    finally:
        source.dispose()
        target.dispose()
    database.drop(url)


def parents(table: Table) -> list[Table]:
    """List the tables a row refers to, however far, in the order they can be filled in."""
    found: set[Table] = set()
    waiting = [table]
    while waiting:
        for key in waiting.pop().foreign_keys:
            other = key.column.table
            if other is not table and other not in found:
                found.add(other)
                waiting.append(other)
    return [each for each in schema.metadata.sorted_tables if each in found]


def _pages(told: Connection, page: int) -> Iterator[list[raw.Row]]:
    """Give the records in the order they were read in, which is that of their references."""
    s = schema.sighting
    asked = select(s).order_by(s.c.company_id, s.c.connection_id, s.c.remote_ref)
    rows = told.execution_options(yield_per=page).execute(asked)
    for part in rows.partitions():
        yield [tuple(each) for each in part]


def _whole(source: Engine, target: Engine) -> None:
    """Fail where the two hold another number of records: it would be no measure."""
    count = select(func.count()).select_from(schema.sighting)
    with source.connect() as one, target.connect() as other:
        if one.scalar(count) != other.scalar(count):
            raise ValueError("the raw twin did not keep the same records")
