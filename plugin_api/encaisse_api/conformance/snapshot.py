"""Write the contract down, one line for each public thing, so that a change shows in a review.

python -m encaisse_api.conformance.snapshot > tests/plugin_api/api_snapshot.txt
"""

from __future__ import annotations

import builtins
import dataclasses
import inspect
import json
import re
import sys
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import encaisse_api
from encaisse_api import answers, hookspecs, resuming, spelling, webhooks, wire

ROOMS: dict[types.ModuleType, tuple[str, ...]] = {
    answers: ("Answer", "lost_reply", "send", "wait", "why"),
    resuming: ("ours", "zulu"),
    spelling: (
        "Amounts",
        "Days",
        "Form",
        "PARIS",
        "Words",
        "blank",
        "coined",
        "count",
        "instant",
    ),
    webhooks: ("verify",),
    wire: ("members", "read", "rows", "write"),
}
"""Public things that are called by their module's name."""

_WORD = re.compile(r"\b[A-Z]\w+\b")
_QUOTED = re.compile(r"r?\"[^\"]*\"|r?'[^']*'")


def lines() -> Iterator[str]:
    """Spell every public signature, field and alias, sorted by name."""
    yield f"API_VERSION {encaisse_api.API_VERSION}"
    names = [name for name in encaisse_api.__all__ if name != "API_VERSION"]
    spelt = {name: list(_spell(name, getattr(encaisse_api, name))) for name in names}
    for hook in ("register_connectors", "register_policies", "on_event"):
        spelt[f"hook {hook}"] = [f"{hook}{_signature(getattr(hookspecs, hook))}"]
    for room, named in ROOMS.items():
        name = room.__name__.rpartition(".")[2]
        for each in named:
            spelt[f"{name}.{each}"] = list(_spell(f"{name}.{each}", getattr(room, each)))
    for name in sorted(spelt):
        yield ""
        yield from spelt[name]
    yield from _aliases([line for group in spelt.values() for line in group])


def _spell(name: str, thing: object) -> Iterator[str]:
    if isinstance(thing, type):
        yield from _class(name, cast("type[object]", thing))
    elif inspect.isfunction(thing):
        yield f"{name}{_signature(thing)}"
    elif isinstance(thing, dict):
        yield f"{name} = {json.dumps(thing, sort_keys=True)}"
    elif isinstance(thing, tuple):
        named = cast("tuple[object, ...]", thing)
        yield f"{name} = {', '.join(str(getattr(each, '__name__', each)) for each in named)}"
    elif isinstance(thing, str | frozenset):
        yield f"{name} = {_value(cast('object', thing))}"
    elif _is_alias(thing):
        yield f"{name} = {_alias(thing)}"
    else:
        yield f"{name}: {type(thing).__name__}"


def _class(name: str, thing: type[object]) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in thing.__bases__)
    yield f"class {name}({bases})"
    if issubclass(thing, BaseModel):
        yield from _fields(thing)
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield f"    {field.name}: {field.type}"
    elif issubclass(thing, Exception):
        yield f"    __init__{_signature(thing.__init__)}"
    yield from _methods(thing)


def _fields(model: type[BaseModel]) -> Iterator[str]:
    own = inspect.get_annotations(model)
    for name, field in model.model_fields.items():
        if name in own:
            default = ""
            if field.default is not PydanticUndefined:
                default = f" = {_value(field.default)}"
            elif field.default_factory is not None:
                default = " = (empty)"
            yield f"    {name}: {own[name]}{default}"


def _value(default: object) -> str:
    if isinstance(default, frozenset):
        return f"frozenset({sorted(cast('frozenset[str]', default))})"
    return repr(default)


def _methods(thing: type) -> Iterator[str]:
    for name, member in sorted(vars(thing).items()):
        if name.startswith(("_", "model_")):
            continue
        if isinstance(member, property):
            yield f"    {name} -> {_signature(member.fget).rpartition(' -> ')[2]}"
        elif isinstance(member, classmethod | staticmethod):
            yield f"    {name}{_signature(getattr(thing, name))}"
        elif isinstance(member, types.FunctionType):
            yield f"    {name}{_signature(member)}"


def _signature(function: Any) -> str:
    """Spell a signature with its annotations as they are written."""
    return re.sub(r"'([^']*)'", r"\1", str(inspect.signature(function)))


def _is_alias(thing: object) -> bool:
    return hasattr(thing, "__metadata__") or hasattr(thing, "__origin__")


def _constraint(mark: object) -> str:
    """Spell what narrows an alias; parts left at their default say nothing."""
    if isinstance(mark, FieldInfo):
        parts = [_constraint(part) for part in mark.metadata]
        if mark.discriminator:
            parts.append(f"discriminator={mark.discriminator!r}")
        return ", ".join(parts)
    if dataclasses.is_dataclass(mark):
        fields = {field.name: getattr(mark, field.name) for field in dataclasses.fields(mark)}
        return ", ".join(f"{name}={value!r}" for name, value in fields.items() if value is not None)
    general = getattr(mark, "__dict__", {})
    return ", ".join(f"{name}={value!r}" for name, value in sorted(general.items()))


def _alias(alias: object) -> str:
    """Spell an alias with everything it stands for."""
    if alias is type(None):
        return "None"
    if isinstance(alias, type) and not isinstance(alias, types.GenericAlias):
        return alias.__name__
    marks = getattr(alias, "__metadata__", ())
    if marks:
        narrowed = "; ".join(_constraint(mark) for mark in marks)
        return f"{_alias(cast('Any', alias).__origin__)} where {narrowed}"
    arguments = get_args(alias)
    if get_origin(alias) is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if isinstance(alias, types.UnionType) or get_origin(alias) is Union:
        return " | ".join(_alias(argument) for argument in arguments)
    return str(alias)


def _aliases(spelt: list[str]) -> Iterator[str]:
    """Spell the aliases that annotations use and `__all__` does not name."""
    words = {word for line in spelt for word in _WORD.findall(_QUOTED.sub("", line))}
    rooms = [m for name, m in sys.modules.items() if name.startswith("encaisse_api.")]
    yield ""
    for word in sorted(words - set(encaisse_api.__all__) - set(dir(builtins))):
        room = next((room for room in rooms if _is_alias(vars(room).get(word))), None)
        if room is None or room.__name__.startswith("encaisse_api.conformance"):
            continue
        yield f"alias {word} = {_alias(vars(room)[word])}"


def text() -> str:
    """Give the whole snapshot."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
