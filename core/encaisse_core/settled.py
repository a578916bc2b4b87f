"""Make payments of what a collector reports as settled, and follow it when it changes its word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, or_, select

from encaisse_core import payments, plain, same_money, typed, typed_otherwise
from encaisse_core.claim_states import standing_claim
from encaisse_core.errors import UsageError
from encaisse_core.host import Host
from encaisse_core.payments import add_payment, undo_payment
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp
from encaisse_core.store.schema import money
from encaisse_core.store.schema.base import holding
from encaisse_core.store.upsert import bulk_upsert


def follow_settlements(host: Host, tx: Connection, company_id: str) -> int:
    """Bring payments up to the settlements they came from; return how many moved.

    Only principal touches the claim. A payment reversed before we heard of it is recorded and
    undone: both lines belong in the books. One a tool may have shown already waits for a person.
    """
    changed = _changed(tx, company_id)
    asked = same_money.in_question(tx, company_id)
    waiting: list[str] = []
    moved = 0
    for row in changed:
        if row["id"] in asked or row["payment_id"] in asked or same_money.ask(host, tx, row):
            waiting.append(row["id"])
            continue
        if _as_recorded(tx, row):
            continue
        moved += 1
        known = row["payment_id"] is not None
        if known and row["undone_by"] is None:
            undo_payment(host, tx, company_id, row["payment_id"], _went_back_on(host, row))
        elif row["state"] == "reversed":
            payment_id = _collected(host, tx, row)
            undo_payment(host, tx, company_id, payment_id, _went_back_on(host, row))
        if row["state"] == "verified" and row["principal"]:
            again = _collected(host, tx, row)
            if known:
                typed.still(tx, company_id, row["payment_id"], again)
            else:
                known = typed_otherwise.recall(tx, company_id, row["id"], again)
        if known:
            typed_otherwise.ask_if_otherwise(host, tx, company_id, row["id"])
    _followed(tx, company_id, waiting)
    return moved


def _as_recorded(tx: Connection, row: Mapping[str, Any]) -> bool:
    """Tell whether a payment stands as its settlement says, on what its claim is part of by now."""
    stands = row["state"] == "verified" and row["paid"] is not None and row["undone_by"] is None
    if not stands or row["paid"] != row["principal"]:
        return False
    return bool(standing_claim(tx, row["company_id"], row["claim_id"]) == row["paid_on_claim"])


def decide(
    host: Host, tx: Connection, company_id: str, about: Mapping[str, Any], *, same: bool
) -> None:
    """Follow the settlement a person was asked about, as it is now.

    Not the payment in question, it may be another one a tool showed: that is asked next.

    Raises `UsageError` while the collector says neither that the money is there nor that it went
    back: what a tool showed is taken back for something only.
    """
    s, p = schema.settlement.c, schema.payment.c
    here = (s.company_id == company_id, s.id == about["settlement"])
    row = rows(tx.execute(select(schema.settlement).where(*here)))[0]
    if row["state"] not in ("verified", "reversed"):
        if same:
            raise UsageError(
                "Le partenaire ne confirme plus cet encaissement : répondez quand il l'aura "
                "confirmé ou annulé. Rien n'est enregistré."
            )
        return
    if not same and same_money.ask(host, tx, row, {about["payment"], *about.get("denied", ())}):
        return
    shown = select(schema.payment).where(p.company_id == company_id, p.id == about["payment"])
    known = rows(tx.execute(shown))[0]
    stands = same and payments.stands(tx, company_id, about["payment"])
    if stands:
        same_money.taken_back(host, tx, company_id, about["payment"])
    before = row["payment_id"]
    if before is not None and payments.stands(tx, company_id, before):  # on another claim
        undo_payment(host, tx, company_id, before, _went_back_on(host, row))
    payment_id = _collected(host, tx, row) if row["principal"] else None
    if before is not None and payment_id is not None:
        typed.still(tx, company_id, before, payment_id)
    if stands:
        same_money.is_the_collectors(host, tx, known, payment_id)
        made = None
        if payment_id is None:  # no principal is left, and no payment that holds what was typed
            made = typed_otherwise.ByHand(
                known["claim_id"], known["amount"], shown_by=known["shown_by"]
            )
        typed_otherwise.ask_if_otherwise(host, tx, company_id, row["id"], made)
    if payment_id is not None and row["state"] == "reversed":
        undo_payment(host, tx, company_id, payment_id, _went_back_on(host, row))
    tx.execute(
        schema.settlement.update()
        .where(*here)
        .values(followed_state=row["state"], followed_principal=row["principal"])
    )


def has_news(tx: Connection, company_id: str) -> bool:
    """Tell whether a collector said something that nobody followed yet."""
    s = schema.settlement.c
    query = select(s.id).where(s.company_id == company_id, _news()).limit(1)
    return tx.execute(query).first() is not None


def follow_plain(host: Host, company_id: str) -> int:
    """Record the settlements nobody has to think about, set after set; return how many.

    A settlement is plain with its claim's first money, told for the first time.
    """
    s, c, e, x = schema.settlement.c, schema.claim.c, schema.echeance.c, schema.payment_sighting.c
    query = (
        select(
            s.id.label("told_by"),
            s.claim_id,
            e.id.label("echeance_id"),
            s.principal.label("amount"),
            (e.open - s.principal).label("rest"),
            s.currency,
            s.received_on.label("paid_on"),
            s.connection_id,
            s.remote_id.label("remote_ref"),
        )
        .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
        .join(schema.echeance, (e.company_id == c.company_id) & (e.claim_id == c.id))
        .where(
            s.company_id == company_id,
            _news(),
            s.state == "verified",
            s.payment_id.is_(None),
            s.principal > 0,
            *plain.plain_claim(s.principal, s.currency),
            plain.alone(schema.settlement, s.company_id, s.claim_id),
            ~exists().where(
                x.company_id == s.company_id,
                x.connection_id == s.connection_id,
                x.remote_ref == s.remote_id,
            ),
        )
        .order_by(s.connection_id, s.remote_id)
    )
    return plain.sets(
        host, company_id, "collector", query, (s.connection_id, s.remote_id), _keep_plain
    )


def _keep_plain(host: Host, tx: Connection) -> None:
    """Tie the payments of a set to their settlements, as `_collected` does one."""
    s, t = schema.settlement.c, plain.staged.c
    x = schema.payment_sighting.c
    tx.execute(
        schema.settlement.update()
        .where(s.company_id == t.company_id, s.id == t.told_by)
        .values(payment_id=t.payment_id, followed_state=s.state, followed_principal=s.principal)
    )
    plain.insert_from_set(
        tx,
        schema.payment_sighting,
        {
            x.company_id: t.company_id,
            x.connection_id: t.connection_id,
            x.remote_ref: t.remote_ref,
            x.payment_id: t.payment_id,
            x.role: literal("origin"),
            x.record: literal("{}"),
            x.seen_at: literal(stamp(host.clock.now())),
        },
    )


def _followed(tx: Connection, company_id: str, waiting: Sequence[str]) -> None:
    """Note that payments say what settlements say: nothing but another word of theirs is news."""
    s = schema.settlement.c
    known = [s.id.not_in(waiting)] if waiting else []
    tx.execute(
        schema.settlement.update()
        .where(s.company_id == company_id, s.connection_id > "", holding(money.UNFOLLOWED), *known)
        .values(followed_state=s.state, followed_principal=s.principal)
    )


def _changed(tx: Connection, company_id: str) -> list[dict[str, Any]]:
    """List settlements whose payment is missing, of another amount, or stands although it left."""
    s, p = schema.settlement.c, schema.payment
    undo = p.alias("undo")
    query = (
        select(
            schema.settlement,
            undo.c.id.label("undone_by"),
            p.c.amount.label("paid"),
            p.c.claim_id.label("paid_on_claim"),
        )
        .outerjoin(p, (p.c.company_id == s.company_id) & (p.c.id == s.payment_id))
        .outerjoin(undo, (undo.c.company_id == s.company_id) & (undo.c.reverses == s.payment_id))
        .where(
            s.company_id == company_id,
            s.connection_id > "",  # said of its second column, SQLite takes the index of the news
            _news(),
            or_(
                and_(
                    s.state == "verified",
                    or_(
                        and_(s.principal != 0, or_(s.payment_id.is_(None), undo.c.id.is_not(None))),
                        and_(p.c.amount != s.principal, undo.c.id.is_(None)),
                        and_(p.c.claim_id != s.claim_id, undo.c.id.is_(None)),
                    ),
                ),
                and_(s.state != "verified", s.payment_id.is_not(None), undo.c.id.is_(None)),
                and_(s.state == "reversed", s.payment_id.is_(None), s.principal != 0),
            ),
        )
        .order_by(s.received_on, s.remote_id)
    )
    return rows(tx.execute(query))


def _news() -> ColumnElement[bool]:
    """Read only settlements that say something new; in words of the index, its table named."""
    s = schema.settlement.c
    return or_(
        s.followed_state.is_(None),
        s.followed_state != s.state,
        s.followed_principal != s.principal,
    )


def _went_back_on(host: Host, row: Mapping[str, Any]) -> str:
    return str(row["reversed_on"] or host.clock.today().isoformat())


def _collected(host: Host, tx: Connection, row: Mapping[str, Any]) -> str:
    """Record the payment: of the claim it was collected on, or of the one that claim is now."""
    payment_id = add_payment(
        host,
        tx,
        row["company_id"],
        standing_claim(tx, row["company_id"], row["claim_id"]),
        row["principal"],
        row["currency"],
        row["received_on"],
        "collector",
        settlement_id=row["id"],
    )
    s = schema.settlement.c
    tx.execute(
        schema.settlement.update()
        .where(s.company_id == row["company_id"], s.id == row["id"])
        .values(payment_id=payment_id)
    )
    bulk_upsert(
        tx,
        schema.payment_sighting,
        [
            {
                "company_id": row["company_id"],
                "connection_id": row["connection_id"],
                "remote_ref": row["remote_id"],
                "payment_id": payment_id,
                "role": "origin",
                "record": "{}",
                "seen_at": stamp(host.clock.now()),
            }
        ],
        key=("company_id", "connection_id", "remote_ref"),
        keep=("role", "record", "seen_at"),
    )
    return payment_id
