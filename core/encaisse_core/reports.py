"""Keep what a collector reports: where procedures stand, payments, payouts."""

from __future__ import annotations

from sqlalchemy import Connection, exists, select

from encaisse_api import CollectedPayment, CollectorPayout, ProcedureState
from encaisse_core import earnings, journal, referrers, restored, tasks
from encaisse_core.cents import euros
from encaisse_core.claim_states import standing_claim
from encaisse_core.holds import hold
from encaisse_core.host import Host, Link
from encaisse_core.naming import named
from encaisse_core.numbers import annex_number
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import bulk_upsert


class NotYet(Exception):
    """Say that a row may be about a procedure whose opening is in doubt: it is placed later."""


def keep_progress(host: Host, tx: Connection, link: Link, state: ProcedureState) -> bool:
    """Record where a procedure stands; a closed one gives its claims back."""
    p = schema.procedure.c
    here = (p.company_id == link.company_id, p.connection_id == link.id)
    row = (
        tx.execute(select(schema.procedure).where(*here, p.remote_id == state.remote_id))
        .mappings()
        .first()
    )
    if row is None:
        if _opening_in_doubt(tx, link):
            raise NotYet
        return False  # opened by somebody else: shown by the comparison
    moved = (row["state"], row["phase"], row["close_code"], bool(row["disputed"])) != (
        state.state,
        state.phase,
        state.close_code,
        state.disputed,
    )
    if not moved:
        return False
    now = host.clock.now()
    tx.execute(
        schema.procedure.update()
        .where(*here, p.id == row["id"])
        .values(
            state=state.state,
            phase=state.phase,
            close_code=state.close_code,
            disputed=int(state.disputed),
            updated_at=stamp(state.updated_at),
        )
    )
    journal.append(
        tx,
        link.company_id,
        now,
        "procedure_moved",
        row["id"],
        {"state": state.state, "phase": state.phase or "", "close_code": state.close_code or ""},
    )
    if state.disputed and not row["disputed"]:
        _dispute(host, tx, link, row["id"])
    if state.state == "closed":
        release(host, tx, link.company_id, row["id"])
    elif row["state"] == "closed":
        _hold_again(host, tx, link, row["id"])
    return True


def _opening_in_doubt(tx: Connection, link: Link) -> bool:
    if restored.open_of(tx, link.company_id) is not None:
        return True  # opened after the backup, perhaps
    e = schema.effect.c
    query = select(e.id).where(
        e.company_id == link.company_id,
        e.connection_id == link.id,
        e.kind == "open_procedure",
        e.state.in_(("sending", "uncertain", "parked")),
    )
    return tx.execute(query).first() is not None


def _hold_again(host: Host, tx: Connection, link: Link, procedure_id: str) -> None:
    """Take the claims of a procedure that was opened again there, but for those we took out of it.

    One that is spoken for elsewhere meanwhile is for a person.
    """
    r, e = schema.reservation.c, schema.effect.c
    here = (r.company_id == link.company_id, r.procedure_id == procedure_id)
    settles = (e.kind == "declare_direct_payment") & e.payload.like('%"settles": true%')
    taken_back = select(e.subject).where(
        e.company_id == link.company_id,
        e.cause.like(f"{procedure_id}:%"),
        e.state == "done",
        (e.kind == "withdraw") | settles,
    )
    claims = tx.execute(
        select(r.claim_id).where(*here, r.claim_id.not_in(taken_back)).order_by(r.claim_id)
    ).scalars()
    for claim_id in claims.all():
        elsewhere = select(r.proposal_id).where(
            r.company_id == link.company_id, r.claim_id == claim_id, r.released_at.is_(None)
        )
        if tx.execute(elsewhere).first() is None:
            tx.execute(
                schema.reservation.update()
                .where(*here, r.claim_id == claim_id)
                .values(released_at=None)
            )
            continue
        tasks.ask(
            tx,
            link.company_id,
            "reopened_elsewhere",
            claim_id,
            f"{link.connector} a rouvert une procédure sur une créance confiée ailleurs depuis. "
            "Demandez-lui de la clore.",
            task_id=host.ids.new("tsk"),
            at=host.clock.now(),
            again=True,
        )


