"""Record the payments nobody has to think about, thousands at once, in the database itself.

Plain is one payment on one claim: same currency, no more than is open, one échéance, no earlier
payment, no question, no hold, no record that left its tool. `settled.py` and `observed.py` choose
them, each by what its evidence needs besides; whatever is not plain goes the way of `payments.py`,
claim by claim, and a plain payment gives the very rows it would give there: a test lives histories
both ways and compares. Only the journal differs: one event tells all payments of a set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    case,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    tuple_,
)

from encaisse_core import journal
from encaisse_core.host import Host
from encaisse_core.naming import namer
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.said import bare

AT_LEAST = 100
"""Fewer plain payments than this are recorded one by one, each with an event of its own."""

AT_ONCE = 20_000
"""Payments recorded in one transaction: others write in between, and memory stays flat.

The names of payments are spread over the whole index: the more at once, the more fall on a page.
"""

TOLD_TOGETHER = 500
"""Payments one event of the journal tells."""

_COLUMNS = (
    "company_id",
    "payment_id",
    "told_by",
    "claim_id",
    "echeance_id",
    "amount",
    "rest",
    "currency",
    "paid_on",
    "connection_id",
    "remote_ref",
)

SELECTED = len(_COLUMNS) - 2
"""Columns of a set that its query selects, in this order, `told_by` first."""

TOLD_BY, AMOUNT, CURRENCY, CONNECTION_ID, REMOTE_REF = (
    _COLUMNS.index(name) - 2
    for name in ("told_by", "amount", "currency", "connection_id", "remote_ref")
)
"""Where they stand in a row, which is the driver's own: so many with names cost more."""

staged = Table(
    "plain_payment",
    MetaData(),
    *(
        Column(name, BigInteger if name in ("amount", "rest") else String, nullable=False)
        for name in _COLUMNS
    ),
    prefixes=["TEMPORARY"],
)
"""The set at hand, in a table only this connection sees.

Its rows name the company themselves: joined by constants, SQLite would rather read all claims.
"""


def plain_claim(amount: ColumnElement[int], currency: ColumnElement[str] | None) -> tuple[Any, ...]:
    """Say in SQL that a claim and its one échéance take an amount without a thought.

    Of `schema.claim` joined with `schema.echeance`; `currency` is the payment's, None where it is
    compared elsewhere.
    """
    c, e = schema.claim.c, schema.echeance.c
    x, p = schema.sighting.alias("odd"), schema.payment.c
    m = schema.claim_merge.c
    conditions: list[Any] = [
        c.state == "open",
        c.hold.is_(None),
        c.kind == "invoice",
        e.open >= amount,
        c.open == e.open,
        alone(schema.echeance, c.company_id, c.id),
        not_(exists().where(p.company_id == c.company_id, p.claim_id == c.id)),
        not_(
            exists().where(
                x.c.company_id == c.company_id,
                x.c.claim_id == c.id,
                or_(x.c.presence != "live", x.c.state == "cancelled"),
            )
        ),
        not_(exists().where(m.company_id == c.company_id, m.kept_id == c.id)),
    ]
    if currency is not None:
        conditions.append(c.currency == currency)
    return tuple(conditions)


def alone(
    table: Table, company_id: ColumnElement[str], claim_id: ColumnElement[str]
) -> ColumnElement[bool]:
    """Say in SQL that a table has one row of a claim; its index counts, and no row is read."""
    other = table.alias("other")
    counted = select(func.count()).where(
        other.c.company_id == company_id, other.c.claim_id == claim_id
    )
    return counted.scalar_subquery() == 1


def sets(
    host: Host,
    company_id: str,
    origin: str,
    query: Select[*tuple[Any, ...]],
    order: tuple[ColumnElement[str], ...],
    keep: Callable[[Host, Connection], None],
    *,
    still: Callable[[Sequence[Any]], bool] = lambda _: True,
) -> int:
    """Record every plain payment a query finds, set after set; return how many there were.

    The query selects the set's columns from `told_by` on, then what `still` needs. Sets follow
    `order`, its connection and its reference: neighbours lie on one page. `still` looks once more
    at what SQL cannot tell; `keep` writes what an origin writes besides. Where there are only a
    few, none is recorded here.
    """
    recorded, last = 0, ("", "")
    while True:
        with host.store.begin("reconcile.money") as tx:
            host.store.one_at_a_time(tx, company_id)
            found = bare(tx.execute(query.where(tuple_(*order) > last).limit(AT_ONCE)))
            if len(found) < AT_LEAST and not recorded:
                return 0
            plain = [row for row in found if still(row)]
            if plain:
                recorded += stage(tx, company_id, origin, plain)
                record(host, tx, company_id, origin)
                keep(host, tx)
                staged.drop(tx, checkfirst=False)
        if len(found) < AT_ONCE:
            return recorded
        last = (found[-1][CONNECTION_ID], found[-1][REMOTE_REF])


