"""What GCollect keeps; amounts in cents of euro, instants in UTC. All of it is assumed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

Reason = Literal["dispute", "payment_check", "creditor"]
InvoiceStatus = Literal["in_procedure", "recovered", "paid_directly", "withdrawn", "irrecoverable"]

SCOPES = (
    "quotes:write",
    "procedures:read",
    "procedures:write",
    "payments:write",
    "payouts:read",
)


@dataclass(slots=True)
class Client:
    """Keep one machine access; it may open several creditors."""

    client_id: str
    secret: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Creditor:
    """Keep one creditor."""

    id: str
    siren: str
    name: str
    client_id: str
    webhook_secret: str | None


@dataclass(frozen=True, slots=True)
class QuotedInvoice:
    """Keep one claim of a quote; nothing in it names anybody."""

    external_id: str
    number: str | None
    issue_date: date
    due_date: date
    cents: int


@dataclass(slots=True)
class Quote:
    """Keep a price; `rate` in hundredths of a percent."""

    id: str
    creditor_id: str
    debtor_kind: str
    invoices: tuple[QuotedInvoice, ...]
    reasons: tuple[str, ...]
    base_rate: int
    rate: int
    days_overdue: int
    created_at: datetime
    expires_at: datetime
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """Hold an amount by what it is owed for."""

    principal: int = 0
    interest: int = 0
    indemnity: int = 0

    @property
    def total(self) -> int:
        """Add the parts."""
        return self.principal + self.interest + self.indemnity

    def plus(self, other: Parts, sign: int = 1) -> Parts:
        """Add, or with -1 take away, part by part."""
        return Parts(
            self.principal + sign * other.principal,
            self.interest + sign * other.interest,
            self.indemnity + sign * other.indemnity,
        )

    def within(self, other: Parts) -> bool:
        """Tell whether no part is larger than the other's."""
        return (
            self.principal <= other.principal
            and self.interest <= other.interest
            and self.indemnity <= other.indemnity
        )


@dataclass(frozen=True, slots=True)
class AnnexLine:
    """Keep one claim as it is signed for."""

    external_id: str
    number: str
    issue_date: date
    due_date: date
    parts: Parts


@dataclass(frozen=True, slots=True)
class Signature:
    """Keep who signed and when."""

    name: str
    email: str
    signed_at: datetime
    evidence_id: str


@dataclass(slots=True)
class Mandate:
    """Keep a mandate on a batch of claims."""

    id: str
    creditor_id: str
    external_reference: str
    quote_ids: tuple[str, ...]
    annex: tuple[AnnexLine, ...]
    token: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    status: Literal["pending_signature", "signed", "refused", "expired", "revoked"] = (
        "pending_signature"
    )
    signature: Signature | None = None
    document_id: str | None = None


@dataclass(slots=True)
class ClaimedInvoice:
    """Keep one invoice of a procedure and what was paid on it."""

    line: AnnexLine
    collected: Parts = field(default_factory=Parts)
    direct_cents: int = 0
    unverified: int = 0
    status: InvoiceStatus = "in_procedure"

    @property
    def balance(self) -> int:
        """Give the principal still owed."""
        return self.line.parts.principal - self.collected.principal - self.direct_cents

    def lower(self, parts: Parts) -> None:
        """Claim less."""
        self.line = replace(self.line, parts=parts)


@dataclass(frozen=True, slots=True)
class Debtor:
    """Keep who owes; only known under a signed mandate."""

    kind: str
    name: str
    siren: str | None
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FiledDocument:
    """Keep one document handed over with a procedure."""

    invoice_number: str
    filename: str
    media_type: str
    content: bytes


@dataclass(slots=True)
class Procedure:
    """Keep one debtor's procedure over one or several invoices."""

    id: str
    reference: str
    creditor_id: str
    external_reference: str
    mandate_id: str
    scenario: str
    debtor: Debtor
    documents: tuple[FiledDocument, ...]
    invoices: list[ClaimedInvoice]
    opened_at: datetime
    updated_at: datetime
    status: Literal["active", "paused", "closed"] = "active"
    lock: Reason | None = None
    close_code: str | None = None
    closed_at: datetime | None = None
    fees: int = 0
    net_paid_out: int = 0
    version: int = 1
    next_message_at: datetime | None = None
    messages_sent: int = 0

    def invoice(self, name: str) -> ClaimedInvoice | None:
        """Find an invoice by its number or by the creditor's id of it."""
        for invoice in self.invoices:
            if name in (invoice.line.number, invoice.line.external_id):
                return invoice
        return None


@dataclass(frozen=True, slots=True)
class Message:
    """Keep one message sent to a debtor, so that silence can be counted."""

    at: datetime
    creditor_siren: str
    procedure_id: str
    channel: str
    invoice_numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """Keep a document GCollect itself made."""

    id: str
    creditor_id: str
    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """Keep an attestation of non-recovery."""

    number: str
    issued_at: datetime
    cause: str
    document_id: str
