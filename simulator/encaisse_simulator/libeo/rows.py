"""Rows as the assumed contract writes them: text amounts, ISO dates, null where there is none."""

from __future__ import annotations

from datetime import datetime

from encaisse_simulator.libeo.account import Account, Invoice, Party
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import Json

HOST = "api.libeo.example"
"""No host of the vendor's is known; `.example` can be nobody's (RFC 2606)."""

BASE = f"https://{HOST}/v1"


def company_row(account: Account) -> dict[str, Json]:
    """Write the company a key opens."""
    return {"siret": account.siret, "siren": account.siren, "name": account.name}


def invoice_row(invoice: Invoice) -> dict[str, Json]:
    """Write one invoice; an avoir has negative amounts."""
    document = None if invoice.document is None else f"{BASE}/invoices/{invoice.id}/document"
    return {
        "id": invoice.id,
        "direction": invoice.direction,
        "number": invoice.number,
        "supplier": _party(invoice.supplier),
        "buyer": _party(invoice.buyer),
        "issue_date": invoice.issued.isoformat(),
        "due_date": None if invoice.due is None else invoice.due.isoformat(),
        "total": decimal(invoice.total_cents),
        "balance": decimal(invoice.balance_cents),
        "credited": decimal(invoice.credited_cents),
        "currency": invoice.currency,
        "status": invoice.status,
        "scheduled_payment_date": (
            None if invoice.scheduled is None else invoice.scheduled.isoformat()
        ),
        "paid_at": _moment(invoice.paid_at),
        "exported_at": _moment(invoice.exported_at),
        "document_url": document,
        "updated_at": instant(invoice.updated_at),
        "deleted_at": _moment(invoice.deleted_at),
    }


def decimal(cents: int) -> str:
    """Write cents as a decimal text."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def _party(party: Party) -> dict[str, Json]:
    return {"siren": party.siren or None, "name": party.name}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else instant(at)
