"""Keep a library that trusts its input from taking the machine's memory.

qpdf spends some 140 bytes on each number of an array whatever its own limits say, and a file of
twelve kilobytes can hold millions of them in one compressed object stream. Nothing in the file
tells so beforehand, so the system is asked to refuse the memory while the file is open.
"""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

try:
    import resource
except ImportError:  # Windows has no such limits: there a trap costs what it costs
    resource = None  # type: ignore[assignment]

_DATA: Final = 5
"""Where the size of data and stack stands in /proc/self/statm, in pages (proc(5))."""


class _Limit:
    """Hold the one limit a process has, and its own sizes open.

    Open, because reading an invoice opens no file, not even this one. One thread at a time sets the
    limit: each must put back what stood before it.
    """

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None
        self._start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _start(self) -> None:
        self.turn = threading.RLock()
        try:
            self._sizes: int | None = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, AttributeError):  # no Linux
            self._sizes = None

    def _forked(self) -> None:
        """Begin anew in a child: no thread of its parent's will end what that was doing."""
        if self._before is not None and resource is not None:
            resource.setrlimit(resource.RLIMIT_DATA, self._before)
            self._before = None
        if self._sizes is not None:
            os.close(self._sizes)
        self._start()

    @contextmanager
    def at_most(self, extra: int) -> Generator[None]:
        if resource is None or self._sizes is None or self._before is not None:
            yield  # no such limit here, or within one of this thread's
            return
        self._before = soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        held = int(os.pread(self._sizes, 200, 0).split()[_DATA]) * os.sysconf("SC_PAGESIZE")
        room = held + extra
        if resource.RLIM_INFINITY != soft < room:
            room = soft
        resource.setrlimit(resource.RLIMIT_DATA, (room, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
            self._before = None


_LIMIT: Final = _Limit()


@contextmanager
def at_most(extra: int) -> Generator[None]:
    """Let the process grow by so many bytes; beyond, allocating raises `MemoryError`.

    Linux counts what `RLIMIT_DATA` bounds where we can read it; elsewhere nothing is limited.
    """
    with _LIMIT.turn, _LIMIT.at_most(extra):
        yield


@contextmanager
def as_it_stands() -> Generator[None]:
    """Start a program under the limits this process was given: it keeps those it starts with."""
    with _LIMIT.turn:
        yield
