"""Companies, their accesses and connections, and where what is written goes."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from encaisse_core.store.schema.base import (
    Day,
    Ident,
    Moment,
    company_table,
    flag,
    metadata,
    to,
    words,
)

organisation = Table(
    "organisation",
    metadata,
    Column("id", Ident, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # company | cabinet
    Column("created_at", Moment, nullable=False),
)

company = Table(
    "company",
    metadata,
    Column("id", Ident, primary_key=True),
    Column("siren", String(9), nullable=False),
    Column("name", Text, nullable=False),
    Column("environment", String(4), nullable=False),
    Column("settings", Text, nullable=False, server_default="{}"),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("siren", "environment"),
    CheckConstraint("environment in ('test', 'live')", name="environment"),
)

access = Table(
    "access",
    metadata,
    Column("organisation_id", Ident, ForeignKey("organisation.id"), nullable=False),
    Column("company_id", Ident, ForeignKey("company.id"), nullable=False),
    Column("role", String(16), nullable=False),  # prepare | sign
    Column("basis", Text, nullable=False),
    Column("starts_on", Day, nullable=False),
    Column("ends_on", Day),
    PrimaryKeyConstraint("organisation_id", "company_id", "role", "starts_on"),
)

access_grant = Table(
    "access_grant",
    metadata,
    Column("id", Ident, primary_key=True),
    Column("organisation_id", Ident, ForeignKey("organisation.id"), nullable=False),
    Column("connector", String(32), nullable=False),
    Column("environment", String(4), nullable=False),
    Column("state", String(16), nullable=False),  # active | denied | ended
    Column("reason", Text),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("environment in ('test', 'live')", name="environment"),
)

credential = Table(
    "credential",
    metadata,
    Column("grant_id", Ident, ForeignKey("access_grant.id"), nullable=False),
    Column("field", String(32), nullable=False),
    Column("kek_id", String(32), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),  # compare-and-swap of rotated tokens
    Column("expires_at", Moment),
    PrimaryKeyConstraint("grant_id", "field"),
)

connection = company_table(
    "connection",
    Column("grant_id", Ident, ForeignKey("access_grant.id"), nullable=False),
    Column("connector", String(32), nullable=False),
    Column("account", Text, nullable=False, server_default=""),
    Column("state", String(16), nullable=False),  # active | paused | ended
    words("reason"),
    Column("settings", Text, nullable=False, server_default="{}"),
    Column("sequence", Integer, nullable=False),
    Column("referrer_id", Ident),
    flag("together"),  # its records are named so that neighbours lie together
    Column("pulled_at", Moment),
    Column("failed_at", Moment),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("company_id", "connector", "account", "grant_id"),
)

cursor = company_table(
    "cursor",
    Column("connection_id", Ident, nullable=False),
    Column("stream", String(32), nullable=False),
    words("value"),
    Column("seen", Text),  # records a snapshot showed before it was cut short, as JSON
    Column("updated_at", Moment, nullable=False),
    to("connection", "connection_id"),
    key=("connection_id", "stream"),
)

routing = company_table(
    "routing",
    Column("kind", String(32), nullable=False),
    Column("connection_id", Ident),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    words("among", nullable=False, default="[]"),  # ids it was chosen from: another one asks anew
    to("connection", "connection_id"),
    key=("kind",),
)

bridge = company_table(
    "bridge",
    Column("from_id", Ident, nullable=False),  # the tool whose entries are copied
    Column("to_id", Ident, nullable=False),  # the tool they are copied into
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    to("connection", "from_id"),
    to("connection", "to_id"),
    CheckConstraint("from_id <> to_id", name="ends"),
    key=("from_id", "to_id"),
)