def stage(tx: Connection, company_id: str, origin: str, found: Sequence[Sequence[Any]]) -> int:
    """Put a set aside, each payment under the name it would have; return how many are plain still.

    One whose name is taken happened before in the same way, and is counted: not here. In the order
    of their names, so that an index is written page by page.
    """
    name = namer("pay", company_id, origin)
    lines = sorted(
        (company_id, name(row[TOLD_BY], row[AMOUNT], 0), *row[:SELECTED]) for row in found
    )
    fill(tx, staged, lines)
    p, t = schema.payment.c, staged.c
    taken = exists().where(p.company_id == t.company_id, p.id == t.payment_id)
    gone = tx.execute(staged.delete().where(taken)).rowcount
    return len(lines) - gone


def fill(tx: Connection, table: Table, lines: Sequence[tuple[Any, ...]]) -> None:
    """Make a temporary table and fill it, in one statement whatever the number of rows."""
    table.create(tx, checkfirst=False)
    if tx.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.c))
        tx.exec_driver_sql(f"insert into {table.name} values ({marks})", list(lines))
        return
    kinds = ", ".join(
        f"cast(:{column.name} as {'bigint' if column.type.python_type is int else 'text'}[])"
        for column in table.c
    )
    columns = dict(zip(table.c.keys(), map(list, zip(*lines, strict=True)), strict=True))
    tx.execute(text(f"insert into {table.name} select * from unnest({kinds})"), columns)
    tx.execute(text(f"analyze {table.name}"))  # its planner takes an unknown table for a small one


def record(host: Host, tx: Connection, company_id: str, origin: str) -> None:
    """Write the payments that were staged, where each went, and what is left of its claim."""
    now = host.clock.now()
    p, a, t = schema.payment.c, schema.allocation.c, staged.c
    told = {"collector": (t.told_by, literal(None)), "source": (literal(None), t.told_by)}
    settlement_id, shown_by = told[origin]
    insert_from_set(
        tx,
        schema.payment,
        {
            p.company_id: t.company_id,
            p.id: t.payment_id,
            p.claim_id: t.claim_id,
            p.amount: t.amount,
            p.currency: t.currency,
            p.paid_on: t.paid_on,
            p.origin: literal(origin),
            p.settlement_id: settlement_id,
            p.shown_by: shown_by,
            p.unallocated: literal(0),
            p.created_at: literal(stamp(now)),
        },
    )
    insert_from_set(
        tx,
        schema.allocation,
        {
            a.company_id: t.company_id,
            a.id: literal("alc_")
            + func.substr(t.payment_id, 5)
            + literal("_")
            + func.substr(t.echeance_id, 5),
            a.payment_id: t.payment_id,
            a.claim_id: t.claim_id,
            a.echeance_id: t.echeance_id,
            a.amount: t.amount,
            a.created_at: literal(stamp(now)),
        },
    )
    e, c = schema.echeance.c, schema.claim.c
    tx.execute(
        schema.echeance.update()
        .where(e.company_id == t.company_id, e.id == t.echeance_id)
        .values(open=t.rest)
    )
    tx.execute(
        schema.claim.update()
        .where(c.company_id == t.company_id, c.id == t.claim_id)
        .values(open=t.rest, state=case((t.rest == 0, "settled"), else_="open"))
    )
    _tell(tx, company_id, now, origin)


def insert_from_set(tx: Connection, table: Table, values: Mapping[Any, Any]) -> None:
    """Write one row of a table for each payment of the set; `values` are its columns."""
    chosen = select(*values.values()).select_from(staged)
    tx.execute(insert(table).from_select([column.name for column in values], chosen))


def _tell(tx: Connection, company_id: str, now: datetime, origin: str) -> None:
    """Append what happened: each payment with its claim, its amount, and what is left to pay."""
    t = staged.c
    query = select(t.payment_id, t.claim_id, t.amount, t.rest).order_by(t.payment_id)
    tell(tx, company_id, now, "payments_seen", {"origin": origin}, bare(tx.execute(query)))


def tell(
    tx: Connection,
    company_id: str,
    now: datetime,
    kind: str,
    shared: Mapping[str, journal.JSON],
    facts: Sequence[Sequence[journal.JSON]],
) -> None:
    """Append events that tell many facts each, and each fact once."""
    journal.append_all(
        tx,
        company_id,
        [
            journal.Entry(
                now, kind, company_id, {**shared, "facts": list(facts[n : n + TOLD_TOGETHER])}
            )
            for n in range(0, len(facts), TOLD_TOGETHER)
        ],
    )
