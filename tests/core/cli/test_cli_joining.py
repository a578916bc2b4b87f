"""Claims joined and taken apart from the command line, and what tools disagree about."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.core.cli.shells import SIREN, Shell, write_invoice


@pytest.fixture
def two_folders(shell: Shell, tmp_path: Path) -> Shell:
    """Connect two folders that show one invoice under two numbers and due dates."""
    write_invoice(tmp_path / "ventes", "FA-7")
    write_invoice(tmp_path / "ventes", "FA-8", total="50.00")
    write_invoice(tmp_path / "compta", "VTE-0193", due="2025-11-15")
    for name in ("ventes", "compta"):
        shell.ok(
            *("connect", "folder", "--siren", SIREN, "--name", "Atelier Exemple SARL"),
            *("--set", f"path={tmp_path / name}"),
        )
    shell.ok("sync")
    return shell


def numbers(shell: Shell) -> list[str]:
    return [each["number"] for each in shell.json("claims")["claims"]]


def test_two_claims_are_joined_explained_and_taken_apart(two_folders: Shell) -> None:
    shell = two_folders
    assert numbers(shell) == ["FA-7", "FA-8", "VTE-0193"]
    said = shell.ok("join", "FA-7", "VTE-0193", "--reason", "renumérotée en comptabilité")
    assert "une seule créance, FA-7" in said
    assert numbers(shell) == ["FA-7", "FA-8"]
    told = shell.json("explain", "VTE-0193")["claim"]
    assert told["number"] == "FA-7"
    assert [each["reason"] for each in told["merges"]] == ["renumérotée en comptabilité"]
    shell.ok("unjoin", "FA-7", "--reason", "deux factures", "--by", "Camille")
    assert numbers(shell) == ["FA-7", "FA-8", "VTE-0193"]
    assert "a été séparée, dit Camille" in shell.ok("explain", "FA-7")
    assert "unjoin" not in shell.json("tasks")["tasks"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("join", "FA-7", "FA-8", "--reason", "x"), "Les totaux diffèrent"),
        (("join", "FA-7", "FA-7", "--reason", "x"), "deux fois la même"),
        (("join", "FA-7", "FA-99", "--reason", "x"), "Aucune créance"),
        (("join", "FA-7", "VTE-0193", "--reason", " "), "Dites pourquoi"),
        (("unjoin", "FA-8", "--reason", "x"), "réunie à aucune autre"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    two_folders: Shell, call: tuple[str, ...], said: str
) -> None:
    result = two_folders(*call)
    assert result.exit_code == 2
    assert said in result.output
    assert numbers(two_folders) == ["FA-7", "FA-8", "VTE-0193"]


def test_tools_that_disagree_are_listed_since_the_night_they_began(two_folders: Shell) -> None:
    shell = two_folders
    shell.ok("nightly")
    assert shell.json("differences")["differences"] == []
    shell.ok("join", "FA-7", "VTE-0193", "--reason", "renumérotée")
    shell.clock.sleep(86_400)
    shell.ok("nightly")
    found = {each["kind"]: each for each in shell.json("differences")["differences"]}
    assert set(found) == {"due_date", "number"}
    assert [each["value"] for each in found["due_date"]["said"]] == ["31/10/2025", "15/11/2025"]
    assert [each["value"] for each in found["number"]["said"]] == ["FA-7", "VTE-0193"]
    assert all(each["advice"].endswith(".") for each in found.values())
    shell.clock.sleep(86_400)
    shell.ok("nightly")
    again = {each["kind"]: each for each in shell.json("differences")["differences"]}
    assert again == found  # with their age
    shell.ok("unjoin", "FA-7", "--reason", "deux factures")
    shell.clock.sleep(86_400)
    shell.ok("nightly")
    assert shell.json("differences")["differences"] == []
