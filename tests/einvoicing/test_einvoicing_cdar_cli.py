"""`cdar` explains messages in French or JSON, with the exit codes of `read`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.einvoicing.cdar_messages import a_message, facts

from encaisse_einvoicing.cdar import write_cdar
from encaisse_einvoicing.cdar.cli import cdar
from encaisse_einvoicing.cdar.codes import reasons, statuses


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cdar, [str(each) for each in arguments])


def records(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a dispute and a collection."""
    for code in ("207", "212"):
        (tmp_path / f"{code}.xml").write_bytes(write_cdar(a_message(statuses()[code])))
    return tmp_path


def test_a_dispute_is_told_with_its_reason_and_what_to_do(folder: Path) -> None:
    result = run(folder / "207.xml")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{folder / '207.xml'} :",
        "  Déclaré par Acheteur SARL 987654324 (acheteur), le 22/11/2026 à 09:30.",
        "  Facture FA-2026-0042 du 15/09/2026 : 207 En litige",
        f"    {statuses()['207'].meaning}",
        f"    - Motif : ADR_ERR, {reasons()['ADR_ERR'].label}, « voir notre courrier ».",
        "1 message lu sur 1 fichier.",
    ]


def test_json_gives_message_meanings_issues_and_what_was_not_read(folder: Path) -> None:
    result = run(folder / "207.xml", folder / "212.xml", "--json")
    assert result.exit_code == 0
    dispute, collection = records(result)
    assert (dispute["ok"], dispute["issues"], dispute["unmapped"]) == (True, [], [])
    assert dispute["meanings"][0]["signal"] == "disputed"
    assert collection["meanings"][0]["collected"] == "120.00"
    (said,) = collection["message"]["acknowledgements"]
    (document,) = said["documents"]
    assert (document["number"], document["issue_date"]) == (facts().number, "2026-09-15")
    (amount,) = document["details"][0]["characteristics"]
    assert (amount["amount"], amount["currency"], amount["percent"]) == ("120.00", "EUR", "20.00")


def test_a_refused_file_gives_exit_1_and_the_others_are_explained(folder: Path, cii: str) -> None:
    (folder / "facture.xml").write_text(cii)
    result = run(folder / "207.xml", folder / "facture.xml")
    assert result.exit_code == 1
    assert "207 En litige" in result.stdout
    assert "encaisse read" in result.stdout
    assert "1 message lu sur 2 fichiers." in result.stdout


def test_what_a_message_lacks_or_has_too_much_of_is_shown(folder: Path) -> None:
    text = (folder / "207.xml").read_text()
    odd = folder / "odd.xml"
    odd.write_text(
        text.replace(">207<", ">7\u202e7<").replace(
            "<ram:TypeCode>23", "<ram:ID>1</ram:ID><ram:TypeCode>23"
        )
    )
    result = run(odd)
    assert result.exit_code == 0
    assert "faites-le lire par une personne" in result.stdout
    assert "BR-FR-CDV-CL-06" in result.stdout
    assert (
        "Non lu : /rsm:CrossDomainAcknowledgementAndResponse/rsm:AcknowledgementDocument/ram:ID"
        in result.stdout
    )
    heading = next(line for line in result.stdout.splitlines() if line.startswith("  Facture"))
    assert "\u202e" not in heading


def test_files_that_are_not_there_are_a_wrong_call_unless_others_are_read(folder: Path) -> None:
    absent = folder / "absent.xml"
    assert run(absent).exit_code == 2
    assert "n'existe pas" in run(absent).stderr
    assert run(absent, folder / "207.xml").exit_code == 1
    assert run().exit_code == 2
    assert run(folder, folder / "207.xml").exit_code == 1
    assert records(run(folder, "--json"))[0]["issues"][0]["code"] == "not_a_file"


def test_a_file_the_system_does_not_open_is_refused_with_the_reason(folder: Path) -> None:
    result = run(folder / ("a" * 300), folder / "207.xml")
    assert result.exit_code == 1
    assert "son nom est trop long" in result.stdout


def test_the_package_runs_alone(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "encaisse_einvoicing", "cdar", str(folder / "212.xml"), "--json"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    (record,) = json.loads(done.stdout)
    assert record["meanings"][0]["signal"] == "collected"
