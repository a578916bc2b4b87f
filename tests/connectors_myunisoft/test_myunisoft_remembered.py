"""A line that is remembered says what reading it anew would, and what is remembered is bounded."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest
from tests.connectors_myunisoft.rows_of import YEAR, rows

from encaisse_myunisoft import lines
from encaisse_myunisoft.exercices import Exercice
from encaisse_myunisoft.remembered import Remembered

Place = tuple[str | int, ...]

OTHER: tuple[object, ...] = (None, "", "12", "complete", "2026-03-04")
YEARS = (replace(YEAR, id="9002"), replace(YEAR, multi=True))


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES", Remembered[lines.Line](8192))


def test_every_row_is_read_as_if_it_were_the_first() -> None:
    """Read rows that differ in one value, and the same row in another year or as a draft."""
    every = rows("movements")
    asked = [(raw, YEAR, False) for raw in (*every[1:], *around(every[0]))]
    asked += [(raw, year, True) for raw in every for year in YEARS]
    asked += [(raw, year, False) for raw in every for year in YEARS]
    anew = [fresh(raw, year, draft=draft) for raw, year, draft in asked]
    for _ in range(2):
        told = [lines.read(copy.deepcopy(raw), year, draft=draft) for raw, year, draft in asked]
        assert told == anew


def test_a_row_met_again_is_not_read_again_and_little_is_kept() -> None:
    row = rows("movements")[0]
    line = lines.read(row, YEAR)
    assert lines.read(copy.deepcopy(row), YEAR) is line
    kept = Remembered[int](8)
    for number in range(100):
        kept.keep(kept.key(number), number)
        assert kept.get(kept.key(0)) == 0, "what is asked for every night stays"
    held = sum(kept.get(kept.key(number)) is not None for number in range(100))
    assert 8 <= held <= 16


def fresh(raw: object, year: Exercice, *, draft: bool) -> lines.Line | lines.Spoilt:
    """Read a row where nothing is remembered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LINES", Remembered[lines.Line](1))
        return lines.read(raw, year, draft=draft)


def around(row: object) -> Iterator[object]:
    """Give a row, and every row that differs from it in one value."""
    yield row
    for place in places(row):
        for other in OTHER:
            changed = copy.deepcopy(row)
            here = cast("dict[str | int, object]", changed)
            for step in place[:-1]:
                here = cast("dict[str | int, object]", here[step])
            here[place[-1]] = other
            yield changed


def places(value: object, at: Place = ()) -> Iterator[Place]:
    """Name every place of a value."""
    members = value.items() if isinstance(value, dict) else ()
    for name, inner in cast("dict[str, object]", dict(members)).items():
        yield (*at, name)
        yield from places(inner, (*at, name))
