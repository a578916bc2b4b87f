"""What the simulated tools of one vendor share: its routes, what it did, what it has to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.paris import paris_date
from encaisse_simulator.wire import Routes

Handler = TypeVar("Handler")
Notice = TypeVar("Notice")


@dataclass(slots=True, kw_only=True)
class DailyCalls:
    """Count an account's calls of the day in Paris; that the day is that of Paris is assumed."""

    daily_calls: int
    counted_on: date | None = None
    calls: int = 0

    def spend_call(self, now: datetime) -> bool:
        """Count one call, or refuse it."""
        today = paris_date(now)
        if self.counted_on != today:
            self.counted_on, self.calls = today, 0
        if self.calls >= self.daily_calls:
            return False
        self.calls += 1
        return True

    def spent(self, now: datetime) -> int:
        """Tell how many calls the day has seen."""
        return self.calls if self.counted_on == paris_date(now) else 0


class Desk(Generic[Handler, Notice]):
    """Be a tool's door as the world sees it; each tool answers in its own words."""

    def __init__(self, routes: Routes[Handler]) -> None:
        self._routes = routes
        self._ledger: list[LedgerEntry] = []
        self._notifications: list[Notice] = []

    def serves(self, path: str) -> bool:
        """Tell whether a path is one of this tool's."""
        return self._routes.knows(path)

    def published_at(self, base_url: str | None) -> None:
        """Do nothing: no answer carries the address of whoever serves it."""

    def ledger(self) -> list[LedgerEntry]:
        """Tell payments, reversals and credits by effect, oldest first."""
        return list(self._ledger)

    def deliveries(self) -> list[Notice]:
        """Take the webhooks waiting to be delivered."""
        waiting, self._notifications = self._notifications, []
        return waiting
