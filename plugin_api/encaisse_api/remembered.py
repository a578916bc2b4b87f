"""Remember what rows were read as, so that a row that did not change is not read anew every night.

A pure reading gives the same for the same row, whoever asks and whenever: nothing here is a state
of a dossier. Rows come in another order at each reading, so each is known by itself. Connectors
share it; the contract asks nobody to use it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """Keep what the latest rows were read as, by a digest of all that was read.

    Two halves of at most `half` rows: a full one takes the place of the one before it, and a row
    met again moves into the newer. So what is read every night stays as long as it fits into one.
    """

    def __init__(self, half: int) -> None:
        self._half = half
        self._new: dict[Hashable, Made] = {}
        self._old: dict[Hashable, Made] = {}

    def key(self, raw: object, *asked: Hashable) -> Hashable:
        """Name a reading: of which row, and `asked`, whatever else it depends on.

        `raw` is made of plain values of JSON, which are equal where they are written alike. Members
        in another order count as different, and cost one reading.
        """
        return (hashlib.blake2b(repr(raw).encode(), digest_size=20).digest(), *asked)

    def get(self, key: Hashable) -> Made | None:
        """Give what was read then; None where it is not known any more."""
        made = self._new.get(key)
        if made is None and (made := self._old.get(key)) is not None:
            self.keep(key, made)
        return made

    def keep(self, key: Hashable, made: Made) -> None:
        """Remember one reading."""
        if len(self._new) >= self._half:  # two threads may both do so: what is lost is time
            self._old, self._new = self._new, {}
        self._new[key] = made
