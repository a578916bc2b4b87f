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
_TURN: Final = threading.RLock()
"""One at a time: the limit is the process's, and each must put back what stood before it."""


class _Sizes:
    """Keep the process's own sizes open: reading an invoice opens no file, not even this one."""

    def __init__(self) -> None:
        self.open()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.reopen)

    def open(self) -> None:
        try:
            self.file: int | None = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, AttributeError):  # no Linux
            self.file = None

    def reopen(self) -> None:
        """Look at the child's own sizes, not at its parent's."""
        if self.file is not None:
            os.close(self.file)
            self.open()

    def data(self, file: int) -> int:
        """Give the bytes of data and stack."""
        return int(os.pread(file, 200, 0).split()[_DATA]) * os.sysconf("SC_PAGESIZE")


_SIZES: Final = _Sizes()


@contextmanager
def at_most(extra: int) -> Generator[None]:
    """Let the process grow by so many bytes; beyond, allocating raises `MemoryError`.

    Linux counts what `RLIMIT_DATA` bounds where we can read it; elsewhere nothing is limited.
    """
    if resource is None or _SIZES.file is None:
        yield
        return
    with _TURN:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        room = _SIZES.data(_SIZES.file) + extra
        if resource.RLIM_INFINITY != soft < room:
            room = soft
        resource.setrlimit(resource.RLIMIT_DATA, (room, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
