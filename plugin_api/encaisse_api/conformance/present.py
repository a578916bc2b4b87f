"""Check what a look-up makes of the row that stands under our key, when that row is not as due.

That row is where money was written once already: to overlook it is to write it twice, to take
another one for it is to call a payment recorded that never was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from pydantic import BaseModel

from encaisse_api.collection import MandateLink
from encaisse_api.conformance.exam import Exam, Interactions
from encaisse_api.conformance.finding import Finding
from encaisse_api.conformance.listing import (
    Path,
    at_path,
    nodes,
    with_totals_raised,
    with_value,
)
from encaisse_api.conformance.seat import NotApplicable, fail
from encaisse_api.errors import Conflict, PartnerError
from encaisse_api.money import Money
from encaisse_api.names import MONEY_WRITES, WRITES
from encaisse_api.writing import Absent, Receipt

_AMOUNT = re.compile(r"[+-]?[0-9][0-9 \u00a0\u202f]*([.,][0-9]{1,4})?")
OWN_IDS = frozenset({"id", "_id", "uid", "uuid", "pid", "producerid"})
"""Names under which a row says which row it is."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a recording mentions what was written: an answer, and the row or object in it."""

    answer: int
    path: Path

    @property
    def in_a_list(self) -> bool:
        """Tell whether it is one row among others."""
        return bool(self.path)


@dataclass(frozen=True, slots=True)
class Present:
    """Hold a look-up after its write, what it found, and where that stands in the recording."""

    finding: Finding
    found: Receipt | MandateLink
    places: tuple[Place, ...]
    further: Interactions
    """Answers of the look-up before the write that this one did not need: a row that is not
    recognised may lead there."""

    @classmethod
    def of(cls, exam: Exam, name: str) -> Present:
        """Find the rows of the recording that mention the key, else the id that was found."""
        finding = Finding.of(exam, name, "present")
        found = finding.good().value
        if not isinstance(found, Receipt | MandateLink):
            raise NotApplicable(f"{name} finds nothing, which fails an exam of its own")
        met = {interaction.address for interaction in finding.recording}
        before = Finding.of(exam, name, "absent").recording
        further = tuple(one for one in before if one.address not in met)
        for marks in ((str(finding.arguments["key"]),), _ids(found)):
            places = tuple(_mentions(finding.recording, marks))
            if places:
                return cls(finding, found, places, further)
        raise NotApplicable(f"{name}: no answer names our key or the id that was found")

    @property
    def name(self) -> str:
        """Name the look-up."""
        return self.finding.name

    def row(self, place: Place) -> Row:
        """Give what stands at a place."""
        return cast("Row", at_path(self.document(place.answer), place.path))

    def document(self, answer: int) -> object:
        """Give one answer of the recording."""
        return self.finding.recording[answer].document()

    def answering(self, answer: int, document: object) -> Interactions:
        """Copy the recording with another document as one answer."""
        recording = self.finding.recording
        altered = recording[answer].answering(document)
        return (*recording[:answer], altered, *recording[answer + 1 :], *self.further)

    def with_row(self, place: Place, row: object) -> Interactions:
        """Copy the recording with another value at a place."""
        return self.answering(
            place.answer, with_value(self.document(place.answer), place.path, row)
        )


def _ids(found: Receipt | MandateLink) -> tuple[str, ...]:
    return (found.remote_id, *(found.aliases if isinstance(found, Receipt) else ()))


def _mentions(recording: Interactions, marks: tuple[str, ...]) -> Iterator[Place]:
    """List the outermost rows that hold a mark; the whole answer where no list does."""
    for number, interaction in enumerate(recording):
        document = interaction.document()
        if not _holds(document, marks):
            continue
        rows: list[Path] = []
        for path, value in nodes(document):
            nested = any(path[: len(row)] == row for row in rows)
            listed = bool(path) and isinstance(path[-1], int) and _is_object(value)
            if listed and not nested and _holds(value, marks):
                rows.append(path)
        if rows or _is_object(document):
            yield from (Place(number, path) for path in rows or [()])


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _holds(document: object, marks: tuple[str, ...]) -> bool:
    texts = [str(v) for _, v in nodes(document) if isinstance(v, str | int)]
    return any(mark in text for mark in marks for text in texts)


def check_a_spoilt_row_is_doubt(exam: Exam, name: str) -> None:
    """Spoil the row that was found, field by field: it is found or it is doubt, never `Absent`."""
    present = Present.of(exam, name)
    for place in present.places:
        for what, spoilt in _spoilt(present.row(place)):
            outcome = present.finding.run(present.with_row(place, spoilt))
            if isinstance(outcome.value, Absent):
                fail(f"{name} with {what} {outcome}: a row that cannot be read is doubt, so raise")
            if outcome.error is not None and not isinstance(outcome.error, PartnerError):
                fail(f"{name} with {what} {outcome}; an error of the contract was due")


