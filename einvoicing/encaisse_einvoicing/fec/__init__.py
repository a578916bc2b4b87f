"""Read and write the FEC, the file of accounting entries every French ledger can export.

LPF L47 A I and A47 A-1. What customers still owe is worked out of it, so that any ledger can be a
source of overdue invoices.
"""

from encaisse_einvoicing.fec.findings import Finding, Level
from encaisse_einvoicing.fec.lines import Fec, FecLine
from encaisse_einvoicing.fec.reading import read_fec
from encaisse_einvoicing.fec.receivables import OpenItem, Receivables, Unallocated, receivables
from encaisse_einvoicing.fec.writing import fields, records, write_fec

__all__ = [
    "Fec",
    "FecLine",
    "Finding",
    "Level",
    "OpenItem",
    "Receivables",
    "Unallocated",
    "fields",
    "read_fec",
    "receivables",
    "records",
    "write_fec",
]
