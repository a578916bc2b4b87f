"""Signed webhooks: `t` and the raw body under HMAC-SHA256, after Debitura and Payt [assumed]."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SIGNATURE_HEADER = "GCollect-Signature"


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """Hold one delivery a test may post wherever it likes; the simulator sends none itself."""

    creditor_id: str
    headers: Mapping[str, str]
    body: bytes


def sign(secret: str, t: int, body: bytes) -> str:
    """Give the header's value for a body sent at `t`, in seconds since 1970."""
    mac = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256)
    return f"t={t},v1={mac.hexdigest()}"


def signed(creditor_id: str, secret: str, at: datetime, body: bytes) -> WebhookDelivery:
    """Build a delivery."""
    headers = {
        "Content-Type": "application/json",
        SIGNATURE_HEADER: sign(secret, int(at.timestamp()), body),
    }
    return WebhookDelivery(creditor_id, headers, body)
