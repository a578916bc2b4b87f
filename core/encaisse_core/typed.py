"""Tell and note what somebody typed into a tool by hand, so that we do not write it again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, select, true

from encaisse_core import tasks
from encaisse_core.cents import euros
from encaisse_core.claim_states import number_of, standing_claim
from encaisse_core.host import Host
from encaisse_core.payments import TOLD
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row: TypeAlias = Mapping[str, Any]

TYPED_IN = "que quelqu'un avait saisi dans votre outil"
HANDED_OVER = "dont l'écriture a été remise à la comptabilité"


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

    `amount` is what was typed: the principal, or what was left of it after the fee.
    """
    if payment_id is None or payment_id in told_there(tx, row):
        return
    tx.execute(
        schema.payment_sighting.insert().values(
            company_id=row["company_id"],
            connection_id=row["connection_id"],
            remote_ref=f"same:{payment_id}",
            payment_id=payment_id,
            role="same",
            record=json.dumps({"amount": amount}),
            seen_at=row["changed_at"],
        )
    )


class Known(NamedTuple):
    """Be a payment we know that a tool may show, and how much of what it shows that would be."""

    payment_id: str
    cents: int


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
    as a part what somebody typed into another tool of the claim. `denied` are those of which a
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
    standing = {one.payment_id for one in recent if one.state == "verified"} - told
    parts = [
        Known(each["payment_id"], cents)
        for each in _typed(tx, row["company_id"], standing)
        if (cents := json.loads(each["record"])["amount"]) < amount
    ]
    return max(parts, key=lambda part: part.cents, default=None)


def _typed(tx: Connection, company_id: str, payment_ids: Collection[str]) -> Sequence[Row]:
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
    for row in _typed(tx, company_id, [before]):
        seen = {**row, "changed_at": row["seen_at"]}
        note(tx, seen, payment_id, json.loads(row["record"])["amount"])


def ask_if_otherwise(
    host: Host,
    tx: Connection,
    company_id: str,
    payment_id: str,
    before: int | None = None,
    typed_on: str | None = None,
) -> None:
    """Let a person correct what was typed in where its collector says otherwise by now.

    `before` is what was typed, and `typed_on` the claim it was typed on, where those were not the
    payment's.
    """
    s, p = schema.settlement.c, schema.payment.c
    one = tx.execute(
        select(
            s.id.label("settlement_id"),
            s.state,
            s.principal,
            s.fee,
            s.fee_vat,
            s.claim_id.label("said_of"),
            p.claim_id,
            p.amount,
        )
        .join(schema.payment, (p.company_id == s.company_id) & (p.settlement_id == s.id))
        .where(p.company_id == company_id, p.id == payment_id)
    ).one_or_none()
    if one is None:
        return
    said_of = standing_claim(tx, company_id, one.said_of)
    there = typed_on or one.claim_id
    if not _typed(tx, company_id, [payment_id]):
        if there != said_of and _handed_over(tx, company_id, payment_id):
            asked = Asked(company_id, one.settlement_id, there, one.amount, HANDED_OVER)
            _ask_to_move(host, tx, asked, said_of)
        return
    net = one.principal - (one.fee or 0) - (one.fee_vat or 0)
    alike = one.amount == one.principal if before is None else before in (one.principal, net)
    was = one.amount if before is None else before
    asked = Asked(company_id, one.settlement_id, there, was)
    if one.state == "reversed":
        ask_to_cancel(host, tx, asked)
    elif there != said_of:
        _ask_to_move(host, tx, asked, said_of)
    elif not alike:
        ask_to_correct(host, tx, asked, one.principal)


class Asked(NamedTuple):
    """Be what a person is asked about: a settlement's entry on a claim, of which amount, how made.

    The newest word of its collector is asked about alone: what it said before holds no more.
    """

    company_id: str
    settlement_id: str
    claim_id: str
    was: int
    how: str = TYPED_IN


def ask_to_cancel(host: Host, tx: Connection, asked: Asked) -> None:
    """Let a person take out what was typed in: the collector took the payment back."""
    what = f"annulé un encaissement de {euros(asked.was)}"
    _ask(host, tx, asked, what, "Annulez-y la saisie")


def ask_to_correct(host: Host, tx: Connection, asked: Asked, principal: int) -> None:
    """Let a person correct what was typed in: the collector says another principal."""
    what = f"corrigé un encaissement en {euros(principal)} de principal"
    _ask(host, tx, asked, what, "Corrigez-y la saisie")


def _ask_to_move(host: Host, tx: Connection, asked: Asked, other: str) -> None:
    """Let a person enter on another invoice what its collector says was paid on that one."""
    number = number_of(tx, asked.company_id, other)
    what = f"rattaché à la facture {number} un encaissement de {euros(asked.was)}"
    _ask(host, tx, asked, what, f"Passez l'écriture sur la facture {number}")


def _handed_over(tx: Connection, company_id: str, payment_id: str) -> bool:
    """Tell whether accountants were handed a payment, under whatever name it had then."""
    x, p = schema.exported_payment.c, schema.payment.c
    same = select(p.settlement_id).where(p.company_id == company_id, p.id == payment_id)
    query = (
        select(x.payout_id)
        .join(schema.payment, (p.company_id == x.company_id) & (p.id == x.payment_id))
        .where(x.company_id == company_id, x.amount != 0, p.settlement_id == same.scalar_subquery())
    )
    return tx.execute(query).first() is not None


def _ask(host: Host, tx: Connection, asked: Asked, what: str, ask: str) -> None:
    """Ask; we write nothing beside what was typed in, and take nothing away."""
    number = number_of(tx, asked.company_id, asked.claim_id)
    tasks.ask_newest(
        tx,
        asked.company_id,
        "typed_otherwise",
        asked.settlement_id,
        f"Facture {number} : le partenaire a {what}, {asked.how} ({euros(asked.was)}). "
        f"{ask} : nous n'y écrivons rien.",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        again=True,
    )
