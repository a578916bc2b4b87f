"""Read and write many rows at once, and write nothing where nothing changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, any_, cast, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite


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
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    written = 0
    names = list(rows[0])
    changing = [name for name in names if name not in key and name not in keep]
    step = max(1, 900 // len(names))  # SQLite allows 999 bound values in older builds
    for start in range(0, len(rows), step):
        statement = make(table).values([dict(row) for row in rows[start : start + step]])
        excluded = statement.excluded
        if changing:
            statement = statement.on_conflict_do_update(
                index_elements=[table.c[name] for name in key],
                set_={name: excluded[name] for name in changing},
                where=or_(*(table.c[n].is_distinct_from(excluded[n]) for n in changing)),
            )
        else:
            statement = statement.on_conflict_do_nothing()
        # without this option SQLAlchemy does not keep an INSERT's row count on PostgreSQL
        keeping = {"preserve_rowcount": True}
        written += connection.execute(statement, execution_options=keeping).rowcount
    return written
