"""Say on stderr what takes longer than a second, and nothing of what does not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

import click

QUIET_SECONDS = 1.0


@contextmanager
def step(what: str) -> Generator[None]:
    """Run a step; once it has lasted a second, say what it is and, on a terminal, how long."""
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, done), name="progress", daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _tick(what: str, done: threading.Event) -> None:
    if done.wait(QUIET_SECONDS):
        return
    if not sys.stderr.isatty():
        click.echo(f"{what}…", err=True)
        return
    seconds = 1
    while True:
        click.echo(f"\r{what}… {seconds} s", err=True, nl=False)
        if done.wait(1.0):
            click.echo("\r\033[K", err=True, nl=False)
            return
        seconds += 1
