"""Find the records our entries landed on without reading all of a tool's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_written"
down_revision = "0002"
branch_labels = None
depends_on = None

LANDED = sa.text("written > 0")


def upgrade() -> None:
    op.create_index(
        "ix_sighting_written",
        "sighting",
        ["company_id", "connection_id"],
        sqlite_where=LANDED,
        postgresql_where=LANDED,
    )


def downgrade() -> None:
    op.drop_index("ix_sighting_written", table_name="sighting")
