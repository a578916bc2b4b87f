"""Hold a connector to its context while it runs: no socket, no sleep, no clock of its own.

Watched through the interpreter's profile hook, so that nothing is patched and it does not matter
under which name a function was imported.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from types import FrameType
from typing import Any

OURS = frozenset({"builtins", "typing", "abc", "encaisse_api"})
CLOCKS = frozenset({time.time, time.time_ns, time.monotonic, time.monotonic_ns})
TODAY = frozenset({"now", "utcnow", "today"})
SOCKETS = frozenset({"connect", "connect_ex", "sendto", "bind", "getaddrinfo", "gethostbyname"})
WATCHED = TODAY | SOCKETS | {"sleep"} | {clock.__name__ for clock in CLOCKS}


class Strayed(BaseException):
    """Stop a connector that leaves its context.

    Not an `Exception`, because a connector that swallows what goes wrong must not swallow this.
    """


@contextmanager
def confined(connector: type) -> Generator[None]:
    """Raise `Strayed` from the call that leaves the context.

    A clock is refused to the connector's own modules alone: logging stamps its records, and a
    library may measure itself. Sockets and sleep are refused to all it calls.
    """
    own = {base.__module__.partition(".")[0] for base in connector.__mro__} - OURS

    def watch(frame: FrameType, event: str, called: Any) -> None:
        if (
            event == "c_call"
            and called.__name__ in WATCHED  # asked of every call there is, so asked first
            and (strayed := _strayed(frame, called, own))
        ):
            raise Strayed(strayed)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)


def _strayed(frame: FrameType, called: Any, own: set[str]) -> str:
    name, owner = called.__name__, called.__self__
    if called is time.sleep:
        return "sleeps: raise `Transient(retry_after=…)`, and the host waits"
    if name in SOCKETS and (isinstance(owner, socket.socket) or called.__module__ == "_socket"):
        return "opens a socket: `context.http` is its only way out"
    reads = called in CLOCKS or (
        name in TODAY and isinstance(owner, type) and issubclass(owner, date)
    )
    if reads and frame.f_globals.get("__name__", "").partition(".")[0] in own:
        return f"reads the clock (`{name}`): `context.now` and `context.today` are the time"
    return ""
