"""Plant one bug in a run, so that the figure meant to show it is seen to show it.

None of these exists outside of the lab: a proof that cannot fail proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select

from encaisse_api import Absent, Connector, Context, PaymentEntry, Receipt, RecordsPayments
from encaisse_core.app import App
from encaisse_core.host import Connectors
from encaisse_core.nightly import PHASES, Phase
from encaisse_core.store import schema

Break = Literal["lookup", "stop", "journal"]

FIGURES: Mapping[Break, str] = {
    "lookup": "remote_duplicates",
    "stop": "remote_missing",
    "journal": "journal_ok",
}
"""Which figure of the summary each planted bug must turn bad."""

FOLLOWS: Mapping[Break, frozenset[str]] = {
    "lookup": frozenset({"remote_missing"}),
    "stop": frozenset({"unstopped", "messages_after_payment"}),
    "journal": frozenset(),
}
"""What else it may turn bad: a double looks like a payment nobody knows, so its claim waits."""


class NeverLooking:
    """Offer the installed connectors, but for look-ups of payments, which always say absent."""

    def __init__(self, installed: Connectors) -> None:
        self._installed = installed

    def connector(self, slug: str) -> type[Connector]:
        """Find a connector; one that records payments no longer finds any."""
        kind = self._installed.connector(slug)
        return blind(kind) if hasattr(kind, "find_payment") else kind


def blind(kind: type[Connector]) -> type[Connector]:
    """Derive a connector that answers "absent" without looking."""

    def find_payment(self: object, key: str, payment: PaymentEntry) -> Receipt | Absent:
        at = cast("_Seated", self).seat.now
        return Absent(searched=f"nowhere, for {key}", at=at)

    def __init__(self: Connector, context: Context) -> None:
        kind.__init__(self, context)
        cast("_Seated", self).seat = context

    assert issubclass(kind, RecordsPayments)
    made = type(kind.__name__, (kind,), {"find_payment": find_payment, "__init__": __init__})
    return cast("type[Connector]", made)


class _Seated:
    seat: Context


def phases(broken: Break | None) -> tuple[tuple[str, Phase], ...]:
    """Give the night's phases; with the planted bug, without those that stop."""
    if broken != "stop":
        return PHASES
    return tuple((name, phase) for name, phase in PHASES if name not in ("retry_stops", "stop"))


def alter_one_byte(app: App, company_id: str, before: datetime) -> None:
    """Change one character of an event in the middle of the journal, behind everybody's back."""
    e = schema.event.c
    with app.host.store.begin() as tx:
        rows = tx.execute(
            select(e.sequence, e.body)
            .where(e.company_id == company_id, e.at < before.isoformat())
            .order_by(e.sequence)
        ).all()
        row = next(one for one in rows[len(rows) // 2 :] if any(c.isdigit() for c in one.body))
        place = next(i for i, c in enumerate(row.body) if c.isdigit())
        digit = str((int(row.body[place]) + 1) % 10)
        tx.execute(
            schema.event.update()
            .where(e.company_id == company_id, e.sequence == row.sequence)
            .values(body=row.body[:place] + digit + row.body[place + 1 :])
        )
