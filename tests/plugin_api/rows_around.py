"""Rows that differ from one row in one value, for what must not take one row for another."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import cast

Place = tuple[str | int, ...]

OTHER: tuple[object, ...] = (None, "", "12", "complete", "2026-03-04")


def around(row: object) -> Iterator[object]:
    """Give a row, and every row that differs from it in one value."""
    yield row
    for place in _places(row):
        for other in OTHER:
            changed = copy.deepcopy(row)
            here = cast("dict[str | int, object]", changed)
            for step in place[:-1]:
                here = cast("dict[str | int, object]", here[step])
            here[place[-1]] = other
            yield changed


def _places(value: object, at: Place = ()) -> Iterator[Place]:
    """Name every place of a value."""
    members = value.items() if isinstance(value, dict) else ()
    for name, inner in cast("dict[str, object]", dict(members)).items():
        yield (*at, name)
        yield from _places(inner, (*at, name))
