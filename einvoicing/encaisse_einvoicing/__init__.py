"""Read and write e-invoices: Factur-X, CII and UBL, as one EN 16931 invoice.

Each name is loaded when it is first asked for: a help page needs no XML parser.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from encaisse_einvoicing.issues import Issue, Refused
    from encaisse_einvoicing.model import Invoice, Party
    from encaisse_einvoicing.reading.documents import FileReading, Reading, read_bytes, read_paths
    from encaisse_einvoicing.writing.gaps import CannotWrite, Gap
    from encaisse_einvoicing.writing.levels import Level, level_of
    from encaisse_einvoicing.writing.xml import Written, write_xml

__all__ = [
    "CannotWrite",
    "FileReading",
    "Gap",
    "Invoice",
    "Issue",
    "Level",
    "Party",
    "Reading",
    "Refused",
    "Written",
    "level_of",
    "read_bytes",
    "read_paths",
    "write_xml",
]
_ROOMS: Final = {
    "issues": ("Issue", "Refused"),
    "model": ("Invoice", "Party"),
    "reading.documents": ("FileReading", "Reading", "read_bytes", "read_paths"),
    "writing.gaps": ("CannotWrite", "Gap"),
    "writing.levels": ("Level", "level_of"),
    "writing.xml": ("Written", "write_xml"),
}
"""Where each name lives."""


def __getattr__(name: str) -> object:
    """Load a name from its room, once."""
    for room, names in _ROOMS.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{room}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
