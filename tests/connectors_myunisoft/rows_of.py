"""Rows written by hand from the documented shapes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import cast

from encaisse_api import wire
from encaisse_myunisoft import (
    lines,
)
from encaisse_myunisoft.exercices import Exercice
from encaisse_myunisoft.lines import Line

PAYLOADS = Path(__file__).parent / "payloads"
YEAR = Exercice("9001", date(2026, 1, 1), date(2026, 12, 31), open=True, multi=False)


def payload(name: str) -> object:
    return wire.read((PAYLOADS / f"{name}.json").read_bytes())


def rows(name: str) -> list[object]:
    return cast("list[object]", payload(name))


def good(raw: object, year: Exercice = YEAR) -> Line:
    found = lines.read(raw, year)
    assert isinstance(found, Line), found
    return found
