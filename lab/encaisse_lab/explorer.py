"""Try every order in which two workers, deaths and expiries can meet, on the host's own code.

Workers are threads that stand still at each point where a process may die (`chaos`); one of them
moves at a time. A history is a list of moves, lived again from the beginning each time, so that
nothing is a model. Two histories that end in one state go on alike: only the first is followed,
which also makes the first violation found a shortest one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from encaisse_core import chaos

Verb = Literal["run", "lose", "kill", "expire"]

PATIENCE = 30.0
"""Seconds a worker may take from one point to the next before the exploration gives up."""


@dataclass(frozen=True, slots=True)
class Move:
    """Be one move: a worker goes on to its next point (its reply is lost), dies, or time passes."""

    verb: Verb
    worker: int = -1

    def told(self, where: str) -> str:
        """Say it in a line of a trace."""
        who = "AB"[self.worker] if self.worker >= 0 else ""
        match self.verb:
            case "run":
                return f"{who} goes on to {where}"
            case "lose":
                return f"{who} goes on to {where}, the reply to its call is lost"
            case "kill":
                return f"{who} is killed at {where}"
            case _:
                return "every lease expires"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bound an exploration: moves in all, mishaps of each kind and together, starts of workers."""

    depth: int = 14
    kills: int = 1
    expiries: int = 1
    losses: int = 1
    mishaps: int = 2
    starts: int = 3
    workers: int = 2


@dataclass(frozen=True, slots=True)
class Violation:
    """Hold what went wrong, its shortest history, and whether it is a hole that is documented."""

    what: str
    trace: tuple[str, ...]
    hole: bool


@dataclass
class Explored:
    """Tell how far an exploration went and what it found."""

    states: int = 0
    histories: int = 0
    violations: list[Violation] = field(default_factory=list[Violation])
    holes: int = 0
    complete: bool = True
    """Whether every state within the bounds was followed."""

    @property
    def shortest(self) -> Violation | None:
        """Give the shortest counter-example that is no documented hole, else the shortest hole."""
        real = [each for each in self.violations if not each.hole]
        found = real or self.violations
        return min(found, key=lambda each: len(each.trace)) if found else None


class Scope(Protocol):
    """Be the small world that is explored."""

    @property
    def stops(self) -> frozenset[str]:
        """Name the points at which workers stand still."""
        ...

    def reset(self) -> None:
        """Bring the world back to its beginning."""
        ...

    def work(self, worker: int) -> None:
        """Do what a worker does from start to end, in its own thread."""
        ...

    def expire(self) -> None:
        """Let time pass until every lease is over."""
        ...

    def lose(self, worker: int) -> bool:
        """Lose the reply of the call this worker makes next; False where it makes none."""
        ...

    def state(self) -> Hashable:
        """Give all that is shared: what stands in the store and at the partner."""
        ...

    def seen(self, where: str) -> Hashable:
        """Give what a worker that came to this point has just learned."""
        ...

    def token(self) -> Hashable:
        """Name the lease that stands now."""
        ...

    def wrong(self) -> str | None:
        """Say what must never be; None where all is well."""
        ...

    def quiet(self) -> str | None:
        """Let one healthy worker finish, and say what is still owed then."""
        ...


class _Worker:
    """Be one thread that moves from point to point when it is told to."""

    def __init__(self, number: int, scope: Scope) -> None:
        self.number = number
        self.where = ""
        self.learned: list[Hashable] = []
        self.lease: Hashable = None
        self.failed: BaseException | None = None
        self._scope = scope
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._dying = False

    @property
    def alive(self) -> bool:
        return self._thread is not None

    def step(self) -> None:
        """Go on to the next point, or to the end."""
        if self._thread is None:
            self.learned.clear()
            self._dying, self.failed, self.lease = False, None, None
            self._thread = threading.Thread(target=self._live, name=f"worker-{self.number}")
            self._thread.start()
        else:
            self._go.release()
        self._wait()

    def kill(self) -> None:
        """Die at the point where it stands."""
        if self._thread is not None:
            self._dying = True
            self._go.release()
            self._wait()

    def passes(self, name: str) -> None:
        """Stand still at a point, in this worker's own thread."""
        if self._dying:
            raise chaos.Killed
        if name in self._scope.stops:
            self.where = name
            self._stopped.release()
            self._go.acquire()
            if self._dying:
                raise chaos.Killed

    def _wait(self) -> None:
        if not self._stopped.acquire(timeout=PATIENCE):
            raise RuntimeError(f"worker {self.number} never came to a point after {self.where}")
        if self.where == "end" and self._thread is not None:
            self._thread.join()
            self._thread = None

    def _live(self) -> None:
        try:
            self._scope.work(self.number)
        except chaos.Killed:
            pass
        except BaseException as error:  # what a worker meets is told where the moves are made
            self.failed = error
        self.where = "end"
        self._stopped.release()


