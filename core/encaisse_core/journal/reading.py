"""Export the journal as lines a stranger can check, and read such a file back byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, select

from encaisse_core.errors import StoreError
from encaisse_core.journal.form import FORMAT, canonical
from encaisse_core.store import schema


def export(connection: Connection, company_id: str) -> Iterator[str]:
    """Yield one JSON line for the company, one per event, one per signed head, without line ends.

    Bodies are copied as they stand in the store, never rewritten: a rewriting would mend, and so
    hide, what somebody changed there.
    """
    c = schema.company.c
    company = connection.execute(select(c.siren, c.environment).where(c.id == company_id)).first()
    if company is None:
        raise StoreError(f"La société {company_id} n'existe pas : il n'y a rien à exporter.")
    h = schema.journal_head.c
    heads = connection.execute(
        select(h.sequence, h.hash, h.signature, h.public_key, h.sealed_at)
        .where(h.company_id == company_id)
        .order_by(h.sequence)
    ).all()
    yield canonical(
        {
            "company": company_id,
            "environment": company.environment,
            "format": FORMAT,
            "public_keys": list(dict.fromkeys(head.public_key for head in heads)),
            "siren": company.siren,
            "type": "journal",
        }
    )
    e = schema.event.c
    events = connection.execute(
        select(e.sequence, e.at, e.kind, e.subject, e.body, e.previous, e.hash)
        .where(e.company_id == company_id)
        .order_by(e.sequence)
        .execution_options(yield_per=1000)
    )
    for sequence, at, kind, subject, body, previous, hash_ in events:
        start = canonical({"at": at})[:-1]
        rest = canonical(
            {
                "hash": hash_,
                "kind": kind,
                "previous": previous,
                "sequence": sequence,
                "subject": subject,
                "type": "event",
            }
        )[1:]
        yield f'{start},"body":{body},{rest}'
    for head in heads:
        yield canonical(
            {
                "hash": head.hash,
                "public_key": head.public_key,
                "sealed_at": head.sealed_at,
                "sequence": head.sequence,
                "signature": head.signature,
                "type": "head",
            }
        )


def read_export(path: Path) -> Iterator[str]:
    """Yield a file's lines exactly as they stand.

    Only a line feed ends a line, and a byte that is not UTF-8 stays visible as a lone surrogate,
    which no valid export holds: text mode's usual kindness would let a changed byte pass.
    """
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        yield from file
