"""The command behind `sync_daemon.py`."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import time
from types import FrameType

import click

from encaisse_core.cli.door import Answering
from encaisse_core.cli.ending import INTERRUPTED
from encaisse_core.cli.session import Session
from encaisse_core.daemon import AT, STOPPED, Daemon
from encaisse_core.errors import UsageError


@click.command(
    "sync_daemon", cls=Answering, help="Veille la nuit : une nuit par société, chaque jour."
)
@click.option("--at", "told", metavar="HH:MM", help="Heure de Paris ; par défaut 04:10.")
@click.option("--once", is_flag=True, help="Fait la nuit maintenant, puis s'arrête.")
@click.option("--debug", is_flag=True, help="Montre la trace d'une panne.")
@click.pass_context
def daemon(context: click.Context, told: str | None, once: bool, debug: bool) -> None:
    """Run nights; SIGTERM and SIGINT end it between two phases."""
    session = context.ensure_object(Session)
    session.debug = debug
    at = AT if told is None else _time(told)
    stopping, told_by = threading.Event(), list[int]()

    def stop(number: int, _frame: FrameType | None) -> None:
        told_by.append(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with session.open() as app:
        watch = Daemon(
            app=app,
            session=session,
            write=_to_stderr,
            wait=stopping.wait,
            stop_asked=stopping.is_set,
            at=at,
        )
        code = watch.run_and_end() if once else watch.run_forever()
    context.exit(INTERRUPTED if code == STOPPED and signal.SIGINT in told_by else code)


def _to_stderr(line: str) -> None:
    """Write at once: whoever reads the log reads it while the night runs."""
    print(line, file=sys.stderr, flush=True)


def _time(told: str) -> time:
    try:
        hour, minute = told.split(":")
        return time(int(hour), int(minute))
    except ValueError:
        raise UsageError(f"« {told} » n'est pas une heure : écrivez 04:10.") from None
