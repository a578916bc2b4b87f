"""Read a list page by page, and say it is whole only when it proves so.

The vendor states a total and the places of a page's first and last rows, offsets from 0 with both
ends included (README of github.com/thefloatingstone/factomos, section 17). Each is checked, and a
list is read until the vendor has nothing beyond its last row, because a page cut short with a total
to match looks complete until one asks for more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from encaisse_api import wire
from encaisse_api.errors import Drift, Transient
from encaisse_factomos import spelling
from encaisse_factomos.answers import Fate, NotFound
from encaisse_factomos.client import FactomosClient

PER_PAGE = 50
"""Documented maximum."""


@dataclass
class Pages:
    """Remember what was seen of several lists read in one go, to notice a page given twice."""

    client: FactomosClient
    seen: set[str] = field(default_factory=set[str])

    def read(
        self, path: str, rows_name: str, params: Mapping[str, str], *, subject: str
    ) -> Iterator[Sequence[object]]:
        """Yield the rows of each page that has any; return only when the list is proven whole.

        Raises `Drift` for a page given twice or one that contradicts itself, `Transient` when the
        list changed while it was read.
        """
        total: int | None = None
        read = 0
        page = 0
        while True:
            page += 1
            listing = Listing(rows_name, subject, self._ask(path, params, page, subject))
            if page > 1 and listing.answer is None:
                break
            stated = listing.total()
            if total is not None and stated != total:
                raise _changed(subject, total, stated)
            total = stated
            rows = listing.rows(read)
            if not rows:
                break
            self._refuse_repeated(rows, subject)
            read += len(rows)
            yield rows
        if total != read:
            raise Transient(
                f"{subject} : Factomos annonce {total} lignes et s'arrête à {read} ; "
                "rien n'en est déduit, nouvel essai plus tard."
            )

    def _ask(
        self, path: str, params: Mapping[str, str], page: int, subject: str
    ) -> Mapping[str, object] | None:
        query = {**params, "page": str(page), "per_page": str(PER_PAGE)}
        try:
            return self.client.get(path, subject=subject, params=query)
        except NotFound as unknown:
            if unknown.fate is Fate.PAGE_UNKNOWN and page > 1:
                return None
            raise Drift(unknown.error.message) from None

    def _refuse_repeated(self, rows: Sequence[object], subject: str) -> None:
        mark = wire.write(rows, stable=True)
        if mark in self.seen:
            raise Drift(
                f"{subject} : Factomos a donné deux fois la même page ; la lecture s'arrête là.",
                raw=mark,
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


def _changed(subject: str, before: int, now: int) -> Transient:
    return Transient(
        f"{subject} : la liste est passée de {before} à {now} lignes pendant la lecture ; "
        "nouvel essai plus tard."
    )
