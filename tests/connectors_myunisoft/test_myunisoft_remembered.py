"""A line that is remembered says what reading it anew would."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from tests.connectors_myunisoft.rows_of import YEAR, rows
from tests.plugin_api.rows_around import around

from encaisse_api.remembered import Remembered
from encaisse_myunisoft import lines
from encaisse_myunisoft.exercices import Exercice

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


def test_a_row_met_again_is_not_read_again() -> None:
    row = rows("movements")[0]
    line = lines.read(row, YEAR)
    assert lines.read(copy.deepcopy(row), YEAR) is line


def fresh(raw: object, year: Exercice, *, draft: bool) -> lines.Line | lines.Spoilt:
    """Read a row where nothing is remembered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LINES", Remembered[lines.Line](1))
        return lines.read(raw, year, draft=draft)
