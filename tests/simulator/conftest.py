"""A world on a Tuesday morning in Paris, with one company at both partners."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from tests.simulator.office import Office, open_office

from encaisse_simulator import SimTransport, World
from encaisse_simulator.caller import GCollectCaller

SIREN = "123456782"


@pytest.fixture
def world() -> World:
    """Start at 09:00 in Paris on 24 November 2026."""
    world = World(7, datetime(2026, 11, 24, 8, tzinfo=UTC))
    world.factomos.add_company("jeton", SIREN, "Menuiserie Exemple SAS")
    world.gcollect.register_creditor(SIREN, "Menuiserie Exemple SAS", "client", "secret")
    return world


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    """Reach the vendors in process."""
    with httpx.Client(transport=SimTransport(world)) as client:
        yield client


@pytest.fixture
def tool(world: World) -> Iterator[httpx.Client]:
    """Reach Factomos in process, with the company's token."""
    with httpx.Client(
        transport=SimTransport(world),
        base_url="https://api.factomos.com",
        headers={"Authorization": "Bearer jeton"},
    ) as client:
        yield client


@pytest.fixture
def collector(http: httpx.Client) -> GCollectCaller:
    """Reach GCollect in process, logged in."""
    caller = GCollectCaller(http, "client", "secret")
    caller.log_in()
    return caller


@pytest.fixture
def office(world: World, http: httpx.Client) -> Office:
    """Open a cabinet with a MONO and a MULTI dossier, in process."""
    return open_office(world, http)
