"""Nothing that names a debtor can reach a collector before a mandate is signed."""

from __future__ import annotations

import enum
import inspect
import re
import types
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, StringConstraints

from encaisse_api import (
    ROLES,
    ClaimFile,
    Frozen,
    MandateDraft,
    Money,
    OpensProcedures,
    QuoteRequest,
    Quotes,
    SignedMandate,
    TakesMandates,
)

BLIND_ROLES = (Quotes, TakesMandates)
TELLING = re.compile(r"name|address|e?mail|phone|contact|document|label|note|text", re.IGNORECASE)
PLAIN = (Money, date, Decimal, int, bool)
TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]|\{\d+(?:,\d*)?\}|[\^$()|?*+]|.", re.DOTALL)
SPACES = [chr(code) for code in range(0x3001) if chr(code).isspace()]


def admits_space(pattern: str) -> bool:
    """Tell whether any part of a pattern could match white space, or the pattern is open."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return True
    letters = [t for t in TOKEN.findall(pattern) if not re.fullmatch(r"[\^$()|?*+]|\{.*\}", t)]
    return any(re.fullmatch(letter, space) for letter in letters for space in SPACES)


def telling(hint: Any, where: str, pattern: str | None = None) -> Iterator[str]:
    """Walk a type down to its leaves and name those that could carry a person."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        found = [c.pattern for c in arguments[1:] if isinstance(c, StringConstraints)]
        yield from telling(arguments[0], where, str(found[0]) if found and found[0] else pattern)
    elif origin is Literal or hint is type(None):
        return
    elif origin in (Union, types.UnionType, tuple, Sequence, frozenset, list):
        for argument in arguments:
            if argument is not Ellipsis:
                yield from telling(argument, where, pattern)
    elif hint is str:
        if pattern is None or admits_space(pattern):
            yield f"{where}: free text"
    elif isinstance(hint, type) and issubclass(hint, (*PLAIN, enum.Enum)):
        return
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        for name, field in get_type_hints(hint, include_extras=True).items():
            if name.startswith("model_") or name not in hint.model_fields:
                continue
            if TELLING.search(name):
                yield f"{where}.{name}: a telling name"
            yield from telling(field, f"{where}.{name}")
    else:
        yield f"{where}: {hint!r} is no type known to be blind"


def parameters(method: Any) -> dict[str, Any]:
    hints = get_type_hints(method, include_extras=True)
    hints.pop("return")
    return hints


def blind_methods() -> list[tuple[str, Any]]:
    return [
        (f"{role.__name__}.{name}", method)
        for role in BLIND_ROLES
        for name, method in vars(role).items()
        if inspect.isfunction(method) and not name.startswith("_")
    ]


def methods() -> Iterator[tuple[str, Any]]:
    for role in ROLES:
        for name, method in vars(role).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                yield f"{role.__name__}.{name}", method


def test_roles_before_the_signature_carry_no_free_text() -> None:
    found = [
        finding
        for where, method in blind_methods()
        for name, hint in parameters(method).items()
        if name != "key"
        for finding in telling(hint, f"{where}({name})")
    ]
    assert found == []


def test_the_walk_reaches_the_drafts() -> None:
    reached = {hint for _, method in blind_methods() for hint in parameters(method).values()}
    assert {QuoteRequest, MandateDraft} <= reached
    assert {name for name, _ in blind_methods()} == {
        "Quotes.quote",
        "TakesMandates.find_mandate",
        "TakesMandates.request_mandate",
        "TakesMandates.read_mandate",
    }


class PlantedName(MandateDraft):
    name: str


class PlantedText(QuoteRequest):
    remark: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class PlantedPattern(QuoteRequest):
    motive: Annotated[str, StringConstraints(pattern=r"^[\w ]{1,80}$")]


class PlantedDepth(Frozen):
    parts: tuple[PlantedName, ...]


class PlantedBytes(Frozen):
    scan: bytes


class PlantedAny(Frozen):
    more: dict[str, object]


@pytest.mark.parametrize(
    ("planted", "where"),
    [
        (PlantedName, ".name"),
        (PlantedText, ".remark"),
        (PlantedPattern, ".motive"),
        (PlantedDepth, ".parts.name"),
        (PlantedBytes, ".scan"),
        (PlantedAny, ".more"),
    ],
)
def test_a_planted_field_is_found(planted: type, where: str) -> None:
    assert [finding for finding in telling(planted, "x") if finding.startswith(f"x{where}")]


@pytest.mark.parametrize(
    ("pattern", "open_"),
    [
        (r"^[0-9]{9}$", False),
        (r"^(2[AB]|97[1-6])$", False),
        (r"^.{1,9}$", True),
        (r"^[^0-9]+$", True),
        (r"^\S+ \S+$", True),
        (r"^\w+$", False),
        (r"^[\t-z]+$", True),
        (r"[0-9]+", True),
    ],
)
def test_a_pattern_that_admits_white_space_is_known(pattern: str, open_: bool) -> None:
    assert admits_space(pattern) is open_


def test_only_opening_takes_a_claim_file_and_only_with_a_signed_mandate() -> None:
    takers = {
        name: set(parameters(method).values())
        for name, method in methods()
        if any(_mentions(hint, ClaimFile) for hint in parameters(method).values())
    }
    lookers = {name for name, hints in takers.items() if SignedMandate not in hints}
    assert set(takers) - lookers == {"OpensProcedures.open_procedure"}
    # The look-up is made before the opening, of the same file, to send nothing but our key.
    assert lookers == {"OpensProcedures.find_procedure"}
    assert list(parameters(OpensProcedures.open_procedure)) == ["key", "file", "mandate"]


def _mentions(hint: Any, wanted: type) -> bool:
    return hint is wanted or any(_mentions(part, wanted) for part in get_args(hint))
