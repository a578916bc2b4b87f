"""Keep what each part of a proof found, so that a proof of hours is made in pieces and joined.

A piece is one JSON file: which part, of which commit, when, the command that repeats it, figures
and what does not hold. Pieces of two states of the code prove nothing about either: they are joined
only when asked, and the page says which is which.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, cast, get_args

from pydantic import TypeAdapter, ValidationError

from encaisse_core.errors import UsageError

Part = Literal["demo", "year", "large", "fuzz", "explore", "strikes", "processes"]
PARTS: tuple[Part, ...] = get_args(Part)

UNKNOWN = "unknown"
"""The commit where the code lies in no repository."""

CODE = (
    ":/",
    ":(top,exclude)docs",
    ":(top,exclude)*.md",
    ":(top,exclude)tests",
    ":(top,exclude)Makefile",
    ":(top,exclude)lab/encaisse_lab/bench",
)
"""What a proof is of: all but what it does not run, which may be written between two of its pieces:
pages, tests, recipes, benchmarks.
"""


class Piece(TypedDict):
    """Be one file: `figures` are as the part's own room reads them."""

    part: Part
    name: str
    commit: str
    on: str
    repeat: str
    figures: Any
    faults: list[str]


_READ = TypeAdapter(dict[str, Any])


def commit() -> str:
    """Name the last commit that touched the code; what was changed since is told too."""
    asked = ("git", "-C", str(Path(__file__).parent))
    try:
        head = _said(*asked, "log", "-1", "--format=%H", "--", *CODE)[:12]
        changed = _said(*asked, "status", "--porcelain", "--untracked-files=no", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return f"{head} and changes" if changed else head


def _said(*asked: str) -> str:
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def keep(folder: Path, piece: Piece) -> None:
    """Write a piece, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{piece['part']}-{piece['name']}.json"
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(piece, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.rename(path)


def kept(folder: Path) -> list[Piece]:
    """Read every piece of a folder, in the order of parts and names.

    Raises `UsageError` for a file that is no piece.
    """
    found: list[Piece] = []
    for path in sorted(folder.glob("*.json")):
        try:
            read = _READ.validate_json(path.read_bytes())
        except ValidationError:
            read = {}
        if not set(Piece.__annotations__) <= read.keys() or read["part"] not in PARTS:
            raise UsageError(f"{path} n'est pas un morceau de preuve : retirez-le du dossier.")
        found.append(cast("Piece", read))
    return sorted(found, key=lambda piece: (PARTS.index(piece["part"]), piece["name"]))


def of_one_commit(pieces: Sequence[Piece], *, mixed: bool) -> None:
    """Refuse pieces of several commits, or of a commit nobody can name, unless that was asked."""
    commits = commits_of(pieces)
    if not mixed and len(commits) > 1:
        raise UsageError(
            f"Ces morceaux viennent de plusieurs versions ({', '.join(commits)}) : rejouez ceux "
            "des anciennes, ou joignez-les quand même avec --mixed."
        )


def commits_of(pieces: Iterable[Piece]) -> list[str]:
    """List the commits pieces are of, each once."""
    return sorted({piece["commit"] for piece in pieces})


def stands(pieces: Iterable[Piece], part: Part, name: str, now: str) -> bool:
    """Tell whether a piece was made already, of this commit, and holds."""
    return any(
        (piece["part"], piece["name"], piece["commit"]) == (part, name, now)
        and not piece["faults"]
        and now != UNKNOWN
        for piece in pieces
    )
