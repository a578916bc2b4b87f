"""Cut a FEC into its records a piece at a time, so that a year of a large ledger fits anywhere."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO, Final

ENDS: Final = re.compile(r"\r\n|\n|\r")
_PIECE: Final = 1 << 20
_NOT_LATIN: Final = re.compile(rb"[\x80-\x9f]")
"""Controls in ISO 8859-15, letters in Windows-1252: a text that has them is the latter."""


def encoding_of(file: IO[bytes]) -> str:
    """Tell UTF-8 by its form, else ISO 8859-15 from Windows-1252 by what neither text holds."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece, last in _pieces(file):
            if last or not piece.isascii() or decoder.getstate()[0]:
                decoder.decode(piece, last)
    except UnicodeDecodeError:
        controls = any(_NOT_LATIN.search(piece) for piece, _ in _pieces(file))
        return "cp1252" if controls else "iso8859-15"
    return "utf-8"


def records(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Give each record without its end; the empty ones after the last are none."""
    empty = 0
    for record in _all(file, encoding):
        if record:
            yield from [""] * empty
            empty = 0
            yield record
        else:
            empty += 1


def _all(file: IO[bytes], encoding: str) -> Iterator[str]:
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    decoder = codecs.getincrementaldecoder(codec)("replace")
    waiting: list[str] = []  # the pieces of a record that goes on, joined once it ends
    for piece, last in _pieces(file):
        text = decoder.decode(piece, last)
        if waiting and waiting[-1].endswith("\r"):
            text = waiting.pop() + text
        if text.endswith("\r") and not last:
            parts = ENDS.split(text[:-1])  # what follows may be the other half of the end
            parts[-1] += "\r"
        else:
            parts = ENDS.split(text)
        if len(parts) > 1:
            yield "".join([*waiting, parts[0]])
            yield from parts[1:-1]
            waiting = []
        waiting.append(parts[-1])
    yield "".join(waiting)


def _pieces(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Give the bytes from the start, a piece at a time, and whether each is the last."""
    file.seek(0)
    piece = file.read(_PIECE)
    while piece:
        after = file.read(_PIECE)
        yield piece, not after
        piece = after
