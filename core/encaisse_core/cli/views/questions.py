"""What waits for a person: questions, rows nobody could read, differences with the partners."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from encaisse_core.holds import HOLDS
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = dict[str, Any]


def tasks(tx: Connection, company_id: str, *, everything: bool = False) -> list[Row]:
    """List questions, the open ones unless everything is asked for, oldest first.

    `holds_claim`: the claim it is about is held, so that the answer must lift it or keep it so.
    """
    t, c = schema.task.c, schema.claim.c
    query = (
        select(t.id, t.kind, t.subject, t.sentence, t.created_at, t.done_at, t.answer, c.hold)
        .outerjoin(schema.claim, (c.company_id == t.company_id) & (c.id == t.subject))
        .where(t.company_id == company_id)
        .order_by(t.created_at, t.id)
    )
    if not everything:
        query = query.where(t.done_at.is_(None))
    return [
        {
            **{name: row[name] for name in row if name != "hold"},
            "holds_claim": row["hold"] is not None and row["kind"] in HOLDS,
        }
        for row in rows(tx.execute(query))
    ]


def unreadable(tx: Connection, company_id: str) -> list[Row]:
    """List rows kept raw because nobody could read them, with the reason."""
    u, c = schema.unreadable.c, schema.connection.c
    query = (
        select(u.id, c.connector, u.stream, u.remote_ref.label("ref"), u.reason, u.raw, u.seen_at)
        .join(schema.connection, (c.company_id == u.company_id) & (c.id == u.connection_id))
        .where(u.company_id == company_id)
        .order_by(c.sequence, u.stream, u.remote_ref, u.digest)
    )
    return rows(tx.execute(query))


def differences(tx: Connection, company_id: str) -> list[Row]:
    """List what the last comparison found partners to disagree about, the oldest first."""
    d, c = schema.difference.c, schema.claim.c
    query = (
        select(schema.difference, c.number)
        .outerjoin(schema.claim, (c.company_id == d.company_id) & (c.id == d.claim_id))
        .where(d.company_id == company_id)
        .order_by(d.since, d.kind, d.subject)
    )
    return [
        {
            "kind": row["kind"],
            "subject": row["subject"],
            "claim": row["claim_id"],
            "number": row["number"],
            "said": [
                {"tool": row[f"{side}_tool"], "value": row[f"{side}_value"]}
                for side in ("one", "other")
                if row[f"{side}_tool"] is not None
            ],
            "sentence": row["sentence"],
            "advice": row["advice"],
            "since": row["since"],
        }
        for row in rows(tx.execute(query))
    ]
