"""A limit of the process: it bites, it is put back, and no child is left with it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import pytest

from encaisse_einvoicing.reading import memory

resource = pytest.importorskip("resource", reason="this system has no limits of a process")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA is counted by Linux")

MIB = 1024 * 1024


def soft() -> int:
    return int(resource.getrlimit(resource.RLIMIT_DATA)[0])


def test_it_bites_and_is_put_back() -> None:
    before = soft()
    with memory.at_most(64 * MIB):
        assert soft() != before
        assert len(bytearray(16 * MIB)) == 16 * MIB
        with pytest.raises(MemoryError):
            bytearray(256 * MIB)
        with memory.at_most(1024 * MIB), pytest.raises(MemoryError):
            bytearray(256 * MIB)  # within a limit no other is set
    assert soft() == before
    with pytest.raises(KeyError), memory.at_most(64 * MIB):
        raise KeyError
    assert soft() == before


def in_a_fork(does: Callable[[], bool]) -> bool:
    child = os.fork()
    if not child:
        os._exit(0 if does() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_child_forked_meanwhile_has_neither_the_limit_nor_the_lock() -> None:
    before, held, done = soft(), threading.Event(), threading.Event()

    def reads() -> None:
        with memory.at_most(64 * MIB):
            held.set()
            done.wait(30)

    def free() -> bool:
        if soft() != before:
            return False
        with memory.at_most(64 * MIB):
            return soft() != before

    other = threading.Thread(target=reads)
    other.start()
    try:
        assert held.wait(30)
        assert in_a_fork(free)
    finally:
        done.set()
        other.join()
    assert soft() == before


def test_a_program_waits_for_the_limit_to_be_put_back() -> None:
    before, held = soft(), threading.Event()
    seen: list[int] = []

    def starts() -> None:
        held.wait(30)
        with memory.as_it_stands():
            seen.append(soft())

    other = threading.Thread(target=starts)
    other.start()
    with memory.at_most(64 * MIB):
        held.set()
        other.join(0.2)
        assert seen == []
    other.join(30)
    assert seen == [before]
