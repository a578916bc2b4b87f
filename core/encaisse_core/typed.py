"""Tell and note what somebody typed into a tool by hand, so that we do not write it again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, select, true

from encaisse_core.payments import TOLD
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row: TypeAlias = Mapping[str, Any]


def told_there(tx: Connection, row: Row) -> set[str]:
    """Name the payments a connection shows, or will without our doing."""
    x = schema.payment_sighting.c
    return set(
        tx.execute(
            select(x.payment_id).where(
                x.company_id == row["company_id"],
                x.connection_id == row["connection_id"],
                x.role.in_(TOLD),
            )
        ).scalars()
    )


def note(tx: Connection, row: Row, payment_id: str | None, amount: int) -> None:
    """Note that a tool shows a payment somebody typed in, so that we do not write it again.

    `amount` is what was typed: the principal, or what was left of it after the fee. On which claim
    is noted too: its collector may say another one later.
    """
    if payment_id is not None:
        _keep(tx, row, payment_id, {"amount": amount, "claim": row["claim_id"]}, row["changed_at"])


def _keep(
    tx: Connection, row: Row, payment_id: str, record: Mapping[str, Any], seen_at: str
) -> None:
    """Keep what a tool shows of a payment; one it is told of anyhow is kept once."""
    if payment_id in told_there(tx, row):
        return
    tx.execute(
        schema.payment_sighting.insert().values(
            company_id=row["company_id"],
            connection_id=row["connection_id"],
            remote_ref=f"same:{payment_id}",
            payment_id=payment_id,
            role="same",
            record=json.dumps(_net_of(tx, row["company_id"], payment_id, record)),
            seen_at=seen_at,
        )
    )


def _net_of(
    tx: Connection, company_id: str, payment_id: str, record: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Add of which principal an entry was what was left after the fee, where it was."""
    s, p = schema.settlement.c, schema.payment.c
    said = tx.execute(
        select(p.amount, s.fee, s.fee_vat)
        .join(schema.settlement, (s.company_id == p.company_id) & (s.id == p.settlement_id))
        .where(p.company_id == company_id, p.id == payment_id)
    ).one_or_none()
    fees = 0 if said is None else (said.fee or 0) + (said.fee_vat or 0)
    if said is None or not fees or "net_of" in record or record["amount"] != said.amount - fees:
        return record
    return {**record, "net_of": said.amount}


def corrected(tx: Connection, row: Row, payment_id: str | None, amount: int) -> None:
    """Note that what was missing of a payment typed in was entered since, as a person was asked."""
    if payment_id is None:
        return
    x, p = schema.payment_sighting.c, schema.payment.c
    whole = tx.execute(
        select(p.amount).where(p.company_id == row["company_id"], p.id == payment_id)
    ).scalar_one()
    for each in typed_of(tx, row["company_id"], [payment_id]):
        was = json.loads(each["record"])
        if each["connection_id"] == row["connection_id"] and was["amount"] + amount == whole:
            tx.execute(
                schema.payment_sighting.update()
                .where(
                    x.company_id == row["company_id"],
                    x.connection_id == row["connection_id"],
                    x.remote_ref == each["remote_ref"],
                )
                .values(record=json.dumps({**was, "amount": whole}))
            )


class Known(NamedTuple):
    """Be a payment we know that a tool may show, and how much of what it shows that would be.

    `corrects` where that is what was missing of it.
    """

    payment_id: str
    cents: int
    corrects: bool = False


def may_be(
    tx: Connection,
    row: Row,
    amount: int,
    since: date,
    denied: Collection[str] = (),
    *,
    written_there: bool,
) -> Known | None:
    """Find a collected payment received since that a tool's fall may be, or have as a part.

    However long ago it was received where entries of ours are `written_there` and that one is not
    yet. It may be one of the same amount, gross or net of its fee, as it is or as it was before its
    collector said otherwise: writing or accruing on a guess would double it. It is likely to have
    as a part what somebody typed into another tool of the claim, or to be what was missing of one
    typed in here, which its collector says more of since. `denied` are those of which a
    person said already that the fall is not theirs.
    """
    s, p = schema.settlement.c, schema.payment.c
    told = told_there(tx, row)
    found = tx.execute(
        select(s.payment_id, s.received_on, s.state, s.fee, s.fee_vat, p.id, p.amount)
        .join(schema.payment, (p.company_id == s.company_id) & (p.settlement_id == s.id))
        .where(
            s.company_id == row["company_id"],
            p.claim_id == row["claim_id"],
            p.reverses.is_(None),
            s.state.in_(("verified", "reversed")),
            s.payment_id.is_not(None),
            s.payment_id.not_in(sorted(denied)),
            true() if written_there else s.received_on >= since.isoformat(),
        )
        .order_by(s.received_on, s.remote_id, p.created_at, p.id)
    ).all()
    recent = [
        one for one in found if one.payment_id not in told or one.received_on >= since.isoformat()
    ]
    equal = [
        str(one.payment_id)
        for one in recent
        if amount in (one.amount, one.amount - (one.fee or 0) - (one.fee_vat or 0))
        and ((one.state == "verified" and one.id == one.payment_id) or one.payment_id not in told)
    ]
    if equal:
        return Known(next((each for each in equal if each not in told), equal[0]), amount)
    corrected = {one.id: one.amount for one in found if one.id == one.payment_id}
    for each in typed_of(tx, row["company_id"], list(corrected)):
        was = json.loads(each["record"])["amount"]
        here = each["connection_id"] == row["connection_id"]
        if here and was + amount == corrected[each["payment_id"]]:
            return Known(each["payment_id"], amount, corrects=True)
    standing = {one.payment_id for one in recent if one.state == "verified"} - told
    parts = [
        Known(each["payment_id"], cents)
        for each in typed_of(tx, row["company_id"], standing)
        if (cents := json.loads(each["record"])["amount"]) < amount
    ]
    return max(parts, key=lambda part: part.cents, default=None)


def typed_of(tx: Connection, company_id: str, payment_ids: Collection[str]) -> Sequence[Row]:
    """List what was typed of some payments, in any tool."""
    x = schema.payment_sighting.c
    query = select(schema.payment_sighting).where(
        x.company_id == company_id, x.payment_id.in_(sorted(payment_ids)), x.role == "same"
    )
    return rows(tx.execute(query.order_by(x.connection_id, x.payment_id))) if payment_ids else ()


def still(tx: Connection, company_id: str, before: str, payment_id: str) -> None:
    """Keep that tools show a payment somebody typed in, once its collector says another amount.

    Written in full beside what was typed it would count twice.
    """
    for row in typed_of(tx, company_id, [before]):
        _keep(tx, row, payment_id, {"net_of": None, **json.loads(row["record"])}, row["seen_at"])
