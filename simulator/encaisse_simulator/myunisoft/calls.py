"""One authenticated call, and how its parameters are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from encaisse_simulator.myunisoft.access import Key
from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.wire import SimRequest, SimResponse

Scope = Literal["dossier", "firm", "any"]
"""What a route speaks of: one dossier, the whole cabinet, or whatever the key opens."""

VERSION = "1.0.0"
"""The only version of MAD [D]."""


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one call: the key it came with, and the dossier it speaks of."""

    request: SimRequest
    values: Mapping[str, str]
    key: Key
    books: Books
    maybe_dossier: Dossier | None

    @property
    def dossier(self) -> Dossier:
        """Give the dossier of a dossier-level call."""
        if self.maybe_dossier is None:
            raise Refused("GBL10", "society-id")
        return self.maybe_dossier

    def mad(self, *names: str) -> None:
        """Refuse a MAD call without its version, or with a parameter it does not know [S]."""
        if self.request.one("version") != VERSION:
            raise Refused("GBL10", "version")
        self.only("version", *names)

    def only(self, *names: str) -> None:
        """Refuse parameters nobody documents."""
        unknown = sorted(set(self.request.query) - set(names))
        if unknown:
            raise Refused("GBL10", ", ".join(unknown))

    def text(self, name: str) -> str | None:
        """Read a parameter given once."""
        values = self.request.query.get(name, [])
        if len(values) > 1:
            raise Refused("GBL10", f"{name} plusieurs fois")
        return values[0] or None if values else None

    def needed(self, name: str) -> str:
        """Read a parameter that must be there."""
        value = self.text(name)
        if value is None:
            raise Refused("GBL10", name)
        return value

    def has(self, name: str) -> bool:
        """Tell whether a flag is there, whatever it says, unless it says false."""
        return name in self.request.query and self.request.one(name) != "false"

    def number(self, name: str) -> int | None:
        """Read a whole number."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,12}", value):
            raise Refused("GBL10", name)
        return int(value)

    def day(self, name: str) -> date | None:
        """Read a date, `YYYY-MM-DD`."""
        value = self.text(name)
        return None if value is None else read_day(value, name)

    def several(self, name: str) -> list[str]:
        """Read a parameter that may hold several values, repeated or with commas [S]."""
        given = self.request.query.get(name, [])
        return [part for value in given for part in value.split(",") if part]


Handler = Callable[[Call], SimResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """Serve one method and path."""

    method: str
    path: str
    handler: Handler
    scope: Scope


def read_day(value: str, name: str) -> date:
    """Read a date or refuse the call."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Refused("GBL10", name)
