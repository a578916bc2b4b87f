"""The command behind `sync_daemon.py`, and what `encaisse worker` shares with it."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time
from http import HTTPStatus
from typing import Any

import click

from encaisse_core.app import App
from encaisse_core.cli.door import Answering
from encaisse_core.cli.ending import INTERRUPTED
from encaisse_core.cli.session import Function, Session
from encaisse_core.cli.start import started
from encaisse_core.crew import Crew
from encaisse_core.daemon import AT, STOPPED, Daemon
from encaisse_core.errors import UsageError
from encaisse_core.hooks.lookout import Lookout
from encaisse_core.hooks.receiving import ANSWERS, Letterbox
from encaisse_core.host import Link
from encaisse_core.store.engine import stamp
from encaisse_core.watch import traces
from encaisse_core.watch.figures import RequestsHeard
from encaisse_core.watch.heartbeat import SETTING, Heartbeat, checked
from encaisse_core.watch.lines import Form, Lines, Repeating
from encaisse_core.watch.outside import Outside
from encaisse_core.watch.served import Served, address
from encaisse_core.watch.state import Looking

HANDS = 4
"""Nights at once by default; several machines, or many companies, want more."""


def options(function: Function) -> Function:
    """Add what can be asked of whoever runs nights; `watching` takes it."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--at", "told", metavar="HH:MM", help="Heure de Paris ; par défaut 04:10."),
    click.option(
        "--log",
        "form",
        type=click.Choice(["json", "text"]),
        help="Forme du journal : json, ou text ; par défaut text sur un terminal, json sinon.",
    ),
    click.option(
        "--listen",
        metavar="127.0.0.1:PORT",
        help="Répond à /healthz, /readyz, /metrics et aux notifications, sur cette machine.",
    ),
    click.option(
        "--heartbeat",
        metavar="URL",
        help=f"Témoin extérieur à prévenir de chaque nuit ; par défaut {SETTING}.",
    ),
    click.option("--trace", is_flag=True, help="Envoie des traces OpenTelemetry (encaisse[otel])."),
    click.option("--debug", is_flag=True, help="Montre la trace d'une panne."),
)


@click.command(
    "sync_daemon", cls=Answering, help="Veille la nuit : une nuit par société, chaque jour."
)
@click.option("--once", is_flag=True, help="Fait la nuit maintenant, puis s'arrête.")
@click.option(
    "--hands",
    type=click.IntRange(1, 64),
    default=HANDS,
    show_default=True,
    help="Combien de sociétés ont leur nuit en même temps.",
)
@options
@click.pass_context
def daemon(context: click.Context, /, once: bool, **asked: Any) -> None:
    """Run nights; SIGTERM and SIGINT end it between two phases."""
    told = Told()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: told.end(number))
    with watching(context, told, keeps_watch=not once, **asked) as watch:
        code = watch.run_and_end() if once else watch.run_forever()
    context.exit(told.code(code))


@dataclass
class Told:
    """Remember which signals asked us to end."""

    stopping: threading.Event = field(default_factory=threading.Event)
    signals: list[int] = field(default_factory=list[int])

    def end(self, number: int) -> None:
        """Hear one."""
        self.signals.append(number)
        self.stopping.set()

    def code(self, code: int) -> int:
        """Give the exit code: nights that a Ctrl-C cut short are told from others."""
        return INTERRUPTED if code == STOPPED and signal.SIGINT in self.signals else code


@contextmanager
def watching(
    context: click.Context,
    asked_to_end: Told,
    *,
    keeps_watch: bool,
    told: str | None,
    form: Form | None,
    listen: str | None,
    heartbeat: str | None,
    trace: bool,
    debug: bool,
    hands: int = 1,
) -> Generator[Daemon]:
    """Open the host for whoever runs nights, and show it to whoever was asked to be shown it."""
    session = context.ensure_object(Session)
    session.debug = debug
    at = AT if told is None else _time(told)
    where = None if listen is None else address(listen)
    url = heartbeat or session.environ.get(SETTING)
    witness = None if not url else checked(url)
    lines = Lines(
        sys.stderr,
        form or ("text" if sys.stderr.isatty() else "json"),
        secrets=lambda: [*session.secrets, *([witness] if witness else [])],
    )
    with (
        session.open() as app,
        listening(app, lines, keeps_watch=keeps_watch) as lookout,
        seen(app, lines, where, witness, trace=trace, lookout=lookout) as outside,
    ):
        started()
        yield Daemon(
            app=app,
            session=session,
            write=lines,
            wait=asked_to_end.stopping.wait,
            stop_asked=asked_to_end.stopping.is_set,
            at=at,
            outside=outside,
            crew=Crew(hands),
        )


