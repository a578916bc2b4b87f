"""Questions to a person, and what partners and tools disagree about."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Text, text

from encaisse_core.store.schema.base import Ident, Moment, company_table, to, words

task = company_table(
    "task",
    Column("kind", String(32), nullable=False),  # refund, maybe_same, double, conflict, dispute…
    Column("subject", Ident, nullable=False),
    words("about"),  # what exactly is in question, in JSON, as who asked reads it again
    Column("sentence", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    words("answer"),
    Index("ix_task_subject", "company_id", "subject"),
    Index(
        "uq_task_open",
        "company_id",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("done_at is null"),
        postgresql_where=text("done_at is null"),
    ),
)

difference = company_table(
    "difference",
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("claim_id", Ident),
    words("one_tool"),
    words("one_value"),
    words("other_tool"),
    words("other_value"),
    Column("sentence", Text, nullable=False),
    Column("advice", Text, nullable=False),  # what a person does about it
    Column("since", Moment, nullable=False),
    to("claim", "claim_id"),
    key=("kind", "subject"),
)
