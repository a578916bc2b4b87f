"""Whole-number ids and a shuffling of rows, both from the seed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

Kept = TypeVar("Kept")

FIRST = {
    "account": 70_011,
    "document": 1,
    "dossier": 512,
    "entry": 440_902,
    "exercice": 8_450,
    "firm": 3,
    "journal": 402,
    "key": 1,
    "line": 880_017,
    "payment_type": 301,
    "schema": 7,
    "term": 11,
    "webhook": 1,
}
"""Where each kind begins: far from each other, so that a mistaken id names nothing."""

CONSECUTIVE = frozenset({"schema", "key", "webhook", "document"})


class Numbers:
    """Draw growing ids with gaps, one sequence per kind."""

    def __init__(self, seed: int) -> None:
        self._steps = random.Random(f"{seed}:myunisoft:ids")
        self._next = dict(FIRST)

    def draw(self, kind: str) -> int:
        """Give the next id of a kind."""
        number = self._next[kind]
        self._next[kind] += 1 if kind in CONSECUTIVE else self._steps.randint(1, 9)
        return number


class Shuffler:
    """Put lines in another order at each reading: the vendor keeps none [D]."""

    def __init__(self, seed: int) -> None:
        self._order = random.Random(f"{seed}:myunisoft:order")

    def shuffled(self, rows: Iterable[Kept]) -> list[Kept]:
        """Give the rows in some order."""
        listed = list(rows)
        self._order.shuffle(listed)
        return listed
