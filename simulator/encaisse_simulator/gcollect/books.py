"""Everything GCollect remembers, its clockwork, and the traces each change leaves."""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from encaisse_simulator.gcollect.entities import (
    Attestation,
    Client,
    Creditor,
    KeptDocument,
    Mandate,
    Message,
    Procedure,
    Quote,
)
from encaisse_simulator.gcollect.movements import (
    DirectPayment,
    Dispute,
    Payment,
    Payout,
)
from encaisse_simulator.gcollect.webhooks import WebhookDelivery, signed
from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.ledger import LedgerEntry, Via
from encaisse_simulator.paris import instant, paris_date
from encaisse_simulator.partner import Clock
from encaisse_simulator.wire import Json, as_json

API_VERSION = "2026-10-01"


@dataclass(frozen=True, slots=True)
class Event:
    """Keep one event: thin, whoever reads it fetches the object again."""

    id: str
    creditor_id: str
    kind: str
    object_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Keep one line of a procedure's history."""

    id: str
    procedure_id: str
    at: datetime
    kind: str
    title: str
    actor: str
    channel: str | None
    external_reference: str | None
    details: dict[str, Json]


@dataclass(order=True, slots=True)
class _Due:
    at: datetime
    order: int
    action: Callable[[], None] = field(compare=False)


class Books:
    """Hold the state. Handlers and admin change it through the functions of their own files."""

    def __init__(self, clock: Clock, ids: OpaqueIds) -> None:
        self.ids = ids
        self.clients: dict[str, Client] = {}
        self.creditors: dict[str, Creditor] = {}
        self.insolvent: set[str] = set()
        self.quotes: dict[str, Quote] = {}
        self.mandates: dict[str, Mandate] = {}
        self.procedures: dict[str, Procedure] = {}
        self.payments: dict[str, Payment] = {}
        self.payouts: dict[str, Payout] = {}
        self.disputes: dict[str, Dispute] = {}
        self.direct_payments: dict[str, DirectPayment] = {}
        self.attestations: dict[str, Attestation] = {}
        self.documents: dict[str, KeptDocument] = {}
        self.by_invoice: defaultdict[tuple[str, str, int], list[Procedure]] = defaultdict(list)
        self.references: dict[tuple[str, str, str], str] = {}
        self.events: list[Event] = []
        self.timeline: list[TimelineEntry] = []
        self.messages: list[Message] = []
        self.deliveries: list[WebhookDelivery] = []
        self.ledger: list[LedgerEntry] = []
        self.coarse_clock = False
        self._clock = clock
        self._running_at: datetime | None = None
        self._last_stamp: datetime | None = None
        self._agenda: list[_Due] = []
        self._planned = 0

    @property
    def now(self) -> datetime:
        """Give the time: the world's, or the due time of what is being made up for."""
        return self._running_at or self._clock.now

    def stamp(self) -> datetime:
        """Give a moment of change, later than every one before.

        With `coarse_clock` moments are cut to whole seconds, as many a vendor's are, so that
        several changes share one and only the id tells them apart.
        """
        stamp = self.now.replace(microsecond=0) if self.coarse_clock else self.now
        if self._last_stamp is not None:
            least = self._last_stamp
            if not self.coarse_clock:
                least += timedelta(microseconds=1)
            stamp = max(stamp, least)
        self._last_stamp = stamp
        return stamp

    def at(self, when: datetime, action: Callable[[], None]) -> None:
        """Plan something for when the clock gets there."""
        self._planned += 1
        heapq.heappush(self._agenda, _Due(when, self._planned, action))

    def catch_up(self) -> None:
        """Do what has fallen due, in order, each at its own time."""
        while self._agenda and self._agenda[0].at <= self._clock.now:
            due = heapq.heappop(self._agenda)
            self._running_at = due.at
            try:
                due.action()
            finally:
                self._running_at = None

    def emit(self, creditor_id: str, kind: str, object_id: str) -> None:
        """Add an event, and a signed delivery where the creditor asked for webhooks."""
        event = Event(self.ids.draw("evt"), creditor_id, kind, object_id, self.stamp())
        self.events.append(event)
        secret = self.creditors[creditor_id].webhook_secret
        if secret is not None:
            body = as_json(event_row(event))
            self.deliveries.append(signed(creditor_id, secret, event.created_at, body))

    def tell(
        self,
        procedure: Procedure,
        kind: str,
        title: str,
        *,
        actor: str = "creditor",
        channel: str | None = None,
        reference: str | None = None,
        numbers: Iterable[str] = (),
        details: dict[str, Json] | None = None,
    ) -> None:
        """Add a line to a procedure's history."""
        self.timeline.append(
            TimelineEntry(
                id=self.ids.draw("tml"),
                procedure_id=procedure.id,
                at=self.stamp(),
                kind=kind,
                title=title,
                actor=actor,
                channel=channel,
                external_reference=reference,
                details={"invoice_numbers": list(numbers), **(details or {})},
            )
        )

    def touch(self, procedure: Procedure) -> None:
        """Mark a procedure as changed."""
        procedure.updated_at = self.stamp()
        procedure.version += 1

    def enter(
        self, creditor_id: str, number: str, cents: int, kind: str, via: Via, at: datetime
    ) -> None:
        """Enter one effect in the ledger."""
        siren = self.creditors[creditor_id].siren
        self.ledger.append(LedgerEntry("gcollect", siren, number, cents, paris_date(at), kind, via))

    def keep_document(self, creditor_id: str, content: bytes) -> KeptDocument:
        """Keep a document of GCollect's own making."""
        kept = KeptDocument(
            self.ids.draw("doc"), creditor_id, content, hashlib.sha256(content).hexdigest()
        )
        self.documents[kept.id] = kept
        return kept

    def open_dispute_of(self, procedure: Procedure) -> Dispute | None:
        """Find a dispute that is still open."""
        for dispute in self.disputes.values():
            if dispute.procedure_id == procedure.id and dispute.status == "open":
                return dispute
        return None


def event_row(event: Event) -> dict[str, Json]:
    """Write an event as the feed and the webhooks carry it."""
    return {
        "id": event.id,
        "type": event.kind,
        "created_at": instant(event.created_at),
        "api_version": API_VERSION,
        "creditor_id": event.creditor_id,
        "is_test": True,
        "data": {"object_id": event.object_id},
    }
