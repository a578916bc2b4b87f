"""What really happened at a partner, told by business effect.

A proof compares these lines with what was meant. They hold no key, reference or id of ours: a
double must show as two equal lines, whatever reference each carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Via = Literal["api", "user", "partner"]
"""Who caused it: a call, a person in the tool or on the signing page, or the partner itself."""


@dataclass(frozen=True, slots=True, order=True)
class LedgerEntry:
    """State one effect on one invoice, in cents of euro."""

    partner: str
    account_siren: str
    invoice_number: str
    amount_cents: int
    on: date
    kind: str
    via: Via
