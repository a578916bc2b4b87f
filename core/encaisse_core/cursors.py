"""Where each stream goes on; moved only in the transaction that stores its page.

A snapshot too long for one night is different: its cursor only says where this pass was cut short,
so it is kept at the cut, with the records the pass had shown by then. Without those, all of them
would look vanished once the rest is read.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from encaisse_api import Cursor
from encaisse_core.host import Link
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.upsert import bulk_upsert

PLACE_LASTS = timedelta(days=2)
"""A pass cut short longer ago starts anew: what it showed then says nothing of today."""

_ADAPTER: TypeAdapter[Cursor] = TypeAdapter(Cursor)


def read(connection: Connection, link: Link, stream: str) -> Cursor | None:
    """Read a stream's cursor, None at its start."""
    c = schema.cursor.c
    value = connection.execute(
        select(c.value).where(
            c.company_id == link.company_id, c.connection_id == link.id, c.stream == stream
        )
    ).scalar_one_or_none()
    return None if value is None else _ADAPTER.validate_json(value)


def write(connection: Connection, link: Link, stream: str, cursor: Cursor, at: datetime) -> None:
    """Move a stream's cursor; nothing is written where it stands already."""
    value = _ADAPTER.dump_json(cursor).decode()
    bulk_upsert(
        connection,
        schema.cursor,
        [
            {
                "company_id": link.company_id,
                "connection_id": link.id,
                "stream": stream,
                "value": value,
                "updated_at": stamp(at),
            }
        ],
        key=("company_id", "connection_id", "stream"),
        keep=("updated_at",),
    )


def read_place(
    connection: Connection, link: Link, stream: str, at: datetime
) -> tuple[Cursor | None, set[str]]:
    """Read where a snapshot was cut short, and the records it had shown."""
    c = schema.cursor.c
    row = connection.execute(
        select(c.value, c.seen, c.updated_at).where(
            c.company_id == link.company_id, c.connection_id == link.id, c.stream == stream
        )
    ).one_or_none()
    if row is None or at - instant(row.updated_at) > PLACE_LASTS:
        return None, set()
    return _ADAPTER.validate_json(row.value), set(json.loads(row.seen or "[]"))


def keep_place(
    connection: Connection,
    link: Link,
    stream: str,
    cursor: Cursor,
    seen: Collection[str],
    at: datetime,
) -> None:
    """Keep where a snapshot was cut short, and what it has shown so far."""
    forget(connection, link, stream)
    connection.execute(
        schema.cursor.insert().values(
            company_id=link.company_id,
            connection_id=link.id,
            stream=stream,
            value=_ADAPTER.dump_json(cursor).decode(),
            seen=json.dumps(sorted(seen)),
            updated_at=stamp(at),
        )
    )


def forget(connection: Connection, link: Link, stream: str) -> None:
    """Start a stream again from its beginning."""
    c = schema.cursor
    connection.execute(
        c.delete().where(
            c.c.company_id == link.company_id,
            c.c.connection_id == link.id,
            c.c.stream == stream,
        )
    )
