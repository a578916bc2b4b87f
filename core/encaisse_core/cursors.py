"""Where each stream goes on; moved only in the transaction that stores its page."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from encaisse_api import Cursor
from encaisse_core.host import Link
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import bulk_upsert

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
