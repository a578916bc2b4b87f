"""Count on stderr while files go through a command that lasts more than a second."""

import sys
import threading
from collections.abc import Iterator
from typing import Final, TypeVar

import click

_QUIET_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 5.0
"""Time between two progress lines where no terminal lets one line be written over."""

Read = TypeVar("Read")


def with_progress(readings: Iterator[Read]) -> Iterator[Read]:
    """Count on stderr once reading has lasted a second; nothing before, nothing on stdout."""
    done, count = threading.Event(), [0]
    ticker = threading.Thread(target=_tick, args=(count, done), name="progress", daemon=True)
    ticker.start()
    try:
        for each in readings:
            count[0] += 1
            yield each
    finally:
        done.set()
        ticker.join()


def _tick(count: list[int], done: threading.Event) -> None:
    """Say how many files were read: over one line on a terminal, else a plain line at times."""
    if done.wait(_QUIET_SECONDS):
        return
    live = sys.stderr.isatty()
    while True:
        said = f"{count[0]} fichiers lus…" if count[0] > 1 else f"{count[0]} fichier lu…"
        click.echo(f"\r{said}" if live else said, err=True, nl=not live)
        if done.wait(_QUIET_SECONDS if live else _LINE_SECONDS):
            break
    if live:
        click.echo("\r\033[K", err=True, nl=False)
