"""Post commissions: the thinking is in `commissions.py`, here is what it reads and writes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, text, true, tuple_

from encaisse_api import CollectorPayout
from encaisse_core import accruals, commissions, journal, referrers
from encaisse_core.clock import PARIS
from encaisse_core.commissions import CommissionLine, Posting, SettlementFacts
from encaisse_core.contracts import Contract
from encaisse_core.host import Host, Link
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows, stamp
from encaisse_core.store.schema import money
from encaisse_core.store.schema.base import holding
from encaisse_core.store.upsert import among

Row = dict[str, Any]


def post_commissions(host: Host, company_id: str) -> int:
    """Accrue, make payable, claw back; return how many lines were written.

    Only settlements are looked at that say something else than when their commission was last
    brought up to them, that were paid out since, or whose claim is, or was, part of another.
    """
    with host.store.begin("commissions.post") as tx:
        host.store.one_at_a_time(tx, company_id)
        known = referrers.contracts(tx, company_id)
        _note_paid_out(tx, company_id)
        written = _bring_up(host, tx, company_id, known, _of_merged(tx, company_id))
    written += accruals.accrue_plain(host, company_id, known)
    s, last = schema.settlement.c, ("", "")
    while True:
        with host.store.begin("commissions.post") as tx:
            host.store.one_at_a_time(tx, company_id)
            found = _settlements(
                tx,
                company_id,
                _unearned(),
                tuple_(s.connection_id, s.remote_id) > last,
                most=AT_ONCE,
            )
            written += _bring_up(host, tx, company_id, known, found)
        if len(found) < AT_ONCE:
            return written
        last = (found[-1]["connection_id"], found[-1]["remote_id"])


AT_ONCE = 1000


def forget_payout(tx: Connection, where: Link, payout: CollectorPayout) -> None:
    """Let a payout that says something new be noted anew; what it named is not paid out by it."""
    o, s = schema.payout.c, schema.settlement.c
    here = (o.company_id == where.company_id, o.connection_id == where.id)
    tx.execute(schema.payout.update().where(*here, o.remote_id == payout.remote_id).values(noted=0))
    refs = [line.payment_ref for line in payout.lines]
    tx.execute(
        schema.settlement.update()
        .where(
            s.company_id == where.company_id,
            s.connection_id == where.id,
            among(tx, s.remote_id, refs),
            s.paid_out == 1,
        )
        .values(paid_out=0, earned_state=None)
    )


def _note_paid_out(tx: Connection, company_id: str) -> None:
    """Mark the settlements that executed payouts name; one not known yet is looked for again."""
    o, s = schema.payout.c, schema.settlement.c
    query = select(o.id, o.connection_id, o.record).where(
        o.company_id == company_id, holding(money.UNNOTED)
    )
    for row in tx.execute(query).all():
        payout = CollectorPayout.model_validate(json.loads(row.record))
        refs = {line.payment_ref for line in payout.lines if line.gross.minor > 0}
        marked = tx.execute(
            schema.settlement.update()
            .where(
                s.company_id == company_id,
                s.connection_id == row.connection_id,
                among(tx, s.remote_id, sorted(refs)),
            )
            .values(paid_out=1, earned_state=None)
        ).rowcount
        if marked == len(refs):
            tx.execute(
                schema.payout.update()
                .where(o.company_id == company_id, o.id == row.id)
                .values(noted=1)
            )


def _unearned() -> ColumnElement[bool]:
    """Say what the index of settlements to look at says, its table named."""
    s = schema.settlement.c
    return or_(
        s.earned_state.is_(None),
        s.earned_state != s.state,
        s.earned_fee != func.coalesce(s.fee, text("-1")),
    )


def _of_merged(tx: Connection, company_id: str) -> list[Row]:
    """List settlements of claims that are part of another, or were: who brought them may change."""
    m, s = schema.claim_merge.c, schema.settlement.c
    merged = tx.execute(select(m.kept_id, m.gone_id).where(m.company_id == company_id))
    claims = sorted({claim_id for row in merged for claim_id in row})
    return _settlements(tx, company_id, among(tx, s.claim_id, claims)) if claims else []


def _settlements(
    tx: Connection, company_id: str, *which: ColumnElement[bool], most: int | None = None
) -> list[Row]:
    """List settlements with the signature of the mandate they came under, as they are named."""
    s, p, m = schema.settlement.c, schema.procedure.c, schema.mandate.c
    query = (
        select(schema.settlement, m.signed_at)
        .join(schema.procedure, (p.company_id == s.company_id) & (p.id == s.procedure_id))
        .join(schema.mandate, (m.company_id == p.company_id) & (m.id == p.mandate_id))
        .where(s.company_id == company_id, *which)
        .order_by(s.connection_id, s.remote_id)
    )
    return rows(tx.execute(query.limit(most)))


def _bring_up(
    host: Host, tx: Connection, company_id: str, known: list[Contract], found: Sequence[Row]
) -> int:
    """Bring the lines of some settlements up to what each earns now, the earliest first."""
    if not found:
        return 0
    s = schema.settlement.c
    seen = referrers.imports(tx, company_id, [row["claim_id"] for row in found])
    standing: dict[str, list[CommissionLine]] = defaultdict(list)
    for _, line in ledger(tx, company_id, only=[row["id"] for row in found]):
        standing[line.settlement_id].append(line)
    doubted = _doubted(tx, company_id)
    written = 0
    settled: list[str] = []
    for row in sorted(found, key=lambda row: (row["received_on"], row["remote_id"])):
        contract = referrers.earning(known, seen.get(row["claim_id"], []))
        lines = standing.get(row["id"], [])
        doubt = row["claim_id"] in doubted
        if contract is not None or lines:
            written += _commission(host, tx, row, contract, lines, doubt)
        if not doubt and row["signed_at"] is not None:
            settled.append(row["id"])
    tx.execute(
        schema.settlement.update()
        .where(s.company_id == company_id, among(tx, s.id, settled))
        .values(earned_state=s.state, earned_fee=func.coalesce(s.fee, -1))
    )
    return written


def ledger(
    tx: Connection, company_id: str, *, only: Sequence[str] | None = None
) -> list[tuple[Row, CommissionLine]]:
    """Read every line, or those of some settlements, the oldest first, with its row."""
    m, e = schema.commission_line.c, schema.commission_entry.c
    postings: dict[str, list[Posting]] = defaultdict(list)
    entries = select(e.line_id, e.account, e.amount).where(e.company_id == company_id)
    wanted = true() if only is None else among(tx, m.settlement_id, only)
    if only is not None:
        ids = select(m.id).where(m.company_id == company_id, wanted)
        entries = entries.where(e.line_id.in_(ids))
    for entry in tx.execute(entries.order_by(e.line_id, e.position)):
        postings[entry.line_id].append(Posting(entry.account, entry.amount))
    query = (
        select(schema.commission_line)
        .where(m.company_id == company_id, wanted)
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


def _commission(
    host: Host,
    tx: Connection,
    row: Mapping[str, Any],
    contract: Contract | None,
    lines: Sequence[CommissionLine],
    doubt: bool,
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
    if accrual is not None and not standing and not doubt:
        made.append(accrual)
        standing = accrual.amount
    if standing and row["paid_out"]:
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


def _doubted(tx: Connection, company_id: str) -> set[str]:
    """Name the claims of which a person looks whether their money is known already."""
    t = schema.task.c
    query = select(t.subject).where(
        t.company_id == company_id, t.kind == "maybe_same", t.done_at.is_(None)
    )
    return set(tx.execute(query).scalars())


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
