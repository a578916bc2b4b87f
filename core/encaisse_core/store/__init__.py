"""The store: one schema on SQLite and PostgreSQL, and the only door to it."""

from encaisse_core.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
