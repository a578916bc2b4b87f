"""What happens in a procedure: payments, payouts, disputes; cents, UTC, all of it assumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from encaisse_simulator.gcollect.entities import AnnexLine, Parts


@dataclass(slots=True)
class Payment:
    """Keep money that moved once; `fee_base` is the principal the fee is worked out on."""

    id: str
    creditor_id: str
    procedure_id: str
    line: AnnexLine
    parts: Parts
    method: str
    mode: str
    received_by: Literal["gcollect", "creditor"]
    received_at: datetime
    created_at: datetime
    updated_at: datetime
    fee_base: int
    rate: int
    status: Literal["pending", "verified", "reversed"] = "pending"
    verified_at: datetime | None = None
    reversed_at: datetime | None = None
    fee: int | None = None
    fee_vat: int | None = None
    direct_payment_id: str | None = None
    payout_id: str | None = None


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """Pay out one payment, or take a reversed one back with negative amounts."""

    payment_id: str
    procedure_id: str
    invoice_number: str
    external_id: str
    gross: int
    rate: int
    fee: int
    fee_vat: int
    reversal: bool

    @property
    def net(self) -> int:
        """Give what reaches the creditor."""
        return self.gross - self.fee - self.fee_vat


@dataclass(slots=True)
class Payout:
    """Keep one transfer to a creditor."""

    id: str
    creditor_id: str
    lines: list[PayoutLine]
    due_at: datetime
    created_at: datetime
    updated_at: datetime
    status: Literal["scheduled", "held", "executed"] = "scheduled"
    hold_reason: str | None = None
    executed_at: datetime | None = None
    bank_reference: str | None = None


@dataclass(frozen=True, slots=True)
class DirectPayment:
    """Keep a creditor's word that the debtor paid it."""

    id: str
    procedure_id: str
    external_reference: str
    line: AnnexLine
    cents: int
    paid_on: date
    settles: bool
    created_at: datetime


@dataclass(slots=True)
class Dispute:
    """Keep a contested claim; a person resolves it."""

    id: str
    procedure_id: str
    external_reference: str | None
    line: AnnexLine
    reason: str
    opened_by: Literal["creditor", "debtor"]
    created_at: datetime
    updated_at: datetime
    status: Literal["open", "resolved"] = "open"
    resolution: str | None = None
