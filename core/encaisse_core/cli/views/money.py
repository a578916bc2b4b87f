"""What was earned and paid out: commissions by referrer, transfers with their accounting lines."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import earnings
from encaisse_core.accounting import entry_number
from encaisse_core.cli.showing import money
from encaisse_core.commissions import CommissionLine, statement
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = dict[str, Any]


def commissions(tx: Connection, company_id: str, period: str | None) -> Row:
    """List commission lines of a month, or all, and each month's sums per referrer."""
    found = earnings.ledger(tx, company_id)
    names, numbers = _names(tx, company_id)
    kept = [(row, line) for row, line in found if period in (None, f"{line.on:%Y-%m}")]
    groups: dict[tuple[str, str, str], list[CommissionLine]] = defaultdict(list)
    for _, line in kept:
        groups[line.referrer_id, line.currency, f"{line.on:%Y-%m}"].append(line)
    statements: list[Row] = []
    for (referrer, currency, month), lines in sorted(groups.items()):
        sums = statement(lines, month)
        statements.append(
            {
                "referrer": referrer,
                "period": month,
                "total": money(sums.total, currency),
                "payable": money(sums.payable, currency),
            }
        )
    return {
        "lines": [
            {
                "id": row["id"],
                "referrer": row["referrer_id"],
                "referrer_name": names[line.referrer_id],
                "number": numbers[line.settlement_id],
                "kind": line.kind,
                "on": line.on.isoformat(),
                "basis": money(line.basis, line.currency),
                "amount": money(line.amount, line.currency),
                "rule_version": line.rule_version,
            }
            for row, line in kept
        ],
        "statements": statements,
    }


def _names(tx: Connection, company_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """Name each referrer, and each settlement by its invoice."""
    r, s, c = schema.referrer.c, schema.settlement.c, schema.claim.c
    names = tx.execute(select(r.id, r.name).where(r.company_id == company_id))
    numbers = tx.execute(
        select(s.id, c.number)
        .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
        .where(s.company_id == company_id)
    )
    return {row.id: row.name for row in names}, {row.id: row.number for row in numbers}


def payouts(tx: Connection, company_id: str) -> list[Row]:
    """List transfers to the company, each with the lines its voucher posts."""
    o, v, c = schema.payout.c, schema.voucher_line.c, schema.connection.c
    x = schema.accounting_entry.c
    drawn: dict[str, list[Row]] = defaultdict(list)
    lines = select(schema.voucher_line).where(v.company_id == company_id)
    for line in rows(tx.execute(lines.order_by(v.payout_id, v.position))):
        drawn[line["payout_id"]].append(line)
    query = (
        select(schema.payout, c.connector, x.number)
        .join(schema.connection, (c.company_id == o.company_id) & (c.id == o.connection_id))
        .outerjoin(schema.accounting_entry, (x.company_id == o.company_id) & (x.payout_id == o.id))
        .where(o.company_id == company_id)
        .order_by(o.executed_on, o.remote_id)
    )
    return [
        {
            "id": row["id"],
            "connector": row["connector"],
            "remote_id": row["remote_id"],
            "state": row["state"],
            "executed_on": row["executed_on"],
            "bank_reference": row["bank_reference"],
            "entry": row["number"] and entry_number(row["number"]),
            **{
                name: money(row[name], row["currency"])
                for name in ("gross", "fee", "fee_vat", "net")
            },
            "voucher": [
                {
                    "account": line["account"],
                    "label": line["label"],
                    "debit": money(line["debit"], row["currency"]),
                    "credit": money(line["credit"], row["currency"]),
                    "reference": line["reference"],
                }
                for line in drawn[row["id"]]
            ],
        }
        for row in rows(tx.execute(query))
    ]
