"""Find news of money in the order its tool or collector named it in."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


class Partial(NamedTuple):
    """Be an index of the rows a condition holds for, as it was and as it is."""

    name: str
    table: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    where: str


AS_TOLD = ("company_id", "connection_id", "remote_id")

CHANGED = (
    Partial(
        "ix_settlement_unfollowed",
        "settlement",
        ("company_id", "id"),
        AS_TOLD,
        "followed_state is null or followed_state <> state or followed_principal <> principal",
    ),
    Partial(
        "ix_settlement_unearned",
        "settlement",
        ("company_id", "id"),
        AS_TOLD,
        "earned_state is null or earned_state <> state or earned_fee <> coalesce(fee, -1)",
    ),
    Partial(
        "ix_sighting_different",
        "sighting",
        ("company_id", "connection_id"),
        ("company_id", "connection_id", "remote_ref"),
        "open <> expected",
    ),
)


def upgrade() -> None:
    for index in CHANGED:
        _again(index, index.after)


def downgrade() -> None:
    for index in CHANGED:
        _again(index, index.before)


def _again(index: Partial, columns: tuple[str, ...]) -> None:
    condition = sa.text(index.where)
    op.drop_index(index.name, table_name=index.table)
    op.create_index(
        index.name, index.table, list(columns), sqlite_where=condition, postgresql_where=condition
    )