def _spoilt(row: Row) -> Iterator[tuple[str, object]]:
    for field in row:
        gone = {name: value for name, value in row.items() if name != field}
        yield f"`{field}` missing from the row", gone
        yield f"`{field}` of another type in the row", {**row, field: {"unexpected": [True]}}
    yield "an empty row in the place of ours", {}
    yield "text in the place of our row", "not a row"


def check_another_amount_is_a_conflict(exam: Exam, name: str) -> None:
    """Require `Conflict` where the row under our key says less money than was asked for."""
    present = Present.of(exam, name)
    asked = [money for money in moneys(present.finding.arguments) if money.minor]
    if isinstance(present.found, Receipt) and present.found.amount is not None:
        asked.append(present.found.amount)
    if not asked:
        raise NotApplicable(f"{name}: no amount is asked for")
    altered = _with_less(present, asked)
    if altered is None:
        write = next(write for write, twin in WRITES.items() if twin == name)
        if write in MONEY_WRITES:
            fail(f"{name} answers with an amount its recording does not hold: read it in the row")
        raise NotApplicable(f"{name}: the answers state no amount")
    outcome = present.finding.run(altered)
    if not isinstance(outcome.error, Conflict):
        fail(f"{name} with another amount in the row {outcome}; Conflict was due")


def moneys(value: object) -> Iterator[Money]:
    """Walk the amounts in arguments."""
    if isinstance(value, Money):
        yield value
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from moneys(getattr(value, field))
    elif isinstance(value, Mapping):
        for part in cast("Mapping[str, object]", value).values():
            yield from moneys(part)
    elif isinstance(value, list | tuple):
        for part in cast("list[object]", value):
            yield from moneys(part)


def _with_less(present: Present, asked: list[Money]) -> Interactions | None:
    """Lower every amount of ours in our rows, else in all answers; None where none stands."""
    everywhere = [Place(n, ()) for n in range(len(present.finding.recording))]
    for places in (present.places, everywhere):
        recording, changed = present.finding.recording, False
        for place in places:
            document = recording[place.answer].document()
            for path, value in list(nodes(at_path(document, place.path))):
                less = _less(value, asked)
                if less is not None:
                    document, changed = with_value(document, (*place.path, *path), less), True
            answer = recording[place.answer]
            altered = answer if document is None else answer.answering(document)
            recording = (*recording[: place.answer], altered, *recording[place.answer + 1 :])
        if changed:
            return recording
    return None


def _less(value: object, asked: list[Money]) -> object:
    """Write an amount of ours one step nearer to zero, spelt as it was; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    if not _AMOUNT.fullmatch(text):
        return None
    number = Decimal(re.sub(r"[\s]", "", text).replace(",", "."))
    exact = number == number.to_integral_value()
    if not any(
        abs(number) == abs(money.amount) or (exact and abs(number) == abs(money.minor))
        for money in asked
    ):
        return None
    exponent = number.as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0).copy_sign(number)
    less = str(number - step)
    if isinstance(value, str):
        return less.replace(".", ",") if "," in value else less
    return type(value)(less)


def check_two_rows_are_a_conflict(exam: Exam, name: str) -> None:
    """Require `Conflict` where two rows stand under our key: a person says which one to keep."""
    present = Present.of(exam, name)
    listed = [place for place in present.places if place.in_a_list]
    if not listed:
        raise NotApplicable(f"{name} reads one thing, not a list that could hold it twice")
    for place in listed:
        document = present.document(place.answer)
        rows = cast("list[object]", at_path(document, place.path[:-1]))
        key = str(present.finding.arguments["key"])
        ids = tuple(one for one in _ids(present.found) if key not in one)
        twin = _another_id(present.row(place), ids)
        doubled = with_value(document, place.path[:-1], [*rows, twin])
        doubled = with_totals_raised(doubled, place.path[:-1], len(rows))
        with exam.seat(present.answering(place.answer, doubled)) as seat:
            outcome = seat.call(name, present.finding.arguments)
            strayed = bool(seat.replay.unrecorded) and isinstance(outcome.error, PartnerError)
        if not strayed and not isinstance(outcome.error, Conflict):
            fail(f"{name} with two rows under one key {outcome}; Conflict was due")


def _another_id(row: Row, ids: tuple[str, ...]) -> Row:
    """Copy a row under ids of its own, since one thing listed twice is no double."""
    twin: object = row
    for path, value in nodes(row):
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        own = len(path) == 1 and str(path[0]).lower() in OWN_IDS
        if own or str(value) in ids:
            twin = with_value(twin, path, f"{value}9" if isinstance(value, str) else value + 1)
    return cast("Row", twin)
