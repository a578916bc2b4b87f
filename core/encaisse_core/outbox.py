"""What must happen elsewhere, written down before any request and struck off only with proof.

An effect is named by what it is (company, kind, subject, cause), never by an attempt or a
connection, so that planning it twice is planning it once. Its key is derived from that name. One
worker holds it at a time, by a lease on the database's clock and a fencing token: a result written
with a stale token changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, Text, bindparam, func, select, text

from encaisse_core import journal, restored
from encaisse_core.host import Host
from encaisse_core.naming import named
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp

LEASE = timedelta(minutes=5)
"""Longer than a look-up, a send and a second look may take, so that a slow reply is no expiry."""

LANES: Mapping[str, int] = {
    "withdraw": 0,
    "pause": 0,
    "declare_direct_payment": 1,
    "amend": 1,
    "reverse_payment": 2,
    "record_payment": 3,
    "letter": 3,
    "request_mandate": 4,
    "open_procedure": 4,
}
"""Order within one quota: stop > direct payment, amend > write-back, lettering > open.

Among entries reversals go first.
"""

ENTRIES: Mapping[str, int] = {"record_payment": 1, "reverse_payment": -1}
"""Kinds that write into books, and the sense in which each lowers what the tool shows as owed."""

PAYLOAD_VERSION = 1


@dataclass(frozen=True, slots=True)
class Effect:
    """Describe one effect a worker holds."""

    company_id: str
    id: str
    kind: str
    subject: str
    cause: str
    key: str
    connection_id: str
    state: str
    payload: Mapping[str, Any]
    token: str | None
    attempts: int
    created_at: datetime
    remote_id: str | None = None


def key_of(company_id: str, kind: str, subject: str, cause: str) -> str:
    """Derive an effect's idempotency key: 130 bits of what it is, in 26 printable characters."""
    name = "\x1f".join((company_id, kind, subject, cause)).encode()
    digest = base64.b32encode(hashlib.sha256(name).digest()).decode().lower()
    return "enc-" + digest[:26]


def plan(
    host: Host,
    tx: Connection,
    *,
    company_id: str,
    kind: str,
    subject: str,
    cause: str,
    connection_id: str,
    payload: Mapping[str, Any],
) -> str | None:
    """Write an effect down; None when it was planned before."""
    e = schema.effect.c
    known = tx.execute(
        select(e.id).where(
            e.company_id == company_id, e.kind == kind, e.subject == subject, e.cause == cause
        )
    ).scalar_one_or_none()
    if known is not None:
        return None
    now = host.clock.now()
    key = key_of(company_id, kind, subject, cause)
    effect_id = named("eff", key)
    tx.execute(
        schema.effect.insert().values(
            company_id=company_id,
            id=effect_id,
            kind=kind,
            subject=subject,
            cause=cause,
            key=key,
            connection_id=connection_id,
            lane=LANES[kind],
            state=restored.first_state(tx, company_id),
            payload=json.dumps(payload, sort_keys=True),
            payload_version=PAYLOAD_VERSION,
            ready_at=stamp(host.store.db_now(tx)),
            created_at=stamp(now),
        )
    )
    journal.append(
        tx, company_id, now, "effect_planned", effect_id, {"kind": kind, "subject": subject}
    )
    return effect_id


READY = text("state in ('planned','sending','uncertain')")
"""A literal, because SQLite does not use a partial index for bound values."""

_E = schema.effect.c
_OF = _E.company_id == bindparam("of_company", type_=Text)
_NEXT = (
    select(schema.effect)
    .where(
        READY,
        _OF,
        _E.kind.in_(bindparam("kinds", expanding=True, type_=Text)),
        _E.ready_at <= bindparam("now", type_=Text),
        _E.id.not_in(bindparam("leave", expanding=True, type_=Text)),
    )
    .order_by(_E.lane, _E.ready_at, _E.created_at, _E.id)
    .limit(1)
)
_LEASE = (
    schema.effect.update()
    .where(_OF, _E.id == bindparam("of_id", type_=Text))
    .values(
        state="sending",
        token=bindparam("token_now", type_=Text),
        ready_at=bindparam("until", type_=Text),
        attempts=bindparam("tried", type_=Integer),
    )
)
_HELD = select(_E.ready_at).where(
    _OF, _E.id == bindparam("of_id", type_=Text), _E.token == bindparam("held", type_=Text)
)
_FINISH = (
    schema.effect.update()
    .where(_OF, _E.id == bindparam("of_id", type_=Text), _E.token == bindparam("held", type_=Text))
    .values(
        state=bindparam("left", type_=Text),
        token=None,
        reason=bindparam("why", type_=Text),
        ready_at=bindparam("again", type_=Text),
        finished_at=bindparam("ended", type_=Text),
        remote_id=func.coalesce(bindparam("landed", type_=Text), _E.remote_id),
        receipt=func.coalesce(bindparam("proof", type_=Text), _E.receipt),
    )
)
"""Made once, because each effect asks them: what is next, take it, do we still
hold it, and how it ended."""


