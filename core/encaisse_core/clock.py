"""Time and ids, passed in everywhere: nothing else in the house reads a clock or makes an id.

A run is then a seed: the same clock and the same ids give the same export, byte for byte, and a
failure found at night can be run again by day.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Protocol
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
"""Business dates are dates in Paris: an invoice is overdue when the day is over there."""

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)
"""Two digits of Crockford's base 32 for each 10 bits."""


class Clock(Protocol):
    """Tell the time and wait."""

    def now(self) -> datetime:
        """Give the instant, aware, in UTC."""
        ...

    def today(self) -> date:
        """Give the business date in Paris."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never go back, for measuring."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """Read the machine's clock: the only place that does."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return self.now().astimezone(PARIS).date()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class VirtualClock:
    """Keep a time the caller moves; `sleep` moves it and tells whoever shares it.

    `on_advance` hears each new instant, so that a simulated partner and the store's virtual clock
    stay on the same time.
    """

    instant: datetime
    on_advance: list[Callable[[datetime], None]] = field(
        default_factory=list[Callable[[datetime], None]]
    )

    def now(self) -> datetime:
        return self.instant

    def today(self) -> date:
        return self.instant.astimezone(PARIS).date()

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.set(self.instant + timedelta(seconds=seconds))

    def set(self, instant: datetime) -> None:
        """Move to an instant; never back."""
        if instant < self.instant:
            raise ValueError("a clock does not go back")
        self.instant = instant
        for hear in self.on_advance:
            hear(instant)


class Ids(Protocol):
    """Make ids and nonces."""

    def new(self, kind: str) -> str:
        """Make `<kind>_<ULID>`, sortable by when it was made."""
        ...

    def some(self, kind: str, count: int) -> list[str]:
        """Make many of one instant, rising, so that rows in their order are appended."""
        ...

    def nonce(self, size: int) -> bytes:
        """Make bytes nobody can guess."""
        ...


def ulid(milliseconds: int, randomness: int) -> str:
    """Write 48 bits of time and 80 bits of randomness in Crockford's base 32 (ULID spec)."""
    return base32((milliseconds << 80) | (randomness & ((1 << 80) - 1)))


def ulids(kind: str, at: datetime, drawn: Iterable[int]) -> list[str]:
    """Write what was drawn as ids of one instant, rising; the time they share is written once."""
    begin = f"{kind}_{ulid(int(at.timestamp() * 1000), 0)[:-16]}"
    return [begin + base32_80(each) for each in sorted(drawn)]


def base32(value: int) -> str:
    """Write 128 bits as 26 digits of Crockford's base 32, by halves that fit a machine word."""
    pairs = _PAIRS
    high, low = value >> 60, value & (1 << 60) - 1
    return (
        f"{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}"
        f"{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}"
        f"{pairs[low >> 50]}{pairs[low >> 40 & 1023]}{pairs[low >> 30 & 1023]}"
        f"{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


def base32_80(value: int) -> str:
    """Write 80 bits as the 16 digits they are at the end of `base32`."""
    pairs = _PAIRS
    high, low = value >> 40, value & (1 << 40) - 1
    return (
        f"{pairs[high >> 30]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}"
        f"{pairs[low >> 30]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


class SystemIds:
    """Make ids from the machine's clock and its secure randomness."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, kind: str) -> str:
        millis = int(self._clock.now().timestamp() * 1000)
        return f"{kind}_{ulid(millis, secrets.randbits(80))}"

    def some(self, kind: str, count: int) -> list[str]:
        drawn = (secrets.randbits(80) for _ in range(count))
        return ulids(kind, self._clock.now(), drawn)

    def nonce(self, size: int) -> bytes:
        return secrets.token_bytes(size)


class SeededIds:
    """Make the same ids for the same seed and clock; for simulations only, never for secrets."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._random = Random(f"ids-{seed}")
        self._clock = clock

    def new(self, kind: str) -> str:
        millis = int(self._clock.now().timestamp() * 1000)
        return f"{kind}_{ulid(millis, self._random.getrandbits(80))}"

    def some(self, kind: str, count: int) -> list[str]:
        drawn = (self._random.getrandbits(80) for _ in range(count))
        return ulids(kind, self._clock.now(), drawn)

    def nonce(self, size: int) -> bytes:
        return self._random.randbytes(size)