def _dispute(host: Host, tx: Connection, link: Link, procedure_id: str) -> None:
    """Stop everything automatic on contested claims until a person lifts it."""
    r, c = schema.reservation.c, schema.claim.c
    claims = tx.execute(
        select(c.id, c.number)
        .join(schema.reservation, (r.company_id == c.company_id) & (r.claim_id == c.id))
        .where(r.company_id == link.company_id, r.procedure_id == procedure_id)
        .order_by(c.id)
    ).all()
    for claim in claims:
        hold(
            host,
            tx,
            link.company_id,
            claim.id,
            "disputed",
            f"La facture {claim.number} est contestée par le client. Rien d'automatique ne se "
            "fait plus : une personne doit lui répondre.",
        )


def release(host: Host, tx: Connection, company_id: str, procedure_id: str) -> None:
    """Free the claims of a procedure that ended."""
    r = schema.reservation.c
    tx.execute(
        schema.reservation.update()
        .where(r.company_id == company_id, r.procedure_id == procedure_id, r.released_at.is_(None))
        .values(released_at=stamp(host.clock.now()))
    )


UNKNOWN = "unknown_payment"


def keep_payment(host: Host, tx: Connection, link: Link, paid: CollectedPayment) -> bool:
    """Record a collected payment as a settlement; the reconciliation makes it money."""
    if paid.received_by == "creditor":
        return False  # our own declaration of a direct payment, seen again
    p, r, c = schema.procedure.c, schema.reservation.c, schema.claim.c
    if _odd(paid):
        return _ask_about_payment(host, tx, link, paid, "dont un montant est négatif")
    candidates = tx.execute(
        select(p.id, c.id.label("claim_id"), c.number)
        .join(schema.reservation, (r.company_id == p.company_id) & (r.procedure_id == p.id))
        .join(schema.claim, (c.company_id == r.company_id) & (c.id == r.claim_id))
        .where(
            p.company_id == link.company_id,
            p.connection_id == link.id,
            p.remote_id == paid.procedure_ref,
        )
        .order_by(c.id)
    ).all()
    found = next((each for each in candidates if _is_about(paid, each.claim_id, each.number)), None)
    if found is None:
        if not candidates and _opening_in_doubt(tx, link):
            raise NotYet
        return _ask_about_payment(host, tx, link, paid, "que nous ne lui avons pas confiée")
    settlement_id = named("stl", link.company_id, link.id, paid.remote_id)
    now = host.clock.now()
    tasks.close(tx, link.company_id, UNKNOWN, settlement_id, tasks.SAID_OTHERWISE, at=now)
    row = {
        "company_id": link.company_id,
        "id": settlement_id,
        "connection_id": link.id,
        "remote_id": paid.remote_id,
        "procedure_id": found.id,
        "claim_id": found.claim_id,
        "state": paid.state,
        "currency": paid.amount.currency,
        "principal": paid.principal.minor,
        "interest": paid.interest.minor,
        "indemnity": paid.indemnity.minor,
        "costs": paid.costs.minor,
        "received_on": paid.received_on.isoformat(),
        "reversed_on": paid.reversed_on and paid.reversed_on.isoformat(),
        "updated_at": stamp(paid.updated_at),
    }
    if paid.fee is not None:
        row["fee"] = paid.fee.minor
        row["fee_vat"] = paid.fee_vat.minor if paid.fee_vat else 0
    written = bulk_upsert(
        tx,
        schema.settlement,
        [row],
        key=("company_id", "connection_id", "remote_id"),
        keep=("id", "updated_at"),
    )
    if written:
        _note_moved(tx, link.company_id, settlement_id, found.claim_id)
        referrers.reconsider(tx, link.company_id, found.claim_id)
        journal.append(
            tx,
            link.company_id,
            host.clock.now(),
            f"settlement_{paid.state}",
            found.claim_id,
            {"remote_id": paid.remote_id, "principal": str(paid.principal.amount)},
        )
    return bool(written)