def claim_next(
    host: Host, company_id: str, kinds: tuple[str, ...], *, without: Collection[str] = ()
) -> Effect | None:
    """Take the first ready effect under a new token, or None; `without` names some to leave.

    An effect found `sending` past its lease was left by a dead worker: what it did is unknown, so
    it comes back as `uncertain` and is looked up before anything is sent.
    """
    with host.store.begin("outbox.claim") as tx:
        now = host.store.db_now(tx)
        host.store.one_at_a_time(tx, company_id)
        among_kinds = {"of_company": company_id, "kinds": kinds, "leave": list(without)}
        found = tx.execute(_NEXT, among_kinds | {"now": stamp(now)}).mappings().first()
        if found is None:
            return None
        token = host.ids.nonce(16).hex()
        attempts = found["attempts"] + 1
        leased = {"token_now": token, "until": stamp(now + LEASE), "tried": attempts}
        tx.execute(_LEASE, leased | {"of_company": company_id, "of_id": found["id"]})
        state = "planned" if found["state"] == "planned" else "uncertain"
        return effect_of(dict(found), state=state, token=token, attempts=attempts)


def holds(host: Host, effect: Effect) -> bool:
    """Tell whether this worker still holds the effect, just before it sends."""
    with host.store.begin("outbox.fence") as tx:
        now = host.store.db_now(tx)
        named = {"of_company": effect.company_id, "of_id": effect.id, "held": effect.token}
        found = tx.execute(_HELD, named).scalar_one_or_none()
        return found is not None and instant(found) > now


def finish(
    host: Host,
    tx: Connection,
    effect: Effect,
    state: str,
    *,
    remote_id: str | None = None,
    receipt: Mapping[str, Any] | None = None,
    reason: str | None = None,
    retry_in: timedelta | None = None,
) -> bool:
    """Write an attempt's outcome with the token; False when the lease was lost (nothing written).

    `retry_in` delays a next attempt of an effect that stays planned or uncertain.
    """
    now = host.store.db_now(tx)
    closed = state in ("done", "refused", "parked")
    written = tx.execute(
        _FINISH,
        {
            "of_company": effect.company_id,
            "of_id": effect.id,
            "held": effect.token,
            "left": state,
            "why": reason,
            "again": stamp(now + (retry_in or timedelta(0))),
            "ended": stamp(host.clock.now()) if closed else None,
            "landed": remote_id,
            "proof": None if receipt is None else json.dumps(receipt, sort_keys=True),
        },
    )
    if written.rowcount == 0:
        return False
    if closed:
        journal.append(
            tx,
            effect.company_id,
            host.clock.now(),
            f"effect_{state}",
            effect.id,
            {"kind": effect.kind, "subject": effect.subject, "remote_id": remote_id or ""},
        )
    return True


def wait_for_next(
    host: Host, company_id: str, kinds: tuple[str, ...], *, without: Collection[str] = ()
) -> timedelta | None:
    """Tell how long until the next effect is ready, None when none waits."""
    e = schema.effect.c
    with host.store.begin() as tx:
        found = tx.execute(
            select(e.ready_at)
            .where(READY, e.company_id == company_id, e.kind.in_(kinds), e.id.not_in(without))
            .order_by(e.ready_at)
            .limit(1)
        ).scalar_one_or_none()
        return None if found is None else instant(found) - host.store.db_now(tx)


def companies_with(tx: Connection, kinds: tuple[str, ...], now: str) -> list[str]:
    """List the companies that have an effect of these kinds due, who waits longest first."""
    e = schema.effect.c
    lanes = sorted({LANES[kind] for kind in kinds})
    query = (
        select(e.company_id)
        .where(READY, e.lane.in_(lanes), e.kind.in_(kinds), e.ready_at <= now)
        .group_by(e.company_id)
        .order_by(func.min(e.created_at), e.company_id)
    )
    return list(tx.execute(query).scalars())


def effect_of(row: Mapping[str, Any], **changed: Any) -> Effect:
    """Make an effect of its row; `changed` is what holding it made different."""
    effect = Effect(
        company_id=row["company_id"],
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        cause=row["cause"],
        key=row["key"],
        connection_id=row["connection_id"],
        state=row["state"],
        payload=json.loads(row["payload"]),
        token=row["token"],
        attempts=row["attempts"],
        created_at=instant(row["created_at"]),
        remote_id=row["remote_id"],
    )
    return replace(effect, **changed)
