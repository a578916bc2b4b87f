"""What a sentence suggests can be pasted into a shell, and names what one chooses between."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from tests.core.cli.shells import Shell, write_invoice

from encaisse_core.cli.questions import ways_to_answer
from encaisse_core.cli.short import Short


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("unreadable", "AUCUN9"), "Pas d'élément « AUCUN9 »."),
        (("tasks", "answer", "AUCUN9", "oui"), "Pas de question « AUCUN9 »."),
        (("effects", "resolve", "AUCUN9", "retry", "--reason", "x"), "Pas d'envoi « AUCUN9 »."),
    ],
)
def test_what_is_not_there_is_said_in_good_french(
    connected: Shell, command: tuple[str, ...], said: str
) -> None:
    assert connected(*command).stderr.startswith(said)


def test_a_command_we_suggest_can_be_pasted(shell: Shell, tmp_path: Path) -> None:
    said = shell("sync").stderr
    _, _, suggested = said.partition("encaisse ")
    words = shlex.split(suggested)
    assert words[-1] == "path=DOSSIER"
    write_invoice(tmp_path / "factures", "FA-1")
    words[-1] = f"path={tmp_path / 'factures'}"
    assert "Ma société" in shell.ok(*words)


def test_the_commands_that_answer_a_question_carry_what_it_requires() -> None:
    held = [
        ("t1", "maybe_same", True, "clm_1"),
        ("t2", "total_changed", True, "clm_2"),
        ("t3", "reconnect", False, "cnx_1"),
        ("t4", "refused", False, "eff_1"),
        ("t5", "routing", False, "record_payment"),
    ]
    found = [
        {"id": i, "kind": kind, "holds_claim": holds, "subject": subject}
        for i, kind, holds, subject in held
    ]
    assert ways_to_answer(found, Short(i for i, *_ in held)) == [
        'encaisse tasks answer t1 "votre réponse" --same',
        'encaisse tasks answer t1 "votre réponse" --different',
        'encaisse tasks answer t2 "votre réponse" --lift',
        'encaisse tasks answer t2 "votre réponse" --keep',
        'encaisse tasks answer t3 "votre réponse"',
        'encaisse tasks answer t4 "votre réponse" --keep',
        "encaisse routing",
    ]


def test_a_question_is_answered_by_the_command_the_list_suggests(
    connected: Shell, invoices: Path
) -> None:
    gone = [
        write_invoice(invoices, f"FA-2025-1{number:02}", total=f"{number + 10}.00")
        for number in range(9)
    ]
    connected.ok("sync")
    for path in gone:
        path.unlink()
    connected("sync")
    (line,) = [
        line for line in connected.ok("tasks").splitlines() if "encaisse tasks answer" in line
    ]
    assert "Réponse enregistrée." in connected.ok(*shlex.split(line)[1:])


@pytest.mark.parametrize("both", [("--same", "--different"), ("--lift", "--keep")])
def test_an_answer_that_contradicts_itself_is_no_answer(
    connected: Shell, both: tuple[str, str]
) -> None:
    result = connected("tasks", "answer", "AUCUN9", "oui", *both)
    assert result.exit_code == 2
    assert "se contredisent" in result.stderr
