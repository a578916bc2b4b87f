"""Keep that a partner said "look", until somebody looked.

One row for each thing that was signed: a delivery played again is the same row. Of what it said
nothing is kept, since nothing of it is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from encaisse_core.host import Link
from encaisse_core.naming import named
from encaisse_core.store import Store, schema
from encaisse_core.store.engine import instant, stamp

APART = timedelta(seconds=10)
"""Least time between two looks at one connection: a partner that repeats itself empties no quota.

Well below the minute within which a customer who paid is left in peace.
"""

BACKOFF = (timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=8))
"""Waits after a look that failed; once they are over, the night looks."""

KEPT = timedelta(days=1)
"""How long a delivery that was looked at is remembered; a replay after that is one look too many.

Where deliveries carry a signed instant, a replay is refused long before.
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Name one delivery that is to be looked at."""

    id: str
    connection_id: str
    received_at: str
    tries: int


def digest(signed: Sequence[str], body: bytes) -> str:
    """Name what was signed: the headers that sign it, and the body."""
    head = "\x1f".join(signed).encode()
    return hashlib.sha256(hashlib.sha256(head).digest() + body).hexdigest()


def keep(tx: Connection, store: Store, link: Link, told: str, *, dated: bool) -> bool:
    """Keep one delivery; tell whether it gives something to look at that nothing gave before.

    `dated` says that what was signed bears an instant, so that `told` twice is a replay. Without
    one the same words may be news each time: they are looked at again, at most once in `APART`.
    """
    d = schema.delivery
    now = store.db_now(tx)
    here = (d.c.company_id == link.company_id, d.c.connection_id == link.id)
    store.one_at_a_time(tx, link.company_id)
    known = tx.execute(select(d.c.id, d.c.looked_at).where(*here, d.c.digest == told)).first()
    last = tx.execute(select(func.max(d.c.looked_at)).where(*here)).scalar_one()
    ready = now if last is None else max(now, instant(last) + APART)
    values = {"received_at": stamp(now), "ready_at": stamp(ready), "tries": 0, "looked_at": None}
    if known is None:
        row = {
            "company_id": link.company_id,
            "id": named("dlv", link.company_id, link.id, told),
            "connection_id": link.id,
            "digest": told,
        }
        tx.execute(d.insert().values(row | values))
        return True
    if dated:
        return False
    tx.execute(d.update().where(*here, d.c.digest == told).values(values))
    return known.looked_at is not None


def companies_waiting(tx: Connection, now: datetime) -> list[str]:
    """List the companies somebody told something of, who waits longest first."""
    d = schema.delivery.c
    query = (
        select(d.company_id)
        .where(d.looked_at.is_(None), d.ready_at <= stamp(now))
        .group_by(d.company_id)
        .order_by(func.min(d.received_at), d.company_id)
    )
    return list(tx.execute(query).scalars())


def next_ready(tx: Connection) -> datetime | None:
    """Tell when the next delivery is to be looked at, None when none waits."""
    d = schema.delivery.c
    found = tx.execute(select(func.min(d.ready_at)).where(d.looked_at.is_(None))).scalar_one()
    return None if found is None else instant(found)


def waiting(tx: Connection, company_id: str, now: datetime) -> list[Waiting]:
    """List a company's deliveries that are to be looked at now."""
    d = schema.delivery.c
    query = (
        select(d.id, d.connection_id, d.received_at, d.tries)
        .where(d.company_id == company_id, d.looked_at.is_(None), d.ready_at <= stamp(now))
        .order_by(d.received_at, d.id)
    )
    return [Waiting(*row) for row in tx.execute(query)]


def looked(tx: Connection, company_id: str, seen: Sequence[Waiting], now: datetime) -> None:
    """Note that the partner was read after these came, and forget old ones.

    One that came again meanwhile stays: what it told of may be younger than the reading.
    """
    d = schema.delivery
    for each in seen:
        tx.execute(
            d.update()
            .where(
                d.c.company_id == company_id,
                d.c.id == each.id,
                d.c.received_at == each.received_at,
            )
            .values(looked_at=stamp(now))
        )
    old = (d.c.company_id == company_id, d.c.looked_at < stamp(now - KEPT))
    tx.execute(d.delete().where(*old))


def failed(tx: Connection, company_id: str, seen: Sequence[Waiting], now: datetime) -> None:
    """Look again a little later; after `BACKOFF` the night does."""
    d = schema.delivery
    for each in seen:
        over = each.tries >= len(BACKOFF)
        again = now if over else now + BACKOFF[each.tries]
        tx.execute(
            d.update()
            .where(d.c.company_id == company_id, d.c.id == each.id, d.c.looked_at.is_(None))
            .values(
                tries=each.tries + 1,
                ready_at=stamp(again),
                looked_at=stamp(now) if over else None,
            )
        )
