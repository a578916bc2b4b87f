"""Keep what partners tell by day until it was looked at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from encaisse_core.store.apart import policies

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("ready_at", sa.String(length=32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id", "connection_id"],
            ["connection.company_id", "connection.id"],
            name=op.f("fk_delivery_company_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["company.id"], name=op.f("fk_delivery_company_id")
        ),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "company_id",
            "connection_id",
            "digest",
            name=op.f("uq_delivery_company_id_connection_id_digest"),
        ),
    )
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["ready_at"],
        sqlite_where=sa.text("looked_at is null"),
        postgresql_where=sa.text("looked_at is null"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in policies("delivery", "company_id"):
            op.execute(statement)
        op.execute("drop policy reached on effect")  # a reach was added that reads it
        op.execute(policies("effect", "company_id")[-1])


def downgrade() -> None:
    op.drop_index("ix_delivery_waiting", table_name="delivery")
    op.drop_table("delivery")
