"""Turn what the tools and collectors show into payments, once each, and payments into allocations.

A payment is money that moved once. A collector's payment is known by its id. A tool that tells
only the open amount shows money by difference: what it shows less than we can explain came in
there, what it shows more went back. Our own write-backs are in what we can explain, so they are
never news.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from encaisse_core import journal, payables, portfolio, tasks
from encaisse_core.allocate import Open, allocate
from encaisse_core.cents import euros
from encaisse_core.holds import hold
from encaisse_core.host import Host, links
from encaisse_core.ingest import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp

SAME_WITHIN = timedelta(days=10)
"""Equal money on one claim within this time, without a common identity, may be the same money."""


def reconcile(host: Host, company_id: str) -> int:
    """Record every payment that became visible; return how many."""
    found = 0
    with host.store.begin() as tx:
        portfolio.follow_records(host, tx, company_id)
        for row in _new_settlements(tx, company_id):
            found += _collected(host, tx, row)
        for row in _reversed_settlements(tx, company_id):
            found += _reversed(host, tx, row)
        for row in _differences(host, tx, company_id):
            found += _observed(host, tx, row)
        found += _document_states(host, tx, company_id)
    return found


def _new_settlements(tx: Connection, company_id: str) -> list[dict[str, Any]]:
    s = schema.settlement.c
    query = (
        select(schema.settlement)
        .where(
            s.company_id == company_id,
            s.state.in_(("verified", "reversed")),
            s.payment_id.is_(None),
        )
        .order_by(s.received_on, s.remote_id)
    )
    return rows(tx.execute(query))


def _collected(host: Host, tx: Connection, row: Mapping[str, Any]) -> bool:
    """Make a payment of a verified settlement; only principal touches the claim."""
    if row["principal"] == 0:
        return False
    payment_id = add_payment(
        host,
        tx,
        row["company_id"],
        row["claim_id"],
        row["principal"],
        row["currency"],
        row["received_on"],
        "collector",
    )
    s = schema.settlement.c
    tx.execute(
        schema.settlement.update()
        .where(s.company_id == row["company_id"], s.id == row["id"])
        .values(payment_id=payment_id)
    )
    tx.execute(
        schema.payment_sighting.insert().values(
            company_id=row["company_id"],
            connection_id=row["connection_id"],
            remote_ref=row["remote_id"],
            payment_id=payment_id,
            role="origin",
            record="{}",
            seen_at=stamp(host.clock.now()),
        )
    )
    return True


def _reversed_settlements(tx: Connection, company_id: str) -> list[dict[str, Any]]:
    s = schema.settlement.c
    undo = schema.payment.alias("undo")
    query = (
        select(schema.settlement)
        .outerjoin(undo, (undo.c.company_id == s.company_id) & (undo.c.reverses == s.payment_id))
        .where(
            s.company_id == company_id,
            s.state == "reversed",
            s.payment_id.is_not(None),
            undo.c.id.is_(None),
        )
        .order_by(s.remote_id)
    )
    return rows(tx.execute(query))


def _reversed(host: Host, tx: Connection, row: Mapping[str, Any]) -> bool:
    undo_payment(
        host,
        tx,
        row["company_id"],
        row["payment_id"],
        row["reversed_on"] or host.clock.today().isoformat(),
    )
    return True


def _differences(host: Host, tx: Connection, company_id: str) -> list[dict[str, Any]]:
    """List live sightings whose open amount we cannot explain, no write of ours being in doubt."""
    s, e, c = schema.sighting.c, schema.effect.c, schema.claim.c
    following = [
        link.id
        for link in links(tx, company_id, states=("active", "paused"))
        if host.follows_money(link)
    ]
    busy = select(e.subject).where(
        e.company_id == company_id,
        e.kind.in_(("record_payment", "reverse_payment")),
        e.state.in_(("sending", "uncertain")),
    )
    corrected = select(c.id).where(c.company_id == company_id, c.hold == "total_changed")
    query = (
        select(schema.sighting)
        .where(
            s.company_id == company_id,
            s.connection_id.in_(following),
            s.presence == "live",
            s.claim_id.is_not(None),
            s.open != s.expected,
            s.claim_id.not_in(busy),
            s.claim_id.not_in(corrected),
        )
        .order_by(s.number, s.id)
    )
    return rows(tx.execute(query))


def _observed(host: Host, tx: Connection, row: Mapping[str, Any]) -> bool:
    """Make payments of what a tool shows beyond what we can explain."""
    company_id, claim_id = row["company_id"], row["claim_id"]
    invoice = record_of(row["record"])
    if invoice.direction == "payable":
        payables.follow(host, tx, row, invoice)
        return False
    currency = invoice.currency
    today = host.clock.today().isoformat()
    delta = row["expected"] - row["open"]
    credited = min(delta, max(0, row["credited"] - row["expected_credited"]))
    if delta > 0 and credited > 0:
        add_payment(host, tx, company_id, claim_id, credited, currency, today, "credit")
    money = delta - max(0, credited)
    if money > 0:
        if _maybe_same(host, tx, row, money):
            return False
        add_payment(host, tx, company_id, claim_id, money, currency, today, "source")
    elif delta < 0:
        _went_back(host, tx, row, -delta, currency, today)
    s = schema.sighting.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == company_id, s.id == row["id"])
        .values(expected=row["open"], expected_credited=row["credited"])
    )
    return True


def _maybe_same(host: Host, tx: Connection, row: Mapping[str, Any], amount: int) -> bool:
    """Stop and ask when this may be money we know under another name.

    Somebody may have typed the collector's payment, or the transfer net of its fee, into the tool
    by hand: writing or accruing on a guess would double it.
    """
    s, p = schema.settlement.c, schema.payment.c
    today = host.clock.today()
    since = (today - SAME_WITHIN).isoformat()
    principal = select(s.principal, s.fee, s.fee_vat).where(
        s.company_id == row["company_id"],
        s.claim_id == row["claim_id"],
        s.state == "verified",
        s.received_on >= since,
    )
    known = {
        value
        for found in tx.execute(principal)
        for value in (found.principal, found.principal - (found.fee or 0) - (found.fee_vat or 0))
    }
    observed = select(p.amount).where(
        p.company_id == row["company_id"],
        p.claim_id == row["claim_id"],
        p.origin == "source",
        p.paid_on >= since,
    )
    other_tools = _tools_showing(tx, row)
    if other_tools:
        known |= {found.amount for found in tx.execute(observed)}
    if amount not in known:
        return False
    hold(
        host,
        tx,
        row["company_id"],
        row["claim_id"],
        "maybe_same",
        f"Facture {row['number']} : un paiement de {euros(amount)} apparaît dans l'outil alors "
        "qu'un paiement égal est déjà connu. Est-ce le même argent ? Le recouvrement est arrêté "
        "et rien n'est inscrit avant votre réponse.",
    )
    return True


def _tools_showing(tx: Connection, row: Mapping[str, Any]) -> int:
    s = schema.sighting.c
    return int(
        tx.execute(
            select(func.count(func.distinct(s.connection_id))).where(
                s.company_id == row["company_id"],
                s.claim_id == row["claim_id"],
                s.connection_id != row["connection_id"],
            )
        ).scalar_one()
    )


def _went_back(
    host: Host, tx: Connection, row: Mapping[str, Any], amount: int, currency: str, on: str
) -> None:
    """Undo the payment a tool no longer shows, or ask when none matches."""
    p = schema.payment
    undo = p.alias("undo")
    match = tx.execute(
        select(p.c.id)
        .outerjoin(undo, (undo.c.company_id == p.c.company_id) & (undo.c.reverses == p.c.id))
        .where(
            p.c.company_id == row["company_id"],
            p.c.claim_id == row["claim_id"],
            p.c.origin == "source",
            p.c.amount == amount,
            undo.c.id.is_(None),
        )
        .order_by(p.c.paid_on.desc(), p.c.id.desc())
    ).first()
    if match is not None:
        undo_payment(host, tx, row["company_id"], match.id, on)
        return
    hold(
        host,
        tx,
        row["company_id"],
        row["claim_id"],
        "amount_rose",
        f"Facture {row['number']} : le montant ouvert a augmenté dans l'outil sans paiement connu "
        "à annuler. Vérifiez la facture ; rien d'automatique ne se fait avant votre réponse.",
    )


def add_payment(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    amount: int,
    currency: str,
    paid_on: str,
    origin: str,
) -> str:
    """Record money once and allocate it to the oldest échéances; what is too much is a refund."""
    now = host.clock.now()
    payment_id = host.ids.new("pay")
    lines = allocate(amount, _open_echeances(tx, company_id, claim_id))
    tx.execute(
        schema.payment.insert().values(
            company_id=company_id,
            id=payment_id,
            claim_id=claim_id,
            amount=amount,
            currency=currency,
            paid_on=paid_on,
            origin=origin,
            reverses=None,
            unallocated=lines.unallocated,
            created_at=stamp(now),
        )
    )
    for line in lines.lines:
        _allocate(tx, company_id, payment_id, claim_id, line.id, line.cents, stamp(now))
    journal.append(
        tx,
        company_id,
        now,
        "payment_seen",
        payment_id,
        {"claim": claim_id, "origin": origin, "amount": amount, "unallocated": lines.unallocated},
    )
    if lines.unallocated > 0 and origin != "credit":
        number = portfolio.number_of(tx, company_id, claim_id)
        tasks.ask(
            tx,
            company_id,
            "refund",
            payment_id,
            f"Le client a payé {euros(lines.unallocated)} {currency} de trop sur la facture "
            f"{number} : cet argent est à lui, remboursez-le ou imputez-le avec son accord.",
            task_id=host.ids.new("tsk"),
            at=now,
        )
    portfolio.refresh(host, tx, company_id, claim_id)
    return payment_id


def undo_payment(host: Host, tx: Connection, company_id: str, payment_id: str, on: str) -> str:
    """Record that money went back: an entry of its own, mirroring each allocation."""
    now = host.clock.now()
    p, a = schema.payment.c, schema.allocation.c
    row = (
        tx.execute(select(schema.payment).where(p.company_id == company_id, p.id == payment_id))
        .mappings()
        .one()
    )
    undo_id = host.ids.new("pay")
    tx.execute(
        schema.payment.insert().values(
            company_id=company_id,
            id=undo_id,
            claim_id=row["claim_id"],
            amount=-row["amount"],
            currency=row["currency"],
            paid_on=on,
            origin=row["origin"],
            reverses=payment_id,
            unallocated=-row["unallocated"],
            created_at=stamp(now),
        )
    )
    lines = (
        tx.execute(
            select(schema.allocation).where(a.company_id == company_id, a.payment_id == payment_id)
        )
        .mappings()
        .all()
    )
    for line in lines:
        _allocate(
            tx,
            company_id,
            undo_id,
            line["claim_id"],
            line["echeance_id"],
            -line["amount"],
            stamp(now),
        )
    journal.append(
        tx,
        company_id,
        now,
        "payment_went_back",
        undo_id,
        {"claim": row["claim_id"], "reverses": payment_id, "amount": -row["amount"]},
    )
    _use_unallocated(host, tx, company_id, row["claim_id"])
    portfolio.refresh(host, tx, company_id, row["claim_id"])
    return undo_id


def _use_unallocated(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Let money that was too much a moment ago pay what is open again.

    The customer paid twice and one payment went back: the other one is then the payment.
    """
    now = host.clock.now()
    p = schema.payment
    undo = p.alias("undo")
    spare = rows(
        tx.execute(
            select(p)
            .outerjoin(undo, (undo.c.company_id == p.c.company_id) & (undo.c.reverses == p.c.id))
            .where(
                p.c.company_id == company_id,
                p.c.claim_id == claim_id,
                p.c.unallocated > 0,
                p.c.reverses.is_(None),
                undo.c.id.is_(None),
            )
            .order_by(p.c.paid_on, p.c.id)
        )
    )
    for payment in spare:
        used = allocate(payment["unallocated"], _open_echeances(tx, company_id, claim_id))
        if not used.lines:
            continue
        for line in used.lines:
            _allocate(tx, company_id, payment["id"], claim_id, line.id, line.cents, stamp(now))
        tx.execute(
            p.update()
            .where(p.c.company_id == company_id, p.c.id == payment["id"])
            .values(unallocated=used.unallocated)
        )
        if used.unallocated == 0:
            tasks.close(tx, company_id, "refund", payment["id"], "affecté à la facture", at=now)
        journal.append(
            tx,
            company_id,
            now,
            "payment_allocated",
            payment["id"],
            {"claim": claim_id, "amount": used.allocated},
        )


