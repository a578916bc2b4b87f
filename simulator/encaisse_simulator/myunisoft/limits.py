"""The documented rate: 20 requests per 10 seconds and key, told by three headers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from encaisse_simulator.myunisoft.access import Key
from encaisse_simulator.myunisoft.choices import WINDOW

RATE = 20
"""Requests per window and key [D]."""


@dataclass(slots=True)
class Limits:
    """Count the calls of each key; none is refused by default, as a world's clock stands still."""

    rate: int | None = None
    _windows: dict[int, tuple[datetime, int]] = field(
        default_factory=dict[int, tuple[datetime, int]]
    )

    def spend(self, key: Key, now: datetime) -> tuple[bool, dict[str, str]]:
        """Count one call; tell whether it may pass, and the headers either way."""
        start, spent = self._windows.get(id(key), (now, 0))
        if now - start >= WINDOW or self.rate is None:
            start, spent = now, 0
        total = RATE if self.rate is None else self.rate
        passes = spent < total
        spent += passes
        self._windows[id(key)] = (start, spent)
        headers = {
            "x-rate-limit-remaining": str(total - spent),
            "x-rate-limit-reset": f"{(start + WINDOW).timestamp():.2f}",
            "x-rate-limit-total": str(total),
        }
        return passes, headers