def _note_moved(tx: Connection, company_id: str, settlement_id: str, claim_id: str) -> None:
    """Make news of a settlement whose payment stands on another claim than its collector says."""
    s, p = schema.settlement.c, schema.payment.c
    elsewhere = exists().where(
        p.company_id == company_id,
        p.id == s.payment_id,
        p.claim_id != standing_claim(tx, company_id, claim_id),
    )
    tx.execute(
        schema.settlement.update()
        .where(s.company_id == company_id, s.id == settlement_id, elsewhere)
        .values(followed_state=None)
    )


def _is_about(paid: CollectedPayment, claim_id: str, number: str) -> bool:
    """Tell whether a payment is on a claim: by our id, else by the number we handed over."""
    if paid.claim_ref:
        return paid.claim_ref == claim_id
    return annex_number(paid.invoice_number) == annex_number(number)


def _odd(paid: CollectedPayment) -> bool:
    """Tell whether a payment states a negative part: money going back is a reversal, not that."""
    parts = (paid.principal, paid.interest, paid.indemnity, paid.costs, paid.fee, paid.fee_vat)
    return any(part is not None and part.minor < 0 for part in parts)


def _ask_about_payment(
    host: Host, tx: Connection, link: Link, paid: CollectedPayment, what: str
) -> bool:
    """Ask about what one collector says of a payment, and again once it says something else."""
    gone = ", puis annulé" if paid.state == "reversed" else ""
    sentence = (
        f"{link.connector} annonce un paiement de {euros(paid.amount.minor)} "
        f"{paid.amount.currency} sur la facture {paid.invoice_number}, {what}{gone}. "
        "Vérifiez avec lui."
    )
    tasks.ask_newest(
        tx,
        link.company_id,
        UNKNOWN,
        named("stl", link.company_id, link.id, paid.remote_id),
        sentence,
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        about={"said": sentence},
    )
    return False


def keep_payout(host: Host, tx: Connection, link: Link, payout: CollectorPayout) -> bool:
    """Record a transfer to the creditor, and the fee each of its lines kept."""
    currency = payout.net.currency
    row = {
        "company_id": link.company_id,
        "id": named("pot", link.company_id, link.id, payout.remote_id),
        "connection_id": link.id,
        "remote_id": payout.remote_id,
        "state": payout.state,
        "currency": currency,
        "gross": sum(line.gross.minor for line in payout.lines),
        "fee": sum(line.fee.minor for line in payout.lines),
        "fee_vat": sum(line.fee_vat.minor for line in payout.lines),
        "net": payout.net.minor,
        "executed_on": payout.executed_on and payout.executed_on.isoformat(),
        "bank_reference": payout.bank_reference,
        "record": payout.model_dump_json(),
        "updated_at": stamp(payout.updated_at),
    }
    written = bulk_upsert(
        tx,
        schema.payout,
        [row],
        key=("company_id", "connection_id", "remote_id"),
        keep=("id", "updated_at"),
    )
    if written:
        earnings.forget_payout(tx, link, payout)
        s = schema.settlement.c
        for line in payout.lines:
            if line.gross.minor > 0:
                tx.execute(
                    schema.settlement.update()
                    .where(
                        s.company_id == link.company_id,
                        s.connection_id == link.id,
                        s.remote_id == line.payment_ref,
                        s.fee.is_(None),
                    )
                    .values(fee=line.fee.minor, fee_vat=line.fee_vat.minor)
                )
        journal.append(
            tx,
            link.company_id,
            host.clock.now(),
            f"payout_{payout.state}",
            payout.remote_id,
            {"net": str(payout.net.amount), "lines": len(payout.lines)},
        )
    return bool(written)
