"""Draw the demo's nights for the README: `python -m encaisse_lab.picture FILE`."""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from encaisse_lab.demo import run
from encaisse_lab.story import tell_nights
from encaisse_lab.summary import summary

WIDTH = 110
"""Columns: as wide as the story needs, so that the picture stays readable on a page."""


def draw(file: Path, *, seed: int = 1, nights: int = 6) -> None:
    """Play the demo and write its nights as SVG.

    The fonts a viewer would fetch from elsewhere are left out: the picture is the file, whole.
    """
    console = Console(
        record=True, width=WIDTH, file=StringIO(), force_terminal=True, highlight=False
    )
    with run(seed, nights, tell=lambda words: None) as told:
        tell_nights(told, summary(told), (), console)
    svg = console.export_svg(title="encaisse demo", theme=MONOKAI, unique_id="encaisse-demo")
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono")
    file.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
