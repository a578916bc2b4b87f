"""Post commissions: the thinking is in `commissions.py`, here is what it reads and writes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import CollectorPayout
from encaisse_core import commissions, journal, referrers, tasks
from encaisse_core.clock import PARIS
from encaisse_core.commissions import CommissionLine, Posting, SettlementFacts
from encaisse_core.contracts import Contract
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows, stamp

Row = dict[str, Any]


def post_commissions(host: Host, company_id: str) -> int:
    """Accrue, make payable, claw back; return how many lines were written."""
    written = 0
    with host.store.begin("commissions.post") as tx:
        host.store.one_at_a_time(tx, company_id)
        paid = _paid_settlements(tx, company_id)
        known = referrers.contracts(tx, company_id)
        seen = referrers.imports(tx, company_id)
        standing: dict[str, list[CommissionLine]] = defaultdict(list)
        for _, line in ledger(tx, company_id):
            standing[line.settlement_id].append(line)
        for row in _settlements(tx, company_id):
            contract = referrers.earning(known, seen.get(row["claim_id"], []))
            lines = standing.get(row["id"], [])
            if contract is not None or lines:
                written += _commission(host, tx, row, contract, lines, paid)
    return written


def ledger(tx: Connection, company_id: str) -> list[tuple[Row, CommissionLine]]:
    """Read every line, the oldest first, with its row."""
    m, e = schema.commission_line.c, schema.commission_entry.c
    postings: dict[str, list[Posting]] = defaultdict(list)
    entries = select(e.line_id, e.account, e.amount).where(e.company_id == company_id)
    for entry in tx.execute(entries.order_by(e.line_id, e.position)):
        postings[entry.line_id].append(Posting(entry.account, entry.amount))
    query = (
        select(schema.commission_line)
        .where(m.company_id == company_id)
        .order_by(m.created_at, m.turn, m.id)
    )
    return [
        (
            row,
            CommissionLine(
                settlement_id=row["settlement_id"],
                referrer_id=row["referrer_id"],
                contract_id=row["contract_id"],
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


def _settlements(tx: Connection, company_id: str) -> list[Row]:
    """List settlements with the signature of the mandate they came under."""
    s, p, m = schema.settlement.c, schema.procedure.c, schema.mandate.c
    query = (
        select(schema.settlement, m.signed_at)
        .join(schema.procedure, (p.company_id == s.company_id) & (p.id == s.procedure_id))
        .join(schema.mandate, (m.company_id == p.company_id) & (m.id == p.mandate_id))
        .where(s.company_id == company_id)
        .order_by(s.received_on, s.remote_id)
    )
    return rows(tx.execute(query))


def _commission(
    host: Host,
    tx: Connection,
    row: Mapping[str, Any],
    contract: Contract | None,
    lines: Sequence[CommissionLine],
    paid: set[tuple[str, str]],
) -> int:
    """Bring one settlement's lines to what it earns now: undo what it no longer does, then accrue.

    What another referrer earned is undone first: one settlement never earns two. While a person
    looks whether the money is known already, nothing is accrued on it.
    """
    today = host.clock.today()
    accrual = None if contract is None else _accrual(row, contract, today)
    earns = None if accrual is None else accrual.referrer_id
    earned = 0 if accrual is None else accrual.amount
    made: list[CommissionLine] = []
    standing = 0
    for referrer_id in dict.fromkeys(line.referrer_id for line in lines):
        theirs = [line for line in lines if line.referrer_id == referrer_id]
        amount = sum(line.amount for line in theirs if line.kind != "payable")
        if amount and (referrer_id, amount) == (earns, earned):
            standing = amount
        elif undone := commissions.claw_back(theirs, on=today):
            made.append(undone)
    if accrual is not None and not standing and not _in_doubt(tx, row):
        made.append(accrual)
        standing = accrual.amount
    if standing and (row["connection_id"], row["remote_id"]) in paid:
        mine = [line for line in [*lines, *made] if line.referrer_id == earns]
        if not commissions.balance(mine).get(commissions.PAYABLE, 0):
            last = next(line for line in reversed(mine) if line.kind == "accrual")
            made.append(commissions.payable(last, on=today))
    turns = Counter(line.kind for line in lines)
    for line in made:
        _write(host, tx, row["company_id"], line, turns[line.kind])
        turns[line.kind] += 1
    return len(made)


def _accrual(row: Mapping[str, Any], contract: Contract, today: date) -> CommissionLine | None:
    signed = instant(row["signed_at"]).astimezone(PARIS).date() if row["signed_at"] else None
    settlement = SettlementFacts(
        row["id"],
        row["state"],
        row["currency"],
        date.fromisoformat(row["received_on"]),
        row["fee"],
    )
    return commissions.accrue(settlement, contract, signed, on=today)


def _in_doubt(tx: Connection, row: Mapping[str, Any]) -> bool:
    return "maybe_same" in tasks.open_on(tx, row["company_id"], row["claim_id"])


def _paid_settlements(tx: Connection, company_id: str) -> set[tuple[str, str]]:
    """Name the settlements an executed payout paid out."""
    o = schema.payout.c
    found: set[tuple[str, str]] = set()
    for row in tx.execute(
        select(o.connection_id, o.record).where(o.company_id == company_id, o.state == "executed")
    ):
        payout = CollectorPayout.model_validate(json.loads(row.record))
        found |= {
            (row.connection_id, line.payment_ref) for line in payout.lines if line.gross.minor > 0
        }
    return found


def _write(host: Host, tx: Connection, company_id: str, line: CommissionLine, turn: int) -> None:
    now = host.clock.now()
    line_id = host.ids.new("cml")
    tx.execute(
        schema.commission_line.insert().values(
            company_id=company_id,
            id=line_id,
            settlement_id=line.settlement_id,
            referrer_id=line.referrer_id,
            contract_id=line.contract_id,
            kind=line.kind,
            rule_version=line.rule_version,
            currency=line.currency,
            basis=line.basis,
            amount=line.amount,
            turn=turn,
            created_at=stamp(now),
        )
    )
    for position, posting in enumerate(line.postings):
        tx.execute(
            schema.commission_entry.insert().values(
                company_id=company_id,
                line_id=line_id,
                position=position,
                account=posting.account,
                amount=posting.cents,
            )
        )
    journal.append(
        tx,
        company_id,
        now,
        f"commission_{line.kind}",
        line_id,
        {"settlement": line.settlement_id, "amount": line.amount},
    )
