"""What partners told us by day, until it was looked at."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, UniqueConstraint, text

from encaisse_core.store.schema.base import Ident, Moment, company_table, to

delivery = company_table(
    "delivery",
    Column("connection_id", Ident, nullable=False),
    Column("digest", String(64), nullable=False),  # of what was signed, so that a replay is known
    Column("received_at", Moment, nullable=False),
    Column("ready_at", Moment, nullable=False),  # when to look, and after a failed look, when again
    Column("tries", Integer, nullable=False),
    Column("looked_at", Moment),  # when the partner had been read after it came
    to("connection", "connection_id"),
    UniqueConstraint("company_id", "connection_id", "digest"),
    Index(
        "ix_delivery_waiting",
        "ready_at",
        sqlite_where=text("looked_at is null"),
        postgresql_where=text("looked_at is null"),
    ),
)
