"""GCollect: its whole contract is assumed (see README)."""

from encaisse_simulator.gcollect.collector import HOST, GCollect, ProcedureLine
from encaisse_simulator.gcollect.webhooks import sign

__all__ = ["HOST", "GCollect", "ProcedureLine", "sign"]
