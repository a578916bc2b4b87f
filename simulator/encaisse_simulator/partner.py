"""What the world asks of a simulated partner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.wire import Json, SimRequest, SimResponse


class Clock(Protocol):
    """Tell the world's time."""

    @property
    def now(self) -> datetime:
        """Give the current instant, aware, UTC."""
        ...


class Partner(Protocol):
    """Answer for one vendor host."""

    @property
    def host(self) -> str:
        """Name the vendor's host."""
        ...

    def serves(self, path: str) -> bool:
        """Tell whether a path is one of this partner's."""
        ...

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request, with every state change done when it returns."""
        ...

    def tick(self) -> None:
        """Do what has fallen due since the clock last moved."""
        ...

    def published_at(self, base_url: str | None) -> None:
        """Learn the address where a person's browser reaches this partner, None for its own."""
        ...

    def ledger(self) -> list[LedgerEntry]:
        """Tell every effect so far, oldest first."""
        ...

    def unauthorized(self) -> SimResponse:
        """Refuse a token in this partner's words."""
        ...

    def too_many(self, retry_after: int) -> SimResponse:
        """Refuse for speed in this partner's words; seconds."""
        ...

    def cut(self, listing: Mapping[str, Json], *, honest_total: bool) -> Json:
        """Give a list answer with its second half missing, though it says it is the end.

        With `honest_total` its count still speaks of every row and so contradicts the rows;
        without, the count agrees with the cut. None where the answer is no list or has no row.
        """
        ...
