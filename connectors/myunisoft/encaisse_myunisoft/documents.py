"""Name and choose the document of an invoice. Pure.

An attachment's address holds the token that opens it, so it is never kept: a document is called by
its entry and its file name, and its address is read anew when it is fetched.
"""

from __future__ import annotations

from encaisse_myunisoft import spelling
from encaisse_myunisoft.lines import Line

MEDIA_TYPE = "application/pdf"


def ref_of(line: Line) -> str | None:
    """Name the PDF of a line's entry, the one that bears the invoice's number first."""
    names = [
        name for name in line.documents if name.casefold().endswith(".pdf") and len(name) < 300
    ]
    if not names:
        return None
    wanted = spelling.folded(line.number)
    best = [name for name in names if wanted and wanted in spelling.folded(name)]
    return f"{line.entry}/{(best or names)[0]}"


def parse(ref: str) -> tuple[str, str] | None:
    """Take a document's name apart into entry id and file name."""
    entry, slash, filename = ref.partition("/")
    return (entry, filename) if slash and filename and entry.isdigit() else None
