"""Count on stderr what goes through a command that lasts more than a second."""

import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import click

_QUIET_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 5.0
"""Time between two progress lines where no terminal lets one line be written over."""

Read = TypeVar("Read")


def with_progress(readings: Iterator[Read]) -> Iterator[Read]:
    """Count on stderr once reading has lasted a second; nothing before, nothing on stdout."""
    with counting("fichier lu", "fichiers lus") as count:
        for each in readings:
            count[0] += 1
            yield each


@contextmanager
def counting(one: str, several: str) -> Generator[list[int]]:
    """Give a list of one number to count in, and say it in these words as it grows."""
    done, count = threading.Event(), [0]
    ticker = threading.Thread(
        target=_tick, args=(count, done, one, several), name="progress", daemon=True
    )
    ticker.start()
    try:
        yield count
    finally:
        done.set()
        ticker.join()


def _tick(count: list[int], done: threading.Event, one: str, several: str) -> None:
    """Say how many were read: over one line on a terminal, else a plain line at times."""
    if done.wait(_QUIET_SECONDS):
        return
    live = sys.stderr.isatty()
    while True:
        said = f"{count[0]} {several if count[0] > 1 else one}…"
        click.echo(f"\r{said}" if live else said, err=True, nl=not live)
        if done.wait(_QUIET_SECONDS if live else _LINE_SECONDS):
            break
    if live:
        click.echo("\r\033[K", err=True, nl=False)
