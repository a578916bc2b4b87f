"""The journal: what happened, in order, so that nobody can change it unseen.

Each company has its own chain. An event's hash covers the hash before it, its own header and its
body; a head, signed at night and printed in the digest, covers the chain up to one event and the
head before it. Whoever kept one head can check offline that the past it covers is still the same.

An event never holds a personal value, only its salted hash (`seal_personal`), so that erasing the
value (GDPR article 17) leaves the chain whole.
"""

from __future__ import annotations

from encaisse_core.journal.form import JSON, canonical
from encaisse_core.journal.personal import erase_personal, read_personal, seal_personal
from encaisse_core.journal.reading import export, read_export
from encaisse_core.journal.verifying import Verdict, verify
from encaisse_core.journal.writing import Entry, Head, append, append_all, seal

__all__ = [
    "JSON",
    "Entry",
    "Head",
    "Verdict",
    "append",
    "append_all",
    "canonical",
    "erase_personal",
    "export",
    "read_export",
    "read_personal",
    "seal",
    "seal_personal",
    "verify",
]
