"""The benchmark compares like with like and does not call met what was not measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from encaisse_lab.bench import goals, page, peers
from encaisse_lab.bench.__main__ import bench
from encaisse_lab.bench.goals import Measured, verdicts
from encaisse_lab.bench.memory import Held, held
from encaisse_lab.bench.peers import BARE, OURS, Peer, leaves
from encaisse_lab.bench.sets import File, gathered
from encaisse_lab.bench.timing import Times, measure, pair
from encaisse_lab.bench.xsd import Checked

NOWHERE = Path("/nonexistent")


def peer(name: str) -> Peer:
    return Peer(name, "1", frozenset({"CII", "UBL", "PDF"}), lambda data: data, leaves)


def times(name: str, seconds: dict[str, float], fields: int = 1) -> Times:
    found = Times(peer(name), {"CII": 3}, seconds)
    found.fields = {file: [f"f{n}" for n in range(fields)] for file in seconds}
    return found


def measured(**seconds: dict[str, float]) -> Measured:
    every = [
        times(name.replace("_", "-"), spent, 10 if name == OURS else 4)
        for name, spent in seconds.items()
    ]
    return Measured({"a": "CII", "b": "UBL", "p": "PDF"}, every, None, "no schema")


FAST = {"a": 1.0, "b": 1.0, "p": 1.0}
SLOW = {"a": 20.0, "b": 20.0, "p": 20.0}
ALL = {OURS: FAST, "lxml": {"a": 0.5, "b": 0.5}, "factur_x": SLOW, "facturex": FAST,
       "eu_einvoice": SLOW}  # fmt: skip


def test_only_files_both_read_count() -> None:
    ours = times(OURS, {"a": 1.0, "b": 9.0}, 3)
    other = times("other", {"a": 4.0, "c": 100.0}, 2)
    found = pair(ours, other, ["a", "b", "c"])
    assert found is not None
    assert (found.files, found.ratio, found.our_values, found.other_values) == (1, 4.0, 3, 2)
    assert pair(ours, times("none", {}), ["a", "b"]) is None


def test_each_goal_is_met_by_its_figure_and_by_nothing_else() -> None:
    found = replace(measured(**ALL), held=Held(100, 40, 50, 51, 52), xsd=Checked(3, 1.5, 1.0))
    assert all(each.met for each in verdicts(found))
    slower = measured(**ALL | {OURS: SLOW})
    met = {each.goal.key: each.met for each in verdicts(slower)}
    assert met == dict.fromkeys(met, False) | {"fields": True}


def test_what_was_not_measured_is_never_met_and_says_why() -> None:
    found = measured(**ALL)
    by_key = {each.goal.key: each for each in verdicts(found)}
    assert (by_key["xsd"].value, by_key["xsd"].met) == (None, False)
    assert by_key["memory"].value is None
    written = page.page(found, "the corpus of public test suites", 5, date(2026, 1, 2))
    assert "**not measured**" in written and "no schema" in written
    assert "NON MESURÉ" in "\n".join(page.spoken(found, "the corpus of public test suites"))
    told = page.as_json(found, "x", 5)
    assert [each["met"] for each in told["goals"] if each["key"] == "xsd"] == [None]


def test_a_file_only_a_peer_reads_is_named() -> None:
    found = measured(**ALL | {OURS: {"a": 1.0}})
    assert goals.unread(found) == ["b", "p"]
    assert "Lu par un pair et pas par nous : b" in "\n".join(page.spoken(found, ""))


def test_a_result_counts_its_values_and_names_their_fields() -> None:
    result: dict[str, Any] = {"a": "x", "b": "", "c": None, "l": [{"n": 0}, {"n": 1, "m": []}]}
    assert list(leaves(result)) == [".a", ".l.n", ".l.n"]


def test_the_invented_files_are_read_by_ours_and_timed() -> None:
    files, what = gathered(NOWHERE)
    assert "invented" in what and {file.syntax for file in files} == {"CII", "UBL", "PDF"}
    some = [*files[:6], File("broken.xml", b"<rsm:CrossIndustryInvoice", "CII")]
    ours, bare = peers._ours(), peers._bare()
    found = measure([ours, bare], some, 2, lambda words: None)
    assert set(found[0].seconds) == {file.name for file in some[:6]}
    assert all(spent > 0 for spent in found[0].seconds.values())
    assert min(len(fields) for fields in found[0].fields.values()) > 30
    assert "broken.xml" not in found[1].seconds
    assert (ours.name, bare.name) == (OURS, BARE)


@pytest.mark.slow
def test_memory_is_watched_in_a_process_of_its_own() -> None:
    files, _ = gathered(NOWHERE)
    found = held(files[:20], 400)
    assert 5 < found.start <= found.peak and found.warm > 0 and abs(found.growth) < 0.5


def test_without_the_peers_the_command_says_what_to_run() -> None:
    result = CliRunner().invoke(bench, ["--memory", "0"])
    assert result.exit_code == 1
    assert "make bench-einvoicing" in result.stderr
