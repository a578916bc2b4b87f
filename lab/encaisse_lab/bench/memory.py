"""Read ten thousand files in a fresh process and watch what it holds.

The files come from the disk one after the other, as a folder's do. The process is a new one, so
that what the peers keep is not counted.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from encaisse_einvoicing import read_bytes
from encaisse_lab.bench.sets import File

WARM = 10
"""A tenth of the files is read before the first figure: imports, the table, the heap's growth."""


@dataclass(frozen=True, slots=True)
class Held:
    """Be resident memory in MiB: before the first file, once warm, at the end, at its highest."""

    files: int
    start: float
    warm: float
    end: float
    peak: float

    @property
    def growth(self) -> float:
        """Tell by which part what is held grew from warm to the end; 0.01 is one per cent."""
        return self.end / self.warm - 1


def held(files: Sequence[File], count: int) -> Held:
    """Read `count` files, the same ones over and over, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(files):
            (Path(folder) / str(number)).write_bytes(file.data)
        with get_context("spawn").Pool(1) as pool:
            return pool.apply(_read_all, (folder, len(files), count))


def _read_all(folder: str, files: int, count: int) -> Held:
    start = resident()
    warm = end = peak = start
    for number in range(count):
        data = (Path(folder) / str(number % files)).read_bytes()
        read_bytes("", data)
        if number % 50 == 0:
            end = resident()
            peak = max(peak, end)
        if number == count // WARM:
            warm = resident()
    end = resident()
    return Held(count, start, warm, end, max(peak, end))


def resident() -> float:
    """Give the resident memory of this process in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
