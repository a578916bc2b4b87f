"""Read a list page by page, and say it is whole only when it proves so.

The vendor states a total and the places of a page's first and last rows, offsets from 0 with both
ends included (README of github.com/thefloatingstone/factomos, section 17). Each is checked, and a
list is read until the vendor has nothing beyond its last row, because a page cut short with a total
to match looks complete until one asks for more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from encaisse_api import wire
from encaisse_api.errors import Drift, Transient
from encaisse_factomos import spelling
from encaisse_factomos.answers import Fate, NotFound

PER_PAGE = 50
"""Documented maximum."""

Ask = Callable[[int], Mapping[str, object]]
"""Ask for the page that begins after so many rows."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Say how far a list was read: rows so far, of how many, and the last page by its ids."""

    read: int
    total: int
    first: int
    mark: str


@dataclass
class Pages:
    """Remember what was seen of several lists read in one go, to notice a page given twice."""

    seen: set[str] = field(default_factory=set[str])

    def read(
        self, rows_name: str, ask: Ask, *, subject: str, after: Reached | None = None
    ) -> Iterator[tuple[Sequence[object], Reached]]:
        """Yield the rows of each page that has any; return only when the list is proven whole.

        `after` is where an earlier pass stopped. It holds only if its last page still stands where
        it stood; a list that has moved on since is read again from its first row.

        Raises `Drift` for a page given twice or one that contradicts itself, `Transient` when the
        list changed while it was read.
        """
        kept = after if after and self._still_stands(rows_name, ask, subject, after) else None
        read, total = (kept.read, kept.total) if kept else (0, None)
        while True:
            listing = Listing(rows_name, subject, _asked(ask, read))
            if read and listing.answer is None:
                break
            stated = listing.total()
            if total is not None and stated != total:
                raise _changed(subject, total, stated)
            total = stated
            rows = listing.rows(read)
            if not rows:
                break
            self._refuse_repeated(rows, subject)
            reached = Reached(read + len(rows), total, read, _mark(rows))
            read = reached.read
            yield rows, reached
        if total != read:
            raise Transient(
                f"{subject} : Factomos annonce {total} lignes et s'arrête à {read} ; "
                "rien n'en est déduit, nouvel essai plus tard."
            )

    def _still_stands(self, rows_name: str, ask: Ask, subject: str, after: Reached) -> bool:
        listing = Listing(rows_name, subject, _asked(ask, after.first))
        if listing.answer is None or listing.total() != after.total:
            return False
        rows = listing.rows(after.first)
        if _mark(rows) != after.mark:
            return False
        self._refuse_repeated(rows, subject)
        return True

    def _refuse_repeated(self, rows: Sequence[object], subject: str) -> None:
        mark = repr(rows)  # of plain values read from JSON: what was sent twice is written alike
        if mark in self.seen:
            raise Drift(
                f"{subject} : Factomos a donné deux fois la même page ; la lecture s'arrête là.",
                raw=wire.write(rows),
            )
        self.seen.add(mark)


@dataclass(frozen=True, slots=True)
class Listing:
    """Hold one page as answered; None when the vendor has no such page."""

    rows_name: str
    subject: str
    answer: Mapping[str, object] | None

    def total(self) -> int:
        """Give the number of rows of the whole list."""
        return self._count(f"total_{self.rows_name}")

    def rows(self, read: int) -> Sequence[object]:
        """Give the rows, checked against the places the page says they have."""
        found = (self.answer or {}).get(self.rows_name)
        if not isinstance(found, list):
            raise self._drift(f"pas de liste « {self.rows_name} »")
        rows = cast("list[object]", found)
        if not rows:
            return rows
        first, last = self._count("first_row"), self._count("last_row")
        if first != read or last - first + 1 != len(rows):
            raise self._drift(
                f"{len(rows)} lignes données pour les places {first} à {last}, "
                f"{read} étant déjà lues"
            )
        return rows

    def _count(self, name: str) -> int:
        pagination = (self.answer or {}).get("pagination")
        if not isinstance(pagination, dict):
            raise self._drift("pas de pagination")
        try:
            return spelling.count(cast("Mapping[str, object]", pagination).get(name))
        except ValueError:
            raise self._drift(f"« {name} » illisible dans la pagination") from None

    def _drift(self, what: str) -> Drift:
        return Drift(
            f"{self.subject} : page inattendue de Factomos ({what}). La réponse est conservée.",
            raw=wire.write(self.answer),
        )


def page_after(read: int) -> int:
    """Number the page that follows so many rows, for the dialect that counts pages from 1."""
    return -(-read // PER_PAGE) + 1


def _asked(ask: Ask, read: int) -> Mapping[str, object] | None:
    try:
        return ask(read)
    except NotFound as unknown:
        if unknown.fate is Fate.PAGE_UNKNOWN and read:
            return None
        raise Drift(unknown.error.message) from None


def _mark(rows: Sequence[object]) -> str:
    """Name a page by the ids of its rows: an amount may change, a row that moves shifts them."""
    known = [wire.members(row) for row in rows]
    ids = [row.get("pid", row.get("id")) for row in known]
    return hashlib.sha256(wire.write(ids).encode()).hexdigest()[:16]


def _changed(subject: str, before: int, now: int) -> Transient:
    return Transient(
        f"{subject} : la liste est passée de {before} à {now} lignes pendant la lecture ; "
        "nouvel essai plus tard."
    )
