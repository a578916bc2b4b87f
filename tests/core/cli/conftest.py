"""Lend the tests of the command line a shell, a folder of invoices, and partners over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.cli.shells import NOW, OTHER_SIREN, SIREN, Shell, Town, open_town, write_invoice

from encaisse_core.clock import SeededIds, VirtualClock


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
    with open_town(shell) as served:
        yield served
