"""Choose which exercices may hold what is still owed. Pure.

`GET /mad/exercices` (MAD/specs/v1.0.0/exercice.html). In MONO, the default, what is open at the end
of a year is carried over line by line and lettered there, so open exercices hold everything. In
MULTI the original lines stay where they are and are lettered across years, so older ones count too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import Drift
from encaisse_myunisoft.rows import ExerciceRow

YEARS = 5
"""How far back an open line is looked for: a claim between traders is prescribed then (L110-4)."""

MULTI = "MULTI"


@dataclass(frozen=True, slots=True)
class Exercice:
    """Hold one exercice."""

    id: str
    start: date
    end: date
    open: bool
    multi: bool


def read(answer: object) -> tuple[Exercice, ...]:
    """Read the whole list, oldest first; one that cannot be read makes the list useless."""
    raws = wire.rows(answer)
    if raws is None:
        raise _drift(answer, "pas de liste d'exercices")
    found: list[Exercice] = []
    for raw in raws:
        try:
            row = ExerciceRow.model_validate(raw)
        except ValidationError as error:
            raise _drift(raws, f"exercice illisible ({why(error)})") from None
        extra = row.additional_producer_properties
        found.append(
            Exercice(
                id=row.producer_id,
                start=row.period.start,
                end=row.period.end,
                open=row.state == "open",
                multi=extra is not None and extra.lettering.upper() == MULTI,
            )
        )
    if len({e.id for e in found}) != len(found):
        raise _drift(raws, "deux exercices de même identifiant")
    return tuple(sorted(found, key=lambda e: (e.start, e.id)))


def current(exercices: Sequence[Exercice], today: date) -> tuple[Exercice, ...]:
    """Name the exercices whose lines say what is owed, oldest first."""
    open_ = [e for e in exercices if e.open]
    if not any(e.multi for e in open_):
        return tuple(open_)
    return tuple(e for e in exercices if e.open or within_reach(e, today))


def within_reach(exercice: Exercice, today: date) -> bool:
    """Tell whether an exercice ended lately enough to hold a claim that is not prescribed."""
    return exercice.end >= today - timedelta(days=YEARS * 365 + 2)


def before(exercices: Sequence[Exercice], one: Exercice) -> Exercice | None:
    """Name the exercice that ended last before this one began."""
    older = [e for e in exercices if e.end < one.start]
    return older[-1] if older else None


def holding(exercices: Sequence[Exercice], day: date) -> Exercice | None:
    """Name the exercice a day falls in."""
    return next((e for e in exercices if e.start <= day <= e.end), None)


def _drift(answer: object, what: str) -> Drift:
    return Drift(
        f"Exercices du dossier MyUnisoft : {what}. La réponse est conservée.",
        raw=wire.write(answer),
    )
