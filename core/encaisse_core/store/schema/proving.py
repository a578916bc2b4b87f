"""The journal, its heads, and the personal values kept beside it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, String, Text, UniqueConstraint

from encaisse_core.store.schema.base import Moment, company_table, words

event = company_table(
    "event",
    Column("sequence", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("company_id", "hash"),
    key=("sequence",),
)

journal_head = company_table(
    "journal_head",
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("sealed_at", Moment, nullable=False),
    key=("sequence",),
)

personal_value = company_table(
    "personal_value",
    Column("digest", String(64), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    words("value"),  # None once erased; the journal's hash still stands
    key=("digest",),
)

subscriber = company_table(
    "subscriber",
    Column("name", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    key=("name",),
)
