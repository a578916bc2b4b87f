"""Back the store up while it is in use, and bring it back: one file, either database."""

from __future__ import annotations

from encaisse_core.backup.archive import Archive, open_archive
from encaisse_core.backup.dumping import Dumped, dump
from encaisse_core.backup.restoring import Restored, restore

__all__ = ["Archive", "Dumped", "Restored", "dump", "open_archive", "restore"]
