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


def records(file: IO[bytes], encoding: str, longest: int) -> Iterator[str | int]:
    """Give each record without its end; the empty ones after the last are none.

    Of one that has more than `longest` characters only their number is given, and held.
    """
    empty = 0
    for record in _all(file, encoding, longest):
        if record:
            yield from [""] * empty
            empty = 0
            yield record
        else:
            empty += 1


def _all(file: IO[bytes], encoding: str, longest: int) -> Iterator[str | int]:
    decoder = _decoder(encoding)
    waiting: list[str] = []  # the pieces of a record that goes on, joined once it ends
    held, half = 0, ""
    for piece, last in _pieces(file):
        text = half + decoder.decode(piece, last)
        half = "\r" if text.endswith("\r") and not last else ""  # a line feed may follow
        parts = ENDS.split(text[:-1] if half else text)
        if len(parts) > 1:
            length = held + len(parts[0])
            yield length if length > longest else "".join([*waiting, parts[0]])
            for part in parts[1:-1]:
                yield part if len(part) <= longest else len(part)
            waiting, held = [], 0
        held += len(parts[-1])
        waiting = [*waiting, parts[-1]] if held <= longest else []
    yield held if held > longest else "".join(waiting)


def starts_with_a_line(file: IO[bytes], encoding: str, longest: int) -> bool:
    """Tell whether the first line, or the whole file, has at most so many characters."""
    file.seek(0)
    text = _decoder(encoding).decode(file.read(4 * (longest + 2)))  # one more, and the mark
    return len(text) <= longest or ENDS.search(text, 0, longest) is not None


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    return codecs.getincrementaldecoder(codec)("replace")


def _pieces(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Give the bytes from the start, a piece at a time, and whether each is the last."""
    file.seek(0)
    piece = file.read(_PIECE)
    while piece:
        after = file.read(_PIECE)
        yield piece, not after
        piece = after
