"""One durable step after another through a list of changes.

Assumed, after Modern Collections and Payt: `updated_since` and `after_id` give what changed after
that row, oldest change first. The stored cursor is the last row read, never the server's time and
never moved by an empty page, so a row committed late is still met.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from encaisse_api import Cursor, Drift, Frozen, Page, Since, Unreadable
from encaisse_api.resuming import ours, zulu
from encaisse_gcollect.client import GCollectApi
from encaisse_gcollect.wire import Position

Item = TypeVar("Item", bound=Frozen)
Row = JsonValue
"""A row as it came; a damaged one may be no object at all."""

CURSOR_VERSION = 1


def changes(
    api: GCollectApi,
    path: str,
    since: Cursor | None,
    read: Callable[[Row], tuple[Item, ...]],
    *,
    subject: str,
) -> Iterator[Page[Item]]:
    """Yield pages of what changed; a row that cannot be read is listed raw, the page lives.

    `CursorLost`: the cursor is not one of ours. `Drift`: rows come out of order, so that going on
    from the last one would skip some.
    """
    cursor = ours(since, partner="GCollect", version=CURSOR_VERSION)
    params: dict[str, str] = {}
    if cursor is not None:
        params["updated_since"] = zulu(cursor.at)
        if cursor.after_id is not None:
            params["after_id"] = cursor.after_id
    last: datetime | None = None
    for listing in api.pages(path, params, subject=subject):
        items: list[Item] = []
        unreadable: list[Unreadable] = []
        for row in listing.items:
            place = _position(row)
            if place is not None:
                if last is not None and place.updated_at < last:
                    raise Drift(
                        f"GCollect, {subject} : les lignes n'arrivent pas de la plus ancienne à "
                        "la plus récente ; continuer en perdrait. Rien n'est enregistré.",
                        raw=_raw(row),
                    )
                last = place.updated_at
                cursor = Since(at=place.updated_at, after_id=place.id, version=CURSOR_VERSION)
            try:
                items += read(row)
            except ValueError as error:
                ref = None if place is None else place.id
                unreadable.append(Unreadable(ref=ref, raw=_raw(row), reason=_reason(error)))
        yield Page(
            items=tuple(items),
            unreadable=tuple(unreadable),
            cursor=cursor,
            end=not listing.has_more,
        )


def _position(row: Row) -> Position | None:
    try:
        return Position.model_validate(row)
    except ValidationError:
        return None


def _raw(row: Row) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def _reason(error: ValueError) -> str:
    """Name what is wrong in a row without repeating its values."""
    if isinstance(error, ValidationError):
        entries = error.errors(include_url=False, include_context=False, include_input=False)
        places = (".".join(map(str, entry["loc"])) or "ligne" for entry in entries)
        return f"champs illisibles : {', '.join(places)}"[:512]
    return str(error)[:512] or "ligne illisible"
