"""Read, explain and write the life-cycle messages of the French reform (flow 6, CDAR D22B)."""

from encaisse_einvoicing.cdar.codes import Signal
from encaisse_einvoicing.cdar.collected import collected
from encaisse_einvoicing.cdar.explain import Meaning, meanings
from encaisse_einvoicing.cdar.facts import InvoiceFacts
from encaisse_einvoicing.cdar.message import CdarMessage
from encaisse_einvoicing.cdar.reading import CdarReading, read_cdar
from encaisse_einvoicing.cdar.writing import write_cdar

__all__ = [
    "CdarMessage",
    "CdarReading",
    "InvoiceFacts",
    "Meaning",
    "Signal",
    "collected",
    "meanings",
    "read_cdar",
    "write_cdar",
]
