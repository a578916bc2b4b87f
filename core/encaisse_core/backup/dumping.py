"""Write a backup: one moment of every table, the documents it names, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from encaisse_core.backup.archive import (
    CHUNK,
    DOCUMENTS,
    FORMAT,
    MANIFEST,
    SHARED_ONLY,
    TABLES,
    encoded,
)
from encaisse_core.blobs import Blobs
from encaisse_core.errors import StoreError
from encaisse_core.store import Store, schema
from encaisse_core.store.engine import snapshot, stamp
from encaisse_core.store.versions import head

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Dumped:
    """Tell what a backup holds. `missing` are documents named by the store and not in its vault."""

    path: Path
    digest: str
    revision: str
    taken_at: str
    rows: int
    documents: int
    missing: tuple[str, ...]
    kek_ids: tuple[str, ...]
    bytes: int


def dump(store: Store, blobs: Blobs, path: Path, *, at: datetime, version: str) -> Dumped:
    """Back up the store and its documents into a file; others go on reading and writing meanwhile.

    The file is readable by its owner only: it holds customers' names. It is written beside its
    place and moved there once it is whole. Raises `StoreError` where it cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    reader = snapshot(store)
    try:
        handle = os.open(beside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            with (
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as held,
                reader.connect() as tx,
            ):
                manifest = _write(tx, held, blobs, at, version)
                raw = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode()
                held.writestr(MANIFEST, raw)
                held.comment = hashlib.sha256(raw).hexdigest().encode("ascii")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        from encaisse_einvoicing.complaints import of_the_system

        raise StoreError(
            f"La sauvegarde {path} n'a pas pu être écrite : {of_the_system(error)}. Libérez de la "
            "place ou choisissez un autre dossier. La base n'a pas changé."
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        reader.dispose()
    return Dumped(
        path=path,
        digest=hashlib.sha256(raw).hexdigest(),
        revision=manifest["revision"],
        taken_at=manifest["taken_at"],
        rows=sum(said["rows"] for said in manifest["tables"].values()),
        documents=len(manifest["documents"]),
        missing=tuple(manifest["missing_documents"]),
        kek_ids=tuple(manifest["kek_ids"]),
        bytes=path.stat().st_size,
    )


def _write(
    tx: Connection, held: zipfile.ZipFile, blobs: Blobs, at: datetime, version: str
) -> dict[str, Any]:
    tables = {
        table.name: _table(tx, held, table)
        for table in schema.metadata.sorted_tables
        if table.name not in SHARED_ONLY
    }
    documents, missing = _documents(tx, held, blobs)
    return {
        "format": FORMAT,
        "version": version,
        "revision": head(),
        "taken_at": stamp(at),
        "database": tx.dialect.name,
        "tables": tables,
        "documents": documents,
        "missing_documents": missing,
        "kek_ids": _keys(tx),
        "journal": _ends(tx),
        "key": "La clé qui déchiffre les secrets (ENCAISSE_KEK ou fichier « kek ») n'est pas dans "
        "cette sauvegarde.",
    }


def _table(tx: Connection, held: zipfile.ZipFile, table: Table) -> Mapping[str, Any]:
    """Write a table in the order of its key, so that the same store gives the same lines."""
    digest, count = hashlib.sha256(), 0
    names = [column.name for column in table.columns]
    query = select(*(table.c[name] for name in names)).order_by(*table.primary_key.columns)
    with held.open(f"{TABLES}{table.name}.jsonl", "w", force_zip64=True) as member:

        def put(line: str) -> None:
            raw = f"{line}\n".encode()
            digest.update(raw)
            member.write(raw)

        put(encoded(names))
        for row in tx.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
            put(encoded(tuple(row)))
            count += 1
    return {"rows": count, "sha256": digest.hexdigest()}


def _documents(tx: Connection, held: zipfile.ZipFile, blobs: Blobs) -> tuple[list[str], list[str]]:
    """Copy each document the tables name; one that is gone or altered is told, not copied."""
    d = schema.document.c
    found: list[str] = []
    missing: list[str] = []
    for digest in tx.execute(select(d.sha256).distinct().order_by(d.sha256)).scalars():
        try:
            content = blobs.get(digest)
        except StoreError:
            missing.append(digest)
            continue
        with held.open(f"{DOCUMENTS}{digest}", "w") as member:
            for start in range(0, len(content), CHUNK):
                member.write(content[start : start + CHUNK])
        found.append(digest)
    return found, missing


def _keys(tx: Connection) -> list[str]:
    """Name the keys without which nobody opens what is encrypted in here."""
    queries = (select(table.c.kek_id) for table in (schema.credential, schema.signing_key))
    return sorted({str(kek_id) for query in queries for kek_id in tx.execute(query).scalars()})


def _ends(tx: Connection) -> dict[str, Any]:
    """Note where each company's journal ends."""
    e = schema.event.c
    ends: dict[str, Any] = {}
    for company_id in tx.execute(select(schema.company.c.id).order_by("id")).scalars():
        last = tx.execute(
            select(e.sequence, e.hash)
            .where(e.company_id == company_id)
            .order_by(e.sequence.desc())
            .limit(1)
        ).first()
        ends[company_id] = None if last is None else [last.sequence, last.hash]
    return ends
