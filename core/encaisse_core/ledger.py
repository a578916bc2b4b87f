"""Post payouts: the thinking is in `vouchers.py`, here is what it reads and writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import CollectorPayout
from encaisse_core import journal, tasks
from encaisse_core.host import Host, link
from encaisse_core.store import schema
from encaisse_core.store.engine import rows
from encaisse_core.vouchers import DoesNotAddUp, PaidOut, voucher


def post_payouts(host: Host, company_id: str) -> int:
    """Draw up the voucher of each executed payout that has none; return how many."""
    posted = 0
    o, v = schema.payout.c, schema.voucher_line
    with host.store.begin("payouts.post") as tx:
        host.store.one_at_a_time(tx, company_id)
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
    payout = CollectorPayout.model_validate(json.loads(row["record"]))
    unknown = _not_yet_known(tx, row, payout)
    if unknown:
        return _ask_about_unknown(host, tx, row, payout, unknown)
    who = link(tx, company_id, row["connection_id"]).connector
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
            about={"why": str(error)},
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
                payment_ref=line.payment_ref,
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


def _not_yet_known(tx: Connection, row: Mapping[str, Any], payout: CollectorPayout) -> set[str]:
    """Name the payments of a payout whose parts nobody told us: only principal touches 411."""
    s = schema.settlement.c
    known = tx.execute(
        select(s.remote_id).where(
            s.company_id == row["company_id"], s.connection_id == row["connection_id"]
        )
    ).scalars()
    return {line.payment_ref for line in payout.lines} - set(known)


def _ask_about_unknown(
    host: Host,
    tx: Connection,
    row: Mapping[str, Any],
    payout: CollectorPayout,
    unknown: set[str],
) -> bool:
    """Ask once for what a payout pays; one its collector corrected is asked about anew."""
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
        about={"pays": sorted({line.payment_ref for line in payout.lines})},
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