def _allocate(
    tx: Connection,
    company_id: str,
    payment_id: str,
    claim_id: str,
    echeance_id: str,
    cents: int,
    at: str,
) -> None:
    a, e = schema.allocation.c, schema.echeance.c
    more = tx.execute(
        schema.allocation.update()
        .where(
            a.company_id == company_id,
            a.payment_id == payment_id,
            a.claim_id == claim_id,
            a.echeance_id == echeance_id,
        )
        .values(amount=a.amount + cents)
    )
    if more.rowcount == 0:
        tx.execute(
            schema.allocation.insert().values(
                company_id=company_id,
                id="alc_" + payment_id[4:] + "_" + echeance_id[4:],
                payment_id=payment_id,
                claim_id=claim_id,
                echeance_id=echeance_id,
                amount=cents,
                created_at=at,
            )
        )
    tx.execute(
        schema.echeance.update()
        .where(e.company_id == company_id, e.id == echeance_id)
        .values(open=e.open - cents)
    )


def _open_echeances(tx: Connection, company_id: str, claim_id: str) -> list[Open]:
    e = schema.echeance.c
    query = (
        select(e.id, e.due_date, e.open)
        .where(e.company_id == company_id, e.claim_id == claim_id)
        .order_by(e.due_date, e.ref)
    )
    return [
        Open(row.id, date.fromisoformat(row.due_date) if row.due_date else None, row.open)
        for row in tx.execute(query)
    ]


def _document_states(host: Host, tx: Connection, company_id: str) -> int:
    """Refresh claims whose sightings left, came back, or were cancelled."""
    changed = 0
    for claim_id in portfolio.stale_states(tx, company_id):
        changed += portfolio.refresh(host, tx, company_id, claim_id)
    return changed
