"""Go through every status that may be open, and mark each page so that a cut pass can go on.

The daily quota may end a pass in the middle of a list. Its mark names the status and how far the
list was read; the statuses before it were proven whole in the same pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from functools import partial

from pydantic import TypeAdapter, ValidationError

from encaisse_api import wire
from encaisse_api.errors import CursorLost
from encaisse_api.source import Cursor, Token
from encaisse_factomos.listing import Pages, Reached
from encaisse_factomos.mapping import OPEN_STATUSES

AskStatus = Callable[[str, int], Mapping[str, object]]
"""Ask for the page of a status that begins after so many rows."""

_PLACE: TypeAdapter[tuple[str, int, int, int, str]] = TypeAdapter(tuple[str, int, int, int, str])


def open_items(ask: AskStatus, since: Cursor | None) -> Iterator[tuple[Sequence[object], Token]]:
    """Yield the rows of each page with the mark to go on from; return when all is proven whole.

    Raises `CursorLost` for a mark that is none of ours.
    """
    begun, reached = _place(since)
    pages = Pages()
    for status in OPEN_STATUSES[OPEN_STATUSES.index(begun) :]:
        after = reached if status == begun else None
        subject = f"Factures « {status} » de Factomos"
        for rows, so_far in pages.read(
            "invoices", partial(ask, status), subject=subject, after=after
        ):
            yield rows, _token(status, so_far)


def _token(status: str, reached: Reached) -> Token:
    return Token(value=wire.write([status, *astuple(reached)]))


def _place(since: Cursor | None) -> tuple[str, Reached | None]:
    if since is None:
        return OPEN_STATUSES[0], None
    lost = CursorLost("L'endroit où la lecture de Factomos s'était arrêtée n'est plus connu.")
    if not isinstance(since, Token):
        raise lost
    try:
        status, read, total, first, mark = _PLACE.validate_json(since.value)
    except ValidationError:
        raise lost from None
    if status not in OPEN_STATUSES:
        raise lost
    return status, Reached(read, total, first, mark)
