"""Let several hands do many companies' shares, each share once, each hand its next when it is free.

Nights wait for partners most of the time, so a few hands of one process are worth more than the
processor says. Their number bounds how many calls stand in one partner's line, and so how long a
stop waits in it.
"""

from __future__ import annotations

import contextvars
import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol


class Hand(Protocol):
    """Be a thread, as far as a crew needs one."""

    def join(self) -> None:
        """Wait until it is done."""
        ...


Starts = Callable[[Callable[[], None]], Hand]


def thread(act: Callable[[], None]) -> Hand:
    """Start a thread that sees the log's run and spans of whoever starts it."""
    context = contextvars.copy_context()
    made = threading.Thread(target=context.run, args=(act,), name="hand", daemon=True)
    made.start()
    return made


def spread(names: Iterable[str]) -> list[str]:
    """Order names by their hash: each its place every night, no partner's all in a row."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())


@dataclass
class Crew:
    """Share work out among `hands`; with one, it is done here, in the order given."""

    hands: int = 1
    starts: Starts = field(default=thread, repr=False)

    def share(self, names: Iterable[str], act: Callable[[str], None]) -> None:
        """Do each share once. What an act raises ends the others after their share, then is raised.

        The first error is the one raised; shares nobody began are left.
        """
        left = deque(names)
        if self.hands <= 1 or len(left) <= 1:
            for name in left:
                act(name)
            return
        raised: list[BaseException] = []

        def work() -> None:
            while not raised:
                try:
                    name = left.popleft()
                except IndexError:
                    return
                try:
                    act(name)
                except BaseException as error:  # also the death a harness hangs here
                    raised.append(error)

        for hand in [self.starts(work) for _ in range(min(self.hands, len(left)))]:
            hand.join()
        if raised:
            raise raised[0]
