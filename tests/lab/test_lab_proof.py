"""The proofs say what was really run: the command's own exit code beside its figures."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import cast

import pytest

from encaisse_core import chaos
from encaisse_core.errors import UsageError
from encaisse_lab import proof, proof_kept
from encaisse_lab.broken_on_purpose import FIGURES
from encaisse_lab.faults_proof import DATABASES, PERCENT, Struck, percent
from encaisse_lab.proof_demo import DemoFigures, is_found
from encaisse_lab.proof_kept import Part, Piece
from encaisse_lab.proof_page import page
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


def piece(part: Part, name: str, figures: object = None, **other: object) -> Piece:
    made: dict[str, object] = {
        "part": part,
        "name": name,
        "commit": "abc",
        "on": "2026-02-02",
        "repeat": f"encaisse proof --part {part}",
        "figures": figures,
        "faults": [],
        **other,
    }
    return cast("Piece", made)


def struck(database: str, seed: int, **other: object) -> Struck:
    figures: dict[str, object] = {
        "database": database,
        "seed": seed,
        "percent": percent(seed),
        "cases": 2,
        "struck": 2,
        "points": ["outbox.claim.after_commit"],
        "actions": {"crash": 2},
        "duplicates": 0,
        "missing": 0,
        "holes": 0,
        "unbalanced": 0,
        "journal_ok": True,
        "cpu": 1.0,
        **other,
    }
    return cast("Struck", figures)


def test_the_page_prints_the_exit_code_that_was_seen() -> None:
    demo = DemoFigures(summaries=[], found={}, exits={})
    for name in FIGURES:
        demo["exits"][name], demo["found"][name] = 6, name != "stop"
    told = page(proof.SLICE, [piece("demo", "slice", demo)], date(2026, 2, 2))
    assert "- `--break lookup`: `remote_duplicates` turned bad, exit 6" in told
    assert "- `--break stop`: `remote_missing` NOT FOUND" in told


def test_a_part_that_was_not_run_does_not_hold_and_is_named() -> None:
    names = [(part, name) for part in proof_kept.PARTS for name in proof.names(proof.FULL, part)]
    whole = [piece(part, name) for part, name in names]
    assert proof.faults(proof.FULL, whole) == []
    assert proof.faults(proof.FULL, whole[:-1]) == [f"{' '.join(names[-1])} : pas joué"]
    assert "Verdict: NOT everything holds" in page(proof.FULL, [], date(2026, 2, 2))


def test_seeds_of_a_database_are_one_line_of_the_page() -> None:
    pieces = [
        piece("strikes", f"{name}-{seed:02}", struck(name, seed))
        for name in DATABASES
        for seed in (1, 5)
    ]
    pieces[0]["figures"]["duplicates"] = 3
    told = page(proof.FULL, pieces, date(2026, 2, 2))
    line = next(each for each in told.splitlines() if each.startswith("| sqlite |"))
    assert "| 2 (1 with failing partners) | 4 | 4 | 3 | 0 | 0 | 0 | yes |" in line
    assert f"1 of {len(chaos.POINTS)}" in line


def test_one_seed_in_five_has_failing_partners() -> None:
    assert [percent(seed) for seed in range(1, 11)].count(PERCENT) == 2


def test_a_kept_piece_is_read_back_and_stands_for_its_own_commit_alone(tmp_path: Path) -> None:
    kept = piece("strikes", "sqlite-01", struck("sqlite", 1))
    proof_kept.keep(tmp_path, kept)
    read = proof_kept.kept(tmp_path)
    assert read == [kept]
    assert proof_kept.stands(read, "strikes", "sqlite-01", "abc")
    assert not proof_kept.stands(read, "strikes", "sqlite-01", "def")
    assert not proof_kept.stands(read, "strikes", "sqlite-02", "abc")
    assert not proof_kept.stands([{**kept, "faults": ["x"]}], "strikes", "sqlite-01", "abc")


def test_pieces_of_two_commits_are_joined_only_when_asked_and_told_apart() -> None:
    pieces = [piece("fuzz", "full", commit="abc"), piece("year", "full", [], commit="def")]
    with pytest.raises(UsageError, match="abc, def"):
        proof_kept.of_one_commit(pieces, mixed=False)
    proof_kept.of_one_commit(pieces, mixed=True)
    told = page(proof.FULL, pieces[1:], date(2026, 2, 2))
    assert "| year | 1 | `def` | 2026-02-02 |" in told


def test_a_file_that_is_no_piece_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text('{"part": "demo"}')
    with pytest.raises(UsageError, match=r"notes\.json"):
        proof_kept.kept(tmp_path)
