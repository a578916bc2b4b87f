"""Prepare a PostgreSQL database: bring it up to date, and give a role the rights of the work."""

from __future__ import annotations

import click

from encaisse_core.app import database_of, folder_of
from encaisse_core.cli.session import Session
from encaisse_core.errors import UsageError
from encaisse_core.store import preparing


@click.group("database", help="Prépare une base PostgreSQL.")
def database() -> None:
    """Group the commands a database's owner runs."""


@database.command("prepare", help="Met la base à jour et donne ses droits au rôle de travail.")
@click.option(
    "--role",
    metavar="RÔLE",
    help="Rôle PostgreSQL existant, sans privilège, sous lequel encaisse travaillera.",
)
@click.pass_obj
def prepare(session: Session, role: str | None) -> None:
    """Bring the tables and the workers' queue to the code's version, then grant."""
    folder = session.folder or folder_of(session.environ)
    url = database_of(session.environ, folder)
    if not url.startswith("postgresql"):
        raise UsageError(
            "Cette commande prépare une base PostgreSQL : donnez l'adresse de son propriétaire "
            "dans ENCAISSE_DATABASE_URL. SQLite n'a rien à préparer."
        )
    done = preparing.prepare(url, role)
    click.echo(f"La base est à la révision {done.revision}.")
    click.echo(
        "La file des ouvriers est prête."
        if done.queue
        else "Sans file pour des ouvriers : pip install 'encaisse[workers]', puis recommencez."
    )
    if role is not None:
        click.echo(
            f"Le rôle {role} a les droits du travail et ne possède rien : PostgreSQL tient les "
            "sociétés à part."
        )
