"""Back up, restore and diagnose as a person does, in another folder, with and without the key."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

from tests.core.cli.shells import SIREN, Shell


def elsewhere(shell: Shell, home: Path) -> Shell:
    """Type the same commands on another machine."""
    return Shell(home, dict(shell.environ), shell.clock, shell.ids)


def test_a_store_moves_to_another_folder(connected: Shell, tmp_path: Path) -> None:
    connected.ok("sync")
    before = connected.json("claims", "--all")
    file = tmp_path / "s.zip"
    made = connected.json("backup", str(file))
    assert (made["missing_documents"], made["rows"] > 20) == ([], True)
    other = elsewhere(connected, tmp_path / "other")
    lost = other("restore", str(file))
    assert lost.exit_code == 1
    assert made["kek_ids"][0] in lost.stderr
    assert not (tmp_path / "other" / "kek").exists(), "no key is made in the place of the lost one"
    shutil.copy2(connected.home / "kek", tmp_path / "other" / "kek")
    assert other.json("claims", "--all") == before
    full = other("restore", str(file))
    assert full.exit_code == 5
    assert "contient déjà des données" in full.stderr
    asked = other("doctor").stdout
    assert "restaurée de la sauvegarde du 02/02/2026" in asked
    other.ok("nightly")
    checks = {c["check"]: c["ok"] for c in json.loads(other("doctor", "--json").stdout)["checks"]}
    assert "restoration" not in checks, "every partner was read again and nothing is in doubt"
    assert other("journal", "verify").exit_code == 0


def test_with_its_key_a_restoration_says_what_it_does(connected: Shell, tmp_path: Path) -> None:
    file = tmp_path / "s.zip"
    told = connected.ok("backup", str(file))
    assert "n'est pas dans ce fichier" in told
    (tmp_path / "other").mkdir()
    shutil.copy2(connected.home / "kek", tmp_path / "other" / "kek")
    said = elsewhere(connected, tmp_path / "other").ok("restore", str(file))
    assert "Le journal tient" in said
    assert "devront le redire" in said


def test_what_is_no_backup_is_refused(connected: Shell, tmp_path: Path) -> None:
    other = elsewhere(connected, tmp_path / "other")
    for content in (b"", b"PK\x05\x06" + b"\x00" * 18, b"bonjour"):
        (tmp_path / "bad.zip").write_bytes(content)
        refused = other("restore", str(tmp_path / "bad.zip"))
        assert refused.exit_code == 5
        assert "abîmée" in refused.stderr
    assert other("restore", str(tmp_path / "none.zip")).exit_code == 5
    assert not (tmp_path / "other").exists()
    assert connected("backup", str(tmp_path / "no" / "s.zip")).exit_code == 2


def test_a_diagnosis_is_written_even_where_the_store_does_not_open(
    connected: Shell, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "d.zip", tmp_path / "b.zip"
    connected("doctor", "--bundle", str(whole))
    with zipfile.ZipFile(whole) as held:
        assert "counts.json" in held.namelist()
        assert SIREN not in "".join(held.read(name).decode() for name in held.namelist())
    (connected.home / "encaisse.db").write_bytes(b"bonjour" * 100)
    assert connected("doctor", "--bundle", str(broken)).exit_code == 6
    with zipfile.ZipFile(broken) as held:
        assert "versions.json" in held.namelist()
        assert "counts.json" not in held.namelist()
