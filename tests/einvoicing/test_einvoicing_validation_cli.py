"""`validate` prints verdicts in JSON or for a person, and its exit code never flatters."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner, Result
from tests.einvoicing.official import CEN_CII, needs_cen_cii

from encaisse_einvoicing.cli.validate import validate

FOREIGN = {">FR<": ">DE<", ">S1<": ">X<"}
Record = dict[str, dict[str, object]]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(validate, [str(each) for each in arguments])


def records(result: Result) -> list[Record]:
    return cast("list[Record]", json.loads(result.stdout))


@pytest.fixture
def folder(ubl: str, cii: str, tmp_path: Path) -> Path:
    """Give a good foreign invoice, one whose rules are not installed, and no invoice."""
    for old, new in FOREIGN.items():
        ubl, cii = ubl.replace(old, new), cii.replace(old, new)
    (tmp_path / "good.xml").write_text(ubl)
    (tmp_path / "open.xml").write_text(cii)
    (tmp_path / "none.xml").write_text("<a/>")
    return tmp_path


def test_json_gives_each_layer_its_outcome_reason_findings_and_artefact(folder: Path) -> None:
    result = run("--json", folder / "good.xml", folder / "open.xml", folder / "none.xml")
    assert result.exit_code == 1
    good, undecided, none = records(result)
    assert good["file"] == str(folder / "good.xml")
    for name, outcome in (("xsd", "valid"), ("rules", "valid"), ("french", "not_applicable")):
        assert good[name]["outcome"] == outcome
        assert good[name]["findings"] == []
        assert (good[name]["artefact"] is None) == (name == "french")
        assert (good[name]["reason"] is None) == (name != "french")
    assert cast("dict[str, str]", good["rules"]["artefact"])["version"] == "1.3.16"
    assert (undecided["rules"]["outcome"], undecided["outcome"]) == ("not_run", "not_run")
    assert (none["refused"]["code"], none["outcome"]) == ("unknown_root", "invalid")
    assert {none[name]["outcome"] for name in ("xsd", "rules", "french")} == {"not_run"}


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        (["good.xml"], [], 0),
        (["good.xml", "open.xml"], [], 6),
        (["open.xml"], ["--allow-not-run", "rules"], 0),
        (["open.xml"], ["--allow-not-run", "xsd", "--allow-not-run", "french"], 6),
        (["open.xml", "none.xml"], [], 1),
        (["none.xml"], ["--allow-not-run", "rules", "--allow-not-run", "xsd"], 1),
        (["absent.xml"], [], 2),
        (["good.xml", "absent.xml"], [], 1),
        ([], [], 2),
        (["good.xml"], ["--allow-not-run", "all"], 2),
        (["good.xml"], ["--rules", "absent"], 2),
    ],
)
@pytest.mark.parametrize("how", [[], ["--json"]])
def test_the_exit_code_is_the_worst_that_was_met(
    folder: Path, files: list[str], options: list[str], code: int, how: list[str]
) -> None:
    result = run(*how, *options, *(folder / file for file in files))
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_an_empty_folder_has_nothing_valid_in_it(tmp_path: Path) -> None:
    result = run("--json", tmp_path)
    assert (result.exit_code, records(result)) == (2, [])
    assert "ne contient aucune facture" in result.stderr


@needs_cen_cii
def test_a_folder_of_rules_completes_what_was_not_run(folder: Path) -> None:
    result = run("--rules", CEN_CII, folder / "open.xml", "--json")
    assert result.exit_code == 0
    assert records(result)[0]["rules"]["outcome"] == "valid"


def test_a_person_reads_the_layers_then_each_rule_with_where_it_is_broken(
    ubl: str, tmp_path: Path
) -> None:
    file = tmp_path / "f.xml"
    file.write_text(ubl.replace('"EUR">1000.00</cbc:Payable', '"EUR">999.00</cbc:Payable'))
    result = run(file)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"{file} : invalide (EN 16931, UBL Invoice)"
    assert " ".join(lines[1].split()) == "XSD valide UBL 2.1 Invoice (OASIS) 2.1"
    assert " ".join(lines[2].split()) == "Règles invalide 1 erreur ; EN 16931 UBL (CEN) 1.3.16"
    assert "  BR-CO-16, erreur" in lines
    assert any(each.startswith("    → BT-115, ligne ") for each in lines)
    assert lines[-1] == "0 valide, 1 invalide, sur 1 fichier."


def test_a_document_writes_no_control_character_on_the_terminal(ubl: str, tmp_path: Path) -> None:
    file = tmp_path / "f.xml"
    file.write_text(ubl.replace("<cbc:ID>F-2026-001<", "<cbc:ID>\u202eF\u009b31m 1<"))
    result = run(file)
    assert "BR-FR-02_BT-1" in result.stdout or "BR-FR-01_BT-1-2" in result.stdout
    assert all(char.isprintable() for line in result.stdout.splitlines() for char in line)


def test_an_archive_is_validated_member_by_member(folder: Path) -> None:
    archive = folder / "lot.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(3):
            file.write(folder / "good.xml", f"{number}.xml")
    result = run(archive, "--json")
    assert result.exit_code == 0
    found = records(result)
    assert [str(each["file"]).rpartition("!")[2] for each in found] == ["0.xml", "1.xml", "2.xml"]
    assert {str(each["outcome"]) for each in found} == {"valid"}


def test_it_runs_without_the_host_and_writes_utf_8_whatever_the_terminal(folder: Path) -> None:
    (folder / "é.xml").write_text("<a/>")
    done = subprocess.run(
        [sys.executable, "-m", "encaisse_einvoicing", "validate", str(folder / "é.xml"), "--json"],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 1, done.stderr
    (record,) = cast("list[Record]", json.loads(done.stdout.decode("utf-8")))
    assert str(record["file"]).endswith("é.xml")


def test_what_could_not_be_read_is_not_called_invalid_and_a_missing_file_is_told_once(
    folder: Path,
) -> None:
    absent = folder / "absent.xml"
    result = run(folder / "none.xml", absent)
    assert result.exit_code == 1
    assert f"{folder / 'none.xml'} : illisible" in result.stdout
    assert result.stdout.endswith("0 valide, 2 illisibles, sur 2 fichiers.\n")
    assert "n'existe pas" not in result.stdout and result.stderr.count("n'existe pas") == 1
    alone = run(absent)
    assert (alone.exit_code, alone.stdout) == (2, "") and "n'existe pas" in alone.stderr
