"""Write many rows at once, and nothing where nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, or_
from sqlalchemy.dialects import postgresql, sqlite


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
