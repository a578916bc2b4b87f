"""Let real threads live on one virtual time: one acts at a time, who sleeps lets the next one act.

The next is whoever wakes first, and of two the one that lay down first, so that a run is its seed.
Time passes only while everybody sleeps: what the processor takes is not in it, and is told apart.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from encaisse_core.clock import VirtualClock

Sleeper = tuple[datetime, int, "Actor"]


@dataclass(eq=False)
class Actor:
    """Be one thread of a stage; `join` lets the others act until it is done."""

    stage: Stage
    turn: threading.Event = field(default_factory=threading.Event)
    done: bool = False
    waiting: list[Actor] = field(default_factory=list["Actor"])

    def join(self) -> None:
        """Wait for its end, as long as that takes in virtual time."""
        if not self.done:
            self.waiting.append(self.stage.acting)
            self.stage.leave()


class Stage(VirtualClock):
    """Be the clock of several threads; whoever makes it acts first."""

    def __init__(self, instant: datetime) -> None:
        super().__init__(instant)
        self.acting = Actor(self)
        self._asleep: list[Sleeper] = []
        self._order = itertools.count()

    def starts(self, act: Callable[[], None]) -> Actor:
        """Start a thread; it acts once whoever acts now sleeps."""
        actor = Actor(self)

        def live() -> None:
            actor.turn.wait()
            try:
                act()
            finally:
                actor.done = True
                for each in actor.waiting:
                    self._lie_down(each, self.instant)
                self._wake_next()

        threading.Thread(target=live, name="actor", daemon=True).start()
        self._lie_down(actor, self.instant)
        return actor

    def sleep(self, seconds: float) -> None:
        """Let whoever wakes before act first."""
        self._lie_down(self.acting, self.instant + timedelta(seconds=max(0.0, seconds)))
        self.leave()

    def leave(self) -> None:
        """Let the next one act, and come back when it is our turn again."""
        mine = self.acting
        mine.turn.clear()
        self._wake_next()
        mine.turn.wait()

    def _lie_down(self, actor: Actor, until: datetime) -> None:
        heapq.heappush(self._asleep, (until, next(self._order), actor))

    def _wake_next(self) -> None:
        until, _, actor = heapq.heappop(self._asleep)
        if until > self.instant:
            self.set(until)
        self.acting = actor
        actor.turn.set()
