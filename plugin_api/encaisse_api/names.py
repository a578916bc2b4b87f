"""Name what a manifest may declare: the streams a connector pulls, the writes it can do."""

from __future__ import annotations

STREAMS = ("invoices", "payments", "statuses", "progress", "payments_collected", "payouts")
"""Each stream is pulled by the method `pull_<stream>`; a hint of a webhook names one of them."""

WRITES: dict[str, str] = {
    "record_payment": "find_payment",
    "reverse_payment": "find_reversal",
    "letter": "find_lettering",
    "send_status": "find_status",
    "request_mandate": "find_mandate",
    "open_procedure": "find_procedure",
    "withdraw": "find_withdrawal",
    "pause": "find_pause",
    "amend": "find_amendment",
    "declare_direct_payment": "find_direct_payment",
    "open_dispute": "find_dispute",
    "request_financing": "find_financing",
}
"""Each writing method and its look-up twin."""

BLIND = "record_payment_blind"
"""The one write that nothing can look up."""

MONEY_WRITES = frozenset({"record_payment", BLIND, "reverse_payment", "declare_direct_payment"})
"""Writes that say money moved: their receipt states how much, as the partner tells it."""
