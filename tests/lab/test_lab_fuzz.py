"""The fuzzer finds what it must: planted faults are told, repeated, and cut down to size."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from tests.counts import examples

from encaisse_einvoicing import Issue, Reading, read_bytes
from encaisse_lab.fuzz import promises, run, trees
from encaisse_lab.fuzz.cli import fuzz as command
from encaisse_lab.fuzz.run import Failure, drawn, fault_of, fuzz, smallest


def first_of(change: str) -> run.Case:
    return next(case for n in range(200) if (case := drawn(5, n, None)).change == change)


def test_mutated_documents_break_nothing() -> None:
    for number in range(examples(60)):
        case = drawn(17, number, None)
        assert fault_of(case) is None, (case.number, case.change, case.source.name)


def test_a_case_is_drawn_from_its_seed_and_number_alone() -> None:
    cases = [drawn(3, n, None) for n in range(200)]
    assert [drawn(3, n, None).data for n in (7, 3, 190)] == [cases[n].data for n in (7, 3, 190)]
    assert drawn(4, 7, None).data != cases[7].data
    assert set(Counter(case.change for case in cases)) == set(run.CHANGES)
    changed = [case for case in cases if case.data != case.source.data]
    assert len(changed) > 180


def test_what_is_heavy_is_not_repeated_beyond_what_a_reader_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trees, "MOST_TEXT", 10_000)
    monkeypatch.setattr(trees, "CHANGES", (trees._repeat,))
    heavy = b"<a>" + b"<b>" + b"x" * 3_000 + b"</b></a>"
    light = b"<a><b>x</b></a>"
    longest = {
        source: max(len(trees.mutated(source, [], Random(seed))) for seed in range(60))
        for source in (heavy, light)
    }
    assert longest[heavy] < 20_000 and longest[light] > 5_000


def test_the_same_meaning_is_written_in_many_ways() -> None:
    alike = [case for n in range(200) if (case := drawn(3, n, None)).first is not None]
    text = [case.data.decode("utf-8", "replace") for case in alike]
    for way in ("<!--", "<?note", "<![CDATA[", "encoding='ISO-8859-15'", "&#", 'xmlns="'):
        assert any(way in each for each in text), way
    assert any(case.data.startswith(b"\xff\xfe") for case in alike)


def test_what_the_readers_raise_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(name: str, data: bytes) -> Reading:
        raise KeyError("BT-1")

    monkeypatch.setattr(promises, "read_bytes", raises)
    assert fault_of(first_of("tree")) == ("crash", "KeyError: 'BT-1'")


@pytest.mark.parametrize(
    "issue",
    [
        Issue(code="x", message="Une phrase entière.", where=""),
        Issue(code="", message="Une phrase entière.", where="a"),
        Issue(code="x", message="KeyError", where="a"),
        Issue(code="x", message="pas une phrase", where="a"),
    ],
)
def test_an_issue_that_tells_nobody_anything_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, issue: Issue
) -> None:
    monkeypatch.setattr(promises, "read_bytes", lambda name, data: Reading(None, (issue,)))
    found = fault_of(first_of("bytes"))
    assert found is not None and found[0] == "crash" and "Broken" in found[1]


def test_silence_and_two_answers_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "read_bytes", lambda name, data: Reading(None, ()))
    assert fault_of(first_of("tree")) == ("crash", "Broken: no invoice and no word of why")
    answers = iter(range(10))

    def differs(name: str, data: bytes) -> Reading:
        issue = Issue(code="x", message=f"Réponse {next(answers)}.", where="a")
        return Reading(None, (issue,))

    monkeypatch.setattr(promises, "read_bytes", differs)
    assert fault_of(first_of("tree")) == ("crash", "Broken: read twice, read differently")


def test_a_reader_that_never_ends_is_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    def turns(name: str, data: bytes) -> Reading:
        while True:
            pass

    monkeypatch.setattr(run, "CPU_SECONDS", 0.1)
    monkeypatch.setattr(promises, "read_bytes", turns)
    found = fault_of(first_of("tree"))
    assert found is not None and found[0] == "hang"


def test_another_reading_of_the_same_document_is_unequal() -> None:
    case = first_of("same meaning")
    assert fault_of(case) is None
    lost = run.Case(case.number, case.source, case.change, "xml", b"<x/>", case.first)
    found = fault_of(lost)
    assert found is not None and found[0] == "unequal"


def test_a_failing_input_is_cut_down_to_what_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def chokes(name: str, data: bytes) -> Reading:
        if b"urn:cen.eu" in data:
            raise ValueError("planted")
        return read_bytes(name, data)

    monkeypatch.setattr(promises, "read_bytes", chokes)
    case = first_of("tree")
    assert fault_of(case) is not None
    less = smallest(case, "crash")
    assert b"urn:cen.eu" in less and len(less) < len(case.data) / 10
    failure = run.tried(5, case.number, None, tmp_path)
    assert failure is not None
    assert failure["repeat"] == f"encaisse fuzz --seed 5 --first {case.number} --cases 1"
    assert Path(failure["file"]).read_bytes() == less


def dies(seed: int, numbers: range, folder: Path | None, into: Path, out: Connection) -> None:
    """Stand for a reader that takes its process with it at one case, and for one that sleeps."""
    for number in numbers:
        if number == 4:
            os._exit(3)
        if number == 7:
            time.sleep(60)
        out.send((number, None))


@pytest.mark.slow
def test_a_process_that_dies_or_stands_still_loses_its_case_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "_work", dies)
    monkeypatch.setattr(run, "STILL_SECONDS", 5.0)
    figures = fuzz(1, 12)
    assert (figures["cases"], figures["crashes"], figures["hangs"]) == (12, 1, 1)
    assert [(each["case"], each["fault"]) for each in figures["failures"]] == [
        (4, "crash"),
        (7, "hang"),
    ]
    assert not run.sound(figures)


@pytest.mark.slow
def test_the_command_prints_one_object_and_exits_by_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    asked = ["--seed", "3", "--cases", "40", "--corpus", str(tmp_path), "--json"]
    result = CliRunner().invoke(command, asked)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told == {
        "seed": 3,
        "cases": 40,
        "crashes": 0,
        "hangs": 0,
        "unequal": 0,
        "failures": [],
    }
    result = CliRunner().invoke(command, ["--corpus", str(tmp_path / "absent")])
    assert result.exit_code == 2 and "n'est pas un dossier" in result.output
    failure = Failure(
        case=1, fault="crash", what="x", source="a", change="tree", repeat="encaisse fuzz", file="f"
    )
    bad = {**told, "crashes": 1, "failures": [failure]}
    monkeypatch.setattr(run, "fuzz", lambda *args, **more: bad)
    result = CliRunner().invoke(command, ["--json"])
    assert result.exit_code == 1
    assert "Graine 1" in result.stderr
