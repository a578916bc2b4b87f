"""Hand payouts over to the books as entries to import, each once, and never twice its principal.

What a tool that keeps the books was told already (`record_payment`, `reverse_payment`, or a person
who typed it in) is taken off. What is handed over is kept as it was, so that a lost file can be
written again to the byte, and is never written into a tool as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from encaisse_core import journal, restored
from encaisse_core.cents import in_units
from encaisse_core.entries import ACCOUNTS, remainder
from encaisse_core.host import Host
from encaisse_core.posted import already_there, told_to_tools
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp
from encaisse_core.vouchers import CUSTOMERS, Line
from encaisse_einvoicing.fec import FecLine, fields

Row = dict[str, Any]


FORGOTTEN = (
    "il a pu être remis avant la restauration de la base, qui ne le saurait plus. Si votre "
    "comptable ne l'a pas reçu, relancez avec --never-handed-over."
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Say where accountants post these entries, and which account earlier ones moved."""

    code: str = "OD"
    name: str = "Opérations diverses"
    written_on: str = "467"


@dataclass
class Handed:
    """Tell what one export hands over: rows of the file, and what waits with the reason."""

    rows: list[list[str]] = field(default_factory=list[list[str]])
    payouts: list[Row] = field(default_factory=list[Row])
    waiting: list[Row] = field(default_factory=list[Row])


def entry_number(number: int) -> str:
    """Write an EcritureNum: ours are told from others' by their letters."""
    return f"ENC{number:06d}"


def hand_over(
    host: Host, tx: Connection, company_id: str, into: Destination, *, checked: bool = False
) -> Handed:
    """Make the entry of each executed payout that has a voucher and was not handed over yet.

    One that may have been handed over before a restored backup waits, unless `checked` says that a
    person made sure it was not.
    """
    host.store.one_at_a_time(tx, company_id)
    done = Handed()
    told = told_to_tools(tx, company_id)
    x = schema.accounting_entry.c
    last = tx.execute(select(func.max(x.number)).where(x.company_id == company_id)).scalar_one()
    number = max(int(last or 0), restored.first_number(tx, company_id))
    for payout in _waiting(tx, company_id):
        if not checked and restored.may_have_been_issued(
            tx, company_id, payout["executed_on"] or ""
        ):
            done.waiting.append({**_named(payout), "reason": FORGOTTEN})
            continue
        lines = _voucher(tx, payout)
        posted, shares, doubt = already_there(tx, payout, lines, told)
        if doubt is not None:
            done.waiting.append({**_named(payout), "reason": doubt})
            continue
        number += 1
        kept = remainder(lines, posted, into.written_on)
        written = _rows(tx, payout, kept, number, into)
        _keep(host, tx, payout, number, written, shares)
        done.rows += written
        done.payouts.append(
            {
                **_named(payout),
                "entry": entry_number(number),
                "lines": len(written),
                "left_out": sum(posted.values()),
                "currency": payout["currency"],
            }
        )
    return done


def handed_over(tx: Connection, company_id: str) -> Handed:
    """Read again what was handed over so far, as it was."""
    x, o, c = schema.accounting_entry.c, schema.payout.c, schema.connection.c
    query = (
        select(schema.accounting_entry, o.remote_id, o.currency, c.connector)
        .join(schema.payout, (o.company_id == x.company_id) & (o.id == x.payout_id))
        .join(schema.connection, (c.company_id == o.company_id) & (c.id == o.connection_id))
        .where(x.company_id == company_id)
        .order_by(x.number)
    )
    done = Handed()
    for row in rows(tx.execute(query)):
        written = json.loads(row["rows"])
        done.rows += written
        done.payouts.append(
            {
                **_named({**row, "id": row["payout_id"]}),
                "entry": entry_number(row["number"]),
                "lines": len(written),
                "left_out": _left_out(tx, company_id, row["payout_id"]),
                "currency": row["currency"],
            }
        )
    return done


def _left_out(tx: Connection, company_id: str, payout_id: str) -> int:
    x = schema.exported_payment.c
    query = select(func.sum(func.abs(x.principal) - func.abs(x.amount))).where(
        x.company_id == company_id, x.payout_id == payout_id
    )
    return int(tx.execute(query).scalar_one() or 0)


def _named(payout: Mapping[str, Any]) -> Row:
    return {
        "payout": payout["id"],
        "connector": payout["connector"],
        "remote_id": payout["remote_id"],
    }


