"""Write and read JSON without a float in it: an amount is the text it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn, cast

SPELT = 40
"""Most decimals, or zeros before the point, that are written out."""


def read(text: str | bytes) -> object:
    """Read JSON; raises `ValueError` for anything else, NaN and Infinity included."""
    try:
        value: object = json.loads(text, parse_float=Decimal, parse_constant=_refused)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def write(value: object, *, stable: bool = False) -> str:
    """Write JSON; a Decimal becomes a number with the digits it has.

    `stable` sorts the members, so that equal content is equal text. A float is a `TypeError`.
    """
    if isinstance(value, Decimal):
        # Spelt out only where that is short: 1e999999999 is a number of JSON as well.
        return f"{value:f}" if _short(value) else str(value)
    if isinstance(value, Mapping):
        named = [(str(k), v) for k, v in cast("Mapping[str, object]", value).items()]
        held = sorted(named, key=lambda member: member[0]) if stable else named
        return "{" + ",".join(f"{write(k)}:{write(v, stable=stable)}" for k, v in held) + "}"
    if isinstance(value, (list, tuple)):
        listed = cast("list[object]", value)
        return "[" + ",".join(write(one, stable=stable) for one in listed) + "]"
    if isinstance(value, float):
        raise TypeError("a float has no place in what we write")
    return json.dumps(value, ensure_ascii=False)


def members(value: object) -> Mapping[str, object]:
    """Take a value for an object; nothing where it is none."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def rows(value: object) -> list[object] | None:
    """Take a value for a list; None where it is none, since an empty list says something."""
    return cast("list[object]", value) if isinstance(value, list) else None


def _short(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -SPELT <= exponent <= SPELT


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
