"""A disk that fills up while we write: one sentence, exit 5, and what was written stays whole."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from tests.core.cli.shells import SIREN, Shell, write_invoice

MANY = 120


def _many(folder: Path) -> None:
    for number in range(MANY):
        write_invoice(folder, f"FA-2025-{number:04}", total=f"{100 + number}.00")


def test_a_database_that_cannot_grow_undoes_the_page_and_says_so(
    shell: Shell, tmp_path: Path
) -> None:
    _many(tmp_path / "factures")
    shell.ok(
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier"),
        *("--set", f"path={tmp_path / 'factures'}"),
    )

    def no_more_pages(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count={pages + 8}")

    event.listen(Engine, "connect", no_more_pages)
    try:
        result = shell("sync")
    finally:
        event.remove(Engine, "connect", no_more_pages)
    assert result.exit_code == 5, result.output
    assert "Le disque est plein" in result.stderr
    assert "Traceback" not in result.output
    read = shell.json("sync")
    assert [c["new"] for c in read["connections"]] == [MANY]
    assert shell.json("claims")["counts"]["claims"] == MANY


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of sixteen megabytes; skipped where this user may not mount."""
    place = tmp_path / "disque"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if done.returncode != 0:
        pytest.skip("this user may not mount a disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_really_full_disk_is_said_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    _many(tmp_path / "factures")
    home = small_disk / "home"
    environ = {**os.environ, "ENCAISSE_HOME": str(home)}
    encaisse = [sys.executable, "-m", "encaisse_core.cli.main"]

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*encaisse, *args], env=environ, capture_output=True, text=True, check=False
        )

    connected = run(
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier"),
        *("--set", f"path={tmp_path / 'factures'}"),
    )
    assert connected.returncode == 0, connected.stderr
    ballast = small_disk / "lest"
    with ballast.open("wb") as file:
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        file.write(b"\0" * max(0, free - 120_000))
    full = run("sync")
    assert full.returncode == 5, full.stderr
    assert "plein" in full.stderr or "place" in full.stderr
    assert "Traceback" not in full.stderr
    ballast.unlink()
    assert run("journal", "export").returncode == 0
    assert run("sync").returncode == 0
    shown = run("claims", "--json")
    assert json.loads(shown.stdout)["counts"]["claims"] == MANY
