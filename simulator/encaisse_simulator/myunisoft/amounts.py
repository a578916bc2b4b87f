"""Amounts: whole cents inside, JSON numbers on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, cast

from encaisse_simulator.wire import Json, SimResponse, as_json, json_response

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""JSON as this vendor writes it: its amounts are numbers, so floats appear, at the edge only."""

Row: TypeAlias = dict[str, Value]

LARGEST = Decimal(10) ** 11
"""Above, a float no longer tells two amounts apart by one cent for sure."""


def euros(cents: int) -> int | float:
    """Write cents as a JSON number; whole amounts as integers, as JavaScript does.

    Dividing by 100 gives the float nearest to the decimal, and its shortest text is that decimal.
    """
    return cents // 100 if cents % 100 == 0 else cents / 100


def cents_of(value: object) -> int | None:
    """Read a JSON number parsed by `parse`; None when it is none or has more than two decimals."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    if not number.is_finite() or abs(number) > LARGEST:
        return None
    cents = number * 100
    return int(cents) if cents == cents.to_integral_value() else None


def parse(body: bytes) -> object:
    """Read JSON with exact numbers; raise ValueError when it is none."""
    try:
        return json.loads(body, parse_float=Decimal)
    except InvalidOperation as error:
        raise ValueError("unreadable number") from error


def written(value: Value) -> bytes:
    """Write JSON as answers have it."""
    return as_json(cast("Json", value))


def answered(body: bytes) -> SimResponse:
    """Answer with JSON that is written already."""
    return SimResponse(200, {"content-type": "application/json"}, body)


def answer(value: Value, status: int = 200) -> SimResponse:
    """Answer with JSON."""
    return json_response(status, cast("Json", value))
