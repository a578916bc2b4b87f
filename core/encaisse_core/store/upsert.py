"""Read and write many rows at once, and write nothing where nothing changed.

Rows go to each database by the shortest way its driver has: SQLite takes a list of tuples for one
statement (`executemany`); PostgreSQL takes them by `COPY` into a temporary table of the session and
goes on from there by one statement, which obeys the policies of rows, as `COPY` into a table does
not. Measured beside one JSON text or arrays unfolded by the server: two and ten times the speed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    any_,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

FEW = 8
"""Rows up to which PostgreSQL is better served one by one."""

Rows = Sequence[Sequence[Any]]

KEEPING = {"preserve_rowcount": True}
"""Without this SQLAlchemy does not keep an INSERT's row count on PostgreSQL."""


def among(
    connection: Connection, column: ColumnElement[str], values: Sequence[str]
) -> ColumnElement[bool]:
    """Compare a column with many texts, bound as one value: one statement whatever their number."""
    if connection.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(values, ensure_ascii=False)).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(cast(list(values), postgresql.ARRAY(Text)))


def bulk_upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    keep: Sequence[str] = (),
) -> int:
    """Insert rows, or update those standing under `key` where a value differs.

    `keep` are columns an existing row does not change (its id, when it was made). Rows that are
    already so are not written: a night without news costs no write and leaves no trace. Returns how
    many rows were written.
    """
    if not rows:
        return 0
    names = tuple(rows[0])
    changing = tuple(name for name in names if name not in key and name not in keep)
    tail = _conflict(connection.dialect.name, table, tuple(key), changing)
    return _insert(
        connection, table, names, [tuple(row[name] for name in names) for row in rows], tail
    )


def insert_many(connection: Connection, table: Table, names: Sequence[str], rows: Rows) -> None:
    """Insert rows given in the order of `names`; one that stands already is an error."""
    if rows:
        _insert(connection, table, tuple(names), rows, "")


def update_many(
    connection: Connection,
    table: Table,
    key: Sequence[str],
    names: Sequence[str],
    rows: Rows,
    *,
    rising: Sequence[str] = (),
) -> set[tuple[Any, ...]]:
    """Update rows, each given as its key, its values of `names`, then what `rising` grow by.

    The key may hold a column others change: a row where they did meanwhile is left as it is. Gives
    the keys of the rows that were updated.
    """
    if not rows:
        return set()
    keys = {tuple(row[: len(key)]) for row in rows}
    if connection.dialect.name == "sqlite":  # one writer: what this transaction read stands
        turned = [(*row[len(key) :], *row[: len(key)]) for row in rows]
        connection.exec_driver_sql(
            _update_one(table, tuple(key), tuple(names), tuple(rising)), turned
        )
        return keys
    stage = _staged(connection, table, (*key, *names, *rising), rows)
    written = connection.exec_driver_sql(
        _update_staged(table, stage, tuple(key), tuple(names), tuple(rising))
    )
    return {tuple(row) for row in written}


def _insert(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Rows, tail: str
) -> int:
    kind = connection.dialect.name
    if kind == "sqlite" or len(rows) <= FEW or _holds_bytes(table, names):
        done = connection.exec_driver_sql(
            _values(kind, table, names) + tail, [tuple(row) for row in rows], KEEPING
        )
        return done.rowcount
    stage = _staged(connection, table, names, rows)
    return connection.exec_driver_sql(
        _from_stage(table, stage, names) + tail, None, KEEPING
    ).rowcount


def _staged(connection: Connection, table: Table, names: tuple[str, ...], rows: Rows) -> str:
    """Copy rows into a temporary table of this session, emptied before and at each commit.

    It has the columns of `names` without their constraints; making it anew for each page would
    swell the catalogue.
    """
    stage, make, copy = _stage(table, names)
    connection.exec_driver_sql(make)
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(copy) as into:
            for row in rows:
                into.write_row(row)
    except driver.Error as error:  # what SQLAlchemy did not send it does not name either
        raise DBAPIError.instance(
            copy, None, error, driver.Error, dialect=connection.dialect
        ) from error
    return stage


@lru_cache(maxsize=256)
def _stage(table: Table, names: tuple[str, ...]) -> tuple[str, str, str]:
    """Name a stage by its columns; give the statements that make it empty and that fill it."""
    digest = hashlib.sha256(",".join(names).encode()).hexdigest()[:12]
    stage = f"stage_{table.name}_{digest}"
    listed, source = _listed(names), _name(table.name)
    make = (
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS "
        f"SELECT {listed} FROM {source} WITH NO DATA; DELETE FROM {stage}"
    )
    return stage, make, f"COPY {stage} ({listed}) FROM STDIN"


@lru_cache(maxsize=256)
def _from_stage(table: Table, stage: str, names: tuple[str, ...]) -> str:
    listed = _listed(names)
    return f"INSERT INTO {_name(table.name)} ({listed}) SELECT {listed} FROM {stage}"


@lru_cache(maxsize=256)
def _values(kind: str, table: Table, names: tuple[str, ...]) -> str:
    marks = ", ".join(["?" if kind == "sqlite" else "%s"] * len(names))
    return f"INSERT INTO {_name(table.name)} ({_listed(names)}) VALUES ({marks})"


@lru_cache(maxsize=64)
def _update_one(
    table: Table, key: tuple[str, ...], names: tuple[str, ...], rising: tuple[str, ...]
) -> str:
    sets = [f"{_name(name)} = ?" for name in names]
    sets += [f"{_name(name)} = {_name(name)} + ?" for name in rising]
    where = " AND ".join(f"{_name(name)} = ?" for name in key)
    return f"UPDATE {_name(table.name)} SET {', '.join(sets)} WHERE {where}"


@lru_cache(maxsize=64)
def _update_staged(
    table: Table, stage: str, key: tuple[str, ...], names: tuple[str, ...], rising: tuple[str, ...]
) -> str:
    here = _name(table.name)
    sets = [f"{_name(name)} = {stage}.{_name(name)}" for name in names]
    sets += [f"{_name(name)} = {here}.{_name(name)} + {stage}.{_name(name)}" for name in rising]
    where = " AND ".join(f"{here}.{_name(name)} = {stage}.{_name(name)}" for name in key)
    told = ", ".join(f"{stage}.{_name(name)}" for name in key)
    return f"UPDATE {here} SET {', '.join(sets)} FROM {stage} WHERE {where} RETURNING {told}"


@lru_cache(maxsize=256)
def _conflict(kind: str, table: Table, key: tuple[str, ...], changing: tuple[str, ...]) -> str:
    if not changing:
        return " ON CONFLICT DO NOTHING"
    differs = "IS NOT" if kind == "sqlite" else "IS DISTINCT FROM"
    here = _name(table.name)
    quoted = [_name(name) for name in changing]
    sets = ", ".join(f"{name} = excluded.{name}" for name in quoted)
    news = " OR ".join(f"{here}.{name} {differs} excluded.{name}" for name in quoted)
    return f" ON CONFLICT ({_listed(key)}) DO UPDATE SET {sets} WHERE {news}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_name(name) for name in names)


def _name(name: str) -> str:
    return f'"{name}"'


@lru_cache(maxsize=256)
def _holds_bytes(table: Table, names: tuple[str, ...]) -> bool:
    return any(isinstance(table.c[name].type, LargeBinary) for name in names)
