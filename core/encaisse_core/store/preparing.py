"""Prepare a PostgreSQL database for a role that works in it and owns nothing."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import resources

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from encaisse_core.errors import UsageError
from encaisse_core.store import schema
from encaisse_core.store.apart import grants
from encaisse_core.store.engine import open_store
from encaisse_core.store.refusals import store_error
from encaisse_core.store.versions import head

QUEUE = "encaisse_jobs"
"""Where the queue of workers stands: beside our tables, in none of our backups."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tell which version the tables have, and whether workers have a queue."""

    revision: str
    queue: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Say what a role is to a database: what it may bypass, and what it owns."""

    name: str
    bypasses: bool
    owns: bool


def prepare(url: str, role: str | None) -> Prepared:
    """Migrate, make the queue where procrastinate is installed, grant `role` the work's rights.

    Raises `UsageError` for a role that does not exist, or that row-level security would not hold.
    """
    store = open_store(url)
    try:
        with store.engine.begin() as tx:
            if role is not None:
                _check(tx, role)
            queue = _make_queue(tx)
            if role is not None:
                _grant(tx, role, queue)
    except DBAPIError as error:
        raise store_error(error) from error
    finally:
        store.close()
    return Prepared(head(), queue)


def standing(tx: Connection) -> Standing:
    """Tell what the role we are connected as is to this database; on PostgreSQL only."""
    row = tx.execute(
        text(
            "select r.rolname, r.rolsuper or r.rolbypassrls, exists (select from pg_class c"
            " where c.relname = 'company' and c.relnamespace = 'public'::regnamespace"
            " and pg_has_role(r.oid, c.relowner, 'usage'))"
            " from pg_roles r where r.rolname = current_user"
        )
    ).one()
    return Standing(str(row[0]), bool(row[1]), bool(row[2]))


def _check(tx: Connection, role: str) -> None:
    found = tx.execute(
        text(
            "select r.rolsuper or r.rolbypassrls, pg_has_role(r.oid, c.relowner, 'member')"
            " from pg_roles r, pg_class c where r.rolname = :role and c.relname = 'company'"
            " and c.relnamespace = 'public'::regnamespace"
        ),
        {"role": role},
    ).first()
    if found is None:
        raise UsageError(
            f"Le rôle {role} n'existe pas. Créez-le : "
            f"create role {role} login password '…' nosuperuser nobypassrls;"
        )
    if found[0] or found[1]:
        raise UsageError(
            f"Le rôle {role} est super-utilisateur, contourne la sécurité par ligne ou possède la "
            "base : elle ne le retiendrait pas. Donnez un rôle qui n'a rien de cela."
        )


def _make_queue(tx: Connection) -> bool:
    if importlib.util.find_spec("procrastinate") is None:
        return False
    tx.exec_driver_sql(f"create schema if not exists {QUEUE}")
    made = tx.execute(
        text("select to_regclass(:name) is not null"), {"name": f"{QUEUE}.procrastinate_jobs"}
    ).scalar_one()
    if not made:
        tx.exec_driver_sql(f"set local search_path to {QUEUE}")
        sql = (resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8")
        cursor = tx.connection.cursor()
        cursor.execute(sql)
        cursor.close()
        tx.exec_driver_sql("set local search_path to default")
    return True


def _grant_sets(tx: Connection, role: str, quoted: str) -> None:
    """Let a role lay sets out in temporary tables, where everybody's right to do so was revoked.

    Only the database's owner may hand it on; anybody else's grant is a warning that does nothing.
    Raises `UsageError` where the role is left without it: its first large page would fail at night.
    """
    name = str(tx.exec_driver_sql("select current_database()").scalar_one())
    here = tx.dialect.identifier_preparer.quote(name)
    tx.exec_driver_sql(f"grant temporary on database {here} to {quoted}")
    may = text("select has_database_privilege(:role, current_database(), 'temporary')")
    if not tx.execute(may, {"role": role}).scalar_one():
        raise UsageError(
            f"Le rôle {role} ne peut pas faire de tables temporaires dans la base {name}, et seul "
            "le propriétaire de la base peut le lui permettre. Qu'il exécute : "
            f"grant temporary on database {here} to {quoted};"
        )


def _grant(tx: Connection, role: str, queue: bool) -> None:
    quoted = tx.dialect.identifier_preparer.quote(role)
    _grant_sets(tx, role, quoted)
    for statement in grants(quoted, schema.metadata.sorted_tables):
        tx.exec_driver_sql(statement)
    if queue:
        tx.exec_driver_sql(f"grant usage on schema {QUEUE} to {quoted}")
        for what in ("select, insert, update, delete on all tables", "usage on all sequences"):
            tx.exec_driver_sql(f"grant {what} in schema {QUEUE} to {quoted}")
