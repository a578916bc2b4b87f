"""Keep what exactly a question about a claim's money is about: one answer settles that only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("about", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("task", "about")
