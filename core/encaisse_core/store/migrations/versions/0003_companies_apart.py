"""Let PostgreSQL keep companies apart, row by row; SQLite has no such thing."""

from __future__ import annotations

from alembic import op

from encaisse_core.store.apart import policies

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "access",
    "accounting_entry",
    "allocation",
    "attribution",
    "bridge",
    "claim",
    "claim_key",
    "claim_merge",
    "commission_entry",
    "commission_line",
    "commission_statement",
    "connection",
    "cursor",
    "debtor",
    "difference",
    "document",
    "echeance",
    "effect",
    "event",
    "exported_payment",
    "journal_head",
    "mandate",
    "night",
    "payment",
    "payment_sighting",
    "payout",
    "personal_value",
    "possible_duplicate",
    "procedure",
    "proposal",
    "proposal_mandate",
    "referrer",
    "referrer_contract",
    "reservation",
    "restoration",
    "routing",
    "settlement",
    "sighting",
    "statement_line",
    "subscriber",
    "task",
    "unreadable",
    "voucher_line",
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in [("company", "id"), *((table, "company_id") for table in TABLES)]:
        for statement in policies(table, column):
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in ("company", *TABLES):
        op.execute(f"drop policy reached on {table}")
        op.execute(f"drop policy own on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