@dataclass
class _World:
    """Live one history."""

    scope: Scope
    workers: list[_Worker]
    starts: int = 0
    used: dict[Verb, int] = field(default_factory=dict[Verb, int])
    told: list[str] = field(default_factory=list[str])
    slept_at_send: bool = False

    def make(self, move: Move) -> None:
        """Make one move."""
        self.used[move.verb] = self.used.get(move.verb, 0) + 1
        if move.verb == "expire":
            if any(w.alive and w.where.endswith("send.before_send") for w in self.workers):
                self.slept_at_send = True
            self.scope.expire()
            self.told.append(move.told(""))
            return
        worker = self.workers[move.worker]
        if move.verb == "kill":
            self.told.append(move.told(worker.where))
            worker.kill()
        else:
            if not worker.alive:
                self.starts += 1
            if move.verb == "lose":
                self.scope.lose(move.worker)
            worker.step()
            self.told.append(move.told(worker.where))
        if worker.failed is not None:
            raise worker.failed
        if worker.where.startswith("outbox.claim"):
            worker.lease = self.scope.token()
        worker.learned.append((move.verb, worker.where, self.scope.seen(worker.where)))

    def key(self) -> Hashable:
        """Give the state: what is shared, what each worker has seen, what bounds are left."""
        token = self.scope.token()
        seen = sorted(
            (True, each.lease == token, repr(each.learned)) if each.alive else (False, False, "")
            for each in self.workers
        )
        used = tuple(sorted(self.used.items() - {("run", self.used.get("run", 0))}))
        return (self.scope.state(), tuple(seen), used, self.starts, self.slept_at_send)

    def end(self) -> None:
        """Kill everybody who still stands somewhere."""
        for worker in self.workers:
            worker.kill()


def explore(scope: Scope, bounds: Bounds, *, most: int = 20_000, first: bool = False) -> Explored:
    """Follow every history within the bounds, the shortest first; `most` states at the most.

    With `first` it ends at the first violation that is no documented hole.
    """
    found = Explored()
    seen: set[Hashable] = set()
    waiting: deque[tuple[Move, ...]] = deque([()])
    while waiting:
        if found.states >= most:
            found.complete = False
            break
        history = waiting.popleft()
        for move in _moves(scope, history, bounds):
            _follow(scope, (*history, move), bounds, seen, waiting, found)
            if first and len(found.violations) > found.holes:
                found.complete = False
                return found
    return found


def _moves(scope: Scope, history: tuple[Move, ...], bounds: Bounds) -> Iterator[Move]:
    """Give what may happen next; two workers that never moved are one."""
    if len(history) >= bounds.depth:
        return
    used = [move.verb for move in history]
    left = bounds.mishaps - (len(used) - used.count("run"))
    if left and history and used.count("expire") < bounds.expiries and history[-1].verb != "expire":
        yield Move("expire")
    moved = {move.worker for move in history}
    for worker in range(bounds.workers):
        if worker > 0 and worker not in moved and worker - 1 not in moved:
            continue
        yield Move("run", worker)
        if not left:
            continue
        if worker in moved and used.count("kill") < bounds.kills:
            yield Move("kill", worker)
        if worker in moved and used.count("lose") < bounds.losses:
            yield Move("lose", worker)


def _follow(
    scope: Scope,
    history: tuple[Move, ...],
    bounds: Bounds,
    seen: set[Hashable],
    waiting: deque[tuple[Move, ...]],
    found: Explored,
) -> None:
    """Live one history; remember where it ends, and judge it there and at quiet."""
    scope.reset()
    world = _World(scope, [_Worker(number, scope) for number in range(bounds.workers)])
    by_thread = {f"worker-{each.number}": each for each in world.workers}

    def hook(name: str) -> None:
        worker = by_thread.get(threading.current_thread().name)
        if worker is not None:
            worker.passes(name)

    with chaos.hooked(hook):
        try:
            for move in history[:-1]:
                world.make(move)
            if not _possible(world, history[-1], bounds, scope):
                return
            world.make(history[-1])
            found.histories += 1
            key = world.key()
            if key in seen:
                return
            seen.add(key)
            found.states += 1
            wrong = scope.wrong()
        finally:
            world.end()
    if wrong is None:
        waiting.append(history)
        wrong = scope.quiet()
        world.told.append("whoever still stood somewhere is killed; a healthy worker goes on")
    if wrong is not None:
        found.violations.append(Violation(wrong, tuple(world.told), world.slept_at_send))
        found.holes += world.slept_at_send


def _possible(world: _World, move: Move, bounds: Bounds, scope: Scope) -> bool:
    if move.verb == "expire":
        return True
    worker = world.workers[move.worker]
    if move.verb == "kill":
        return worker.alive
    if move.verb == "lose":
        return worker.alive and worker.where.endswith("send.before_send")
    return worker.alive or world.starts < bounds.starts
