"""Open the store, keep it at the code's version, and give transactions.

SQLite by default (write-ahead log, so that readers never wait and a killed process loses nothing it
committed), PostgreSQL by URL. Writers on SQLite take the lock at once (`BEGIN IMMEDIATE`): a
transaction that reads before it writes could otherwise lose its turn half-way.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    QueuePool,
    Text,
    bindparam,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from encaisse_core import chaos
from encaisse_core.clock import SystemClock
from encaisse_core.errors import StoreError
from encaisse_core.store import schema, versions
from encaisse_core.store.apart import NOWHERE, Scope
from encaisse_core.store.line import Line, Lines
from encaisse_core.store.refusals import store_error, wrapped
from encaisse_core.store.said import Moment, Said


def stamp(instant: datetime) -> str:
    """Write an instant as the store keeps it: UTC, microseconds, sorting as it reads."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone cannot be stored")
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    text_ = instant.isoformat()
    if len(text_) != WRITTEN:  # it leaves out microseconds that are none; asking for them is slower
        text_ = instant.isoformat(timespec="microseconds")
    return text_[:-OFFSET] + "Z"


def instant(text_: str) -> datetime:
    """Read an instant the store keeps; `ValueError` for one in any other form."""
    if len(text_) != STAMPED or text_[-1] != "Z":
        raise ValueError("not an instant the store keeps")
    return datetime.fromisoformat(text_)


STAMPED = len("2026-01-01T00:00:00.000000Z")
OFFSET = len("+00:00")
WRITTEN = len("2026-01-01T00:00:00.000000+00:00")


class Store:
    """Give transactions on one database, and its own time; `scope` says whose rows they are about.

    What `of`, `listing` and `overseeing` give are views of one store: one engine, one time.
    """

    def __init__(
        self, engine: Engine, *, scope: Scope = NOWHERE, whole: Store | None = None
    ) -> None:
        self.engine = engine
        self.scope = scope
        self._whole = whole or self
        self.lines: Lines = whole.lines if whole is not None else Lines(engine)
        self._virtual = False
        self._shared: Callable[[], datetime] | None = None

    def of(self, company_id: str) -> Store:
        """Give it as one company sees it."""
        return Store(self.engine, scope=Scope(company=company_id), whole=self._whole)

    def listing(self) -> Store:
        """Give it to whoever must know which companies there are, and no more."""
        return Store(self.engine, scope=Scope(reach="companies"), whole=self._whole)

    def planning(self) -> Store:
        """Give it to whoever plans nights: which companies there are, and which had theirs."""
        return Store(self.engine, scope=Scope(reach="nights"), whole=self._whole)

    def attending(self) -> Store:
        """Give it to whoever asks which companies have something due by day."""
        return Store(self.engine, scope=Scope(reach="due"), whole=self._whole)

    def overseeing(self) -> Store:
        """Give it to whoever has to read of all companies at once, without writing any row."""
        return Store(self.engine, scope=Scope(reach="all"), whole=self._whole)

    @property
    def sqlite(self) -> bool:
        """Tell which of the two databases this is."""
        return self.engine.dialect.name == "sqlite"

    def begin(self, place: str = chaos.ELSEWHERE) -> AbstractContextManager[Connection]:
        """Open a transaction: all of it lands, or nothing. `place` names it in `chaos.COMMITS`."""
        try:
            line = self.lines.free(self.scope)
        except Exception as error:
            refused = self.refusal(error)
            if refused is None:
                raise
            raise refused from error
        return self._long(place) if line is None else _Short(self, line, place)

    @contextmanager
    def _long(self, place: str) -> Generator[Connection]:
        try:
            with self.engine.begin() as connection:
                self.scope.begin(connection)
                yield connection
                chaos.point(place, "before_commit")
        except Exception as error:
            refused = self.refusal(error)
            if refused is None:
                raise
            raise refused from error
        chaos.point(place, "after_commit")

    def refusal(self, error: BaseException) -> Exception | None:
        """Say what a fault means when it is the database's; None for any other."""
        if isinstance(error, DBAPIError):
            return store_error(error)
        driver = self.engine.dialect.loaded_dbapi
        if isinstance(error, driver.Error):  # of a statement that was handed to the driver itself
            return store_error(wrapped(error, driver.Error))
        return None

    @contextmanager
    def kept(self) -> Generator[None]:
        """Keep one connection for the many short transactions this thread begins meanwhile."""
        with self.lines.kept(self.scope):
            yield

    @property
    def within(self) -> bool:
        """Tell whether any transaction of this process is under way."""
        pool = self.engine.pool
        return isinstance(pool, QueuePool) and pool.checkedout() > self.lines.idle

    def db_now(self, connection: Connection) -> datetime:
        """Tell the instant leases are compared with: the database's clock, never a worker's.

        Two machines' clocks differ; a lease judged by one and granted by the other would let two
        workers hold one effect. In simulations it is the one row of `virtual_clock`. SQLite has no
        clock but its machine's, and who shares its file is on that machine: it need not be asked.
        """
        if self._told_by_us:
            return self.told(connection, "")
        if self.sqlite:
            return _MACHINE.now()
        row = _CLOCK.run(connection, {}).fetchone()
        assert row is not None
        return instant(row[0])

    def told(self, connection: Connection, moment: str) -> datetime:
        """Take the `Moment` a statement brought along; in simulations, the simulated one."""
        if self._whole._shared is not None:
            return self._whole._shared()
        if self._whole._virtual:
            row = _VIRTUAL.run(connection, {}).fetchone()
            assert row is not None
            return instant(row[0])
        return instant(moment)

    @property
    def _told_by_us(self) -> bool:
        return self._whole._shared is not None or self._whole._virtual

    def one_at_a_time(self, connection: Connection, company_id: str) -> datetime:
        """Let one worker at a time think about a company, until its transaction ends.

        SQLite has one writer anyway; on PostgreSQL two could recognise one payment at once. Gives
        the instant at which its turn came.
        """
        if self.sqlite:
            return self.db_now(connection)
        _TURN.run(connection, {"number": _lock_number(company_id)})
        return self.db_now(connection)

    def set_virtual_now(self, now: datetime) -> None:
        """Put the store on simulated time."""
        with self.begin() as connection:
            if _SET_VIRTUAL.run(connection, {"instant": stamp(now)}).rowcount == 0:
                connection.execute(schema.virtual_clock.insert().values(id=1, now=stamp(now)))
        self._whole._virtual = True

    def share_time(self, now: Callable[[], datetime]) -> None:
        """Take the time from a clock of this process, in a simulation that has no other process."""
        self._whole._shared = now

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


