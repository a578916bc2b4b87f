"""Pages of the list of changes: by position, so that nothing shifts between two pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.libeo.account import Invoice
from encaisse_simulator.libeo.refusals import Refused
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import SimRequest


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold one page: its rows, the mark of the next, and how many rows come after it."""

    rows: Sequence[Invoice]
    next_cursor: str | None
    after: int


@dataclass(frozen=True, slots=True)
class Paging:
    """Cut one query's rows into pages, under marks that only go on with that query."""

    request: SimRequest
    account: str
    ids: OpaqueIds
    size: int

    def page(self, wanted: Sequence[Invoice]) -> Shown:
        """Give the page after the query's cursor, the first without one."""
        cursor = self.request.one("cursor")
        start = None if cursor is None else self._read(cursor)
        rest = [each for each in wanted if start is None or each.position > start]
        shown, left = rest[: self.size], max(0, len(rest) - self.size)
        return Shown(shown, self._mark(shown[-1].position) if left else None, left)

    def _mark(self, position: tuple[datetime, str]) -> str:
        place = f"{instant(position[0])}|{position[1]}"
        text = f"{place}|{self._seal(place)}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> tuple[datetime, str]:
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        except (binascii.Error, ValueError):
            raise Refused("cursor_unknown") from None
        place, _, seal = text.rpartition("|")
        if seal != self._seal(place):
            raise Refused("cursor_unknown")
        at, _, row = place.partition("|")
        return datetime.fromisoformat(at), row

    def _seal(self, place: str) -> str:
        asked = self.request.query.items()
        query = sorted((name, *values) for name, values in asked if name != "cursor")
        return self.ids.secret("cursor", self.account, repr(query), place)[:12]
