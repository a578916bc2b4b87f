"""Record a connector's conversations with the simulator as the exam's cassettes.

The connector speaks to the vendor's real addresses and the world answers in process; the rest is
what every author has, `encaisse_api.conformance.record`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import httpx

from encaisse_api.conformance import record
from encaisse_api.conformance.record import NotForPublication
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

__all__ = ["NotForPublication", "Recorder", "connector_named"]

KEPT = frozenset({"gcollect-version"})
"""Headers of vendors' own that are no secret."""


def connector_named(slug: str) -> type:
    """Find an installed connector by its entry point, as the host does."""
    (found,) = entry_points(group="encaisse.connectors", name=slug)
    registered: list[type] = []
    found.load().register_connectors(registered.append)
    return registered[0]


class Recorder(record.Recorder):
    """Record calls of one connector into one folder, at one instant of one world."""

    def __init__(
        self,
        *,
        folder: Path,
        connector: type,
        world: World,
        recorded_against: str,
        headers: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        account: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`transport` is what the connector is lent, where it is more than the world's own."""
        super().__init__(
            folder=folder,
            connector=connector,
            transport=transport or SimTransport(world),
            now=world.now,
            recorded_against=recorded_against,
            headers=headers or {},
            settings=settings or {},
            account=account,
            kept=KEPT,
        )