@contextmanager
def seen(
    app: App,
    lines: Lines,
    where: tuple[str, int] | None,
    witness: str | None,
    *,
    trace: bool = False,
    lookout: Lookout | None = None,
) -> Generator[Outside]:
    """Show the daemon to whoever was asked to be shown it, until the block ends."""
    host, outside = app.host, Outside()
    handlers: list[logging.Handler] = []

    def hear(name: str, handler: logging.Handler) -> None:
        handlers.append(handler)
        logging.getLogger(name).addHandler(handler)

    root, requests = logging.getLogger("encaisse"), logging.getLogger("encaisse.http")
    before = (root.propagate, requests.level)
    hear("encaisse", Repeating(lines))
    root.propagate = False  # what connectors say is told by us, without their words, or not at all
    if where is not None or trace:
        requests.setLevel(logging.INFO)
    if trace:
        traces.export_by_environment()
        outside.spans, spanned = traces.spans()
        hear("encaisse.http", spanned)
    if witness is not None:
        outside.heartbeat = Heartbeat(
            witness,
            host.store,
            host.clock.now,
            lambda why: lines(
                json.dumps(
                    {
                        "at": stamp(host.clock.now()),
                        "level": "warning",
                        "event": "heartbeat_not_taken",
                        "why": why,
                    }
                )
            ),
        )
    served, looking = None, None
    try:
        if where is not None:
            hear("encaisse.http", RequestsHeard(outside.figures))
            looking = Looking(host.store, host.clock.now)
            letterbox = None if lookout is None else _letterbox(app, outside, lookout, lines)
            served = Served(where, outside.pulse, looking, outside.figures, letterbox)
            lines(
                json.dumps(
                    {"at": stamp(host.clock.now()), "event": "listening", "port": served.port}
                )
            )
        yield outside
    finally:
        if served is not None:
            served.close()
        if looking is not None:
            looking.close()
        for handler in handlers:
            for name in ("encaisse", "encaisse.http"):
                logging.getLogger(name).removeHandler(handler)
        root.propagate = before[0]
        requests.setLevel(before[1])


@contextmanager
def listening(app: App, lines: Lines, *, keeps_watch: bool) -> Generator[Lookout | None]:
    """Keep watch beside the nights until the block ends; a single night has nobody to come back."""
    if not keeps_watch:
        yield None
        return
    lookout = Lookout(app.host, _teller(app, lines))
    lookout.start()
    try:
        yield lookout
    finally:
        lookout.close()


def _teller(app: App, lines: Lines) -> Callable[[str, str, Mapping[str, object]], None]:
    def tell(level: str, event: str, said: Mapping[str, object]) -> None:
        at = stamp(app.host.clock.now())
        lines(json.dumps({"at": at, "level": level, "event": event, **said}, ensure_ascii=False))

    return tell


def _letterbox(app: App, outside: Outside, lookout: Lookout, lines: Lines) -> Letterbox:
    """Take deliveries in for a lookout, counted and said by outcome."""
    tell = _teller(app, lines)

    def told(outcome: str, where: Link | None) -> None:
        connector = where.connector if where is not None else ""
        outside.figures.count("encaisse_deliveries_total", connector=connector, outcome=outcome)
        if where is not None:
            level = "info" if ANSWERS[outcome] == HTTPStatus.OK else "warning"
            tell(
                level,
                "delivery",
                {"company": where.company_id, "connection": where.id, "outcome": outcome},
            )

    return Letterbox(app.host, app.vault, lookout.wake, told)


def _time(told: str) -> time:
    try:
        hour, minute = told.split(":")
        return time(int(hour), int(minute))
    except ValueError:
        raise UsageError(f"« {told} » n'est pas une heure : écrivez 04:10.") from None
