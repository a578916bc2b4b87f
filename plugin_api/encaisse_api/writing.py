"""What the host asks a tool or collector to write, and what it answers."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from encaisse_api.base import Frozen, IdempotencyKey
from encaisse_api.money import Money
from encaisse_api.source import Text


class Receipt(Frozen):
    """Prove that a write stands at the partner.

    `pending` waits for somebody there (a draft entry, a mandate to sign); `rejected` means it was
    taken in and then refused. `aliases` are other ids the same thing has there.
    """

    remote_id: Text
    amount: Money | None = None
    state: Literal["pending", "posted", "rejected"] = "posted"
    aliases: tuple[Text, ...] = ()


class Absent(Frozen):
    """State that a complete search did not find the write; every doubt raises instead.

    `searched` says where, in the partner's words, so that a person can repeat it.
    """

    searched: Text
    at: AwareDatetime


class PaymentEntry(Frozen):
    """Ask a tool to record money received on one invoice.

    `invoice_ref` is the tool's own id. Amounts are principal only: interest, indemnity, fees never
    touch the customer account through this entry.
    """

    invoice_ref: Text
    invoice_number: Text
    amount: Money
    paid_on: date
    reference: IdempotencyKey
    label: Text


class ReversalEntry(Frozen):
    """Ask a tool to undo a payment recorded earlier (`payment_remote_id`)."""

    invoice_ref: Text
    invoice_number: Text
    payment_remote_id: Text
    amount: Money
    reversed_on: date
    reference: IdempotencyKey
    label: Text


class LetteringEntry(Frozen):
    """Ask a ledger to letter an invoice and what pays it, or a payment and what undid it.

    `account` is the customer's `Debtor.ref` as the tool gave it; `line_refs` are refs of invoices
    and `remote_id` of receipts, as the tool gave them. What does not balance is lettered in part.
    """

    account: Text
    line_refs: tuple[Text, ...]
    reference: IdempotencyKey


class FollowedUp(Frozen):
    """Tell the fate of a draft: accepted, changed or thrown away by the accountant."""

    remote_id: Text
    state: Literal["pending", "posted", "rejected", "altered"]
    note: Text | None = None


class LifecycleStatus(Frozen):
    """Carry one status of the French e-invoicing life cycle (codes 200-228, XP Z12-012)."""

    invoice_ref: Text
    code: int
    at: AwareDatetime
    reason: Text | None = None
    amount: Money | None = None
