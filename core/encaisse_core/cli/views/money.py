"""What was earned and paid out: commissions by referrer, transfers with their accounting lines."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core.cli.showing import money
from encaisse_core.clock import PARIS
from encaisse_core.commissions import CommissionLine, Posting, statement
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows

Row = dict[str, Any]


def commissions(tx: Connection, company_id: str, period: str | None) -> Row:
    """List commission lines of a month, or all, and each month's sums per referrer."""
    found = _lines(tx, company_id)
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
                "referrer_name": row["referrer_name"],
                "number": row["number"],
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


def _lines(tx: Connection, company_id: str) -> list[tuple[Row, CommissionLine]]:
    m, e, r = schema.commission_line.c, schema.commission_entry.c, schema.referrer.c
    s, c = schema.settlement.c, schema.claim.c
    postings: dict[str, list[Posting]] = defaultdict(list)
    entries = select(e.line_id, e.account, e.amount).where(e.company_id == company_id)
    for entry in tx.execute(entries.order_by(e.line_id, e.position)):
        postings[entry.line_id].append(Posting(entry.account, entry.amount))
    query = (
        select(schema.commission_line, r.name.label("referrer_name"), c.number)
        .join(schema.referrer, (r.company_id == m.company_id) & (r.id == m.referrer_id))
        .join(schema.settlement, (s.company_id == m.company_id) & (s.id == m.settlement_id))
        .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
        .where(m.company_id == company_id)
        .order_by(m.created_at, m.id)
    )
    return [
        (
            row,
            CommissionLine(
                settlement_id=row["settlement_id"],
                referrer_id=row["referrer_id"],
                kind=row["kind"],
                on=instant(row["created_at"]).astimezone(PARIS).date(),
                currency=row["currency"],
                basis=row["basis"],
                amount=row["amount"],
                postings=tuple(postings[row["id"]]),
                rule_version=row["rule_version"],
            ),
        )
        for row in rows(tx.execute(query))
    ]


def payouts(tx: Connection, company_id: str) -> list[Row]:
    """List transfers to the company, each with the lines its voucher posts."""
    o, v, c = schema.payout.c, schema.voucher_line.c, schema.connection.c
    drawn: dict[str, list[Row]] = defaultdict(list)
    lines = select(schema.voucher_line).where(v.company_id == company_id)
    for line in rows(tx.execute(lines.order_by(v.payout_id, v.position))):
        drawn[line["payout_id"]].append(line)
    query = (
        select(schema.payout, c.connector)
        .join(schema.connection, (c.company_id == o.company_id) & (c.id == o.connection_id))
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
