"""What the daemon and its workers share."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from encaisse_core.store.schema.base import Day, Ident, Moment, company_table, metadata

night = company_table(
    "night",
    Column("night", Day, nullable=False),
    Column("phase", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # running | done
    Column("digest", Text, nullable=False, server_default="{}"),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    key=("night",),
)

restoration = company_table(
    "restoration",
    Column("taken_at", Moment, nullable=False),  # when the backup was made
    Column("restored_at", Moment, nullable=False),
    Column("digest", String(64), nullable=False),  # of the backup, as its maker printed it
    Column("read_at", Moment),  # when every partner had been read again, procedures looked up
    Column("closed_at", Moment),  # when nothing of what may have been sent since is in doubt
)

rate_bucket = Table(
    "rate_bucket",
    metadata,
    Column("scope", String(160), primary_key=True),
    Column("window", Moment, nullable=False),
    Column("used", Integer, nullable=False),
    Column("tat", Moment, nullable=False),  # theoretical arrival time of the next call (GCRA)
)

refresh_lease = Table(
    "refresh_lease",
    metadata,
    Column("grant_id", Ident, ForeignKey("access_grant.id"), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("until", Moment, nullable=False),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("body", Text, nullable=False, server_default="{}"),
)

virtual_clock = Table(
    "virtual_clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("now", Moment, nullable=False),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kek_id", String(32), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("public_key", Text, nullable=False),
)
