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
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Text,
    bindparam,
    func,
    literal_column,
    null,
    select,
    text,
)

from encaisse_core import journal, restored
from encaisse_core.host import Host
from encaisse_core.naming import named
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.said import Moment, Said

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

_written = json.JSONEncoder(sort_keys=True).encode


@dataclass(slots=True)
class Lease:
    """Say until when an effect is held, by its worker's own clock and never later than it is."""

    until: datetime = datetime(1970, 1, 1, tzinfo=UTC)


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
    lease: Lease = field(default_factory=Lease)


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
    unless: str | None = None,
) -> str | None:
    """Write an effect down; None when it was planned before.

    One that had no object any more for the reason `unless` was looked up and does not stand at its
    partner: it is planned again, under the name and key it has.
    """
    e = schema.effect.c
    known = tx.execute(
        select(e.id, e.state, e.reason).where(
            e.company_id == company_id, e.kind == kind, e.subject == subject, e.cause == cause
        )
    ).one_or_none()
    now = host.clock.now()
    if known is not None:
        again = unless is not None and (known.state, known.reason) == ("refused", unless)
        return _plan_again(host, tx, company_id, known.id, payload, now) if again else None
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


def _plan_again(
    host: Host,
    tx: Connection,
    company_id: str,
    effect_id: str,
    payload: Mapping[str, Any],
    now: datetime,
) -> str:
    e = schema.effect.c
    tx.execute(
        schema.effect.update()
        .where(e.company_id == company_id, e.id == effect_id)
        .values(
            state=restored.first_state(tx, company_id),
            payload=json.dumps(payload, sort_keys=True),
            reason=None,
            finished_at=None,
            attempts=0,
            ready_at=stamp(host.store.db_now(tx)),
            created_at=stamp(now),
        )
    )
    journal.append(tx, company_id, now, "effect_planned_again", effect_id, {})
    return effect_id


READY = text("state in ('planned','sending','uncertain')")
"""A literal, because SQLite does not use a partial index for bound values."""

_E = schema.effect.c
_OF = _E.company_id == bindparam("of_company", type_=Text)
_ID = _E.id == bindparam("of_id", type_=Text)
_ROW = (
    _E.id, _E.kind, _E.subject, _E.cause, _E.key, _E.connection_id, _E.state, _E.payload,
    _E.attempts, _E.created_at, _E.remote_id,
)  # fmt: skip
"""What is read of the effect that comes next."""


@cache
def _next(kinds: int) -> Said:
    """Ask for the ready effects of so many kinds, the most urgent first."""
    named = [bindparam(f"kind_{number}", type_=Text) for number in range(kinds)]
    return Said(
        select(*_ROW)
        .where(READY, _OF, _E.kind.in_(named), _E.ready_at <= bindparam("now", type_=Text))
        .order_by(_E.lane, _E.ready_at, _E.created_at, _E.id)
        .limit(bindparam("most", type_=Integer))
    )


_LEASE = Said(
    schema.effect.update()
    .where(_OF, _ID)
    .values(
        state=literal_column("'sending'"),
        token=bindparam("token_now", type_=Text),
        ready_at=bindparam("until", type_=Text),
        attempts=bindparam("tried", type_=Integer),
    )
)
_HELD = Said(
    select(_E.ready_at, Moment()).where(_OF, _ID, _E.token == bindparam("held", type_=Text))
)
_FINISH = Said(
    schema.effect.update()
    .where(_OF, _ID, _E.token == bindparam("held", type_=Text))
    .values(
        state=bindparam("left", type_=Text),
        token=null(),
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
    host: Host,
    company_id: str,
    kinds: tuple[str, ...],
    *,
    without: Collection[str] = (),
    looks: Callable[[Connection, str, str], object] | None = None,
) -> Effect | None:
    """Take the first ready effect under a new token, or None; `without` names some to leave.

    `looks` reads what the effect's connection (company, id) says now, in the same transaction.

    An effect found `sending` past its lease was left by a dead worker: what it did is unknown, so
    it comes back as `uncertain` and is looked up before anything is sent.
    """
    begun = host.clock.now()
    with host.store.begin("outbox.claim") as tx:
        now = host.store.one_at_a_time(tx, company_id)
        found = _first(tx, company_id, kinds, now, without)
        if found is None:
            return None
        id_, kind, subject, cause, key, connection_id, state, payload, tried, made, there = found
        token = host.ids.nonce(16).hex()
        _LEASE.run(
            tx,
            {
                "of_company": company_id,
                "of_id": id_,
                "token_now": token,
                "until": stamp(now + LEASE),
                "tried": tried + 1,
            },
        )
        if looks is not None:
            looks(tx, company_id, connection_id)
        return Effect(
            company_id=company_id,
            id=id_,
            kind=kind,
            subject=subject,
            cause=cause,
            key=key,
            connection_id=connection_id,
            state="planned" if state == "planned" else "uncertain",
            payload=json.loads(payload),
            token=token,
            attempts=tried + 1,
            created_at=instant(made),
            remote_id=there,
            lease=Lease(begun + LEASE),
        )


def _first(
    tx: Connection, company_id: str, kinds: tuple[str, ...], now: datetime, without: Collection[str]
) -> Sequence[Any] | None:
    """Read the first ready effect that is not left; of so many, one more is enough."""
    asked: dict[str, Any] = {f"kind_{number}": kind for number, kind in enumerate(kinds)}
    asked |= {"of_company": company_id, "now": stamp(now), "most": len(without) + 1}
    rows = _next(len(kinds)).run(tx, asked).fetchall()
    return next((row for row in rows if row[0] not in without), None)


def holds(host: Host, effect: Effect) -> bool:
    """Tell whether this worker still holds the effect, just before it sends."""
    with host.store.begin("outbox.fence") as tx:
        named = {"of_company": effect.company_id, "of_id": effect.id, "held": effect.token}
        found = _HELD.run(tx, named).fetchone()
        return found is not None and instant(found[0]) > host.store.told(tx, found[1])


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
    says: Sequence[journal.Entry] = (),
) -> bool:
    """Write an attempt's outcome with the token; False when the lease was lost (nothing written).

    `retry_in` delays a next attempt of an effect that stays planned or uncertain; `says` are the
    events that follow the one of a closed effect.
    """
    again, now = host.store.db_now(tx), host.clock.now()
    closed = state in ("done", "refused", "parked")
    written = _FINISH.run(
        tx,
        {
            "of_company": effect.company_id,
            "of_id": effect.id,
            "held": effect.token,
            "left": state,
            "why": reason,
            "again": stamp(again + retry_in if retry_in else again),
            "ended": stamp(now) if closed else None,
            "landed": remote_id,
            "proof": None if receipt is None else _written(receipt),
        },
    )
    if written.rowcount == 0:
        return False
    if closed:
        body = {"kind": effect.kind, "subject": effect.subject, "remote_id": remote_id or ""}
        closing = journal.Entry(now, f"effect_{state}", effect.id, body)
        journal.append_all(tx, effect.company_id, (closing, *says))
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


def effect_of(row: Mapping[str, Any], **changed: Any) -> Effect:
    """Make an effect of its row; `changed` is what holding it made different."""
    held = {**row, **changed}
    return Effect(
        company_id=held["company_id"],
        id=held["id"],
        kind=held["kind"],
        subject=held["subject"],
        cause=held["cause"],
        key=held["key"],
        connection_id=held["connection_id"],
        state=held["state"],
        payload=json.loads(held["payload"]),
        token=held["token"],
        attempts=held["attempts"],
        created_at=instant(held["created_at"]),
        remote_id=held["remote_id"],
    )
