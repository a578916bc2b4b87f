"""Show statements, issued or not, with amounts as JSON writes them."""

from __future__ import annotations

from typing import Any

from encaisse_core.cli.showing import money
from encaisse_core.cli.views.doors import percent
from encaisse_core.stating import Draft

Row = dict[str, Any]


def issued(row: Row) -> Row:
    """Show a statement as it was issued."""
    return {
        "state": "issued",
        "id": row["id"],
        "referrer": row["referrer_id"],
        "digest": row["digest"],
        "refusal": None,
        **_in_money(row["document"]),
    }


def drafted(draft: Draft) -> Row:
    """Show a draft, and why it cannot be issued today, if so."""
    return {
        "state": "draft",
        "id": None,
        "referrer": draft.referrer_id,
        "digest": None,
        "refusal": draft.refusal,
        **_in_money(draft.document),
    }


def _in_money(document: Row) -> Row:
    currency = document["currency"]
    return {
        **document,
        "lines": [
            {
                **{name: value for name, value in line.items() if name != "rate_ppm"},
                "rate_percent": percent(line["rate_ppm"]),
                **{name: money(line[name], currency) for name in ("basis", "amount", "payable")},
            }
            for line in document["lines"]
        ],
        "sums": {
            name: None if value is None else money(value, currency)
            for name, value in document["sums"].items()
        },
    }
