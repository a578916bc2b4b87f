"""Personal values beside the journal: provable while they stand, gone when erased."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import Connection, select

from encaisse_core.errors import StoreError
from encaisse_core.journal.writing import append
from encaisse_core.store import schema

SALT_BYTES = 16
"""Least size of a salt: enough that no table of names can be hashed in advance."""


def seal_personal(connection: Connection, company_id: str, value: str, nonce: bytes) -> str:
    """Keep a personal value beside the journal and give the digest an event may hold.

    The digest is HMAC-SHA256 of the value under `nonce` (from `Ids.nonce`, never used twice): the
    same name in two events gives two digests, so that events alone link nobody.
    """
    if len(nonce) < SALT_BYTES:
        raise ValueError(f"a salt has at least {SALT_BYTES} bytes")
    digest = hmac.new(nonce, value.encode(), hashlib.sha256).hexdigest()
    connection.execute(
        schema.personal_value.insert().values(
            company_id=company_id, digest=digest, salt=nonce, value=value
        )
    )
    return digest


def read_personal(connection: Connection, company_id: str, digest: str) -> str | None:
    """Give the value behind a digest; None once erased.

    Raises `StoreError` when it is unknown, or no longer gives the digest the journal holds.
    """
    p = schema.personal_value.c
    row = connection.execute(
        select(p.salt, p.value).where(p.company_id == company_id, p.digest == digest)
    ).first()
    if row is None:
        raise StoreError(f"Aucune valeur personnelle ne porte l'empreinte {digest}.")
    if row.value is None:
        return None
    value: str = row.value
    if hmac.new(row.salt, value.encode(), hashlib.sha256).hexdigest() != digest:
        raise StoreError(
            f"La valeur personnelle d'empreinte {digest} ne correspond plus au journal : elle a "
            "été modifiée depuis. Restaurez une sauvegarde."
        )
    return value


def erase_personal(connection: Connection, company_id: str, digest: str, at: datetime) -> bool:
    """Erase a value and its salt, and tell the journal; False where it was erased before.

    The salt goes too: with it, a name could be found again by trying names.
    """
    p = schema.personal_value.c
    if _stands(connection, company_id, digest):
        connection.execute(
            schema.personal_value.update()
            .where(p.company_id == company_id, p.digest == digest)
            .values(value=None, salt=b"")
        )
        append(connection, company_id, at, "personal_value_erased", digest, {"digest": digest})
        return True
    return False


def _stands(connection: Connection, company_id: str, digest: str) -> bool:
    """Tell whether a value still stands, be it true to its digest or not."""
    p = schema.personal_value.c
    row = connection.execute(
        select(p.value).where(p.company_id == company_id, p.digest == digest)
    ).first()
    if row is None:
        raise StoreError(f"Aucune valeur personnelle ne porte l'empreinte {digest}.")
    return row.value is not None
