"""Lend the tests of the command line a shell, a folder of invoices, and partners over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.core.cli.shells import NOW, OTHER_SIREN, SIREN, Shell, Town, write_invoice

from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_simulator.server import serve
from encaisse_simulator.world import World


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Start with an empty data folder on the evening of 2 February 2026."""
    clock = VirtualClock(NOW)
    return Shell(tmp_path / "home", {"USER": "camille"}, clock, SeededIds(7, clock))


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    """Give a folder with two overdue invoices, one not due yet, one of another company."""
    folder = tmp_path / "factures"
    write_invoice(folder, "FA-2025-001")
    write_invoice(folder, "FA-2025-002", total="80.00", buyer="Autre Client SARL")
    write_invoice(folder, "FA-2026-003", issued="2026-01-15", due="2026-02-28", total="50.00")
    write_invoice(folder, "AC-77", seller=OTHER_SIREN, total="19.99")
    return folder


@pytest.fixture
def connected(shell: Shell, invoices: Path) -> Shell:
    """Connect the folder."""
    shell.ok(
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier Exemple SARL"),
        *("--set", f"path={invoices}"),
    )
    return shell


@pytest.fixture
def town(shell: Shell) -> Iterator[Town]:
    """Serve Factomos and GCollect on the loopback, on the shell's own time."""
    world = World(seed=7, now=NOW)
    assert isinstance(shell.clock, VirtualClock)
    shell.clock.on_advance.append(world.set_now)
    world.factomos.add_company("jeton-factomos", SIREN, "Atelier Exemple SARL")
    contact = world.factomos.add_contact(
        "jeton-factomos",
        "Client Exemple SAS",
        siret="55210055400013",
        postcode="35000",
        city="Rennes",
        email="compta@example.org",
    )
    made = {
        number: world.factomos.add_invoice(
            number, contact, date(2025, 10, 1), date(2025, 10, 31), cents, document=b"%PDF-1.4 test"
        )
        for number, cents in (("F-1", 120_000), ("F-2", 45_050))
    }
    world.gcollect.register_creditor(SIREN, "Atelier Exemple SARL", "client-1", "secret-gcollect")
    with serve(world) as server:
        shell.environ["ENCAISSE_ROUTES"] = ",".join(
            f"{host}={server.base_url}" for host in sorted(world.partners)
        )
        yield Town(world, made)