class _Short:
    """Be one of the many transactions of a line; a generator for each costs a fiftieth of it."""

    __slots__ = ("_line", "_place", "_store")

    def __init__(self, store: Store, line: Line, place: str) -> None:
        self._store, self._line, self._place = store, line, place

    def __enter__(self) -> Connection:
        lines = self._store.lines
        try:
            lines.open(self._line)
        except BaseException as error:
            self._fail(error)
            raise
        return self._line.connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if error is not None:
            self._fail(error)
            return
        try:
            chaos.point(self._place, "before_commit")
            self._store.lines.close(self._line)
        except BaseException as met:
            self._fail(met)
            raise
        chaos.point(self._place, "after_commit")

    def _fail(self, error: BaseException) -> None:
        """Let nothing of it land, and raise what a database's own fault means."""
        self._store.lines.fail()
        refused = self._store.refusal(error)
        if refused is not None:
            raise refused from error


_MACHINE = SystemClock()
_VIRTUAL = Said(select(schema.virtual_clock.c.now))
_SET_VIRTUAL = Said(schema.virtual_clock.update().values(now=bindparam("instant", type_=Text)))
_CLOCK = Said(select(Moment()))
_TURN = Said(select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger))))


@cache
def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def open_store(url: str, *, migrate: bool = True) -> Store:
    """Open the database at `url` and bring it to the code's version.

    Raises `StoreError` when it was written by a newer version: going on would lose what that
    version added.
    """
    engine = _engine(url)
    try:
        if versions.known_version(engine) != versions.head() and migrate:
            versions.make_tables(engine, "head")
    except DBAPIError as error:
        engine.dispose()
        raise store_error(error) from error
    except StoreError:
        engine.dispose()
        raise
    return Store(engine)


def _engine(url: str) -> Engine:
    """Make the engine. Raise `StoreError` for an address nobody can open; it may hold a password,
    so it is not repeated.
    """
    try:
        kind = make_url(url).get_backend_name()
        if kind == "postgresql":
            return create_engine(url, pool_pre_ping=True)
        if kind != "sqlite":
            raise ArgumentError("neither of the two databases")
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
    except (ArgumentError, ImportError, ValueError) as error:
        raise StoreError(
            "ENCAISSE_DATABASE_URL n'est pas l'adresse d'une base : elle s'écrit "
            "sqlite:////chemin/encaisse.db ou postgresql+psycopg://utilisateur@serveur/base."
        ) from error

    def on_connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come too late
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "cache_size=-16000",  # KiB; its own 2 MB read a set's claims from the file twice
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def plain_engine(url: str) -> Engine:
    """Open a database as the store does, without asking for its version."""
    return _engine(url)


def snapshot(store: Store) -> Engine:
    """Make an engine whose transactions read one moment of all companies and hold nobody up.

    Its user disposes it.
    SQLite reads from the write-ahead log while others write; PostgreSQL in a transaction that is
    repeatable and read-only.
    """
    url = store.engine.url
    if not store.sqlite:
        isolated = create_engine(url, isolation_level="REPEATABLE READ")

        def read_only(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            Scope(reach="all").begin(connection)

        event.listen(isolated, "begin", read_only)
        return isolated
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    def on_connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only=ON").close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def rows(result: Any) -> list[dict[str, Any]]:
    """List a result's rows as dictionaries."""
    return [dict(row) for row in result.mappings()]
