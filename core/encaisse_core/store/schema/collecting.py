"""Proposals, mandates, procedures, and everything that must happen elsewhere."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Text, UniqueConstraint, text

from encaisse_core.store.schema.base import Ident, Moment, company_table, flag, money, to, words

proposal = company_table(
    "proposal",
    Column("connection_id", Ident, nullable=False),
    Column("debtor_id", Ident, nullable=False),
    Column("state", String(20), nullable=False),  # proposed|approved|mandated|opened|dropped
    Column("annex", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    words("approved_by"),
    Column("approved_at", Moment),
    Column("expires_at", Moment),
    words("reason"),
    Column("created_at", Moment, nullable=False),
    to("connection", "connection_id"),
    to("debtor", "debtor_id"),
)

mandate = company_table(
    "mandate",
    Column("connection_id", Ident, nullable=False),
    Column("remote_id", Text),
    Column("state", String(16), nullable=False),
    Column("signing_url", Text),
    Column("annex", Text, nullable=False),
    Column("signed_at", Moment),
    Column("created_at", Moment, nullable=False),
    to("connection", "connection_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
)

proposal_mandate = company_table(
    "proposal_mandate",
    Column("proposal_id", Ident, nullable=False),
    Column("mandate_id", Ident, nullable=False),
    to("proposal", "proposal_id"),
    to("mandate", "mandate_id"),
    key=("proposal_id",),
)

procedure = company_table(
    "procedure",
    Column("connection_id", Ident, nullable=False),
    Column("proposal_id", Ident, nullable=False),
    Column("mandate_id", Ident, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("state", String(16), nullable=False),  # active | paused | closed | unknown
    words("phase"),
    words("close_code"),
    flag("disputed"),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    to("connection", "connection_id"),
    to("proposal", "proposal_id"),
    to("mandate", "mandate_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
)

reservation = company_table(
    "reservation",
    Column("claim_id", Ident, nullable=False),
    Column("proposal_id", Ident, nullable=False),
    Column("procedure_id", Ident),
    money("principal"),
    Column("handed_at", Moment),  # when the gate last let it pass: payments seen since are news
    Column("released_at", Moment),
    to("claim", "claim_id"),
    to("proposal", "proposal_id"),
    to("procedure", "procedure_id"),
    # A claim is in at most one live proposal or procedure, over all collectors.
    Index(
        "uq_reservation_live",
        "company_id",
        "claim_id",
        unique=True,
        sqlite_where=text("released_at is null"),
        postgresql_where=text("released_at is null"),
    ),
    key=("claim_id", "proposal_id"),
)

effect = company_table(
    "effect",
    Column("kind", String(32), nullable=False),
    Column("subject", Ident, nullable=False),  # the claim, or the proposal of a batch
    Column("cause", Text, nullable=False),
    Column("key", String(30), nullable=False),
    Column("connection_id", Ident, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("payload", Text, nullable=False),
    Column("payload_version", Integer, nullable=False),
    words("token"),
    Column("ready_at", Moment, nullable=False),  # retry delay and lease expiry alike
    Column("attempts", Integer, nullable=False, server_default="0"),
    words("remote_id"),
    words("receipt"),
    words("reason"),
    Column("fate", String(16)),  # of an entry in books: what its accountant made of it
    Column("awaited_at", Moment),  # when its tool last said that it still waits for him
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    to("connection", "connection_id"),
    UniqueConstraint("company_id", "kind", "subject", "cause"),
    UniqueConstraint("company_id", "key"),
    CheckConstraint(
        "state in ('planned','sending','done','uncertain','refused','parked')", name="state"
    ),
    CheckConstraint("fate in ('pending','posted','altered','rejected')", name="fate"),
    Index(
        "ix_effect_ready",
        "company_id",
        "lane",
        "ready_at",
        "created_at",
        "id",
        sqlite_where=text("state in ('planned','sending','uncertain')"),
        postgresql_where=text("state in ('planned','sending','uncertain')"),
    ),
    Index(
        "ix_effect_fate",
        "company_id",
        "fate",
        sqlite_where=text("fate in ('pending','posted')"),
        postgresql_where=text("fate in ('pending','posted')"),
    ),
)
