"""Opaque ids that only depend on the seed and on the order of the calls."""

from __future__ import annotations

import hashlib

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_WIDTH = 5


class OpaqueIds:
    """Draw ids for one partner: a counter, so that they sort by age, and a seeded hash."""

    def __init__(self, seed: int, partner: str) -> None:
        self._salt = f"{seed}:{partner}"
        self._drawn = 0

    def draw(self, prefix: str) -> str:
        """Give the next id, such as `prc_0000a7f3k9q2`."""
        self._drawn += 1
        return f"{prefix}_{_base32(self._drawn)}{self.secret(prefix, str(self._drawn))[:8]}"

    def token(self, what: str) -> str:
        """Give a long unguessable-looking text that is new on each call."""
        self._drawn += 1
        return self.secret(what, str(self._drawn))

    def secret(self, *parts: str) -> str:
        """Hash parts under the seed: 64 characters of lower-case hexadecimal."""
        return hashlib.sha256(":".join((self._salt, *parts)).encode()).hexdigest()


def _base32(number: int) -> str:
    text = ""
    for _ in range(_WIDTH):
        number, digit = divmod(number, 32)
        text = _ALPHABET[digit] + text
    return text
