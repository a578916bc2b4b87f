"""Say what one hostile file is and what is due, write it, and hold what a guarded read gave."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
MOST_MEBIBYTES = 200
MOST_SECONDS = 1.0
CANARY = "CANARI-7319"
"""Content of a file that no answer may ever show."""


@dataclass(frozen=True, slots=True)
class Case:
    """Be one hostile file.

    `expect` are the outcomes allowed ("ok", or the code of the first issue); with `every`, each of
    them must be there; with `nothing`, an archive may be found empty.
    `issues` are codes the answer must hold besides, `shows` and `hides` texts
    it must and must not show.
    """

    name: str
    write: Callable[[Path], None]
    expect: frozenset[str]
    kind: str = "document"
    every: bool = False
    nothing: bool = False
    issues: frozenset[str] = frozenset()
    shows: str = ""
    hides: str = CANARY


def case(name: str, data: bytes | Callable[[], bytes], *expect: str, **more: Any) -> Case:
    """Describe a file by its bytes, or by what gives them when the file is written."""

    def write(path: Path) -> None:
        path.write_bytes(data() if callable(data) else data)

    return Case(name, write, frozenset(expect), **more)


Told = Mapping[str, Mapping[str, Any]]


def read_guarded(cases: Sequence[Case], warm: Sequence[Case], folder: Path) -> Told:
    """Write the files, read each in a guarded fork, and give what it told by the case's name."""
    jobs = []
    for number, each in enumerate([*warm, *cases]):
        named = each.name.rpartition("/")[2] if each.kind == "fec" else "fichier"
        path = folder / str(number) / named
        path.parent.mkdir()
        each.write(path)
        name = f"warm {each.name}" if each in warm else each.name
        jobs.append({"name": name, "kind": each.kind, "path": str(path)})
    manifest = folder / "jobs.json"
    manifest.write_text(json.dumps(jobs))
    run = subprocess.run(
        [sys.executable, "-m", "tests.einvoicing.hostile.child", str(manifest)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {
        each.name: json.loads(line)
        for each, line in zip(cases, run.stdout.splitlines(), strict=True)
    }


def outcome(record: Mapping[str, Any]) -> str:
    """Give "ok", or the code of the first issue."""
    return "ok" if record["ok"] else str(record["issues"][0]["code"])


def judge(asked: Case, told: Mapping[str, Any]) -> None:
    """Hold one answer against what is due: typed, told, cheap, and nothing opened."""
    assert "signal" not in told, f"killed by {told['signal']}: it opened something, or hung"
    assert not told["error"], told["error"]
    assert told["touched"] == []
    found = {outcome(record) for record in told["records"]}
    assert (found or asked.nothing) and found <= asked.expect, found
    assert not asked.every or found == asked.expect, found
    codes = {issue["code"] for record in told["records"] for issue in record["issues"]}
    assert asked.issues <= codes, codes
    for record in told["records"]:
        for issue in record["issues"]:
            assert issue["message"] and issue["where"], issue
    shown = json.dumps(told["records"], ensure_ascii=False)
    assert asked.shows in shown and asked.hides not in shown
    assert told["cpu"] <= MOST_SECONDS, f"{told['cpu']:.2f} s"
    assert told["peak"] <= MOST_MEBIBYTES, f"{told['peak']} MiB"
