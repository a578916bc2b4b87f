"""One customer, amount and due date, many invoices: one question, and none collected before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.core.cli.shells import SIREN, Shell, write_invoice

from encaisse_core import portfolio
from encaisse_core.store import schema

MANY = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "abonnements"


@pytest.fixture
def subscribed(shell: Shell, folder: Path) -> Shell:
    """Connect and read a folder of invoices that look alike."""
    for place in range(MANY):
        write_invoice(folder, f"FA-2025-{place:04}")
    shell.ok(
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier Exemple SARL"),
        *("--set", f"path={folder}"),
    )
    shell.ok("sync")
    return shell


def pairs(shell: Shell) -> int:
    store = shell.store()
    with store.begin() as tx:
        count: int = tx.execute(
            select(func.count()).select_from(schema.possible_duplicate)
        ).scalar_one()
    store.close()
    return count


def question(shell: Shell) -> dict[str, Any]:
    (task,) = shell.json("tasks")["tasks"]
    assert task["kind"] == "look_alikes"
    found: dict[str, Any] = task
    return found


def say(shell: Shell, *verdict: str) -> None:
    shell.ok("tasks", "answer", question(shell)["id"], "vérifié", *verdict)


def counts(shell: Shell) -> tuple[int, int]:
    found = shell.json("claims")["counts"]
    return found["claims"], found["collectible"]


def test_many_look_alikes_are_one_question_and_no_pair_each(subscribed: Shell) -> None:
    assert pairs(subscribed) == MANY - 1
    assert "toutes différentes" in question(subscribed)["sentence"]
    assert counts(subscribed) == (MANY, 0)


def test_said_to_be_different_all_are_collectible_until_another_comes(
    subscribed: Shell, folder: Path
) -> None:
    say(subscribed, "--different")
    assert counts(subscribed) == (MANY, MANY)
    write_invoice(folder, "FA-2025-9998")
    write_invoice(folder, "FA-2025-9999")
    subscribed.ok("sync")
    assert counts(subscribed) == (MANY + 2, 0)
    assert pairs(subscribed) == (MANY - 1) + MANY + 1
    say(subscribed, "--different")
    assert counts(subscribed) == (MANY + 2, MANY + 2)


def test_said_to_be_a_double_one_is_merged_and_the_others_are_still_asked_about(
    subscribed: Shell,
) -> None:
    first = question(subscribed)
    refused = subscribed("tasks", "answer", first["id"], "vérifié", "--same")
    assert refused.exit_code == 2
    assert "--of CRÉANCE" in refused.output
    assert "FA-2025-0000" in refused.output
    say(subscribed, "--same", "--of", "FA-2025-0000")
    assert counts(subscribed) == (MANY - 1, 0)
    assert question(subscribed)["subject"] != first["subject"]
    say(subscribed, "--different")
    assert counts(subscribed) == (MANY - 1, MANY - 1)
    assert subscribed.json("tasks")["tasks"] == []


def test_two_look_alikes_are_settled_by_one_answer(shell: Shell, folder: Path) -> None:
    write_invoice(folder, "FA-1")
    write_invoice(folder, "FA-2")
    shell.ok(
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier Exemple SARL"),
        *("--set", f"path={folder}"),
    )
    shell.ok("sync")
    say(shell, "--same")
    assert counts(shell) == (1, 1)
    assert shell.json("tasks")["tasks"] == []
    (claim,) = shell.json("claims")["claims"]
    told = shell.json("unjoin", claim["id"], "--reason", "deux mois de loyer")
    assert [each["number"] for each in told["claims"]] == ["FA-1", "FA-2"]
    assert counts(shell) == (2, 0)  # asked again: neither is collected before the answer
    say(shell, "--different")
    assert counts(shell) == (2, 2)


def test_copies_of_invoices_said_to_be_different_ask_nothing_more(
    subscribed: Shell, folder: Path
) -> None:
    say(subscribed, "--different")
    for file in sorted(folder.iterdir()):
        (folder / f"copie-{file.name}").write_bytes(file.read_bytes() + b"\n")
    subscribed.ok("sync")
    assert counts(subscribed) == (MANY, MANY)
    assert pairs(subscribed) == MANY - 1
    assert subscribed.json("tasks")["tasks"] == []


def test_a_reading_that_broke_off_while_joining_is_told_until_it_is_taken_up_again(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("FA-1", "FA-2", "FA-3"):
        write_invoice(folder, number)
    shell.ok(
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier Exemple SARL"),
        *("--set", f"path={folder}"),
    )
    place = portfolio._place

    def cut(host: Any, tx: Any, link: Any, row: Any) -> bool:
        if row["remote_ref"] == "FA-2.xml":
            raise KeyboardInterrupt
        return place(host, tx, link, row)

    with monkeypatch.context() as broken:
        broken.setattr(portfolio, "_place", cut)
        assert shell("sync").exit_code != 0
    examined = shell.json("doctor", code=6)
    (told,) = [check for check in examined["checks"] if check["check"] == "joining"]
    assert not told["ok"]
    assert told["sentence"].startswith(f"2 facture(s) de {SIREN} (test)")
    shell.ok("sync")
    assert counts(shell) == (3, 0)
    checks = shell.json("doctor")["checks"]
    assert [check["ok"] for check in checks if check["check"] == "joining"] == [True]
