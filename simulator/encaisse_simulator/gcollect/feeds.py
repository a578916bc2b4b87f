"""Lists and feeds of changes: pages by position, so that nothing shifts between two pages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from encaisse_simulator.gcollect.calls import Call
from encaisse_simulator.gcollect.problems import FieldFault, Problem
from encaisse_simulator.gcollect.rows import Row
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import Json, SimResponse, json_response

MOST_ROWS = 100

REST_HEADER = "x-rows-after"
"""How many rows come after this page: told between our own parts only, never sent."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Place a row in its feed; it is only written when a page shows it."""

    at: datetime
    id: str
    row: Callable[[], Row]

    @property
    def position(self) -> tuple[datetime, str]:
        """Give its place: oldest first, then by id."""
        return (self.at, self.id)


def feed(call: Call, placed: Iterable[Placed], *, since: str = "updated_since") -> SimResponse:
    """Answer one page of a feed."""
    query = call.request
    start = _start(query.one(since), query.one("after_id"), since)
    rows = sorted(placed, key=lambda each: each.position)
    wanted = [each for each in rows if start is None or start.allows(each)]
    limit = _limit(query.one("limit"))
    cursor = query.one("cursor")
    after = None if cursor is None else _position(call, cursor)
    rest = [each for each in wanted if after is None or each.position > after]
    shown, left = rest[:limit], len(rest) - limit
    more = left > 0
    answer: dict[str, Json] = {
        "items": [each.row() for each in shown],
        "has_more": more,
        "next_cursor": _cursor(call, shown[-1].position) if more else None,
        "total": len(wanted),
    }
    return json_response(200, answer, headers={REST_HEADER: str(max(0, left))})


@dataclass(frozen=True, slots=True)
class _Start:
    at: datetime
    after_id: str | None

    def allows(self, each: Placed) -> bool:
        if self.after_id is None:
            return each.at >= self.at
        return each.position > (self.at, self.after_id)


def _start(at: str | None, after_id: str | None, name: str) -> _Start | None:
    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _wrong(name, "Un instant ISO 8601 avec son décalage est attendu.")
    return _Start(moment, after_id)


def _limit(text: str | None) -> int:
    if text is None:
        return MOST_ROWS
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MOST_ROWS:
        raise _wrong("limit", f"Un nombre de 1 à {MOST_ROWS} est attendu.")
    return int(text)


def _cursor(call: Call, position: tuple[datetime, str]) -> str:
    place = f"{instant(position[0])}|{position[1]}"
    return base64.urlsafe_b64encode(f"{place}|{_seal(call, place)}".encode()).decode().rstrip("=")


def _position(call: Call, cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise Problem("cursor_expired") from None
    place, _, seal = text.rpartition("|")
    if seal != _seal(call, place):
        raise Problem("cursor_expired")
    at, _, row_id = place.partition("|")
    return (datetime.fromisoformat(at), row_id)


def _seal(call: Call, place: str) -> str:
    """Bind a cursor to its query, so that it cannot go on another list."""
    query = call.request.query
    kept = sorted((name, *values) for name, values in query.items() if name != "cursor")
    return call.books.ids.secret("cursor", call.request.path, repr(kept), place)[:12]


def _wrong(name: str, message: str) -> Problem:
    return Problem("validation_error", faults=[FieldFault(f"?{name}", "invalid", message)])