def _waiting(tx: Connection, company_id: str) -> list[Row]:
    o, x, v, c = (
        schema.payout.c,
        schema.accounting_entry.c,
        schema.voucher_line.c,
        schema.connection.c,
    )
    posted = select(v.payout_id).where(v.company_id == company_id)
    query = (
        select(schema.payout, c.connector)
        .join(schema.connection, (c.company_id == o.company_id) & (c.id == o.connection_id))
        .outerjoin(schema.accounting_entry, (x.company_id == o.company_id) & (x.payout_id == o.id))
        .where(o.company_id == company_id, x.payout_id.is_(None), o.id.in_(posted))
        .order_by(o.executed_on, o.remote_id)
    )
    return rows(tx.execute(query))


def _voucher(tx: Connection, payout: Mapping[str, Any]) -> list[Line]:
    v = schema.voucher_line.c
    query = (
        select(schema.voucher_line)
        .where(v.company_id == payout["company_id"], v.payout_id == payout["id"])
        .order_by(v.position)
    )
    return [
        Line(
            row["account"],
            row["label"],
            row["debit"],
            row["credit"],
            row["reference"] or "",
            row["payment_ref"],
        )
        for row in rows(tx.execute(query))
    ]


def _rows(
    tx: Connection, payout: Mapping[str, Any], lines: Iterable[Line], number: int, into: Destination
) -> list[list[str]]:
    day = date.fromisoformat(payout["executed_on"] or payout["updated_at"][:10])
    collector = (payout["connector"].upper(), payout["connector"])
    written: list[list[str]] = []
    for line in lines:
        auxiliary = ("", "")
        if line.account == CUSTOMERS:
            auxiliary = _customer(tx, payout, line.payment_ref or "")
        elif line.account == "401":
            auxiliary = collector
        told = FecLine(
            line=len(written) + 1,
            journal=into.code,
            journal_name=into.name,
            number=entry_number(number),
            day=day,
            account=line.account,
            account_name=ACCOUNTS[line.account],
            auxiliary=auxiliary[0],
            auxiliary_name=auxiliary[1],
            piece=line.reference,
            piece_day=day,
            label=line.label,
            debit=in_units(line.debit),
            credit=in_units(line.credit),
        )
        written.append(fields(told))  # not validated: that is the accountant's act
    return written


def _customer(tx: Connection, payout: Mapping[str, Any], payment_ref: str) -> tuple[str, str]:
    """Name the customer's own account: the tool's reference, else its SIREN, else our id."""
    s, c, d = schema.settlement.c, schema.claim.c, schema.debtor.c
    row = tx.execute(
        select(d.id, d.siren, d.name, d.detail)
        .join(schema.claim, (c.company_id == d.company_id) & (c.debtor_id == d.id))
        .join(schema.settlement, (s.company_id == c.company_id) & (s.claim_id == c.id))
        .where(
            s.company_id == payout["company_id"],
            s.connection_id == payout["connection_id"],
            s.remote_id == payment_ref,
        )
    ).first()
    if row is None:
        return "", ""
    return json.loads(row.detail).get("ref") or row.siren or row.id, row.name


def _keep(
    host: Host,
    tx: Connection,
    payout: Mapping[str, Any],
    number: int,
    written: list[list[str]],
    shares: Iterable[tuple[str, int, int]],
) -> None:
    """Freeze what is handed over, and note the principal no tool may be told any more."""
    now = host.clock.now()
    company_id = payout["company_id"]
    tx.execute(
        schema.accounting_entry.insert().values(
            company_id=company_id,
            payout_id=payout["id"],
            number=number,
            rows=json.dumps(written, ensure_ascii=False),
            exported_at=stamp(now),
        )
    )
    sums: dict[str, tuple[int, int]] = {}
    for payment_id, principal, amount in shares:
        before = sums.get(payment_id, (0, 0))
        sums[payment_id] = (before[0] + principal, before[1] + amount)
    for payment_id, (principal, amount) in sorted(sums.items()):
        tx.execute(
            schema.exported_payment.insert().values(
                company_id=company_id,
                payment_id=payment_id,
                payout_id=payout["id"],
                principal=principal,
                amount=amount,
            )
        )
    body: dict[str, journal.JSON] = {
        "entry": entry_number(number),
        "lines": len(written),
        "handed_over": sum(amount for _, amount in sums.values()),
    }
    journal.append(tx, company_id, now, "payout_exported", payout["id"], body)
