"""Change what an effect says, or when it is tried, before anything of it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import journal
from encaisse_core.host import Host
from encaisse_core.outbox import Effect
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


def tell_instead(tx: Connection, effect: Effect, payload: Mapping[str, Any], now: datetime) -> None:
    """Write down what an effect says by now, before it is sent, where its worker still holds it."""
    e = schema.effect.c
    written = tx.execute(
        schema.effect.update()
        .where(e.company_id == effect.company_id, e.id == effect.id, e.token == effect.token)
        .values(payload=json.dumps(payload, sort_keys=True))
    )
    if written.rowcount:
        changed = sorted(name for name in payload if payload[name] != effect.payload.get(name))
        body: dict[str, journal.JSON] = {"kind": effect.kind, "changed": list(changed)}
        journal.append(tx, effect.company_id, now, "effect_told_anew", effect.id, body)


def uncount(tx: Connection, effect: Effect) -> None:
    """Take back that an effect was tried: it only waited for an answer."""
    e = schema.effect.c
    tx.execute(
        schema.effect.update()
        .where(e.company_id == effect.company_id, e.id == effect.id)
        .values(attempts=effect.attempts - 1)
    )


def wake(host: Host, tx: Connection, company_id: str, subject: str, reason: str) -> None:
    """Let what waits about a subject for one reason be tried now: the reason is gone."""
    e = schema.effect.c
    waiting = (e.company_id == company_id, e.subject == subject, e.state == "planned")
    tx.execute(
        schema.effect.update()
        .where(*waiting, e.reason == reason)
        .values(ready_at=stamp(host.store.db_now(tx)), reason=None)
    )


def drop(host: Host, tx: Connection, company_id: str, kind: str, subject: str, reason: str) -> None:
    """Send no more what is planned of one kind about a subject: it has no object any more."""
    e = schema.effect.c
    planned = (e.company_id == company_id, e.kind == kind, e.subject == subject)
    found = tx.execute(select(e.id).where(*planned, e.state == "planned").order_by(e.id))
    now = host.clock.now()
    for effect_id in found.scalars().all():
        tx.execute(
            schema.effect.update()
            .where(e.company_id == company_id, e.id == effect_id)
            .values(state="refused", reason=reason, finished_at=stamp(now))
        )
        body = {"kind": kind, "subject": subject, "remote_id": ""}
        journal.append(tx, company_id, now, "effect_refused", effect_id, body)
