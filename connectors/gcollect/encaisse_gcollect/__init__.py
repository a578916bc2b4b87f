"""GCollect: quotes, mandates, procedures and money (assumed contract)."""

from encaisse_gcollect.connector import GCollectConnector

__all__ = ["GCollectConnector"]
