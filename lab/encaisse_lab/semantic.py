"""Export what a company's store says, whatever the run: the same facts are the same text.

Ids, instants, leases, attempts, tokens and ciphertext are left out; rows are named by the invoices,
the partners' references and the amounts they are about. Two runs of one seed export the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, select

from encaisse_core.app import App
from encaisse_core.store import schema

Row = RowMapping
Names = Mapping[str, str]

COLUMNS: Mapping[str, Sequence[str]] = {
    "claim": ("kind", "issue_date", "currency", "total", "open", "state", "hold", "debtor_id"),
    "echeance": ("claim_id", "ref", "due_date", "due_estimated", "amount", "open"),
    "sighting": (
        "connection_id", "remote_ref", "state", "presence", "total", "open", "expected", "credited",
        "expected_credited", "untold", "claim_id", "rung", "fingerprint",
    ),
    "payment": (
        "claim_id", "amount", "currency", "paid_on", "origin", "reverses", "settlement_id",
        "shown_by", "unallocated",
    ),
    "allocation": ("payment_id", "claim_id", "echeance_id", "amount"),
    "payment_sighting": ("connection_id", "remote_ref", "payment_id", "role", "effect_id"),
    "proposal": ("debtor_id", "state"),
    "mandate": ("remote_id", "state"),
    "procedure": ("connection_id", "remote_id", "state"),
    "reservation": ("claim_id", "procedure_id", "principal"),
    "settlement": (
        "connection_id", "remote_id", "claim_id", "state", "principal", "interest", "indemnity",
        "costs", "fee", "fee_vat", "received_on", "reversed_on",
    ),
    "payout": ("connection_id", "remote_id", "state", "gross", "fee", "fee_vat", "net"),
    "voucher_line": ("payout_id", "position", "account", "debit", "credit"),
    "commission_line": ("settlement_id", "referrer_id", "kind", "basis", "amount", "turn"),
    "commission_entry": ("line_id", "position", "account", "amount"),
    "effect": ("kind", "subject", "connection_id", "state", "fate"),
    "task": ("kind", "subject", "answer"),
    "difference": ("kind", "claim_id", "one_value", "other_value"),
    "possible_duplicate": ("claim_a", "claim_b", "answer"),
    "connection": ("connector", "state"),
    "unreadable": ("connection_id", "stream", "remote_ref", "digest"),
    "debtor": ("siren", "kind", "name"),
}  # fmt: skip
"""What is said of each row; a column that holds an id is said by the name of what it points to."""

NAMED: Mapping[str, Callable[[Row, Names], str]] = {
    "connection": lambda r, _: f"{r['connector']}#{r['sequence']}",
    "referrer": lambda r, _: str(r["name"]),
    "debtor": lambda r, _: f"{r['siren'] or ''} {r['name']}",
    "claim": lambda r, _: f"{r['number']} {r['issue_date']}",
    "echeance": lambda r, n: f"{n.get(r['claim_id'])}/{r['ref']}",
    "sighting": lambda r, n: f"{n.get(r['connection_id'])}:{r['remote_ref']}",
    "settlement": lambda r, n: f"{n.get(r['connection_id'])}:{r['remote_id']}",
    "payout": lambda r, n: f"{n.get(r['connection_id'])}:{r['remote_id']}",
    "mandate": lambda r, _: f"mandat {r['remote_id']}",
    "procedure": lambda r, _: f"procédure {r['remote_id']}",
    "payment": lambda r, n: f"{n.get(r['claim_id'])} {r['origin']} {r['amount']} {r['paid_on']}",
    "proposal": lambda r, n: f"proposition {n.get(r['debtor_id'])}",
    "commission_line": lambda r, n: f"{n.get(r['settlement_id'])} {r['kind']} {r['turn']}",
    "effect": lambda r, n: f"{r['kind']} {n.get(r['subject'], '')}",
}
"""How a row is called by others, each table after those it points to."""


def export(app: App, company_id: str) -> str:
    """Write one company's facts, a line a row, in one order whatever order they came in."""
    with app.host.store.begin() as tx:
        names = _names(tx, company_id)
        lines = [
            json.dumps([table, *said], ensure_ascii=False)
            for table, columns in COLUMNS.items()
            for said in _rows(tx, company_id, table, columns, names)
        ]
    return "\n".join(sorted(lines)) + "\n"


def digest(text: str) -> str:
    """Give the SHA-256 of an export, to compare runs by."""
    return hashlib.sha256(text.encode()).hexdigest()


def _names(tx: Connection, company_id: str) -> Names:
    found: dict[str, str] = {}
    for table, name in NAMED.items():
        named = schema.metadata.tables[table]
        query = select(named).where(named.c.company_id == company_id)
        for row in tx.execute(query).mappings():
            found[row["id"]] = name(row, found)
    return found


def _rows(
    tx: Connection, company_id: str, table: str, columns: Sequence[str], names: Names
) -> list[list[object]]:
    named = schema.metadata.tables[table]
    wanted = [named.c[column] for column in columns]
    own = [named.c.id] if table in NAMED else []
    query = select(*own, *wanted).where(named.c.company_id == company_id)
    return [
        [names.get(value, value) if isinstance(value, str) else value for value in row]
        for row in tx.execute(query)
    ]
