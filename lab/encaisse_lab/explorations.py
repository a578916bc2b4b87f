"""Which explorations prove the promise, and which find each bug planted in the host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from encaisse_api.manifest import Guarantee
from encaisse_lab import explorer_stream
from encaisse_lab.broken_on_purpose import Flaw, planted
from encaisse_lab.explorer import Bounds, Explored, explore
from encaisse_lab.explorer_scopes import effects

OVERTAKEN = Bounds(depth=20, kills=0, losses=0, expiries=1, mishaps=1, starts=2)
"""Two workers, every order, one expiry: who sleeps is overtaken by the other."""

DYING = Bounds(depth=14, kills=1, losses=1, expiries=1, mishaps=2, starts=3)
"""Two workers that die, sleep and lose replies, and start again."""

READING = Bounds(depth=9, kills=2, losses=0, expiries=0, mishaps=2, starts=3, workers=1)
"""One reader that dies twice."""

GUARANTEES: tuple[Guarantee, ...] = ("key", "lookup", "none")
SOME = 150
"""States of `DYING` followed where a bounded part is asked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one exploration and what it found."""

    what: str
    flaw: Flaw | None
    guarantee: Guarantee | Literal["stream"]
    found: Explored

    @property
    def holds(self) -> bool:
        """Tell whether a bug was found, or nothing but the documented hole where there is none.

        A partner that keeps no key may get two from a sleeper between the fence and the send; one
        that keeps it never does, and to one that can be asked nothing is sent twice.
        """
        real = len(self.found.violations) - self.found.holes
        if self.flaw is not None:
            return real > 0
        allowed = self.found.holes == 0 or self.guarantee == "lookup"
        return self.found.states > 0 and real == 0 and allowed


FINDS: tuple[tuple[Flaw, Guarantee, tuple[str, ...], Bounds], ...] = (
    ("lookup", "lookup", ("letter",), DYING),
    ("fence", "lookup", ("letter",), OVERTAKEN),
    ("batch", "none", ("letter",), DYING),
    ("lane", "key", ("letter", "pause"), DYING),
)
"""Each bug with the world and the bounds it is found in."""


def lines(*, short: bool, tell: Callable[[str], None] = lambda _: None) -> list[Line]:
    """Explore everything; `short` follows a bounded number of states of each."""
    made: list[Line] = []

    def add(line: Line) -> None:
        made.append(line)
        tell(f"Exploration {line.what} : {'tient' if line.holds else 'NE TIENT PAS'}")

    for guarantee in GUARANTEES:
        for name, bounds in (("overtaken", OVERTAKEN), ("dying", DYING)):
            most = SOME if short else 20_000
            with effects(guarantee) as world:
                found = explore(world, bounds, most=most)
            add(Line(f"{guarantee}, {name}", None, guarantee, found))
    for flaw, guarantee, kinds, bounds in FINDS:
        with planted(flaw), effects(guarantee, kinds) as world:
            found = explore(world, bounds, first=True)
        add(Line(f"{flaw} planted", flaw, guarantee, found))
    with explorer_stream.pages() as read:
        add(Line("stream", None, "stream", explore(read, READING)))
    with planted("cursor"), explorer_stream.pages() as read:
        add(Line("cursor planted", "cursor", "stream", explore(read, READING, first=True)))
    return made
