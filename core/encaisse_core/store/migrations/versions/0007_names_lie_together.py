"""Keep of each connection how its records are named: together where their references are alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "connection", sa.Column("together", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("connection", "together")
