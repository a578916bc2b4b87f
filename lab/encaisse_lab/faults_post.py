"""Carry what the town's partners tell by day: signed when sent; lost, doubled, mixed up, late.

Deliveries are those the partners draw up for what really happened. A day's are shared out over
`WAYS` in an order of the seed, or a partner's are all lost; one nobody can read is among them.
What is not answered as it should be is sent again, as partners do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from random import Random
from typing import Literal

from encaisse_simulator.gcollect import webhooks as gcollect
from encaisse_simulator.myunisoft import webhooks as myunisoft
from encaisse_simulator.world import World

Way = Literal["once", "twice", "lost", "late", "stale"]
WAYS: tuple[Way, ...] = ("once", "twice", "late", "stale", "lost", "lost")
"""A `stale` one comes with the signature it had an hour ago, and must be refused."""

SILENT = 0.3
"""How often all a partner tells on a day is lost; the night finds what it told of."""

STALE = timedelta(hours=1)
PARTNER_SECRET = "secret-partenaire-de-pannes"
COLLECTOR_SECRET = "whsec-de-pannes"

EVENTS = ("accountingEntryLettering", "accountingLineEntry")
"""What the dossier tells of: a line is entered, lines are lettered."""

UNREADABLE = b'{"event":"?"}'
"""Signed by the collector, and no event of its own: kept raw, and a reason to look."""

Headers = tuple[tuple[str, str], ...]
Signs = Callable[[datetime, bytes], Mapping[str, str]]

SIGNS: Mapping[str, Signs] = {
    "myunisoft": lambda at, body: myunisoft.signed(PARTNER_SECRET, "", at, body).headers,
    "gcollect": lambda at, body: gcollect.signed("", COLLECTOR_SECRET, at, body).headers,
}
"""How each partner that tells anything signs it."""


@dataclass(eq=False)
class Letter:
    """Be one delivery: who sends it, what it says, and how it comes."""

    partner: str
    body: bytes
    way: Way
    day: int
    """The day it is sent on."""
    left: int = 1
    """How often it is still to be sent."""

    @property
    def answered(self) -> HTTPStatus:
        """Give the answer that is due."""
        return HTTPStatus.UNAUTHORIZED if self.way == "stale" else HTTPStatus.OK

    def signed(self, now: datetime) -> Headers:
        """Sign it now, as a partner does each time it sends."""
        at = now - STALE if self.way == "stale" else now
        return tuple(SIGNS[self.partner](at, self.body).items())


@dataclass
class Post:
    """Hold what is still to be sent, in the order it comes."""

    seed: int
    waiting: list[Letter] = field(default_factory=list[Letter])

    def collect(self, world: World, day: int) -> None:
        """Take what the partners have to tell, say how each comes, and mix them up."""
        told = {
            "gcollect": [each.body for each in world.gcollect.deliveries()],
            "myunisoft": [each.body for each in world.myunisoft.deliveries()],
        }
        chance = Random(f"post-{self.seed}-{day}")
        ways: Iterator[Way] = itertools.cycle(chance.sample(WAYS, len(WAYS)))
        fresh = [Letter("gcollect", UNREADABLE, "once", day)]
        for partner, bodies in told.items():
            if chance.random() < SILENT:
                continue
            for body in bodies:
                way = next(ways)
                if way != "lost":
                    on, left = day + (way == "late"), 1 + (way == "twice")
                    fresh.append(Letter(partner, body, way, on, left))
        chance.shuffle(fresh)
        self.waiting += fresh

    def next(self, day: int) -> Letter | None:
        """Give the next one to send on a day or before, None when there is none."""
        return next((each for each in self.waiting if each.day <= day), None)

    def took(self, letter: Letter) -> None:
        """Hear that it was answered as it should be; a rival may have sent it as well."""
        letter.left -= 1
        if letter.left <= 0 and letter in self.waiting:
            self.waiting.remove(letter)
