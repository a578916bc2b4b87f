"""Find what changed by an index, so that a quiet night does not read every claim."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FOLLOWED = (
    ("sighting", sa.Column("followed", sa.String(length=64), nullable=True)),
    ("settlement", sa.Column("followed_state", sa.String(length=16), nullable=True)),
    ("settlement", sa.Column("followed_principal", sa.BigInteger(), nullable=True)),
    ("settlement", sa.Column("earned_state", sa.String(length=16), nullable=True)),
    ("settlement", sa.Column("earned_fee", sa.BigInteger(), nullable=True)),
    ("settlement", sa.Column("paid_out", sa.Integer(), server_default="0", nullable=False)),
    ("payout", sa.Column("noted", sa.Integer(), server_default="0", nullable=False)),
)

PARTIAL = (
    ("ix_sighting_different", "sighting", ("company_id", "connection_id"), "open <> expected"),
    (
        "ix_sighting_unfollowed",
        "sighting",
        ("company_id", "changed_at"),
        "rung = 0 and (followed is null or followed <> fingerprint)",
    ),
    (
        "ix_sighting_odd",
        "sighting",
        ("company_id", "claim_id"),
        "presence <> 'live' or state = 'cancelled'",
    ),
    (
        "ix_claim_stale",
        "claim",
        ("company_id",),
        "(state = 'open' and open = 0) or (state = 'settled' and open <> 0)",
    ),
    (
        "ix_settlement_unfollowed",
        "settlement",
        ("company_id", "id"),
        "followed_state is null or followed_state <> state or followed_principal <> principal",
    ),
    (
        "ix_settlement_unearned",
        "settlement",
        ("company_id", "id"),
        "earned_state is null or earned_state <> state or earned_fee <> coalesce(fee, -1)",
    ),
    ("ix_payout_unnoted", "payout", ("company_id", "id"), "state = 'executed' and noted = 0"),
)

PLAIN = (
    ("ix_payment_claim", "payment", ("company_id", "claim_id")),
    ("ix_settlement_claim", "settlement", ("company_id", "claim_id")),
    ("ix_task_subject", "task", ("company_id", "subject")),
)


def upgrade() -> None:
    for table, column in FOLLOWED:
        op.add_column(table, column)
    for name, table, columns, where in PARTIAL:
        condition = sa.text(where)
        op.create_index(
            name, table, list(columns), sqlite_where=condition, postgresql_where=condition
        )
    for name, table, columns in PLAIN:
        op.create_index(name, table, list(columns))


def downgrade() -> None:
    for name, table, *_ in (*PARTIAL, *PLAIN):
        op.drop_index(name, table_name=table)
    for table, column in reversed(FOLLOWED):
        op.drop_column(table, column.name)
