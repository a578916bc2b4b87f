"""Find by an index the records our entries landed on, and a company's next effect."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LANDED = sa.text("written > 0")
READY = sa.text("state in ('planned','sending','uncertain')")


def upgrade() -> None:
    op.create_index(
        "ix_sighting_written",
        "sighting",
        ["company_id", "connection_id"],
        sqlite_where=LANDED,
        postgresql_where=LANDED,
    )
    op.drop_index("ix_effect_ready", table_name="effect")
    op.create_index(
        "ix_effect_ready",
        "effect",
        ["company_id", "lane", "ready_at", "created_at", "id"],
        sqlite_where=READY,
        postgresql_where=READY,
    )


def downgrade() -> None:
    op.drop_index("ix_effect_ready", table_name="effect")
    op.create_index(
        "ix_effect_ready",
        "effect",
        ["lane", "ready_at"],
        sqlite_where=READY,
        postgresql_where=READY,
    )
    op.drop_index("ix_sighting_written", table_name="sighting")
