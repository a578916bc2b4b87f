"""Load the mapping table: business term -> field of the invoice, kind, path in each syntax.

`terms.tsv` beside this file is the only place that knows where EN 16931 keeps a term. Readers and
writers are compiled from it; its header explains the columns.
"""

import dataclasses
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Final, Literal

Column = Literal["cii", "ubl", "credit_note", "cdar"]
COLUMNS: Final[tuple[Column, ...]] = ("cii", "ubl", "credit_note")
EXTENSIONS: Final = "extensions."
"""What the name of a field outside the core of EN 16931 starts with, in the group it belongs to."""

Cardinality = Literal["0..0", "0..1", "1..1", "0..n", "1..n"]
_CARDINALITIES: Final[dict[str, Cardinality]] = {
    "0..0": "0..0",
    "0..1": "0..1",
    "1..1": "1..1",
    "0..n": "0..n",
    "1..n": "1..n",
}


class Kind(Enum):
    """Say how the text of a term becomes a value."""

    TEXT = "text"
    NAME = "name"
    """One line by nature: line breaks and indents of a printed file are folded to one space."""
    CODE = "code"
    IDENTIFIER = "id"
    DATE = "date"
    MOMENT = "moment"
    """A day with its time, which only life-cycle messages need."""
    AMOUNT = "amount"
    """A decimal in the invoice's currency; another currency beside it is an issue."""
    TAX_AMOUNT = "tax_amount"
    """BT-110 and BT-111 are told apart by their currency: it is read, not compared."""
    NUMBER = "number"
    FLAG = "flag"
    BINARY = "binary"
    CONSTANT = "constant"
    """The syntax wants it and the invoice learns nothing from it: another value is an issue."""


@dataclass(frozen=True, slots=True)
class Term:
    """Map one business term; paths start at the element of its group."""

    id: str
    field: str
    kind: Kind
    label: str
    places: dict[Column, tuple[str, ...]]
    many: bool = False
    constant: str = ""
    cardinality: Cardinality = "0..1"


@dataclass(frozen=True, slots=True)
class Group:
    """Map one business group: an element holding terms and groups, once or `many` times."""

    id: str
    field: str
    label: str
    places: dict[Column, tuple[str, ...]]
    many: bool = False
    cardinality: Cardinality = "0..1"
    members: "list[Term | Group]" = dataclasses.field(default_factory=list["Term | Group"])


class TableBroken(Exception):
    """Report a line of `terms.tsv` that cannot be understood (a fault of ours, never of a file)."""


@cache
def table() -> Group:
    """Read the table once; the root group is the document itself."""
    text = files(__package__ or "encaisse_einvoicing").joinpath("terms.tsv").read_text("utf-8")
    return parse_table(text)


def parse_table(text: str) -> Group:
    """Build the tree of groups from tab-separated lines; raise `TableBroken` with the line."""
    root = Group("", "", "document", dict.fromkeys(COLUMNS, (".",)))
    groups: dict[str, Group] = {"": root}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 8:
            raise TableBroken(f"line {number}: {len(cells)} columns instead of 8")
        identifier, dotted, kind, bounds, label, cii, ubl, credit_note = cells
        owner, _, name = dotted.rpartition(".")
        if owner not in groups and (owner + ".").endswith(EXTENSIONS):
            owner = owner.removesuffix(EXTENSIONS.rstrip(".")).rstrip(".")
            name = EXTENSIONS + name
        if owner not in groups:
            raise TableBroken(f"line {number}: no group {owner!r} above {dotted!r}")
        cardinality = _CARDINALITIES.get(bounds)
        if cardinality is None:
            raise TableBroken(f"line {number}: unknown cardinality {bounds!r}")
        places: dict[Column, tuple[str, ...]] = {
            "cii": _choices(cii),
            "ubl": _choices(ubl),
            "credit_note": _choices(credit_note or ubl),
        }
        identifier = "" if identifier == "-" else identifier
        if kind in ("group", "groups"):
            group = Group(identifier, name, label, places, kind == "groups", cardinality)
            groups[dotted] = group
            groups[owner].members.append(group)
            continue
        kind, _, constant = kind.partition("=")
        many = kind.endswith("*")
        try:
            known = Kind(kind.removesuffix("*"))
        except ValueError:
            raise TableBroken(f"line {number}: unknown kind {kind!r}") from None
        groups[owner].members.append(
            Term(identifier, name, known, label, places, many, constant, cardinality)
        )
    return root


def _choices(cell: str) -> tuple[str, ...]:
    return () if cell == "-" else tuple(choice.strip() for choice in cell.split("|"))
