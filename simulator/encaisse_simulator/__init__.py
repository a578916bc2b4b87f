"""Every partner as a local server: seeded, with a clock and faults."""

from encaisse_simulator.faults import FaultKind, FaultPlan
from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.server import serve
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.wire import SimRequest, SimResponse
from encaisse_simulator.world import World

__all__ = [
    "FaultKind",
    "FaultPlan",
    "LedgerEntry",
    "SimRequest",
    "SimResponse",
    "SimTransport",
    "World",
    "serve",
]
