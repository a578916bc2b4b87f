"""What the store says of health: versions, late nights, what waits. Counts only, held briefly."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from encaisse_core.restored import NOT_CLOSED
from encaisse_core.store import Store, schema
from encaisse_core.store.engine import instant, snapshot, stamp
from encaisse_core.store.versions import head, version_of
from encaisse_core.watch.figures import Labels, gauges, labels

NIGHT_WITHIN = timedelta(hours=26)
"""A night every day, and two hours for a long one."""

AGES = (timedelta(hours=26), timedelta(hours=50), timedelta(days=7))
"""How old the last whole night of a company may be; companies are counted up to each."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Say whether the daemon can do its work, and what is wrong where it cannot."""

    store: bool
    migrated: bool
    companies: int
    late: int

    @property
    def ok(self) -> bool:
        """Tell whether all is as it should be."""
        return self.store and self.migrated and not self.late


class Looking:
    """Read a store beside whoever works on it: no write lock is taken, nobody waits."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._engine: Engine = snapshot(store)
        self._now = now

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Generator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def ready(self) -> Ready:
        """Look whether the store opens at this version and nights are within their time."""
        try:
            with self._read() as tx:
                migrated = version_of(tx) == head()
                ages = _ages(tx, self._now()) if migrated else []
        except Exception:  # whatever a database says when it does not open
            return Ready(store=False, migrated=False, companies=0, late=0)
        late = sum(age > NIGHT_WITHIN for age in ages)
        return Ready(store=True, migrated=migrated, companies=len(ages), late=late)

    def lines(self) -> list[str]:
        """Write what waits and how old it is, as gauges."""
        written: list[str] = []
        with self._read() as tx:
            for name, series in _figures(tx, self._now()):
                written += gauges(name, series)
        return written


def _ages(tx: Connection, now: datetime) -> list[timedelta]:
    """Tell how old each company's last whole night is; a company without one is as old as it is."""
    n, k = schema.night.c, schema.company.c
    last = (
        select(n.company_id, func.max(n.ended_at).label("ended"))
        .where(n.state == "done")
        .group_by(n.company_id)
        .subquery()
    )
    query = select(func.coalesce(last.c.ended, k.created_at)).select_from(
        schema.company.outerjoin(last, last.c.company_id == k.id)
    )
    return [now - instant(str(at)) for at in tx.execute(query).scalars()]


def _figures(tx: Connection, now: datetime) -> Iterator[tuple[str, dict[Labels, float]]]:
    e, c, t, r = schema.effect.c, schema.connection.c, schema.task.c, schema.restoration.c
    yield "encaisse_effects", _by(tx, e.kind, e.state)
    ready = select(func.count()).where(e.state.in_(NOT_CLOSED), e.ready_at <= stamp(now))
    yield "encaisse_effects_ready", {(): float(tx.execute(ready).scalar_one())}
    yield "encaisse_connections", _by(tx, c.connector, c.state)
    failing = select(func.count()).where(c.state == "active", c.failed_at.is_not(None))
    yield "encaisse_connections_failing", {(): float(tx.execute(failing).scalar_one())}
    asked = select(t.kind, func.count()).where(t.done_at.is_(None)).group_by(t.kind)
    yield (
        "encaisse_open_questions",
        {labels(kind=str(row[0])): float(row[1]) for row in tx.execute(asked)},
    )
    ages = _ages(tx, now)
    yield "encaisse_companies", {(): float(len(ages))}
    yield (
        "encaisse_companies_night_within",
        {
            labels(hours=f"{limit.total_seconds() / 3600:g}"): float(
                sum(age <= limit for age in ages)
            )
            for limit in AGES
        },
    )
    oldest = max((age.total_seconds() for age in ages), default=0.0)
    yield "encaisse_oldest_night_seconds", {(): round(max(0.0, oldest), 3)}
    waiting = select(func.min(e.created_at)).where(
        e.kind.in_(("withdraw", "pause", "declare_direct_payment", "amend")),
        e.state.in_(NOT_CLOSED),
    )
    since = tx.execute(waiting).scalar_one()
    age = 0.0 if since is None else (now - instant(since)).total_seconds()
    yield "encaisse_oldest_unacknowledged_stop_seconds", {(): round(max(0.0, age), 3)}
    open_ = select(func.count()).where(r.closed_at.is_(None))
    yield "encaisse_restorations_open", {(): float(tx.execute(open_).scalar_one())}


def _by(tx: Connection, *columns: Any) -> dict[Labels, float]:
    query = select(*columns, func.count()).group_by(*columns)
    return {
        labels(**{column.name: str(row[n]) for n, column in enumerate(columns)}): float(row[-1])
        for row in tx.execute(query)
    }
