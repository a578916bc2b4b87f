"""Compile the table into the tree of steps a walk follows, one tree per syntax.

Reading costs one dictionary look-up per element whatever the number of terms: a step knows its
children by qualified tag, and everything a walk asks of a term for each value is laid out on its
leaf beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from encaisse_einvoicing.reading.step import (
    NOTHING,
    Convert,
    Converted,
    Formatted,
    Leaf,
    Opening,
    Raw,
    Scalar,
    Step,
)
from encaisse_einvoicing.terms import Column, Group, Kind, TableBroken, Term, table

__all__ = ["Convert", "Converted", "Plan", "Raw", "Scalar", "Syntax", "compile_plan"]

MAX_TEXT: Final[Mapping[Kind, int]] = {
    Kind.TEXT: 100_000,
    Kind.BINARY: 20 * 1024 * 1024,
}
MAX_TOKEN: Final = 1_000
"""Characters of a code, an identifier, a date or a number."""


SILENT_ATTRIBUTES: Final[Mapping[Kind, str]] = {
    Kind.AMOUNT: "currencyID",
    Kind.DATE: "format",
    Kind.MOMENT: "format",
}
"""The attribute a conversion looks at itself."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """Describe one syntax to the walker: column, prefixes, conversions."""

    name: str
    column: Column
    root: str
    namespaces: Mapping[str, str]
    converters: Mapping[Kind, Convert]
    formatted: Mapping[Kind, Formatted] = field(default_factory=dict[Kind, Formatted])
    document: str = "la facture"
    """What a person is told to look at again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Be the table compiled for one syntax: the tree of steps, its depth, prefixes to print."""

    root: Step
    levels: int
    prefixes: Mapping[str, str]
    document: str


def compile_plan(syntax: Syntax, of: Group | None = None) -> Plan:
    """Compile the invoices' table, or another, for one syntax into the tree the walker follows."""
    root = Step(f"/{syntax.root}")
    deepest = _compile(syntax, table() if of is None else of, root, 0)
    prefixes = {f"{{{uri}": prefix for prefix, uri in syntax.namespaces.items()}
    return Plan(root, deepest + 1, prefixes, syntax.document)


def _compile(syntax: Syntax, group: Group, start: Step, level: int) -> int:
    """Lay a group out under `start`; return the deepest level used."""
    deepest = level
    for member in group.members:
        for place in member.places[syntax.column]:
            path, _, attribute = place.rpartition("@") if "@" in place else (place, "", "")
            step = _descend(syntax, start, path.rstrip("/"))
            if isinstance(member, Group):
                step.opens = Opening(member, level + 1, member.field, member.many)
                deepest = max(deepest, _compile(syntax, member, step, level + 1))
                continue
            leaf = _leaf(syntax, member, level)
            if attribute in step.attributes or (not attribute and step.leaf is not None):
                raise TableBroken(f"{step.path}: claimed twice, by {member.id or member.field} too")
            if attribute:
                step.attributes[attribute] = leaf
            else:
                step.leaf = leaf
                step.silent = SILENT_ATTRIBUTES.get(member.kind, "")
    return deepest


def _leaf(syntax: Syntax, term: Term, level: int) -> Leaf:
    constant = _constant(term.constant) if term.kind is Kind.CONSTANT else None
    return Leaf(
        term=term,
        level=level,
        field=term.field,
        limit=MAX_TEXT.get(term.kind, MAX_TOKEN),
        convert=syntax.converters.get(term.kind, constant),
        formatted=syntax.formatted.get(term.kind),
        amount=term.kind is Kind.AMOUNT,
    )


def _constant(expected: str) -> Convert:
    """Make the conversion of a text that says nothing, unless it is not the one expected."""
    other = Converted(None, "unexpected_value", f"n'est pas la valeur attendue ({expected})")
    return lambda text: NOTHING if text == expected else other


def _descend(syntax: Syntax, step: Step, path: str) -> Step:
    for segment in path.split("/"):
        if segment in ("", "."):
            continue
        prefix, _, local = segment.partition(":")
        tag = f"{{{syntax.namespaces[prefix]}}}{local}"
        step = step.children.setdefault(tag, Step(f"{step.path}/{segment}"))
    return step
