"""Say what one element of a document is to the table: a term, a group, or what leads to them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, final

from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.terms import Group, Term

if TYPE_CHECKING:
    from encaisse_einvoicing.reading.taking import Take

Scalar: TypeAlias = str | Decimal | date | bool
Raw: TypeAlias = "dict[str, Scalar | Raw | list[Raw]]"


@final
class Converted(NamedTuple):
    """Be what an odd text became: a value, an issue (code, rest of the sentence), both or none."""

    value: Scalar | None
    code: str
    sentence: str


NOTHING: Final = Converted(None, "", "")
"""No value, and nothing to say of it."""

Convert: TypeAlias = Callable[[str, Element], Scalar | Converted]
"""Turn a text into its value; only what is worth an issue costs a `Converted`."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Be where one term is read: its group's level, how it converts, its longest text."""

    term: Term
    level: int
    field: str
    limit: int
    convert: Convert | None
    """None where the text is the value."""
    amount: bool
    """The currency beside the value is one of the invoice's amounts."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Open a group: a fresh dictionary at `level`, under the one a level below."""

    group: Group
    level: int
    field: str
    many: bool


@dataclass(slots=True)
class Step:
    """Be one element the table knows, with what to do there and which children it knows."""

    path: str
    children: "dict[str, Step]" = field(default_factory=dict["str", "Step"])
    opens: Opening | None = None
    leaf: Leaf | None = None
    attributes: dict[str, Leaf] = field(default_factory=dict[str, Leaf])
    silent: frozenset[str] = frozenset()
    """Attributes its conversion looks at itself."""
    take: "Take | None" = None
    """How an element with a value is read; None for one that only holds others."""
