"""A person reads French: what the code names in English has its French word, or its sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from tests.core.cli.shells import Shell

import encaisse_core
from encaisse_api import ROLES
from encaisse_api.collection import Mandate
from encaisse_api.settling import CollectedPayment, CollectorPayout
from encaisse_core.cli import words

CODE = Path(encaisse_core.__file__).parent


APPENDING = ("journal.append", "append", "writing.append", "tell", "plain.tell")
"""What writes an event whose kind is its fourth argument."""


def kinds_written() -> Iterator[str]:
    """Yield the kind of every event the code appends; a computed one as its fixed beginning + *."""
    for path in sorted(CODE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name in APPENDING and len(node.args) >= 5:
                yield from kinds(node.args[3])
            elif name in ("Entry", "journal.Entry") and len(node.args) >= 3:
                yield from kinds(node.args[1])


def kinds(node: ast.expr) -> Iterator[str]:
    """Read the names an expression may give."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from kinds(node.body)
        yield from kinds(node.orelse)
    elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        yield f"{node.values[0].value}*"
    elif not (isinstance(node, ast.Name) and node.id == "kind"):  # append hands its own on
        raise AssertionError(f"an event whose name cannot be read: {ast.unparse(node)}")


def states(model: type[BaseModel]) -> set[str]:
    """List the states the contract knows."""
    return set(get_args(model.model_fields["state"].annotation))


COMPUTED = {
    "effect_*": {"done", "refused", "parked"},
    "entry_*": {"posted", "altered", "rejected"},
    "mandate_*": (states(Mandate) - {"pending", "unknown"}) | {"altered"},
    "settlement_*": states(CollectedPayment),
    "payout_*": states(CollectorPayout),
    "commission_*": set(words.COMMISSION_KINDS),
}
"""What completes an event's computed name."""


def test_every_event_of_the_journal_has_its_french_word() -> None:
    written = set(kinds_written())
    assert "claim_made" in written
    names = {name for name in written if not name.endswith("*")}
    for computed in written - names:
        names |= {computed.removesuffix("*") + end for end in COMPUTED[computed]}
    assert set(words.EVENTS) == names


def test_every_role_of_the_contract_has_its_french_word() -> None:
    assert set(words.ROLES) == {role.__name__ for role in ROLES}


def test_the_journal_of_a_claim_is_told_in_french(connected: Shell) -> None:
    connected.ok("sync")
    told = connected.ok("explain", "FA-2025-001")
    assert "Vue pour la première fois dans" in told and "claim_made" not in told


def test_a_broken_file_is_refused_in_french(connected: Shell, invoices: Path) -> None:
    (invoices / "cassee.xml").write_text("<Invoice><ID>F-1</ID>", encoding="utf-8")
    connected("sync")
    (row,) = connected.json("unreadable")["unreadable"]
    assert "le fichier s'arrête avant la fin" in row["reason"]
    assert "line" not in row["reason"] and "tag" not in row["reason"]


def test_a_data_folder_that_cannot_be_made_says_why_in_french(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "fichier").write_text("")
    shell.home = tmp_path / "fichier" / "donnees"
    result = shell("claims")
    assert result.exit_code == 5
    assert "un dossier de son chemin est un fichier" in result.stderr
    assert "Not a directory" not in result.stderr
