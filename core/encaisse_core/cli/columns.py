"""Lay a table out in a given width, cutting nothing: pure, over text that is safe to print.

Where everything fits, a row is a line. Where it does not, sentences wrap between words; where even
the longest words do not fit beside each other, the column that holds them leaves the table, and
each of its cells stands under its row with its heading. A word is only broken where it is wider
than the whole line. Dates and amounts hold no plain space, so that they never wrap.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

FIGURE = re.compile(r"-?[0-9][0-9\u202f]*(?:[.,][0-9]+)?(?:[ \u00a0][^0-9]+)?")
"""A count, an amount with its currency, a rate with its sign."""

GAP = 2
"""Columns left empty between two cells."""

INDENT = 4
"""Columns before what stands under a row."""


def lay_out(
    headings: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> tuple[list[str], list[str]]:
    """Give the lines of the heading and those of the rows; `width` None is as wide as it takes."""
    cells = [[heading, *(row[n] for row in rows)] for n, heading in enumerate(headings)]
    beside, under = list(range(len(headings))), list[int]()
    if width is not None:
        while len(beside) > 1 and _total([_longest_word(cells[n]) for n in beside]) > width:
            away = max(beside, key=lambda n: (_longest_word(cells[n]), n))
            beside.remove(away)
            under.append(away)
    widths = _widths([cells[n] for n in beside], width)
    right = [_figures(cells[n][1:]) for n in beside]
    head = _line([headings[n] for n in beside], widths, right)
    body: list[str] = []
    for row in rows:
        body += _line([row[n] for n in beside], widths, right)
        for number in sorted(under):
            if row[number] and width is not None:
                told = wrap(f"{headings[number]} : {row[number]}", max(width - INDENT, 1))
                body += [" " * INDENT + line for line in told]
    return head, body


def wrap(text: str, width: int) -> list[str]:
    """Cut a text between words into lines of a width; a wider word is folded, never shortened."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and columns(lines[-1]) + 1 + columns(word) <= width:
            lines[-1] += f" {word}"
            continue
        if lines[-1]:
            lines.append("")
        for char in word:
            if lines[-1] and columns(lines[-1]) + columns(char) > width:
                lines.append("")
            lines[-1] += char
    return lines


def columns(text: str) -> int:
    """Count the columns a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _figures(cells: Sequence[str]) -> bool:
    """Tell whether a column holds counts or amounts, which stand to the right."""
    return any(cells) and all(FIGURE.fullmatch(cell) for cell in cells if cell)


def _longest_word(cells: Sequence[str]) -> int:
    return max(columns(word) for cell in cells for word in cell.split(" "))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(cells: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """Give each column its longest word, then what is left to those that miss most of it."""
    natural = [max(columns(cell) for cell in column) for column in cells]
    if width is None or _total(natural) <= width:
        return natural
    found = [min(_longest_word(column), width) for column in cells]
    for _ in range(width - _total(found)):
        missing = [most - given for most, given in zip(natural, found, strict=True)]
        found[missing.index(max(missing))] += 1
    return found


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    """Write one row of cells, over as many lines as the tallest of them takes."""
    parts = [wrap(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    lines: list[str] = []
    for number in range(max(len(part) for part in parts)):
        padded: list[str] = []
        for part, wide, to_the_right in zip(parts, widths, right, strict=True):
            text = part[number] if number < len(part) else ""
            blank = " " * (wide - columns(text))
            padded.append(blank + text if to_the_right else text + blank)
        lines.append((" " * GAP).join(padded).rstrip(" "))
    return lines
