"""End when the system asks (SIGTERM): at once where nothing is under way, else after this unit.

A unit is what should not be cut in two, such as a connection read or a company's night. Whatever
is cut all the same, by a second signal or a power cut, is undone or looked up later; ending between
units only spares that work.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""What shells say of a command somebody interrupted (SIGINT)."""

TERMINATED = 143
"""What shells say of a command the system ended (SIGTERM)."""

SENTENCES = {
    INTERRUPTED: "Interrompu : ce qui était enregistré le reste.",
    TERMINATED: "Arrêté à la demande du système : ce qui était enregistré le reste.",
}


class Terminated(BaseException):
    """Leave the command; no `except Exception` on the way takes it for a fault."""


class _Ending:
    under_way = 0
    told = False


def listen() -> None:
    """Take SIGTERM from now on."""
    _Ending.under_way, _Ending.told = 0, False
    signal.signal(signal.SIGTERM, _take)


def asked() -> bool:
    """Tell whether the system asked to end."""
    return _Ending.told


@contextmanager
def unit() -> Generator[None]:
    """Run one unit whole; leave after it when the system asked meanwhile."""
    _Ending.under_way += 1
    try:
        yield
    finally:
        _Ending.under_way -= 1
    if _Ending.told and not _Ending.under_way:
        raise Terminated


def _take(_number: int, _frame: FrameType | None) -> None:
    again, _Ending.told = _Ending.told, True
    if again or not _Ending.under_way:
        raise Terminated
