"""Say how far a long command is, on the error stream, with the seconds since it started."""

from __future__ import annotations

import time
from collections.abc import Callable

import click


def progress(started: float) -> Callable[[str], None]:
    """Give what says a line; `started` is a reading of the monotonic clock."""

    def tell(words: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {words}", err=True)

    return tell
