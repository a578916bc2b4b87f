"""Choose the schema and the rules of a document by its syntax and its profile (BT-24)."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from encaisse_einvoicing.reading.loader import Reader
from encaisse_einvoicing.validation.artefacts import rows

Unsaid = Literal["-", "own", "unknown"]
_UNSAID: Final[dict[str, Unsaid]] = {"-": "-", "own": "own", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Profile:
    """Be one row of `profiles.tsv`: what a document of this syntax and profile is held against.

    `wanted` must all run.
    """

    name: str
    schema: str
    wanted: tuple[str, ...]
    unsaid: Unsaid


@dataclass(frozen=True, slots=True)
class _Row:
    syntax: str
    pattern: re.Pattern[str]
    profile: Profile


@cache
def _table() -> tuple[_Row, ...]:
    found: list[_Row] = []
    for syntax, urn, name, schema, rules, unsaid in rows("profiles.tsv", 6):
        written = "" if urn == "-" else ".*".join(map(re.escape, urn.split("*")))
        profile = Profile(
            name,
            schema,
            tuple(rules.split()),
            _UNSAID[unsaid],
        )
        found.append(_Row(syntax, re.compile(written, re.DOTALL), profile))
    return tuple(found)


def profile_of(reader: Reader, written: str | None) -> Profile:
    """Give the profile of a document; the table has a row for whatever is written, and for none.

    A UBL credit note is held against the rules of an invoice and the schema of a credit note.
    """
    syntax = "cii" if reader == "cii" else "ubl"
    for row in _table():
        if row.syntax == syntax and row.pattern.fullmatch(written or ""):
            if reader == "credit_note":
                told = row.profile
                return Profile(told.name, "credit-note", told.wanted, told.unsaid)
            return row.profile
    raise ValueError(f"profiles.tsv has no last row for {syntax}")
