"""Write and read JSON without a float in it: an amount is the text it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn, cast


def read(text: str | bytes) -> object:
    """Read JSON; raises `ValueError` for anything else, NaN and Infinity included."""
    try:
        value: object = json.loads(text, parse_float=Decimal, parse_constant=_refused)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def write(value: object) -> str:
    """Write JSON; a Decimal becomes a number with the digits it has."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value).items()
        return "{" + ",".join(f"{json.dumps(str(k))}:{write(v)}" for k, v in members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(write(one) for one in cast("list[object]", value)) + "]"
    if isinstance(value, float):
        raise TypeError("a float has no place in what we write")
    return json.dumps(value, ensure_ascii=False)


def members(value: object) -> Mapping[str, object]:
    """Take a value for an object; nothing where it is none."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def rows(value: object) -> list[object] | None:
    """Take a value for a list; None where it is none, since an empty list says something."""
    return cast("list[object]", value) if isinstance(value, list) else None


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
