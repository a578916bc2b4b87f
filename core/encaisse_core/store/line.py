"""Keep one connection for a row of short transactions, and end each of them by the driver.

Taking a connection from the pool, beginning and ending by SQLAlchemy's own machinery costs more
than the transaction of one effect. Whoever has many to make keeps a line meanwhile: what its thread
begins for the same company goes over it, each transaction by itself as before.

A line is given back at the first error, so that what comes next begins on a connection the pool has
looked at; and it is left alone once the engine has another pool, since it belongs to a process this
one was forked from.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Pool

from encaisse_core.store.apart import Scope


def _hung_up(line: Line) -> bool:
    """Tell whether the server said anything on an idle connection: that it ends, as a rule."""
    if line.driver.closed:
        return True
    waiting = select.poll()
    waiting.register(line.driver.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


@dataclass
class Line:
    """Hold one connection between its transactions; `busy` while one is open."""

    connection: Connection
    scope: Scope
    pool: Pool
    driver: Any
    busy: bool = False


class Lines:
    """Keep at most one line for each thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._mine = threading.local()
        self._idle: set[int] = set()
        self._left: list[Line] = []

    @property
    def idle(self) -> int:
        """Count the connections that are kept while no transaction is open on them."""
        return len(self._idle)

    @contextmanager
    def kept(self, scope: Scope) -> Generator[None]:
        """Keep a line for what this thread begins as `scope`; within another, that one goes on."""
        if self._asked() is not None:
            yield
            return
        self._mine.asked = scope
        try:
            yield
        finally:
            self._mine.asked = None
            self._give_back()

    def free(self, scope: Scope) -> Line | None:
        """Give this thread's line for a transaction of `scope`; None where it begins by itself."""
        asked = self._asked()
        if asked is None or not (self._sqlite or scope == asked):
            return None
        line: Line | None = getattr(self._mine, "line", None)
        if line is not None and line.pool is not self._engine.pool:
            self._left.append(line)  # closing it would end it in the process it belongs to
            self._forget(line)
            line = None
        if line is not None and not line.busy and not self._sqlite and _hung_up(line):
            self._give_back()
            line = None
        if line is None:
            line = self._take(asked)
        return None if line.busy else line

    def open(self, line: Line) -> None:
        """Begin a transaction on a line; `close` or `fail` ends it."""
        line.busy = True
        self._idle.discard(id(line))
        if self._sqlite:
            line.driver.execute("BEGIN IMMEDIATE")

    def close(self, line: Line) -> None:
        """Let all of it land."""
        line.driver.commit()
        line.busy = False
        self._idle.add(id(line))

    def fail(self) -> None:
        """Let nothing of it land; what comes next begins on another connection."""
        self._give_back()

    def _asked(self) -> Scope | None:
        asked: Scope | None = getattr(self._mine, "asked", None)
        return asked

    def _take(self, scope: Scope) -> Line:
        connection = self._engine.connect()
        try:
            connection.begin()
            driver: Any = connection.connection.driver_connection
            scope.settle(connection)
            driver.commit()  # from here on the driver begins and ends
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        line = self._mine.line = Line(connection, scope, self._engine.pool, driver)
        self._idle.add(id(line))
        return line

    def _give_back(self) -> None:
        """Give the connection back as it came; one that cannot say so is thrown away."""
        line: Line | None = getattr(self._mine, "line", None)
        if line is None:
            return
        self._forget(line)
        if line.pool is not self._engine.pool:
            self._left.append(line)
            return
        connection = line.connection
        try:
            line.driver.rollback()
            line.scope.unsettle(connection)
            line.driver.commit()
        except Exception:
            with suppress(Exception):
                connection.invalidate()
        with suppress(Exception):
            connection.close()

    def _forget(self, line: Line) -> None:
        self._mine.line = None
        self._idle.discard(id(line))
