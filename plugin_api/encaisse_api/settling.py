"""Money a collector received, and money it paid out."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, model_validator

from encaisse_api.base import Frozen, RemoteRef
from encaisse_api.money import Money
from encaisse_api.source import Text


class CollectedPayment(Frozen):
    """State one payment the collector knows of, with what each part pays.

    `principal + interest + indemnity + costs = amount`. `fee` and `fee_vat` are what the collector
    keeps of it, None while it has not said so. A reversal is the same payment with state
    `reversed`. An unknown status is `pending`.
    """

    remote_id: RemoteRef
    procedure_ref: RemoteRef
    claim_ref: Text | None = None
    invoice_number: Text
    amount: Money
    principal: Money
    interest: Money
    indemnity: Money
    costs: Money
    received_by: Literal["collector", "creditor"]
    received_on: date
    state: Literal["pending", "verified", "rejected", "reversed"]
    fee: Money | None = None
    fee_vat: Money | None = None
    reversed_on: date | None = None
    updated_at: AwareDatetime

    @model_validator(mode="after")
    def _adds_up(self) -> CollectedPayment:
        parts = (self.principal, self.interest, self.indemnity, self.costs)
        if sum(part.minor for part in parts) != self.amount.minor:
            raise ValueError(f"payment {self.remote_id}: its parts do not add up")
        return self


class PayoutLine(Frozen):
    """Pay out one collected payment: net = gross - fee - VAT on the fee."""

    payment_ref: RemoteRef
    procedure_ref: RemoteRef
    invoice_number: Text
    gross: Money
    fee: Money
    fee_vat: Money
    net: Money

    @model_validator(mode="after")
    def _adds_up(self) -> PayoutLine:
        if self.gross.minor - self.fee.minor - self.fee_vat.minor != self.net.minor:
            raise ValueError(f"payout of {self.payment_ref}: net is not gross less fee and VAT")
        return self


class CollectorPayout(Frozen):
    """State one transfer to the creditor's bank. An unknown status is `scheduled`."""

    remote_id: RemoteRef
    state: Literal["scheduled", "held", "executed", "failed"]
    lines: tuple[PayoutLine, ...]
    net: Money
    due_on: date | None = None
    executed_on: date | None = None
    bank_reference: Text | None = None
    updated_at: AwareDatetime

    @model_validator(mode="after")
    def _adds_up(self) -> CollectorPayout:
        if sum(line.net.minor for line in self.lines) != self.net.minor:
            raise ValueError(f"payout {self.remote_id}: lines do not add up to the net paid")
        return self


class Attestation(Frozen):
    """Carry the attestation of non-recovery a collector issues."""

    procedure_ref: RemoteRef
    number: Text
    issued_on: date
    document_ref: Text
