"""Try many mutated documents in two processes, and tell what broke, how to repeat it, and on what.

A case is drawn from its seed and number alone, so that one command repeats it. A process that dies
or stands still loses its case only: the case is told, and another process goes on after it.
"""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final, Literal, TypedDict

from encaisse_lab.fuzz import alike, promises, rough, trees, written
from encaisse_lab.fuzz.sources import Kind, Source, of_folder, own

PROCESSES: Final = 2
CPU_SECONDS: Final = 5.0
"""Of one case: a hundred times what an honest one takes."""
STILL_SECONDS: Final = 60.0
"""Without a new case, after which a process is ended."""
SHRINKS: Final = 200
"""Smaller inputs tried for one failure."""
MOST_FAILURES: Final = 100

EXTENSIONS: Final[dict[Kind, str]] = {"xml": "xml", "pdf": "pdf", "fec": "txt", "cdar": "xml"}

Fault = Literal["crash", "hang", "unequal"]


class Failure(TypedDict):
    """Be one broken promise: what was done to which source, and how to see it again."""

    case: int
    fault: Fault
    what: str
    source: str
    change: str
    repeat: str
    file: str


class Figures(TypedDict):
    """Count what was tried and what broke."""

    seed: int
    cases: int
    crashes: int
    hangs: int
    unequal: int
    failures: list[Failure]


@dataclass(frozen=True, slots=True)
class Case:
    """Be one input; `first` is what it must read equal to, where it must."""

    number: int
    source: Source
    change: str
    kind: Kind
    data: bytes
    first: bytes | None = None


class _TooLong(BaseException):
    """End a case; no reader catches it, as it is no Exception."""


def sound(figures: Figures) -> bool:
    """Tell whether cases were tried and none failed."""
    return figures["cases"] > 0 and not figures["failures"]


def sentence(figures: Figures) -> str:
    """Say in French what was tried and what broke."""
    return (
        f"{figures['cases']} documents abîmés : {figures['crashes']} plantages, "
        f"{figures['hangs']} attentes sans fin, {figures['unequal']} lectures inégales."
    )


@cache
def _sources(folder: Path | None) -> dict[Kind, list[Source]]:
    every = own() + ([] if folder is None else of_folder(folder))
    found: dict[Kind, list[Source]] = {"xml": [], "pdf": [], "fec": [], "cdar": []}
    for each in every:
        found[each.kind].append(each)
    return found


def drawn(seed: int, number: int, folder: Path | None) -> Case:
    """Draw one case from its seed and number."""
    chance = Random(f"{seed}:{number}")
    known = _sources(folder)
    change = chance.choices(tuple(CHANGES), [often for _, often in CHANGES.values()])[0]
    kind = CHANGES[change][0]
    source = chance.choice(known[kind])
    others = [each.data for each in known["xml"]]
    data, first = source.data, None
    match change:
        case "tree" | "written again" | "life cycle":
            data = trees.mutated(data, others, chance)
        case "same meaning":
            data, first = alike.rewritten(data, chance), data
        case "pdf, other invoices":
            data = rough.carried(data, others, chance)
        case "pdf, words":
            data = rough.tokens(data, chance)
        case "ledger":
            data = rough.ledger(data, chance)
        case _:
            data = rough.bytewise(data, chance)
    return Case(number, source, change, kind, data, first)


CHANGES: Final[dict[str, tuple[Kind, int]]] = {
    "tree": ("xml", 28),
    "written again": ("xml", 12),
    "same meaning": ("xml", 18),
    "bytes": ("xml", 8),
    "pdf, other invoices": ("pdf", 10),
    "pdf, words": ("pdf", 6),
    "pdf, bytes": ("pdf", 4),
    "ledger": ("fec", 7),
    "ledger, bytes": ("fec", 2),
    "life cycle": ("cdar", 5),
}
"""What is done -> to which sources, and how often, in a hundred."""


def fault_of(case: Case) -> tuple[Fault, str] | None:
    """Read one case; give what broke, or None."""
    try:
        with _limited():
            if case.kind == "fec":
                promises.ledger(case.source.name, case.data)
            elif case.kind == "cdar":
                written.life_cycle(case.data)
            elif case.change == "written again":
                written.again(promises.document(case.data))
            elif case.first is None:
                promises.document(case.data)
            elif not promises.alike(case.first, case.data):
                return "unequal", "the same invoice written otherwise is read otherwise"
    except _TooLong:
        return "hang", f"more than {CPU_SECONDS:g} s"
    except Exception as error:
        return "crash", f"{type(error).__name__}: {error}"[:300]
    return None


@contextmanager
def _limited() -> Generator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def smallest(case: Case, fault: Fault) -> bytes:
    """Cut halves, quarters and so on off an input as long as the same fault stays."""
    data, tries = case.data, 0
    if case.first is not None or fault == "hang":
        return data
    size = len(data) // 2
    while size and tries < SHRINKS:
        at = 0
        while at < len(data) and tries < SHRINKS:
            less = data[:at] + data[at + size :]
            tries += 1
            again = fault_of(Case(case.number, case.source, case.change, case.kind, less))
            if again is not None and again[0] == fault:
                data = less
            else:
                at += size
        size //= 2
    return data


