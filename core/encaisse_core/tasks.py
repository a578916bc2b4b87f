"""What only a person can decide, asked once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, true

from encaisse_core import journal
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp
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
    again: bool = False,
    about: Mapping[str, Any] | None = None,
) -> bool:
    """Put a question to a person; the same question on the same subject stands once.

    A fact that lasts is not asked about every night once somebody answered; `again` is for what
    happened anew, `about` says what exactly is in question: about something else it is asked. The
    sentence says what happened, to which invoice, and what to do. Returns whether it is new.
    """
    told = None if about is None else json.dumps(about, sort_keys=True)
    if not again and answered(connection, company_id, kind, subject, told):
        return False
    row = {
        "company_id": company_id,
        "id": task_id,
        "kind": kind,
        "subject": subject,
        "about": told,
        "sentence": sentence,
        "created_at": stamp(at),
    }
    new = bulk_upsert(connection, schema.task, [row], key=tuple(row))
    if new:
        journal.append(connection, company_id, at, "task_opened", subject, {"kind": kind})
    return bool(new)


SAID_OTHERWISE = "le partenaire en dit autre chose"
"""How a question ends that a newer word of a partner replaces, or answers; nobody else did."""


def ask_newest(
    connection: Connection,
    company_id: str,
    kind: str,
    subject: str,
    sentence: str,
    *,
    task_id: str,
    at: datetime,
    about: Mapping[str, Any],
    again: bool = False,
) -> bool:
    """Ask about a partner's newest word alone: what was asked of an older one is taken back.

    What was answered last is not asked once more, unless `again`: it happened anew.
    """
    t = schema.task.c
    asked = connection.execute(
        select(t.about, t.sentence).where(
            t.company_id == company_id,
            t.kind == kind,
            t.subject == subject,
            t.done_at.is_(None),
        )
    ).one_or_none()
    if asked is not None and (what(asked.about), asked.sentence) == (about, sentence):
        return False
    if asked is None and not again and last_about(connection, company_id, kind, subject) == about:
        return False
    close(connection, company_id, kind, subject, SAID_OTHERWISE, at=at)
    return ask(
        connection,
        company_id,
        kind,
        subject,
        sentence,
        task_id=task_id,
        at=at,
        again=True,
        about=about,
    )


def last_about(
    connection: Connection, company_id: str, kind: str, subject: str
) -> dict[str, Any] | None:
    """Tell what the newest question somebody answered was about; None where nobody answered one."""
    t = schema.task.c
    query = (
        select(t.about)
        .where(
            t.company_id == company_id,
            t.kind == kind,
            t.subject == subject,
            t.done_at.is_not(None),
            t.about.is_not(None),
            t.answer != SAID_OTHERWISE,
        )
        .order_by(t.done_at.desc(), t.id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else what(found)


def answered(
    connection: Connection, company_id: str, kind: str, subject: str, about: str | None = None
) -> bool:
    """Tell whether somebody answered this question on this subject before."""
    t = schema.task.c
    query = select(t.id).where(
        t.company_id == company_id,
        t.kind == kind,
        t.subject == subject,
        t.done_at.is_not(None),
        true() if about is None else t.about == about,
    )
    return connection.execute(query).first() is not None


def last_answer(connection: Connection, company_id: str, kind: str, subject: str) -> str | None:
    """Give the newest answer to this question on this subject, None where there is none."""
    t = schema.task.c
    query = (
        select(t.answer)
        .where(
            t.company_id == company_id,
            t.kind == kind,
            t.subject == subject,
            t.done_at.is_not(None),
        )
        .order_by(t.done_at.desc(), t.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def open_on(connection: Connection, company_id: str, subject: str) -> dict[str, str]:
    """Name the open questions on a subject: kind to id, the newest last."""
    t = schema.task.c
    query = (
        select(t.kind, t.id)
        .where(t.company_id == company_id, t.subject == subject, t.done_at.is_(None))
        .order_by(t.created_at, t.id)
    )
    return {row.kind: row.id for row in connection.execute(query)}


def asked_since(
    connection: Connection,
    company_id: str,
    kinds: Collection[str],
    subject: str,
    now: datetime,
    pause: timedelta,
) -> datetime:
    """Tell since when one question after another was open on a subject; `now` where none was.

    From one to the next there may be a pause.
    """
    t = schema.task.c
    asked = connection.execute(
        select(t.created_at, t.done_at)
        .where(t.company_id == company_id, t.subject == subject, t.kind.in_(kinds))
        .order_by(t.created_at.desc())
    ).all()
    since = now
    for row in asked:
        if row.done_at is None or instant(row.done_at) >= since - pause:
            since = min(since, instant(row.created_at))
    return since


def all_in_question(connection: Connection, company_id: str, kind: str) -> list[dict[str, Any]]:
    """Read what exactly each open question of a kind is about."""
    t = schema.task.c
    query = select(t.about).where(
        t.company_id == company_id, t.kind == kind, t.done_at.is_(None), t.about.is_not(None)
    )
    return [what(about) for about in connection.execute(query).scalars()]


def what(about: str | None) -> dict[str, Any]:
    """Read what was noted of a question; nothing where nothing was."""
    return {} if about is None else dict(json.loads(about))


def reword(connection: Connection, company_id: str, kind: str, subject: str, sentence: str) -> bool:
    """Say an open question as it stands now; tell whether there is one."""
    t = schema.task
    written = connection.execute(
        t.update()
        .where(
            t.c.company_id == company_id,
            t.c.kind == kind,
            t.c.subject == subject,
            t.c.done_at.is_(None),
        )
        .values(sentence=sentence)
    )
    return written.rowcount > 0


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
