"""Post payouts and commissions: the thinking is pure, here is what it reads and writes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import CollectorPayout
from encaisse_core import commissions, journal, tasks
from encaisse_core.clock import PARIS
from encaisse_core.commissions import CommissionLine, Posting, Referrer, SettlementFacts
from encaisse_core.host import Host, link
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows, stamp
from encaisse_core.vouchers import DoesNotAddUp, PaidOut, voucher


def post_payouts(host: Host, company_id: str) -> int:
    """Draw up the voucher of each executed payout that has none; return how many."""
    posted = 0
    o, v = schema.payout.c, schema.voucher_line
    with host.store.begin() as tx:
        waiting = tx.execute(
            select(schema.payout)
            .outerjoin(v, (v.c.company_id == o.company_id) & (v.c.payout_id == o.id))
            .where(o.company_id == company_id, o.state == "executed", v.c.payout_id.is_(None))
            .order_by(o.remote_id)
        )
        for row in rows(waiting):
            posted += _post_payout(host, tx, row)
    return posted


def _post_payout(host: Host, tx: Connection, row: Mapping[str, Any]) -> bool:
    now = host.clock.now()
    company_id = row["company_id"]
    unknown = _not_yet_known(tx, row)
    if unknown:
        return _ask_about_unknown(host, tx, row, unknown)
    who = link(tx, company_id, row["connection_id"]).connector
    payout = CollectorPayout.model_validate(json.loads(row["record"]))
    try:
        drawn = voucher(payout.remote_id, who, _paid_out(tx, row, payout), payout.net.minor)
    except DoesNotAddUp as error:
        tasks.ask(
            tx,
            company_id,
            "payout_does_not_add_up",
            row["id"],
            str(error),
            task_id=host.ids.new("tsk"),
            at=now,
        )
        return False
    for position, line in enumerate(drawn.lines):
        tx.execute(
            schema.voucher_line.insert().values(
                company_id=company_id,
                payout_id=row["id"],
                position=position,
                account=line.account,
                label=line.label,
                debit=line.debit,
                credit=line.credit,
                reference=line.reference,
            )
        )
    journal.append(
        tx,
        company_id,
        now,
        "payout_posted",
        row["id"],
        {"lines": len(drawn.lines), "net": row["net"]},
    )
    return True


def _not_yet_known(tx: Connection, row: Mapping[str, Any]) -> set[str]:
    """Name the payments of a payout whose parts nobody told us: only principal touches 411."""
    s = schema.settlement.c
    payout = CollectorPayout.model_validate(json.loads(row["record"]))
    known = tx.execute(
        select(s.remote_id).where(
            s.company_id == row["company_id"], s.connection_id == row["connection_id"]
        )
    ).scalars()
    return {line.payment_ref for line in payout.lines} - set(known)


def _ask_about_unknown(
    host: Host, tx: Connection, row: Mapping[str, Any], unknown: set[str]
) -> bool:
    tasks.ask(
        tx,
        row["company_id"],
        "payout_unknown_payment",
        row["id"],
        f"Le reversement {row['remote_id']} paie {len(unknown)} encaissement(s) que nous ne "
        f"connaissons pas ({', '.join(sorted(unknown)[:3])}) : il sera comptabilisé quand le "
        "partenaire les aura dits. Sinon, vérifiez avec lui.",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
    )
    return False


def _paid_out(tx: Connection, row: Mapping[str, Any], payout: CollectorPayout) -> list[PaidOut]:
    """Give each line its parts, as the settlement told them; a reversal takes them all back."""
    s = schema.settlement.c
    parts = {
        found["remote_id"]: found
        for found in tx.execute(
            select(schema.settlement).where(
                s.company_id == row["company_id"], s.connection_id == row["connection_id"]
            )
        ).mappings()
    }
    lines: list[PaidOut] = []
    for line in payout.lines:
        known = parts[line.payment_ref]
        sign = -1 if line.gross.minor < 0 else 1
        interest, indemnity, costs = (
            sign * known[part] for part in ("interest", "indemnity", "costs")
        )
        lines.append(
            PaidOut(
                payment_ref=line.payment_ref,
                invoice_number=line.invoice_number,
                principal=line.gross.minor - interest - indemnity - costs,
                interest=interest,
                indemnity=indemnity,
                costs=costs,
                fee=line.fee.minor,
                fee_vat=line.fee_vat.minor,
            )
        )
    return lines


def post_commissions(host: Host, company_id: str) -> int:
    """Accrue, make payable, claw back; return how many lines were written."""
    written = 0
    with host.store.begin() as tx:
        paid = _paid_settlements(tx, company_id)
        for row in _attributed(tx, company_id):
            written += _commission(host, tx, row, paid)
    return written


def _attributed(tx: Connection, company_id: str) -> list[dict[str, Any]]:
    """List settlements of claims somebody referred, with the mandate they came under."""
    s, a, r = schema.settlement.c, schema.attribution.c, schema.referrer.c
    p, m = schema.procedure.c, schema.mandate.c
    query = (
        select(
            schema.settlement,
            r.id.label("referrer_id"),
            r.kind.label("referrer_kind"),
            r.rate_ppm,
            r.legal_opinion,
            m.signed_at,
        )
        .join(schema.attribution, (a.company_id == s.company_id) & (a.claim_id == s.claim_id))
        .join(schema.referrer, (r.company_id == a.company_id) & (r.id == a.referrer_id))
        .join(schema.procedure, (p.company_id == s.company_id) & (p.id == s.procedure_id))
        .join(schema.mandate, (m.company_id == p.company_id) & (m.id == p.mandate_id))
        .where(s.company_id == company_id)
        .order_by(s.received_on, s.remote_id)
    )
    return [dict(row) for row in tx.execute(query).mappings()]


def _commission(
    host: Host, tx: Connection, row: Mapping[str, Any], paid: set[tuple[str, str]]
) -> int:
    """Bring one settlement's lines to what it earns now: undo what it no longer does, then accrue.

    While a person looks whether the money is known already, nothing is accrued on it.
    """
    today = host.clock.today()
    lines = _lines(tx, row)
    accrual = _accrual(row, today)
    earned = 0 if accrual is None else accrual.amount
    standing = sum(line.amount for line in lines if line.kind != "payable")
    made: list[CommissionLine] = []
    if standing and standing != earned:
        undone = commissions.claw_back(lines, on=today)
        made += [undone] if undone is not None else []
        standing = 0
    if accrual is not None and not standing and not _in_doubt(tx, row):
        made.append(accrual)
        standing = accrual.amount
    if standing and (row["connection_id"], row["remote_id"]) in paid:
        last = next(line for line in reversed([*lines, *made]) if line.kind == "accrual")
        moved = commissions.balance([*lines, *made]).get(commissions.PAYABLE, 0)
        if not moved:
            made.append(commissions.payable(last, on=today))
    turns = Counter(line.kind for line in lines)
    for line in made:
        _write(host, tx, row["company_id"], line, turns[line.kind])
        turns[line.kind] += 1
    return len(made)


def _accrual(row: Mapping[str, Any], today: date) -> CommissionLine | None:
    signed = instant(row["signed_at"]).astimezone(PARIS).date() if row["signed_at"] else None
    return commissions.accrue(
        SettlementFacts(
            row["id"],
            row["state"],
            row["currency"],
            date.fromisoformat(row["received_on"]),
            row["fee"],
        ),
        Referrer(row["referrer_id"], row["referrer_kind"], row["rate_ppm"], row["legal_opinion"]),
        signed,
        on=today,
    )


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


def _lines(tx: Connection, row: Mapping[str, Any]) -> list[CommissionLine]:
    c, e = schema.commission_line.c, schema.commission_entry.c
    lines: list[CommissionLine] = []
    for found in tx.execute(
        select(schema.commission_line)
        .where(
            c.company_id == row["company_id"],
            c.settlement_id == row["id"],
            c.referrer_id == row["referrer_id"],
        )
        .order_by(c.created_at, c.turn, c.id)
    ).mappings():
        postings = tuple(
            Posting(entry.account, entry.amount)
            for entry in tx.execute(
                select(e.account, e.amount)
                .where(e.company_id == row["company_id"], e.line_id == found["id"])
                .order_by(e.position)
            )
        )
        lines.append(
            CommissionLine(
                settlement_id=found["settlement_id"],
                referrer_id=found["referrer_id"],
                kind=found["kind"],
                on=instant(found["created_at"]).astimezone(PARIS).date(),
                currency=found["currency"],
                basis=found["basis"],
                amount=found["amount"],
                postings=postings,
                rule_version=found["rule_version"],
            )
        )
    return lines


def _write(host: Host, tx: Connection, company_id: str, line: CommissionLine, turn: int) -> None:
    now = host.clock.now()
    line_id = host.ids.new("cml")
    tx.execute(
        schema.commission_line.insert().values(
            company_id=company_id,
            id=line_id,
            settlement_id=line.settlement_id,
            referrer_id=line.referrer_id,
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
