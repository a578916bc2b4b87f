"""Versions of the tables: which one a database has, which one is the code's, and how it gets there.

alembic is imported where tables are made or an unknown version is met. It costs a tenth of a start,
and a daemon that was killed starts on tables that are as they should be.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select

from encaisse_core.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

_KEPT = Table("alembic_version", MetaData(), Column("version_num", String(32)))
"""Where alembic keeps the version of a database."""


@cache
def head() -> str:
    """Name the code's version of the tables: the number of the last migration."""
    numbers = sorted(each.name.partition("_")[0] for each in MIGRATIONS.glob("versions/0*.py"))
    if not numbers:
        raise StoreError("Les tables de cette version d'encaisse sont introuvables : réinstallez.")
    return numbers[-1]


def version_of(connection: Connection) -> str | None:
    """Give a database's version; None where no tables were made."""
    if not inspect(connection).has_table(_KEPT.name):
        return None
    return connection.execute(select(_KEPT.c.version_num)).scalar_one_or_none()


def known_version(engine: Engine) -> str | None:
    """Give a database's version, None for an empty one; raise `StoreError` for a newer one."""
    with engine.connect() as connection:
        current = version_of(connection)
    if current is not None and current != head() and not is_known(current):
        raise StoreError(
            "La base de données a été écrite par une version plus récente d'encaisse "
            f"(révision {current}). Rien n'a été modifié : mettez encaisse à jour, puis "
            "relancez la commande."
        )
    return current


def is_known(revision: str) -> bool:
    """Tell whether this code knows a version of the tables, so that it can bring it to its own."""
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    try:
        ScriptDirectory.from_config(_alembic()).get_revision(revision)
    except CommandError:
        return False
    return True


def make_tables(engine: Engine, revision: str) -> None:
    """Bring the tables of a database, or of an empty one, to a version this code knows."""
    from alembic import command

    with engine.connect() as connection:
        command.upgrade(_alembic(connection), revision)


def _alembic(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
