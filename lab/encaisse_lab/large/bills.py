"""What one invoice of the large company is: where it is kept, who owes it, what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

from encaisse_lab.invented import Party

Tool = Literal["factomos", "factomos_legacy", "myunisoft", "libeo", "folder"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
"""Tools that show invoices, each one connection; the collector is the sixth."""

BOOKS: Tool = "factomos"
"""The tool that takes our entries: the one most invoices are kept in."""

KEPT_IN: Mapping[tuple[Tool, ...], int] = {
    ("factomos",): 44,
    ("myunisoft",): 18,
    ("libeo",): 14,
    ("factomos", "libeo"): 10,
    ("factomos_legacy",): 8,
    ("myunisoft", "libeo"): 3,
    ("factomos", "folder"): 2,
    ("folder",): 1,
}
"""Of a hundred invoices, how many each set of tools shows."""


@dataclass
class Bill:
    """Be one invoice; `rest` is what its customer still owes, in cents, as people know it."""

    number: str
    customer: Party
    kept_in: tuple[Tool, ...]
    issued: date
    due: date
    cents: int
    fate: str
    rest: int = 0
    refs: dict[Tool, str] = field(default_factory=dict[Tool, str])
    """What each tool calls it, once entered there."""

    def __post_init__(self) -> None:
        """Owe all of it."""
        self.rest = self.cents
