"""Read e-invoices: Factur-X, CII and UBL into one EN 16931 invoice."""

from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.model import Invoice, Party
from encaisse_einvoicing.reading.documents import FileReading, Reading, read_bytes, read_paths

__all__ = [
    "FileReading",
    "Invoice",
    "Issue",
    "Party",
    "Reading",
    "Refused",
    "read_bytes",
    "read_paths",
]
