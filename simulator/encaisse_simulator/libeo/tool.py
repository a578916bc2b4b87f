"""Libeo as a partner of the world: its door, its clock, and what it tells of its effects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from encaisse_simulator.desk import Desk
from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.ledger import LedgerEntry, Via
from encaisse_simulator.libeo.account import IN_PROGRESS, Account, Invoice, Standing
from encaisse_simulator.libeo.calls import Call, Handler, routes
from encaisse_simulator.libeo.pages import Paging, Shown
from encaisse_simulator.libeo.people import People
from encaisse_simulator.libeo.refusals import Refused, refusal
from encaisse_simulator.libeo.rows import HOST
from encaisse_simulator.libeo.webhooks import Notification, notification
from encaisse_simulator.paris import paris_date
from encaisse_simulator.partner import Clock
from encaisse_simulator.wire import Json, SimRequest, SimResponse

DAILY_CALLS = 1000
"""Assumed: no quota is public."""

PAGE_SIZE = 50
"""Assumed."""

__all__ = ["DAILY_CALLS", "HOST", "PAGE_SIZE", "Libeo"]


class Libeo(Desk[Handler, Notification], People):
    """Keep the invoices of several companies and answer each by its key, about itself only.

    In its ledger `payment`, `reversal` and `credit_note` are a customer's, `supplier_payment` and
    `supplier_credit` the company's own spending.
    """

    host = HOST

    def __init__(self, clock: Clock, ids: OpaqueIds) -> None:
        self.page_size = PAGE_SIZE
        self._clock = clock
        self._ids = ids
        self._accounts: dict[str, Account] = {}
        self._scheduled: dict[str, tuple[Account, Invoice]] = {}
        super().__init__(routes())
        self._rows_after = 0

    # What the world asks of a partner.

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        try:
            return self._answer(request)
        except Refused as refused:
            return refusal(refused.code)

    def tick(self) -> None:
        """Let scheduled transfers leave and arrive, in order, each dated when it fell due."""
        while due := self._due():
            at, status, account, invoice = due
            invoice.status, invoice.updated_at = status, at
            if status == IN_PROGRESS:
                self._notify(account, invoice, "invoice.updated", at)
                continue
            del self._scheduled[invoice.id]
            cents = invoice.balance_cents
            invoice.paid_cents += cents
            invoice.paid_at = at
            self._enter(account, invoice, cents, paris_date(at), "supplier_payment", "partner")
            self._notify(account, invoice, "payment.executed", at)

    def unauthorized(self) -> SimResponse:
        """Refuse a key."""
        return refusal("invalid_key")

    def too_many(self, retry_after: int) -> SimResponse:
        """Refuse for speed."""
        return refusal("quota_exceeded").with_headers({"retry-after": str(retry_after)})

    def cut(self, listing: Mapping[str, Json], *, honest_total: bool) -> Json:
        """Drop the second half of a list and everything after it."""
        rows, total = listing.get("items"), listing.get("total")
        if not isinstance(rows, list) or not rows or not isinstance(total, int):
            return None
        kept = rows[: len(rows) // 2]
        gone = len(rows) - len(kept) + self._rows_after
        ended: dict[str, Json] = {"has_more": False, "next_cursor": None}
        return {**listing, "items": kept, **ended, "total": total if honest_total else total - gone}

    # What a proof compares with.

    def standings(self, api_key: str) -> list[Standing]:
        """Tell where every invoice of a key's company stands, deleted ones too, by number."""
        found = [
            Standing(
                each.number,
                each.direction,
                each.status,
                each.total_cents,
                each.balance_cents,
                each.scheduled,
                each.deleted_at is not None,
            )
            for each in self._accounts[api_key].invoices.values()
        ]
        return sorted(found, key=lambda each: (each.direction, each.number))

    def calls_today(self, api_key: str) -> int:
        """Tell how many calls a key's account has spent today in Paris."""
        return self._accounts[api_key].spent(self._clock.now)

    def _answer(self, request: SimRequest) -> SimResponse:
        key = request.headers.get("x-api-key", "")
        if not key:
            raise Refused("missing_key")
        account = self._accounts.get(key)
        if account is None:
            raise Refused("invalid_key")
        if not account.spend_call(self._clock.now):
            raise Refused("quota_exceeded")
        matched = self._routes.find(request.method, request.path)
        if matched is None:
            raise Refused("method_not_allowed" if self.serves(request.path) else "unknown_path")
        paging = Paging(request, account.siret, self._ids, self.page_size)
        return matched.handler(Call(request, matched.values, account, paging, self._listed))

    def _listed(self, shown: Shown) -> None:
        self._rows_after = shown.after

    def _due(self) -> tuple[datetime, str, Account, Invoice] | None:
        steps = [
            (*step, account, invoice)
            for account, invoice in self._scheduled.values()
            if (step := invoice.next_step()) is not None and step[0] <= self._clock.now
        ]
        return min(steps, key=lambda each: (each[0], each[3].id)) if steps else None

    def _enter(
        self, account: Account, invoice: Invoice, cents: int, on: date, kind: str, via: Via
    ) -> None:
        self._ledger.append(
            LedgerEntry("libeo", account.siren, invoice.number, cents, on, kind, via)
        )

    def _notify(self, account: Account, invoice: Invoice, event: str, at: datetime) -> None:
        self._notifications.append(notification(account, invoice, event, at))
