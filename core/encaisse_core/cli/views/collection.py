"""What was proposed, handed over, and what leaves for the partners."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import AnnexLine, Money, Quote
from encaisse_core.cli.showing import money
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = dict[str, Any]

_p, _r = schema.procedure.c, schema.reservation.c
PROCEDURE = (_p.id, _p.remote_id, _p.state, _p.phase, _p.close_code, _p.disputed, _p.opened_at)
"""What is shown of any procedure."""

HANDED_OVER = (_r.company_id == _p.company_id) & (_r.procedure_id == _p.id)
"""Which claims it was opened with."""


def proposals(
    tx: Connection, company_id: str, *, states: Collection[str] | None = None
) -> list[Row]:
    """List proposals with their annex, quote and mandate, oldest first."""
    p, d, c = schema.proposal.c, schema.debtor.c, schema.connection.c
    m, pm = schema.mandate.c, schema.proposal_mandate.c
    query = (
        select(
            schema.proposal,
            d.name.label("debtor_name"),
            c.connector,
            m.id.label("mandate_id"),
            m.state.label("mandate_state"),
            m.signing_url,
        )
        .join(schema.debtor, (d.company_id == p.company_id) & (d.id == p.debtor_id))
        .join(schema.connection, (c.company_id == p.company_id) & (c.id == p.connection_id))
        .outerjoin(
            schema.proposal_mandate, (pm.company_id == p.company_id) & (pm.proposal_id == p.id)
        )
        .outerjoin(schema.mandate, (m.company_id == p.company_id) & (m.id == pm.mandate_id))
        .where(p.company_id == company_id)
        .order_by(p.created_at, p.id)
    )
    if states is not None:
        query = query.where(p.state.in_(sorted(states)))
    return [_proposal(row) for row in rows(tx.execute(query))]


def _proposal(row: Row) -> Row:
    quote = Quote.model_validate_json(row["quote"])
    annex = [AnnexLine.model_validate(line) for line in json.loads(row["annex"])]
    return {
        "id": row["id"],
        "state": row["state"],
        "connection": row["connection_id"],
        "connector": row["connector"],
        "debtor": row["debtor_name"],
        "annex": [
            {
                "claim": line.claim_id,
                "number": line.invoice_number,
                "issue_date": line.issue_date.isoformat(),
                "due_date": line.due_date.isoformat(),
                "principal": _money(line.principal),
                "interest": _money(line.interest),
                "indemnity": _money(line.indemnity),
                "total": _money(line.total),
            }
            for line in annex
        ],
        "principal": money(sum(line.principal.minor for line in annex)),
        "total": money(sum(line.total.minor for line in annex)),
        "quote": {
            "id": quote.remote_id,
            "fee_rate": None if quote.fee_rate is None else f"{quote.fee_rate.normalize():f}",
            "fee": _money(quote.fee),
            "fee_vat": _money(quote.fee_vat),
            "net": _money(quote.net),
            "expires_at": quote.expires_at and quote.expires_at.isoformat(),
        },
        "policy_version": row["policy_version"],
        "approved_by": row["approved_by"],
        "approved_at": row["approved_at"],
        "expires_at": row["expires_at"],
        "reason": row["reason"],
        "mandate": row["mandate_id"]
        and {
            "id": row["mandate_id"],
            "state": row["mandate_state"],
            "signing_url": row["signing_url"],
        },
    }


def _money(value: Money | None) -> Row | None:
    return None if value is None else money(value.minor, value.currency)


def mandate(tx: Connection, company_id: str, mandate_id: str) -> Row:
    """Give one mandate: its state and the page where a person signs it."""
    m = schema.mandate.c
    query = select(m.id, m.state, m.signing_url, m.remote_id).where(
        m.company_id == company_id, m.id == mandate_id
    )
    return rows(tx.execute(query))[0]


def procedures(tx: Connection, company_id: str) -> list[Row]:
    """List procedures with their claims and what is still owed of them."""
    p, r, c = schema.procedure.c, schema.reservation.c, schema.claim.c
    d, k = schema.debtor.c, schema.connection.c
    query = (
        select(
            *PROCEDURE,
            p.updated_at,
            k.connector,
            d.name.label("debtor"),
            c.number,
            c.currency,
            c.open,
            r.principal,
            r.released_at,
        )
        .join(schema.connection, (k.company_id == p.company_id) & (k.id == p.connection_id))
        .join(schema.reservation, HANDED_OVER)
        .join(schema.claim, (c.company_id == r.company_id) & (c.id == r.claim_id))
        .outerjoin(schema.debtor, (d.company_id == c.company_id) & (d.id == c.debtor_id))
        .where(p.company_id == company_id)
        .order_by(p.opened_at, p.id, c.number)
    )
    found: dict[str, Row] = {}
    for row in rows(tx.execute(query)):
        shown = found.setdefault(
            row["id"],
            {
                name: row[name]
                for name in (
                    *("id", "remote_id", "connector", "debtor", "state", "phase", "close_code"),
                    *("opened_at", "updated_at"),
                )
            }
            | {"disputed": bool(row["disputed"]), "claims": []},
        )
        shown["claims"].append(
            {
                "number": row["number"],
                "principal": money(row["principal"], row["currency"]),
                "open": money(row["open"], row["currency"]),
                "released": row["released_at"] is not None,
            }
        )
    return list(found.values())


def effects(tx: Connection, company_id: str, *, state: str | None = None) -> list[Row]:
    """List what leaves or left for partners; never its content, which may name people."""
    e, c = schema.effect.c, schema.connection.c
    query = (
        select(
            e.id,
            e.kind,
            e.subject,
            e.state,
            c.connector,
            e.attempts,
            e.remote_id,
            e.reason,
            e.created_at,
            e.ready_at,
            e.finished_at,
        )
        .join(schema.connection, (c.company_id == e.company_id) & (c.id == e.connection_id))
        .where(e.company_id == company_id)
        .order_by(e.lane, e.created_at, e.id)
    )
    if state is not None:
        query = query.where(e.state == state)
    return rows(tx.execute(query))
