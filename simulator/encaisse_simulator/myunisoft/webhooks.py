"""Webhooks: subscriptions, and deliveries signed as documented."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from encaisse_simulator.myunisoft.amounts import Row
from encaisse_simulator.myunisoft.dossier import Dossier

EVENTS = frozenset(
    {
        "accountingEntryLettering",
        "accountingFolder",
        "accountingLineEntry",
        "cloudDocument",
        "connector",
        "document",
        "exercice",
        "portfolio",
        "thirdParty",
    }
)
"""Names a subscription may hold [T]."""


@dataclass(slots=True)
class Webhook:
    """Keep one subscription."""

    id: int
    uuid: str
    partner: str
    post_url: str
    events: tuple[str, ...]
    dossiers: tuple[int, ...]
    third_party_id: int

    def row(self) -> Row:
        """Write it [P]."""
        return {
            "id": self.id,
            "postUrl": self.post_url,
            "onEvents": list(self.events),
            "accountingFolderId": [str(each) for each in self.dossiers],
            "thirdPartyId": self.third_party_id,
        }


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """Hold one delivery a test may post wherever it likes; the simulator sends none itself."""

    post_url: str
    headers: Mapping[str, str]
    body: bytes


def signature(secret: str, body: bytes, date: str) -> str:
    """Sign the body as sent followed by the `date` header, HMAC-SHA256 in hexadecimal [D]."""
    return hmac.new(secret.encode(), body + date.encode(), hashlib.sha256).hexdigest()


def signed(secret: str, post_url: str, at: datetime, body: bytes) -> WebhookDelivery:
    """Build a delivery; `secret` is the partner's X-Third-Party-Secret [D]."""
    date = str(milliseconds(at))
    headers = {
        "Content-Type": "application/json",
        "date": date,
        "signature": signature(secret, body, date),
    }
    return WebhookDelivery(post_url, headers, body)


def milliseconds(at: datetime) -> int:
    """Count milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def event(
    webhook: Webhook, dossier: Dossier, name: str, operation: str, data: Row, at: datetime
) -> Row:
    """Write one item of a delivery [D]."""
    return {
        "name": name,
        "operation": operation,
        "scope": {
            "schemaId": dossier.firm.schema_id,
            "firmId": dossier.firm.firm_id,
            "firmSIRET": dossier.firm.siret,
            "accountingFolderId": dossier.society_id,
            "accountingFolderRef": dossier.reference,
            "accountingFolderSIRET": dossier.siret,
        },
        "data": data,
        "webhookId": webhook.uuid,
        "createdAt": milliseconds(at),
    }
