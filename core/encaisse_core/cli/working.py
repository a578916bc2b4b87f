"""Run nights together with other workers, on one PostgreSQL."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import click

from encaisse_core.app import database_of
from encaisse_core.cli import watching
from encaisse_core.cli.session import Session
from encaisse_core.errors import UsageError
from encaisse_core.watch.lines import Repeating


@click.command("worker", help="Fait les nuits à plusieurs : un ouvrier, sur PostgreSQL.")
@click.option(
    "--once",
    is_flag=True,
    help="Demande chaque nuit maintenant, puis s'arrête quand tout est fait.",
)
@watching.options
@click.pass_context
def worker(context: click.Context, /, once: bool, **asked: Any) -> None:
    """Take nights from the queue; SIGTERM and SIGINT end it between two phases."""
    session, told = context.ensure_object(Session), watching.Told()
    if importlib.util.find_spec("procrastinate") is None:
        raise UsageError(
            "Les ouvriers demandent un paquet de plus : pip install 'encaisse[workers]'. "
            "Un seul veilleur (sync_daemon.py) s'en passe."
        )
    from encaisse_core.workers import working

    with watching.watching(context, told, keeps_watch=not once, **asked) as watch:
        store = watch.app.host.store
        if store.sqlite:
            raise UsageError(
                "Les ouvriers partagent une base PostgreSQL : donnez son adresse dans "
                "ENCAISSE_DATABASE_URL. Sur SQLite, un seul veilleur suffit (sync_daemon.py)."
            )
        heard = Repeating(watch.write)
        jobs = logging.getLogger("procrastinate")
        jobs.addHandler(heard)
        jobs.propagate = False  # it would quote what a job was given
        try:
            url = database_of(session.environ, watch.app.folder)
            code = working.work(watch, url, once=once, stop=told.end)
        finally:
            jobs.removeHandler(heard)
            jobs.propagate = True
    context.exit(told.code(code))
