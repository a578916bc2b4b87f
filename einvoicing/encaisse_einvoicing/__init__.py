"""Read and write e-invoices: Factur-X, CII and UBL, as one EN 16931 invoice."""

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
