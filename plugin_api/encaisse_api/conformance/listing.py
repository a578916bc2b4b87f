"""Find the list in a recorded answer and alter it: one row spoilt, one gone, one word unknown.

Works on JSON answers of any vendor, so it goes by what lists look like: an array of objects, beside
it perhaps a total, a flag or a mark that says whether more follows.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from encaisse_api.conformance.cassette import Interaction

Path = tuple[str | int, ...]
Interactions = tuple[Interaction, ...]

_TOTAL = re.compile(r"total|count", re.IGNORECASE)
_MORE = re.compile(r"^(has_?(more|next)(_page)?|more|truncated)$", re.IGNORECASE)
_NEXT = re.compile(r"^(next|after|continuation)(_?(cursor|page|token|url|link|href))?$", re.I)
_ENVELOPE_DEPTH = 3


def nodes(document: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Walk a JSON document, parents first."""
    yield path, document
    if isinstance(document, dict):
        for key, value in cast("dict[str, object]", document).items():
            yield from nodes(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(cast("list[object]", document)):
            yield from nodes(value, (*path, index))


def at_path(document: object, path: Path) -> object:
    """Get what stands at a path, None when nothing does."""
    here = document
    for step in path:
        if isinstance(here, dict) and isinstance(step, str):
            here = cast("dict[str, object]", here).get(step)
        elif isinstance(here, list) and isinstance(step, int):
            row = cast("list[object]", here)
            here = row[step] if step < len(row) else None
        else:
            return None
    return here


def with_value(document: object, path: Path, value: object) -> object:
    """Copy a document with another value at a path."""
    if not path:
        return value
    result = copy.deepcopy(document)
    parent = at_path(result, path[:-1])
    cast("dict[str | int, object]", parent)[path[-1]] = value
    return result


def rows_at(document: object, path: Path) -> list[object] | None:
    """Get the list at a path, None when there is none."""
    found = at_path(document, path)
    return cast("list[object]", found) if isinstance(found, list) else None


@dataclass(frozen=True, slots=True)
class Listing:
    """Say where a recording keeps its list: which answers are its pages, where their rows are."""

    recording: Interactions
    places: tuple[int, ...]
    path: Path

    def rows(self, place: int) -> list[object]:
        """Give the rows of one page."""
        return rows_at(self.recording[place].document(), self.path) or []

    def filled(self) -> list[int]:
        """Give the places of pages with rows."""
        return [place for place in self.places if self.rows(place)]

    def with_page(self, place: int, document: object) -> Interactions:
        """Copy the recording with another document as one page."""
        page = self.recording[place].answering(document)
        return (*self.recording[:place], page, *self.recording[place + 1 :])

    def with_row(self, place: int, index: int, row: object) -> Interactions:
        """Copy the recording with another value in one row."""
        document = self.recording[place].document()
        return self.with_page(place, with_value(document, (*self.path, index), row))

    def without_last_row(self) -> Interactions | None:
        """Copy the recording with its last row gone, its total as before; None without a total."""
        filled = self.filled()
        if not filled or not self._totals():
            return None
        place = filled[-1]
        document = self.recording[place].document()
        return self.with_page(place, with_value(document, self.path, self.rows(place)[:-1]))

    def _totals(self) -> list[Path]:
        every = sum(len(self.rows(place)) for place in self.places)
        first = self.recording[self.places[0]].document()
        return [
            path for path, value in _envelope(first, self.path) if _is_total(path, value, every)
        ]


def find_listing(recording: Interactions) -> Listing | None:
    """Find the list a recording pages through: the address with most pages, the longest list."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, interaction in enumerate(recording):
        if _longest_list(interaction.document()) is not None:
            groups.setdefault(interaction.address, []).append(place)
    if not groups:
        return None
    places = max(groups.values(), key=len)
    path = _longest_list(recording[places[0]].document())
    if path is None:
        return None
    kept = tuple(p for p in places if rows_at(recording[p].document(), path) is not None)
    return Listing(recording, kept, path)


def _longest_list(document: object) -> Path | None:
    """Find the array of objects nearest to the top, the longest of these, else an empty one."""
    found: list[tuple[int, int, Path]] = []
    for path, value in nodes(document):
        if len(path) <= _ENVELOPE_DEPTH and isinstance(value, list):
            rows = cast("list[object]", value)
            if any(isinstance(step, int) for step in path):
                continue
            if all(isinstance(row, dict) for row in rows):
                found.append((0 if rows else 1, len(path) * 1000 - len(rows), path))
    return min(found)[2] if found else None


def _envelope(document: object, rows: Path) -> list[tuple[Path, object]]:
    return [(path, value) for path, value in nodes(document) if path[: len(rows)] != rows]


def _is_total(path: Path, value: object, rows: int) -> bool:
    named = bool(path) and _TOTAL.search("/".join(map(str, path))) is not None
    return named and isinstance(value, int) and not isinstance(value, bool) and value == rows


def promising_more(page: Interaction) -> Interaction | None:
    """Make the last page of a list say that more follows; None when it has no words for it."""
    document = page.document()
    path = _longest_list(document)
    if path is None:
        return None
    count = len(rows_at(document, path) or [])
    changed = False
    for where, value in _envelope(document, path):
        key = where[-1] if where and isinstance(where[-1], str) else ""
        again: object
        if _MORE.match(key) and value is False:
            again = True
        elif _NEXT.match(key) and value in (None, ""):
            again = _next_mark(page, key)
        elif _is_total(where, value, count):
            again = count + 1
        else:
            continue
        document = with_value(document, where, again)
        changed = True
    return page.answering(document) if changed else None


def with_totals_raised(document: object, rows: Path, count: int) -> object:
    """Count one row more wherever a document says how many there are."""
    for where, value in list(_envelope(document, rows)):
        if _is_total(where, value, count):
            document = with_value(document, where, count + 1)
    return document


def _next_mark(page: Interaction, key: str) -> object:
    if re.search(r"url|link|href|^next$", key, re.IGNORECASE):
        return str(page.url.copy_add_param("again", "1"))
    return 2 if key.lower().endswith("page") else "again"


def emptied(document: object, rows: Path) -> object:
    """Take every row out of a page, its totals saying so."""
    for where, value in list(_envelope(document, rows)):
        named = bool(where) and _TOTAL.search("/".join(map(str, where))) is not None
        if named and isinstance(value, int) and not isinstance(value, bool):
            document = with_value(document, where, 0)
    return with_value(document, rows, [])
