"""The proofs say what was really run: the command's own exit code beside its figures."""

from __future__ import annotations

from datetime import date
from typing import cast

from encaisse_lab.broken_on_purpose import FIGURES
from encaisse_lab.proof import Outcome, is_found, page
from encaisse_lab.summary import Summary

ZEROS = (
    "double_procedures",
    "wrong_merges",
    "missed_merges",
    "remote_duplicates",
    "remote_missing",
    "unstopped",
    "messages_after_payment",
)


def figures(**bad: int) -> Summary:
    found = {**dict.fromkeys(ZEROS, 0), "journal_ok": True, "ledger_balanced": True, **bad}
    return cast("Summary", found)


DOUBLED = figures(remote_duplicates=1)


def test_a_bug_that_turns_a_figure_bad_but_not_the_command_is_not_found() -> None:
    assert is_found("lookup", DOUBLED, 6)
    assert not is_found("lookup", DOUBLED, 0)
    assert not is_found("stop", DOUBLED, 6)


def test_a_bug_may_turn_bad_what_follows_from_it_and_nothing_else() -> None:
    assert is_found("stop", figures(remote_missing=1, unstopped=2), 6)
    assert not is_found("stop", figures(remote_missing=1, wrong_merges=1), 6)
    assert is_found("journal", figures(journal_ok=False), 6)
    assert not is_found("journal", figures(journal_ok=False, ledger_balanced=False), 6)


def test_the_page_prints_the_exit_code_that_was_seen() -> None:
    outcome = Outcome([1])
    for name in FIGURES:
        outcome.exits[name], outcome.found[name] = 6, name != "stop"
    told = page(outcome, date(2026, 2, 2), short=True)
    assert "- `--break lookup`: `remote_duplicates` turned bad, exit 6" in told
    assert "- `--break stop`: `remote_missing` NOT FOUND" in told
