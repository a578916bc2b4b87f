"""Accrue the commissions nobody has to think about, thousands at once, in the database itself.

Plain is a settlement that never earned, verified, its fee kept, not paid out yet, received after
the day its mandate was signed, on a claim one tool showed before all others, brought by a referrer
under a contract in force that day. All others go the way of `earnings.py`, and these earn what they
would there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Subquery,
    Table,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
)

from encaisse_core import plain
from encaisse_core.clock import PARIS
from encaisse_core.commissions import ACCRUED, EXPENSE, RULE_VERSION
from encaisse_core.contracts import PPM, Contract
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.said import bare

staged = Table(
    "plain_accrual",
    MetaData(),
    Column("company_id", String, nullable=False),
    Column("line_id", String, nullable=False),
    Column("settlement_id", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("basis", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    prefixes=["TEMPORARY"],
)

EARNED = len(staged.c) - 2
"""Columns of a set its query selects, in this order; where it stands comes after them."""


def accrue_plain(host: Host, company_id: str, known: Sequence[Contract]) -> int:
    """Accrue what plain settlements earn, contract by contract; return how many lines."""
    return sum(_under(host, company_id, contract) for contract in known if contract.earns)


def _under(host: Host, company_id: str, contract: Contract) -> int:
    """Accrue under one contract, set after set; nothing here where there are only a few."""
    written, last = 0, ("", "")
    query = _plain(company_id, contract)
    while True:
        with host.store.begin("commissions.post") as tx:
            host.store.one_at_a_time(tx, company_id)
            k = schema.settlement.c
            after = tuple_(k.connection_id, k.remote_id) > last
            found = bare(tx.execute(query.where(after).limit(plain.AT_ONCE)))
            if len(found) < plain.AT_LEAST and not written:
                return 0
            if found:
                _write(host, tx, company_id, contract, found)
        written += len(found)
        if len(found) < plain.AT_ONCE:
            return written
        last = (found[-1][EARNED], found[-1][EARNED + 1])


def _plain(company_id: str, contract: Contract) -> Any:
    """Select what a contract's plain settlements earn; the half cent goes up."""
    k, p, m = schema.settlement.c, schema.procedure.c, schema.mandate.c
    s, o, a = schema.sighting.c, schema.sighting.alias("other"), schema.attribution.c
    line, t, merge = schema.commission_line.c, schema.task.c, schema.claim_merge.c
    amount = ((k.fee * contract.rate_ppm + PPM // 2) // literal(PPM)).label("amount")
    query = (
        select(k.id, k.currency, k.fee.label("basis"), amount, k.connection_id, k.remote_id)
        .join(schema.procedure, (p.company_id == k.company_id) & (p.id == k.procedure_id))
        .join(schema.mandate, (m.company_id == p.company_id) & (m.id == p.mandate_id))
        .join(schema.sighting, (s.company_id == k.company_id) & (s.claim_id == k.claim_id))
        .join(schema.attribution, (a.company_id == s.company_id) & (a.sighting_id == s.id))
        .where(
            k.company_id == company_id,
            or_(
                k.earned_state.is_(None),
                k.earned_state != k.state,
                k.earned_fee != func.coalesce(k.fee, text("-1")),
            ),
            k.state == "verified",
            k.fee * contract.rate_ppm >= PPM // 2,
            k.paid_out == 0,
            k.received_on > func.substr(m.signed_at, 1, 10),
            a.referrer_id == contract.referrer_id,
            s.created_at >= _midnight(contract.starts_on),
            ~exists().where(
                o.c.company_id == s.company_id,
                o.c.claim_id == s.claim_id,
                o.c.id != s.id,
                o.c.created_at <= s.created_at,
            ),
            ~exists().where(line.company_id == k.company_id, line.settlement_id == k.id),
            ~exists().where(
                t.company_id == k.company_id, t.subject == k.claim_id, t.done_at.is_(None)
            ),
            ~exists().where(
                merge.company_id == k.company_id,
                or_(merge.kept_id == k.claim_id, merge.gone_id == k.claim_id),
            ),
        )
        .order_by(k.connection_id, k.remote_id)
    )
    if contract.ends_on is not None:
        query = query.where(s.created_at < _midnight(contract.ends_on + timedelta(days=1)))
    return query


def _sides() -> Subquery:
    """Give a line's two postings; an outer join keeps them together, at the end of their index."""
    expense = select(
        literal(0).label("position"), literal(EXPENSE).label("account"), literal(1).label("sign")
    )
    return union_all(expense, select(literal(1), literal(ACCRUED), literal(-1))).subquery()


def _midnight(day: date) -> str:
    """Give the instant a day begins in Paris, as the store writes it."""
    return stamp(datetime.combine(day, time(), PARIS))


def _write(
    host: Host, tx: Connection, company_id: str, contract: Contract, found: Sequence[Any]
) -> None:
    """Write a set's lines with their postings, note their settlements, and tell them together."""
    now = host.clock.now()
    lines = [
        (company_id, line_id, *row[:EARNED])
        for line_id, row in zip(host.ids.some("cml", len(found)), found, strict=True)
    ]
    plain.fill(tx, staged, lines)
    t, line, entry = staged.c, schema.commission_line.c, schema.commission_entry.c
    values: dict[Any, Any] = {
        line.company_id: t.company_id,
        line.id: t.line_id,
        line.settlement_id: t.settlement_id,
        line.referrer_id: literal(contract.referrer_id),
        line.contract_id: literal(contract.id),
        line.kind: literal("accrual"),
        line.rule_version: literal(RULE_VERSION),
        line.currency: t.currency,
        line.basis: t.basis,
        line.amount: t.amount,
        line.turn: literal(0),
        line.created_at: literal(stamp(now)),
    }
    tx.execute(
        insert(schema.commission_line).from_select(
            [column.name for column in values], select(*values.values()).select_from(staged)
        )
    )
    sides = _sides()
    posted: dict[Any, Any] = {
        entry.company_id: t.company_id,
        entry.line_id: t.line_id,
        entry.position: sides.c.position,
        entry.account: sides.c.account,
        entry.amount: t.amount * sides.c.sign,
    }
    tx.execute(
        insert(schema.commission_entry).from_select(
            [column.name for column in posted],
            select(*posted.values()).select_from(staged.outerjoin(sides, true())),
        )
    )
    k = schema.settlement.c
    tx.execute(
        schema.settlement.update()
        .where(k.company_id == t.company_id, k.id == t.settlement_id)
        .values(earned_state=k.state, earned_fee=k.fee)
    )
    staged.drop(tx, checkfirst=False)
    told = [(each[1], each[2], each[5]) for each in lines]
    plain.tell(tx, company_id, now, "commissions_accrued", {"contract": contract.id}, told)
