"""Time every library on every file, round after round, in CPU time.

The rounds of the libraries alternate, so that a busy moment of the machine falls on all of them;
the time kept for a file is the quickest of its rounds, since whatever else a machine does only ever
adds (as `timeit` advises), and adds the more to whoever takes least. A ratio is taken on the files
both read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from encaisse_lab.bench.peers import Peer
from encaisse_lab.bench.sets import File


@dataclass
class Times:
    """Hold what one library did: CPU seconds per file read, the field of each value per file."""

    peer: Peer
    given: dict[str, int] = field(default_factory=dict[str, int])
    """Files handed over, by syntax."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


def measure(
    libraries: Sequence[Peer],
    files: Sequence[File],
    rounds: int,
    tell: Callable[[str], None],
) -> list[Times]:
    """Time all of them; a file a library cannot read is left out of its times."""
    every = [_tried(peer, files) for peer in libraries]
    taken: list[dict[str, list[float]]] = [{name: [] for name in each.seconds} for each in every]
    by_name = {file.name: file.data for file in files}
    for number in range(1, rounds + 1):
        for each, times in zip(every, taken, strict=True):
            tell(f"tour {number}/{rounds} : {each.peer.name}")
            for name, spent in times.items():
                spent.append(spent_on(each.peer.read, by_name[name]))
    for each, times in zip(every, taken, strict=True):
        each.seconds = {name: min(spent) for name, spent in times.items()}
    return every


def spent_on(read: Callable[[bytes], object], data: bytes) -> float:
    """Time one call in CPU seconds of this process; the result is freed within the time."""
    started = time.process_time()
    read(data)
    return time.process_time() - started


def _tried(peer: Peer, files: Iterable[File]) -> Times:
    """Read each file once: what it cannot read, and how many values it fills."""
    found = Times(peer)
    for file in files:
        if file.syntax not in peer.syntaxes:
            continue
        found.given[file.syntax] = found.given.get(file.syntax, 0) + 1
        try:
            result = peer.read(file.data)
        except Exception:  # any library, any error: the file counts as not read
            continue
        if result is None or (not isinstance(result, bool) and _empty(result)):
            continue
        found.seconds[file.name] = 0.0
        found.fields[file.name] = [] if peer.fields is None else list(peer.fields(result))
    return found


def _empty(result: object) -> bool:
    return isinstance(result, (dict, list, tuple)) and not result


@dataclass(frozen=True, slots=True)
class Pair:
    """Compare two libraries on the files both read."""

    files: int
    ours: float
    """CPU seconds of ours on those files, then of the other."""
    other: float
    our_values: int
    other_values: int
    our_fields: int
    """Distinct fields that hold a value in one file at least."""
    other_fields: int

    @property
    def ratio(self) -> float:
        """Tell how many times as fast ours is."""
        return self.other / self.ours

    @property
    def richer(self) -> float:
        """Tell how many times as many distinct fields ours fills."""
        return self.our_fields / self.other_fields if self.other_fields else float("inf")


def pair(ours: Times, other: Times, names: Iterable[str]) -> Pair | None:
    """Put two libraries side by side; None where no file was read by both."""
    common = [name for name in names if name in ours.seconds and name in other.seconds]
    if not common:
        return None
    return Pair(
        len(common),
        sum(ours.seconds[name] for name in common),
        sum(other.seconds[name] for name in common),
        sum(len(ours.fields[name]) for name in common),
        sum(len(other.fields[name]) for name in common),
        len({each for name in common for each in ours.fields[name]}),
        len({each for name in common for each in other.fields[name]}),
    )
