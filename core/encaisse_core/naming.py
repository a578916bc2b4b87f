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
from functools import cache
from itertools import count
from json.encoder import encode_basestring_ascii

from sqlalchemy import Connection, Table, Text, bindparam, select

from encaisse_core.clock import base32, base32_80
from encaisse_core.store.said import Said


def named(kind: str, *parts: str | int) -> str:
    """Derive `<kind>_<26 characters>` from what a thing is: 128 bits of SHA-256."""
    return _name(kind, hashlib.sha256(json.dumps([kind, *parts]).encode()).digest())


def _name(kind: str, digest: bytes) -> str:
    return f"{kind}_{base32(int.from_bytes(digest[:16]))}"


def namer(kind: str, *parts: str | int) -> Callable[..., str]:
    """Derive many names that differ in their last parts, each as `named` would."""
    whole = _digester(kind, *parts)
    return lambda *last: _name(kind, whole(*last))


ALIKE = 3
"""Characters at the end of a reference in which neighbours differ: a thousand lie together."""


def neighbours(kind: str, *parts: str | int) -> Callable[[str], str]:
    """Derive many names as `namer` does, those of neighbouring references beside each other.

    A name's first 48 bits say which thousand its reference is of, its other 80 which one it is.
    Names without any order put each row of a page into another leaf of their index, which is read,
    split and logged for it alone.
    """
    begun, stem = hashlib.sha256(_opening(kind, *parts)), _digester(kind, *parts, "neighbours")

    def beginning(of: str) -> str:
        return f"{kind}_{base32(int.from_bytes(stem(of)[:6]) << 80)[:-16]}"

    of, begin = "", beginning("")

    def name(last: str) -> str:
        nonlocal of, begin
        if last[:-ALIKE] != of:
            of = last[:-ALIKE]
            begin = beginning(of)
        whole = begun.copy()
        whole.update(f", {encode_basestring_ascii(last)}]".encode())
        return begin + base32_80(int.from_bytes(whole.digest()[:10]))

    return name


def _digester(kind: str, *parts: str | int) -> Callable[..., bytes]:
    begun = hashlib.sha256(_opening(kind, *parts))

    def digest(*last: str | int) -> bytes:
        whole = begun.copy()
        said = [
            encode_basestring_ascii(part) if isinstance(part, str) else str(part) for part in last
        ]
        whole.update(f", {', '.join(said)}]".encode("ascii") if said else b"]")
        return whole.digest()

    return digest


def _opening(kind: str, *parts: str | int) -> bytes:
    return json.dumps([kind, *parts]).removesuffix("]").encode()


def first_free(tx: Connection, table: Table, company_id: str, kind: str, *parts: str | int) -> str:
    """Derive an id of a company's table; the same thing happening again is counted.

    Two payments of one amount shown by one record are two payments: the first and the second.
    """
    for turn in count():
        made = named(kind, company_id, *parts, turn)
        named_so = {"of_company": company_id, "of_id": made}
        if _taken(table).run(tx, named_so).fetchone() is None:
            return made
    raise AssertionError("unreachable")  # pragma: no cover - `count` does not end


@cache
def _taken(table: Table) -> Said:
    """Ask whether a company's table has a row of this id."""
    here = table.c.company_id == bindparam("of_company", type_=Text)
    return Said(select(table.c.id).where(here, table.c.id == bindparam("of_id", type_=Text)))
