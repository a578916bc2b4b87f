"""Join the pieces of a long run in one file, so that the page is written from all of them.

A piece replaces what the file held of the same goal on the same database, and says beside its
figures how much it measured and on which commit: pieces need not be of one size, nor of one day.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from encaisse_lab import proof_kept
from encaisse_lab.bench.host.found import Finding
from encaisse_lab.bench.judging import Goal, Verdict

SAID = ("rows", "rounds")


def joined(kept: Path, found: Sequence[Finding], sizes: dict[str, int]) -> list[Finding]:
    """Add what was found to the file, and give all that is in it now, in the order it came."""
    size = {name: float(sizes[name]) for name in SAID}
    code = proof_kept.commit()
    new = [replace(each, figures={**size, **each.figures}, code=code) for each in found]
    taken = {_name(each) for each in new}
    every = [each for each in read(kept) if _name(each) not in taken] + new
    kept.write_text(json.dumps([asdict(each) for each in every], indent=1), encoding="utf-8")
    return every


def read(kept: Path) -> list[Finding]:
    """Read what a file holds; nothing where there is none."""
    if not kept.exists():
        return []
    return [
        Finding(
            Verdict(Goal(**each["verdict"]["goal"]), each["verdict"]["value"],
                    each["verdict"]["why_not"]),
            each["database"],
            each["figures"],
            each["code"],
        )
        for each in json.loads(kept.read_text("utf-8"))
    ]  # fmt: skip


def _name(found: Finding) -> tuple[str, str]:
    return found.verdict.goal.key, found.database
