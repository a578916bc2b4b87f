"""Name facts by what they are: a fact read again after a restored backup gets the id it had.

An effect's key is derived from the ids of its subject and its cause. Were those drawn at random, a
payment read again would be told to its tool under another key, no look-up would find the first
entry, and the money would stand there twice. So what partners tell is named by their own records.
The company's and the connection's ids, which are random, stand in each name: from outside nobody
can guess one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import count
from json.encoder import encode_basestring_ascii

from sqlalchemy import Connection, Table, select

from encaisse_core.clock import base32


def named(kind: str, *parts: str | int) -> str:
    """Derive `<kind>_<26 characters>` from what a thing is: 128 bits of SHA-256."""
    return _name(kind, hashlib.sha256(json.dumps([kind, *parts]).encode()).digest())


def _name(kind: str, digest: bytes) -> str:
    return f"{kind}_{base32(int.from_bytes(digest[:16]))}"


def namer(kind: str, *parts: str | int) -> Callable[[str], str]:
    """Derive many names that differ in their last part, each as `named` would."""
    begun = hashlib.sha256(json.dumps([kind, *parts]).removesuffix("]").encode())

    def name(last: str) -> str:
        whole = begun.copy()
        whole.update(f", {encode_basestring_ascii(last)}]".encode())
        return _name(kind, whole.digest())

    return name


def first_free(tx: Connection, table: Table, company_id: str, kind: str, *parts: str | int) -> str:
    """Derive an id of a company's table; the same thing happening again is counted.

    Two payments of one amount shown by one record are two payments: the first and the second.
    """
    for turn in count():
        made = named(kind, company_id, *parts, turn)
        taken = select(table.c.id).where(table.c.company_id == company_id, table.c.id == made)
        if tx.execute(taken).first() is None:
            return made
    raise AssertionError("unreachable")  # pragma: no cover - `count` does not end