def tried(seed: int, number: int, folder: Path | None, into: Path) -> Failure | None:
    """Try one case; write the smallest input that fails beside how to repeat it."""
    case = drawn(seed, number, folder)
    found = fault_of(case)
    return None if found is None else _failure(seed, case, *found, folder, into)


def _failure(
    seed: int, case: Case, fault: Fault, what: str, folder: Path | None, into: Path
) -> Failure:
    file = into / f"{seed}-{case.number}.{EXTENSIONS[case.kind]}"
    file.write_bytes(smallest(case, fault))
    corpus = "" if folder is None else f" --corpus {folder}"
    return Failure(
        case=case.number,
        fault=fault,
        what=what,
        source=case.source.name,
        change=case.change,
        repeat=f"encaisse fuzz --seed {seed} --first {case.number} --cases 1{corpus}",
        file=str(file),
    )


def fuzz(
    seed: int,
    cases: int,
    *,
    first: int = 0,
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Try cases `first` to `first + cases`, and count what broke."""
    into = Path(tempfile.mkdtemp(prefix="encaisse-fuzz-"))
    folder = None if folder is None else folder.resolve()
    failures: list[Failure] = []
    shares = [
        _Share(seed, first + n, first + cases, min(PROCESSES, cases), folder, into)
        for n in range(min(PROCESSES, cases))
    ]
    told = time.monotonic()
    while any(not share.over for share in shares):
        wait([share.pipe for share in shares if not share.over], timeout=1)
        for share in shares:
            failures += share.watch()
        if time.monotonic() - told > 5:
            told = time.monotonic()
            tell(
                f"{sum(share.done for share in shares)} cas sur {cases}, {len(failures)} en défaut"
            )
        if len(failures) >= MOST_FAILURES:
            for share in shares:
                share.end()
    failures.sort(key=lambda each: each["case"])
    if not failures:
        into.rmdir()
    count = {fault: sum(each["fault"] == fault for each in failures) for fault in _FAULTS}
    return Figures(
        seed=seed,
        cases=sum(share.done for share in shares),
        crashes=count["crash"],
        hangs=count["hang"],
        unequal=count["unequal"],
        failures=failures,
    )


_FAULTS: Final[tuple[Fault, ...]] = ("crash", "hang", "unequal")


class _Share:
    """Watch over the process that tries every second case, and start another where it falls."""

    def __init__(
        self, seed: int, first: int, end: int, step: int, folder: Path | None, into: Path
    ) -> None:
        self._seed, self._end, self._step = seed, end, step
        self._folder, self._into = folder, into
        self._at = first
        self.done = 0
        self.over = False
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, out = context.Pipe(duplex=False)
        numbers = range(self._at, self._end, self._step)
        job = (self._seed, numbers, self._folder, self._into, out)
        self._process = context.Process(target=_work, args=job, daemon=True)
        self._process.start()
        out.close()
        self._seen = time.monotonic()

    def watch(self) -> list[Failure]:
        """Take what the process told; go on after a case that ended it."""
        failures: list[Failure] = []
        try:
            while not self.over and self.pipe.poll():
                number, failure = self.pipe.recv()
                self._seen = time.monotonic()
                self.done += 1
                self._at = number + self._step
                if failure is not None:
                    failures.append(failure)
                self.over = self._at >= self._end
        except EOFError:
            self._process.join()
            failures.append(self._lost("crash", f"the process ended ({self._process.exitcode})"))
        if not self.over and time.monotonic() - self._seen > STILL_SECONDS:
            self._process.kill()
            self._process.join()
            failures.append(self._lost("hang", f"more than {STILL_SECONDS:g} s"))
        if self.over:
            self.end()
        return failures

    def _lost(self, fault: Fault, what: str) -> Failure:
        case = drawn(self._seed, self._at, self._folder)
        file = self._into / f"{self._seed}-{self._at}.{EXTENSIONS[case.kind]}"
        file.write_bytes(case.data)
        corpus = "" if self._folder is None else f" --corpus {self._folder}"
        failure = Failure(
            case=self._at,
            fault=fault,
            what=what,
            source=case.source.name,
            change=case.change,
            repeat=f"encaisse fuzz --seed {self._seed} --first {self._at} --cases 1{corpus}",
            file=str(file),
        )
        self.done += 1
        self._at += self._step
        self.over = self._at >= self._end
        if not self.over:
            self._start()
        return failure

    def end(self) -> None:
        """End the process."""
        self.over = True
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _work(seed: int, numbers: range, folder: Path | None, into: Path, out: Connection) -> None:
    """Try cases one by one; tell each, so that nobody waits for a case that never ends."""
    for number in numbers:
        out.send((number, tried(seed, number, folder, into)))
