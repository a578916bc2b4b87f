"""Say the same statement many times at the driver's own cost.

What a statement costs in SQLAlchemy (a result, a context, keys of a cache) is several times what
the database asks for a row by its key. What stands in every effect and every event is therefore
made text once for each database and handed to the driver of the transaction that is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from sqlalchemy import Connection, CursorResult, Executable, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.functions import FunctionElement


class Moment(FunctionElement[str]):
    """Be the database's own clock, written as the store writes instants (`engine.stamp`)."""

    type = Text()
    inherit_cache = True


@compiles(Moment, "sqlite")
def _sqlite_moment(element: Moment, compiler: SQLCompiler, **kw: Any) -> str:
    """Write milliseconds as microseconds: SQLite knows no finer."""
    return "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"


@compiles(Moment, "postgresql")
def _postgresql_moment(element: Moment, compiler: SQLCompiler, **kw: Any) -> str:
    """Write the instant of this statement, not of its transaction."""
    form = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
    return f"to_char(clock_timestamp() at time zone 'UTC', '{form}')"


class Answer(Protocol):
    """Be what both a driver's cursor and SQLAlchemy's result can tell."""

    @property
    def rowcount(self) -> int:
        """Count the rows that were changed."""
        ...

    def fetchone(self) -> Sequence[Any] | None:
        """Give the next row."""
        ...

    def fetchall(self) -> Sequence[Sequence[Any]]:
        """Give all rows that are left."""
        ...


def _dialects() -> Mapping[str, Dialect]:
    named: Any = sqlite.dialect
    psycopg: Any = postgresql.psycopg.dialect
    return {"sqlite": named(paramstyle="named"), "postgresql": psycopg()}


_DIALECTS = _dialects()


@dataclass(frozen=True, slots=True)
class _Text:
    said: str
    constants: Mapping[str, Any]
    """What the statement brings along: a limit, an offset."""


def bare(result: CursorResult[*tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """Give a result's rows as its driver made them; text, whole numbers or None need no conversion.

    Of ten thousand rows, making each one that knows its names costs as much as asking for them, and
    is garbage to look through besides.
    """
    assert result.cursor is not None
    found = result.cursor.fetchall()
    result.close()
    return found


class Said:
    """Keep one statement; its values are text, whole numbers or None, and need no conversion."""

    def __init__(self, statement: Executable) -> None:
        self._statement = cast("ClauseElement", statement)
        self._texts: dict[str, _Text] = {}

    def _text(self, database: str) -> _Text:
        """Give it as a driver takes it."""
        found = self._texts.get(database)
        if found is None:
            compiled = self._statement.compile(
                dialect=_DIALECTS[database], compile_kwargs={"render_postcompile": True}
            )
            brought = {
                name: each for name, each in (compiled.params or {}).items() if each is not None
            }
            found = self._texts[database] = _Text(str(compiled), brought)
        return found

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Answer:
        """Run it within the transaction that is open; whoever hears statements hears this one."""
        database = connection.dialect.name
        text = self._texts.get(database) or self._text(database)
        asked = {**text.constants, **values} if text.constants else values
        if connection.engine.dispatch.before_cursor_execute:
            return cast("Answer", connection.exec_driver_sql(text.said, dict(asked)))
        driver: Any = connection.connection.dbapi_connection
        return cast("Answer", driver.execute(text.said, asked))

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each of several rows."""
        text = self._text(connection.dialect.name)
        asked = [{**text.constants, **row} for row in rows] if text.constants else rows
        if connection.engine.dispatch.before_cursor_execute:
            connection.exec_driver_sql(text.said, [dict(each) for each in asked])
            return
        driver: Any = connection.connection.dbapi_connection
        driver.cursor().executemany(text.said, asked)
