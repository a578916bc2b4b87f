"""Keep which settlement a question about a claim's money is about: one answer settles that one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("about", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("task", "about")
