"""Say what one element of a document is to the table: a term, a group, or what leads to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias, final

from encaisse_einvoicing.terms import Group, Term

Scalar: TypeAlias = str | Decimal | date | bool
Raw: TypeAlias = "dict[str, Scalar | Raw | list[Raw]]"


@final
class Converted(NamedTuple):
    """Be what an odd text became: a value, an issue (code, rest of the sentence), both or none."""

    value: Scalar | None
    code: str
    sentence: str


Names: TypeAlias = Sequence[str | bytes]
"""The attributes of one element, as lxml's types have it: all are text.

Names alone: lxml's `items()` takes a minute for a hundred thousand, looking each value up anew.
"""

NOTHING: Final = Converted(None, "", "")
"""No value, and nothing to say of it."""

Convert: TypeAlias = Callable[[str], Scalar | Converted]
"""Turn a text into its value; only what is worth an issue costs a `Converted`."""
Formatted: TypeAlias = Callable[[str, str], Scalar | Converted]
"""Do so by the format announced beside the text, "" where none is."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Be where one term is read: its group's level, how it converts, its longest text."""

    term: Term
    level: int
    field: str
    limit: int
    convert: Convert | None
    formatted: Formatted | None
    """Both None where the text is the value."""
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
    attributes: "dict[str | bytes, Leaf]" = field(default_factory=dict["str | bytes", Leaf])
    silent: str = ""
    """The attribute its conversion looks at itself."""
    known: "Callable[[str], Step | None]" = field(init=False)
    """Give the child of a tag."""

    def __post_init__(self) -> None:
        """Make the look-up once: it is asked for at each group of each document."""
        self.known = self.children.get
