"""Signed webhooks: the instant and the raw body under HMAC-SHA256; all of it assumed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from encaisse_simulator.libeo.account import Account, Invoice
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import as_json

SIGNATURE_HEADER = "Libeo-Signature"

EVENTS = ("invoice.updated", "payment.scheduled", "payment.executed")


@dataclass(frozen=True, slots=True)
class Notification:
    """Hold one delivery a test may post wherever it likes; the simulator sends none itself."""

    company_siret: str
    headers: Mapping[str, str]
    body: bytes


def notification(account: Account, invoice: Invoice, event: str, at: datetime) -> Notification:
    """Write and sign one delivery: it names the invoice, and none of its figures."""
    if event not in EVENTS:
        raise ValueError(f"no such event: {event}")
    body = as_json(
        {
            "type": event,
            "company_siret": account.siret,
            "invoice_id": invoice.id,
            "created_at": instant(at),
        }
    )
    stamp = int(at.timestamp())
    mac = hmac.new(account.webhook_secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: f"t={stamp},v1={mac.hexdigest()}",
    }
    return Notification(account.siret, headers, body)
