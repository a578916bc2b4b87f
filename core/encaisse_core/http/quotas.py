"""Count calls against a partner's quotas, for every process of the house at once.

A sliding window is counted by GCRA (the leaky bucket of ITU-T I.371 as a theoretical arrival
time): one row, one instant, and each caller reserves the next free slot, so waiting is in turn. A
pull takes no slot further ahead than `AHEAD` and asks again: however many pulls wait, a stop, a
write or a last look stands behind the few that go in that time. A quota of a calendar day is a
counter that starts again at midnight in Paris.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple

from sqlalchemy import Connection, Integer, Text, bindparam, select

from encaisse_api import Manifest, Quota
from encaisse_core.clock import PARIS
from encaisse_core.store import Store, schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.said import Said
from encaisse_core.store.upsert import bulk_upsert

AHEAD = timedelta(seconds=1)
"""How far ahead a pull may take a slot, and so how long pulls may hold up whoever is in a hurry."""

PULLS_WAIT = timedelta(minutes=5)
"""How long a pull waits for its slot: nobody watches it, and the night is long."""

LONG_AGO = "1970-01-01T00:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Name one count, and its limit; `spared` calls of it are left to others."""

    scope: str
    quota: Quota
    spared: int = 0

    @property
    def limit(self) -> int:
        """Give how many calls this caller may bring the count to."""
        return self.quota.limit - self.spared

    @property
    def burst(self) -> int:
        """Give how many calls may go at once: a tenth of the limit, at least one."""
        return max(1, self.quota.limit // 10)

    @property
    def interval(self) -> timedelta:
        """Give the time between two calls after a burst, rounded up to the microsecond.

        A window of one period then never holds more than the limit: the burst, and one call per
        interval.
        """
        return -(self.quota.period // -(self.quota.limit - self.burst + 1))


@dataclass(frozen=True, slots=True)
class Turn:
    """Say when the next call may start, and whether that instant is now ours."""

    reserved: bool
    at: datetime
    wait: timedelta


def buckets(
    manifest: Manifest,
    *,
    environment: str,
    grant_id: str | None,
    account: str | None,
    method: str,
    path: str,
    keeps_reserve: bool = False,
) -> list[Bucket]:
    """List the counts one request falls under, in one order for all callers.

    An account is the partner's, whichever grant opens it. A route is a shell pattern on the path
    (`/v1/invoices/*`), or method and path (`POST /v1/invoices`), counted per grant; a route quota
    without one counts each path by itself. With `keeps_reserve` the caller sees each quota without
    its reserve: what it may not take is still there for whoever has to stop, write or look again.
    """
    found: list[Bucket] = []
    for number, quota in enumerate(manifest.quotas):
        who = {
            "partner": "",
            "grant": grant_id or "",
            "account": account or f"grant {grant_id}",
            "route": f"{grant_id} {quota.route or path}",
        }[quota.scope]
        if quota.scope == "route" and quota.route is not None:
            asked = f"{method} {path}" if " " in quota.route else path
            if not fnmatchcase(asked, quota.route):
                continue
        digest = hashlib.sha256(who.encode()).hexdigest()[:32]
        scope = f"{environment}/{manifest.slug}/{number}/{quota.scope}/{digest}"
        found.append(Bucket(scope, quota, quota.reserve if keeps_reserve else 0))
    return sorted(found, key=lambda bucket: bucket.scope)


def reserve(
    connection: Connection, store: Store, wanted: Sequence[Bucket], patience: timedelta
) -> Turn:
    """Reserve the next instant all these counts allow, if it is within `patience`.

    Nothing is counted when it is not. A caller who dies before calling loses the slot, which only
    makes us slower.
    """
    b = schema.rate_bucket
    now = store.db_now(connection)
    rows = _counts(connection, wanted)
    unknown = [bucket for bucket in wanted if bucket.scope not in rows]
    if unknown:
        fresh = [
            {"scope": bucket.scope, "window": LONG_AGO, "used": 0, "tat": LONG_AGO}
            for bucket in unknown
        ]
        bulk_upsert(connection, b, fresh, key=["scope"], keep=["window", "used", "tat"])
        rows = _counts(connection, wanted)
    slot = now
    settled = False
    while not settled:  # a day's end may move the slot past an interval's, and back again
        before = slot
        for bucket in wanted:
            row = rows[bucket.scope]
            if bucket.quota.calendar_day:
                slot = _next_day_slot(slot, instant(row.window), row.used, bucket.limit)
            else:
                slack = bucket.interval * (bucket.burst - 1)
                slot = max(slot, instant(row.tat) - slack)
        settled = slot == before
    wait = slot - now
    if wait > patience:
        return Turn(False, slot, wait)
    for bucket in wanted:
        row = rows[bucket.scope]
        if bucket.quota.calendar_day:
            day = midnight(_day(slot))
            used = row.used if instant(row.window) == day else 0
            counted = {"bucket": bucket.scope, "day": stamp(day), "calls": used + 1}
            _BY_DAY.run(connection, counted)
        else:
            arrival = max(instant(row.tat), slot) + bucket.interval
            counted = {"bucket": bucket.scope, "arrival": stamp(arrival)}
            _BY_INTERVAL.run(connection, counted)
    return Turn(True, slot, wait)


_COUNTS = schema.rate_bucket.c
_STANDING = Said(
    select(_COUNTS.window, _COUNTS.used, _COUNTS.tat)
    .where(_COUNTS.scope == bindparam("bucket", type_=Text))
    .with_for_update()
)
_COUNTED = schema.rate_bucket.update().where(_COUNTS.scope == bindparam("bucket", type_=Text))
_BY_DAY = Said(
    _COUNTED.values(window=bindparam("day", type_=Text), used=bindparam("calls", type_=Integer))
)
_BY_INTERVAL = Said(_COUNTED.values(tat=bindparam("arrival", type_=Text)))
"""Said to the driver: they are asked before every request."""


class _Count(NamedTuple):
    window: str
    used: int
    tat: str


def _counts(connection: Connection, wanted: Sequence[Bucket]) -> dict[str, _Count]:
    """Read the counts that stand already, each held until the transaction ends.

    One after the other in the order of `buckets`, the same for all callers, so that two never wait
    for each other.
    """
    found: dict[str, _Count] = {}
    for bucket in wanted:
        row = _STANDING.run(connection, {"bucket": bucket.scope}).fetchone()
        if row is not None:
            found[bucket.scope] = _Count(*row)
    return found


def _next_day_slot(slot: datetime, window: datetime, used: int, limit: int) -> datetime:
    """Find the first instant from `slot` on whose day has calls left."""
    slot = max(slot, window)  # a later day was begun: the earlier one's count is gone
    day = _day(slot)
    if window == midnight(day) and used >= limit:
        return midnight(day + timedelta(days=1))
    return slot


def _day(at: datetime) -> date:
    return at.astimezone(PARIS).date()


def midnight(day: date) -> datetime:
    """Give the instant a day begins in Paris; days of 23 and 25 hours included."""
    return datetime.combine(day, time.min, PARIS).astimezone(UTC)
