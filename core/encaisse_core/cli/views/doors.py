"""What stands at the doors: connectors, connections, referrers, routes."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Connection, select

from encaisse_api import Connector, Manifest, roles_of
from encaisse_core import referrers as store
from encaisse_core.contracts import in_force
from encaisse_core.hooks.receiving import path
from encaisse_core.loader import Loaded
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = dict[str, Any]

IDENTITY = ("siren", "vat_id", "country", "address", "vat_regime", "self_billing")
"""What an invoice says of a referrer."""


def connectors(loaded: Loaded) -> Row:
    """List connectors that work with their roles, and those set apart with the reason."""
    return {
        "connectors": [_connector(kind) for _, kind in sorted(loaded.connectors.items())],
        "quarantined": [
            {"name": q.name, "distribution": q.distribution, "sentence": q.reason_fr}
            for q in loaded.quarantined
        ],
    }


def _connector(kind: type) -> Row:
    manifest: Manifest = cast("type[Connector]", kind).manifest
    return {
        "slug": manifest.slug,
        "name": manifest.name,
        "summary": manifest.summary_fr,
        "contract": manifest.contract,
        "pages": list(manifest.pages),
        "roles": list(roles_of(kind)),
        "environments": [
            environment
            for environment, hosts in (("test", manifest.test_hosts), ("live", manifest.live_hosts))
            if manifest.local or hosts
        ],
        "settings": [
            {
                "name": setting.name,
                "label": setting.label_fr,
                "secret": setting.secret,
                "required": setting.required,
            }
            for setting in manifest.settings
        ],
    }


def connections(tx: Connection, company_id: str, loaded: Loaded) -> list[Row]:
    """List connections; one whose connector is not installed says so. Never a secret."""
    c = schema.connection.c
    query = select(schema.connection).where(c.company_id == company_id).order_by(c.sequence)
    return [
        {
            "id": row["id"],
            "connector": row["connector"],
            "installed": row["connector"] in loaded.connectors,
            "account": row["account"],
            "settings": json.loads(row["settings"]),
            "state": row["state"],
            "pulled_at": row["pulled_at"],
            "failed_at": row["failed_at"],
            "reason": row["reason"]
            if row["connector"] in loaded.connectors
            else f"Le connecteur « {row['connector']} » n'est pas installé : rien n'est lu.",
            "referrer": row["referrer_id"],
            "hook": _hook(loaded, row),
        }
        for row in rows(tx.execute(query))
    ]


def _hook(loaded: Loaded, row: Row) -> str | None:
    """Give the path on which a connection's partner is heard; None where it signs nothing."""
    kind = cast("type[Connector] | None", loaded.connectors.get(row["connector"]))
    scheme = None if kind is None else kind.manifest.webhook
    return None if scheme is None else path(row["company_id"], row["id"])


def referrers(tx: Connection, company_id: str, *, on: date | None = None) -> list[Row]:
    """List referrers, with the share of the contract in force on a day, and whether it earns."""
    r = schema.referrer.c
    query = select(schema.referrer).where(r.company_id == company_id).order_by(r.name, r.id)
    known = store.contracts(tx, company_id)
    found: list[Row] = []
    for row in rows(tx.execute(query)):
        contract = None if on is None else in_force(known, row["id"], on)
        found.append(
            {
                "id": row["id"],
                "name": row["name"],
                "kind": row["kind"],
                **{name: row[name] for name in IDENTITY},
                "contract": contract and contract.id,
                "rate_percent": None if contract is None else percent(contract.rate_ppm),
                "legal_opinion": contract and contract.legal_opinion,
                "earns": contract is not None and contract.earns,
            }
        )
    return found


def contracts(tx: Connection, company_id: str) -> list[Row]:
    """List what was agreed with referrers, the oldest first."""
    k, r = schema.referrer_contract.c, schema.referrer.c
    query = (
        select(k.id, k.shows_numbers, r.name)
        .join(schema.referrer, (r.company_id == k.company_id) & (r.id == k.referrer_id))
        .where(k.company_id == company_id)
    )
    beside = {row.id: row for row in tx.execute(query)}
    return [
        {
            "id": contract.id,
            "referrer": contract.referrer_id,
            "referrer_name": beside[contract.id].name,
            "from": contract.starts_on.isoformat(),
            "until": contract.ends_on and contract.ends_on.isoformat(),
            "rate_percent": percent(contract.rate_ppm),
            "basis": contract.basis,
            "terms": contract.terms,
            "legal_opinion": contract.legal_opinion,
            "earns": contract.earns,
            "shows_numbers": bool(beside[contract.id].shows_numbers),
        }
        for contract in store.contracts(tx, company_id)
    ]


def percent(ppm: int) -> str:
    """Write parts per million as a percentage, exactly."""
    return f"{(Decimal(ppm) / 10_000).normalize():f}"


def routes(tx: Connection, company_id: str) -> list[Row]:
    """List which connection each kind of write goes to, and who decided it."""
    r, c = schema.routing.c, schema.connection.c
    query = (
        select(r.kind, r.connection_id, c.connector, r.decided_by, r.decided_at)
        .outerjoin(schema.connection, (c.company_id == r.company_id) & (c.id == r.connection_id))
        .where(r.company_id == company_id)
        .order_by(r.kind)
    )
    return rows(tx.execute(query))


def bridges(tx: Connection, company_id: str) -> list[Row]:
    """List which tool's entries are copied into which, and who said so."""
    b, c = schema.bridge.c, schema.connection
    source, target = c.alias("source"), c.alias("target")
    query = (
        select(
            b.from_id.label("from"),
            source.c.connector.label("from_tool"),
            b.to_id.label("to"),
            target.c.connector.label("to_tool"),
            b.decided_by,
            b.decided_at,
        )
        .join(source, (source.c.company_id == b.company_id) & (source.c.id == b.from_id))
        .join(target, (target.c.company_id == b.company_id) & (target.c.id == b.to_id))
        .where(b.company_id == company_id)
        .order_by(b.from_id, b.to_id)
    )
    return rows(tx.execute(query))
