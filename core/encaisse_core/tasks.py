"""What only a person can decide, asked once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from encaisse_core import journal
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import bulk_upsert


def ask(
    connection: Connection,
    company_id: str,
    kind: str,
    subject: str,
    sentence: str,
    *,
    task_id: str,
    at: datetime,
) -> bool:
    """Put a question to a person; the same question on the same subject stands once.

    The sentence says what happened, to which invoice, and what to do. Returns whether it is new.
    """
    row = {
        "company_id": company_id,
        "id": task_id,
        "kind": kind,
        "subject": subject,
        "sentence": sentence,
        "created_at": stamp(at),
    }
    new = bulk_upsert(
        connection,
        schema.task,
        [row],
        key=("company_id", "kind", "subject"),
        keep=("id", "sentence", "created_at"),
    )
    if new:
        journal.append(connection, company_id, at, "task_opened", subject, {"kind": kind})
    return bool(new)


def close(
    connection: Connection, company_id: str, kind: str, subject: str, answer: str, *, at: datetime
) -> bool:
    """Take a question back that answered itself; tell whether it stood."""
    t = schema.task
    closed = connection.execute(
        t.update()
        .where(
            t.c.company_id == company_id,
            t.c.kind == kind,
            t.c.subject == subject,
            t.c.done_at.is_(None),
        )
        .values(done_at=stamp(at), answer=answer)
    )
    if closed.rowcount:
        journal.append(connection, company_id, at, "task_closed", subject, {"kind": kind})
    return closed.rowcount > 0
