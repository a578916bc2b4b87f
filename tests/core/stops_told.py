"""Let a collector hear stops, or not, and note what each said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.core.houses import House, make

from encaisse_api import Money, Transient
from encaisse_core.clock import VirtualClock

WITHOUT = ("find_direct_payment", "declare_direct_payment")


def undeclaring(tmp_path: Path, clock: VirtualClock) -> House:
    """Make a house whose collector takes no declarations of direct payments."""
    return make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock, without=WITHOUT)


def credited(house: House, number: str, cents: int, left: int) -> None:
    """Let the tool show credit notes and what they leave."""
    known, open_ = house.paper.invoices[f"r-{number}"], Money.of_minor(left)
    parts = tuple(each.model_copy(update={"open": open_}) for each in known.instalments)
    state = "open" if left else "settled"
    changed = {"open": open_, "credited": Money.of_minor(cents), "state": state}
    house.paper.add(known.model_copy(update=changed | {"instalments": parts}))


def muted(house: House, name: str) -> list[bool]:
    """Let one write of the collector fail for as long as what is returned holds True."""
    kind: Any = house.shelf.known["papercollector"]
    send, mute = getattr(kind, name), [True]

    def heard(self: Any, key: str, told: Any) -> Any:
        if mute[0]:
            raise Transient("en panne")
        return send(self, key, told)

    setattr(kind, name, heard)
    return mute


def stops_of(house: House, kind: str) -> int:
    return [each for each, _, _ in house.paper.stops].count(kind)


def hear_amended(house: House) -> list[int]:
    kind: Any = house.shelf.known["papercollector"]
    amend, said = kind.amend, list[int]()

    def amended(self: Any, key: str, told: Any) -> Any:
        said.append(told.principal.minor)
        return amend(self, key, told)

    kind.amend = amended
    return said


def hear_declared(house: House, mute: list[bool] | None = None) -> list[tuple[int, bool]]:
    kind: Any = house.shelf.known["papercollector"]
    declare, said = kind.declare_direct_payment, list[tuple[int, bool]]()

    def heard(self: Any, key: str, told: Any) -> Any:
        if mute is not None and mute[0]:
            raise Transient("en panne")
        said.append((told.amount.minor, told.settles))
        return declare(self, key, told)

    kind.declare_direct_payment = heard
    return said
