"""Invoices by the million, the same ones for the same seed, made outside the time that is taken.

A few hundred are made and checked one by one; the others are copies under another reference and
number, so that making them costs less than what is measured. No one of them is anybody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from encaisse_api import SourceInvoice

SEED = 1
PATTERNS = 512
SELLER = "123456782"


def patterns(seed: int = SEED) -> list[dict[str, Any]]:
    """Write a few hundred invoices as a tool's rows, without reference and number."""
    chance = Random(f"bench-{seed}")
    found: list[dict[str, Any]] = []
    for number in range(PATTERNS):
        cents = chance.randint(50_00, 9_000_00)
        issued = date(2026, 1, 1) - timedelta(days=chance.randint(0, 300))
        money = {"amount": f"{cents // 100}.{cents % 100:02}", "currency": "EUR"}
        due = issued + timedelta(days=30)
        found.append(
            {
                "version": str(chance.randint(1, 9)),
                "issue_date": issued.isoformat(),
                "total": money,
                "open": money,
                "instalments": [
                    {"ref": "1", "due_date": due.isoformat(), "amount": money, "open": money}
                ],
                "debtor": {
                    "ref": f"c-{number}",
                    "kind": "company",
                    "name": f"Client {number}",
                    "siren": "987654324",
                    "address": {"postcode": "69001", "city": "Lyon"},
                },
                "seller": {"siren": SELLER},
            }
        )
    return found


def names(number: int) -> dict[str, Any]:
    """Give what is an invoice's own: its reference and its number."""
    return {"ref": f"inv-{number:08d}", "number": f"FA-2026-{number:08d}"}


def dicts(rows: int, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Give invoices as a tool's rows."""
    known = patterns(seed)
    for number in range(rows):
        yield {**names(number), **known[number % PATTERNS]}


def invoices(rows: int, seed: int = SEED, changed: bool = False) -> Iterator[SourceInvoice]:
    """Give the same invoices, checked; `changed` gives each a newer version."""
    known = [SourceInvoice.model_validate({**names(0), **pattern}) for pattern in patterns(seed)]
    newer = {"version": "10"} if changed else {}
    for number in range(rows):
        yield known[number % PATTERNS].model_copy(update=names(number) | newer)
