"""Objects as GCollect writes them."""

from __future__ import annotations

from datetime import datetime

from encaisse_simulator.gcollect.books import TimelineEntry
from encaisse_simulator.gcollect.entities import (
    AnnexLine,
    ClaimedInvoice,
    Parts,
    Procedure,
)
from encaisse_simulator.gcollect.movements import (
    DirectPayment,
    Dispute,
    Payment,
    Payout,
    PayoutLine,
)
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import Json

Row = dict[str, Json]


def money(cents: int) -> Row:
    """Write an amount."""
    whole, rest = divmod(abs(cents), 100)
    return {"amount": f"{'-' if cents < 0 else ''}{whole}.{rest:02d}", "currency": "EUR"}


def money_or_none(cents: int | None) -> Json:
    """Write an amount that may be unknown yet."""
    return None if cents is None else money(cents)


def moment(at: datetime | None) -> Json:
    """Write an instant that may not have come."""
    return None if at is None else instant(at)


def percent(hundredths: int) -> str:
    """Write a rate."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def annex_row(line: AnnexLine) -> Row:
    """Write one claim, each part apart."""
    return {
        "external_id": line.external_id,
        "number": line.number,
        "issue_date": line.issue_date.isoformat(),
        "due_date": line.due_date.isoformat(),
        **_parts(line.parts),
    }


def procedure_row(procedure: Procedure, quote_ids: tuple[str, ...], *, disputed: bool) -> Row:
    """Write a procedure."""
    scenario = procedure.scenario
    phase = "classic" if scenario == "auto" else scenario
    balances = [each.balance for each in procedure.invoices if each.status == "in_procedure"]
    return {
        "id": procedure.id,
        "reference": procedure.reference,
        "creditor_id": procedure.creditor_id,
        "external_reference": procedure.external_reference,
        "mandate_id": procedure.mandate_id,
        "quote_ids": list(quote_ids),
        "scenario": scenario,
        "status": procedure.status,
        "phase": None if procedure.status == "closed" else phase,
        "lock": None if procedure.lock is None else {"reason": procedure.lock},
        "dispute_open": disputed,
        "close_code": procedure.close_code,
        "invoices": [_claimed_row(invoice) for invoice in procedure.invoices],
        "totals": {
            "claimed": money(sum(each.line.parts.total for each in procedure.invoices)),
            "collected": money(sum(each.collected.total for each in procedure.invoices)),
            "balance": money(sum(balances)),
            "fees": money(procedure.fees),
            "net_paid_out": money(procedure.net_paid_out),
        },
        "opened_at": instant(procedure.opened_at),
        "closed_at": moment(procedure.closed_at),
        "created_at": instant(procedure.opened_at),
        "updated_at": instant(procedure.updated_at),
        "etag": etag(procedure.id, procedure.version),
    }


def etag(object_id: str, version: int | str) -> str:
    """Give a strong entity tag, quotes included."""
    return f'"{object_id}-{version}"'


def payment_row(payment: Payment) -> Row:
    """Write a payment."""
    return {
        "id": payment.id,
        "creditor_id": payment.creditor_id,
        "procedure_id": payment.procedure_id,
        "amount": money(payment.parts.total),
        "method": payment.method,
        "mode": payment.mode,
        "received_by": payment.received_by,
        "received_at": instant(payment.received_at),
        "verified_at": moment(payment.verified_at),
        "reversed_at": moment(payment.reversed_at),
        "status": payment.status,
        "allocations": [
            {
                "invoice_number": payment.line.number,
                "external_id": payment.line.external_id,
                **_parts(payment.parts),
                "costs": money(0),
            }
        ],
        "fee": money_or_none(payment.fee),
        "fee_vat": money_or_none(payment.fee_vat),
        "direct_payment_id": payment.direct_payment_id,
        "payout_id": payment.payout_id,
        "created_at": instant(payment.created_at),
        "updated_at": instant(payment.updated_at),
    }


def payout_row(payout: Payout) -> Row:
    """Write a payout."""
    return {
        "id": payout.id,
        "creditor_id": payout.creditor_id,
        "status": payout.status,
        "hold_reason": payout.hold_reason,
        "lines": [_payout_line_row(line) for line in payout.lines],
        "gross": money(sum(line.gross for line in payout.lines)),
        "fees": money(sum(line.fee for line in payout.lines)),
        "fees_vat": money(sum(line.fee_vat for line in payout.lines)),
        "net": money(sum(line.net for line in payout.lines)),
        "due_at": instant(payout.due_at),
        "executed_at": moment(payout.executed_at),
        "bank_reference": payout.bank_reference,
        "created_at": instant(payout.created_at),
        "updated_at": instant(payout.updated_at),
    }


def direct_payment_row(declared: DirectPayment) -> Row:
    """Write a declaration of a direct payment."""
    return {
        "id": declared.id,
        "procedure_id": declared.procedure_id,
        "external_reference": declared.external_reference,
        "invoice_number": declared.line.number,
        "external_id": declared.line.external_id,
        "amount": money(declared.cents),
        "paid_on": declared.paid_on.isoformat(),
        "settles": declared.settles,
        "status": "recorded",
        "fee_due": False,
        "created_at": instant(declared.created_at),
    }


def dispute_row(dispute: Dispute) -> Row:
    """Write a dispute."""
    return {
        "id": dispute.id,
        "procedure_id": dispute.procedure_id,
        "external_reference": dispute.external_reference,
        "invoice_number": dispute.line.number,
        "external_id": dispute.line.external_id,
        "reason": dispute.reason,
        "opened_by": dispute.opened_by,
        "status": dispute.status,
        "resolution": dispute.resolution,
        "created_at": instant(dispute.created_at),
        "updated_at": instant(dispute.updated_at),
    }


def timeline_row(entry: TimelineEntry) -> Row:
    """Write one line of a history."""
    return {
        "id": entry.id,
        "at": instant(entry.at),
        "type": entry.kind,
        "title": entry.title,
        "actor": {"kind": entry.actor},
        "channel": entry.channel,
        "external_reference": entry.external_reference,
        "data": entry.details,
    }


def _parts(parts: Parts) -> Row:
    return {
        "principal": money(parts.principal),
        "interest": money(parts.interest),
        "indemnity": money(parts.indemnity),
    }


def _claimed_row(invoice: ClaimedInvoice) -> Row:
    return {
        **annex_row(invoice.line),
        "collected": money(invoice.collected.total),
        "paid_directly": money(invoice.direct_cents),
        "balance": money(invoice.balance),
        "status": invoice.status,
    }


def _payout_line_row(line: PayoutLine) -> Row:
    return {
        "payment_id": line.payment_id,
        "procedure_id": line.procedure_id,
        "invoice_number": line.invoice_number,
        "external_id": line.external_id,
        "gross": money(line.gross),
        "fee_rate": percent(line.rate),
        "fee": money(line.fee),
        "fee_vat": money(line.fee_vat),
        "net": money(line.net),
        "reversal": line.reversal,
    }
