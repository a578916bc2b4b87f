"""One durable step after another through what changed.

Assumed: `updated_since` gives the rows changed at that instant or later, oldest change first. The
cursor is the instant of the last row read, never the server's time and never moved by an empty
page: a row of the same instant comes again and changes nothing, and a list cut short behind our
back is gone on with from where it was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from encaisse_api import wire
from encaisse_api.errors import Drift
from encaisse_api.resuming import ours, zulu
from encaisse_api.source import Cursor, Page, Removed, Since, SourceInvoice, Unreadable
from encaisse_libeo import mapping
from encaisse_libeo.client import LibeoClient

SUBJECT = "Factures de Libeo"
CURSOR_VERSION = 1


def changes(client: LibeoClient, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
    """Yield pages of what changed since the cursor; everything that stands without one.

    Raises `CursorLost` for a cursor that is not ours, and `Drift` for rows out of order, since
    going on from the last one would skip some.
    """
    cursor = ours(since, partner="Libeo", version=CURSOR_VERSION)
    params = {} if cursor is None else {"updated_since": zulu(cursor.at)}
    last: datetime | None = None
    for listing in client.pages(params, subject=SUBJECT):
        for raw in listing.items:
            at = mapping.position(raw)
            if at is None:
                continue
            if last is not None and at.updated_at < last:
                raise Drift(
                    f"{SUBJECT} : les lignes n'arrivent pas de la plus ancienne à la plus "
                    "récente ; continuer en perdrait. La lecture s'arrête là.",
                    raw=wire.write(raw),
                )
            last = at.updated_at
            cursor = Since(at=last, after_id=at.id, version=CURSOR_VERSION)
        outcomes = [mapping.outcome(raw) for raw in listing.items]
        yield Page(
            items=tuple(one for one in outcomes if isinstance(one, SourceInvoice)),
            unreadable=tuple(one for one in outcomes if isinstance(one, Unreadable)),
            removed=tuple(one for one in outcomes if isinstance(one, Removed)),
            cursor=cursor,
            end=not listing.has_more,
        )
