"""Write a file a person may send to whoever helps: what runs, what waits, and nobody's data.

What goes in is chosen, not filtered: versions, connectors, counts by state, names of checks,
durations. No sentence of the store, no settings' value, no number of anybody; ids of companies are
replaced by their place in the list. A second net scrubs every text on its way.
"""

from __future__ import annotations

import json
import os
import platform
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from encaisse_core import capabilities
from encaisse_core.app import DATABASE, PRIVATE, ROUTES, App
from encaisse_core.cli.examining import Check
from encaisse_core.errors import StoreError
from encaisse_core.loader import load
from encaisse_core.store import schema
from encaisse_core.store.versions import head, version_of
from encaisse_core.watch.heartbeat import SETTING
from encaisse_core.watch.lines import scrubbed

OURS = "encaisse"
DEPENDENCIES = ("sqlalchemy", "alembic", "httpx", "pydantic", "pluggy", "cryptography", "psycopg")

VARIABLES = ("ENCAISSE_HOME", DATABASE, "ENCAISSE_KEK", "ENCAISSE_KEK_PREVIOUS", PRIVATE, ROUTES)
"""Variables of which is said whether they are set, and never what they hold."""

LAST_NIGHTS = 14
LAST_INCIDENTS = 20
LONGEST_INCIDENT = 20_000

BY_STATE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("effect", ("kind", "state")),
    ("claim", ("state",)),
    ("sighting", ("presence", "state")),
    ("proposal", ("state",)),
    ("mandate", ("state",)),
    ("procedure", ("state",)),
    ("settlement", ("state",)),
    ("payout", ("state",)),
    ("connection", ("connector", "state")),
    ("access_grant", ("connector", "environment", "state")),
    ("difference", ("kind",)),
)
"""Tables counted by columns that hold words of ours."""


def write(file: Path, app: App | None, environ: Mapping[str, str], checks: Sequence[Check]) -> None:
    """Write the bundle whole or not at all. Raises `StoreError` where it cannot be written."""
    members: dict[str, Any] = {
        "versions.json": _versions(),
        "connectors.json": _connectors(),
        "settings.json": _settings(environ),
        "checks.json": [{"check": each.name, "ok": each.ok} for each in checks],
    }
    if app is not None:
        with app.host.store.overseeing().begin() as tx:
            members |= {
                "store.json": _store(tx),
                "counts.json": _counts(tx),
                "nights.json": _nights(tx),
                "journal.json": _journal(tx),
            }
        members["incidents.json"] = _incidents(app.folder)
    beside = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as held:
            for name, value in sorted(members.items()):
                text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
                held.writestr(name, scrubbed(text))
        beside.replace(file)
    except OSError as error:
        from encaisse_einvoicing.complaints import of_the_system

        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise StoreError(
            f"Le diagnostic {file} n'a pas pu être écrit : {of_the_system(error)}."
        ) from error


def _versions() -> dict[str, Any]:
    found = {
        dist.name: dist.version
        for dist in distributions()
        if dist.name.startswith(OURS) or dist.name.lower() in DEPENDENCIES
    }
    return {
        "packages": found,
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def _connectors() -> dict[str, Any]:
    loaded = load()
    found = capabilities.capable(loaded.connectors)
    return {
        "installed": [
            {name: value for name, value in each.as_json().items() if name != "differences"}
            for each in found
        ],
        "set_apart": [apart.distribution for apart in loaded.quarantined],
    }


def _settings(environ: Mapping[str, str]) -> dict[str, Any]:
    database = environ.get(DATABASE, "")
    return {
        "set": {name: bool(environ.get(name)) for name in (*VARIABLES, SETTING)},
        "database": database.partition(":")[0] or "sqlite",
    }


def _store(tx: Connection) -> dict[str, Any]:
    return {
        "database": tx.dialect.name,
        "revision": version_of(tx),
        "code": head(),
        "rows": {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.sorted_tables
        },
    }


def _counts(tx: Connection) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, columns in BY_STATE:
        table = schema.metadata.tables[name]
        held = [table.c[column] for column in columns]
        rows = tx.execute(select(*held, func.count()).group_by(*held).order_by(*held))
        found[name] = [
            {**dict(zip(columns, row[:-1], strict=True)), "count": row[-1]} for row in rows
        ]
    t = schema.task.c
    asked = select(t.kind, func.count()).where(t.done_at.is_(None)).group_by(t.kind)
    found["open_questions"] = {str(row[0]): row[1] for row in tx.execute(asked.order_by(t.kind))}
    return found


def _places(tx: Connection) -> Callable[[str], int]:
    """Name companies by their place: their ids and numbers stay here."""
    known = list(tx.execute(select(schema.company.c.id).order_by("created_at", "id")).scalars())
    return lambda company_id: known.index(company_id) + 1


def _nights(tx: Connection) -> list[dict[str, Any]]:
    n = schema.night.c
    place = _places(tx)
    query = select(n.company_id, n.night, n.phase, n.state, n.started_at, n.ended_at, n.digest)
    rows = tx.execute(query.order_by(n.night.desc(), n.company_id).limit(LAST_NIGHTS)).all()
    return [
        {
            "company": place(row.company_id),
            "night": row.night,
            "phase": row.phase,
            "state": row.state,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
            "counts": json.loads(row.digest).get("counts", {}),
            "failures": len(json.loads(row.digest).get("failures", {})),
        }
        for row in rows
    ]


def _journal(tx: Connection) -> list[dict[str, Any]]:
    e, h = schema.event.c, schema.journal_head.c
    place = _places(tx)
    ends = tx.execute(
        select(e.company_id, func.max(e.sequence).label("last")).group_by(e.company_id)
    ).all()
    heads = {
        row.company_id: row
        for row in tx.execute(
            select(h.company_id, h.sequence, h.hash, h.sealed_at).order_by(h.sequence)
        )
    }
    return [
        {
            "company": place(row.company_id),
            "events": row.last,
            "sealed": heads[row.company_id].sequence if row.company_id in heads else None,
            "head": heads[row.company_id].hash if row.company_id in heads else None,
        }
        for row in ends
    ]


def _incidents(folder: Path) -> list[dict[str, str]]:
    """Take the last incidents, which hold types and places in the code, and no message."""
    found = sorted((folder / "incidents").glob("inc_*.txt"))[-LAST_INCIDENTS:]
    told: list[dict[str, str]] = []
    for path in found:
        with suppress(OSError, UnicodeDecodeError):
            told.append({"id": path.stem, "trace": path.read_text("utf-8")[:LONGEST_INCIDENT]})
    return told
