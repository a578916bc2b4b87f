"""Everything MyUnisoft remembers, and the traces each change leaves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.ledger import LedgerEntry, Via
from encaisse_simulator.myunisoft.access import Keys
from encaisse_simulator.myunisoft.amounts import Row
from encaisse_simulator.myunisoft.choices import Choices
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import Document, Entry, Line, Origin, plain, total
from encaisse_simulator.myunisoft.numbers import Numbers, Shuffler
from encaisse_simulator.myunisoft.plan import Journal
from encaisse_simulator.myunisoft.webhooks import Webhook, WebhookDelivery, event, signed
from encaisse_simulator.paris import paris_date
from encaisse_simulator.partner import Clock
from encaisse_simulator.wire import Json, as_json

PARTNER = "myunisoft"


@dataclass(slots=True)
class Export:
    """Keep one complete export: how often it was looked at, and its file once there."""

    dossier: Dossier
    at: datetime
    looks: int = 0
    link: str = ""


class Books:
    """Keep dossiers, keys, documents, subscriptions, and the ledger of effects."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self.ids = OpaqueIds(seed, PARTNER)
        self.numbers = Numbers(seed)
        self.order = Shuffler(seed)
        self.choices = Choices()
        self.keys = Keys()
        self.dossiers: dict[int, Dossier] = {}
        self.documents: dict[str, Document] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.exports: dict[str, Export] = {}
        self.deliveries: list[WebhookDelivery] = []
        self.ledger: list[LedgerEntry] = []

    @property
    def now(self) -> datetime:
        """Give the world's instant."""
        return self._clock.now

    @property
    def today(self) -> date:
        """Give the day in Paris."""
        return paris_date(self.now)

    def keep(self, name: str, media_type: str, content: bytes) -> Document:
        """Put a file into the GED."""
        number = self.numbers.draw("document")
        key = f"{number}-{self.ids.secret('document', str(number))[:16]}"
        document = Document(key, name, media_type, content)
        self.documents[key] = document
        return document

    def write(
        self,
        dossier: Dossier,
        journal: Journal,
        day: date,
        lines: list[Line],
        *,
        origin: Origin,
        draft: bool = False,
        comment: str | None = None,
        documents: Sequence[Document] = (),
    ) -> Entry:
        """Enter a balanced entry, posted or awaiting validation."""
        if total(lines):
            raise ValueError(f"écriture déséquilibrée de {total(lines)} centimes")
        entry = Entry(
            id=self.numbers.draw("entry"),
            journal=journal,
            day=day,
            lines=lines,
            created_at=self.now,
            accounted_on=None if draft else day,
            origin=origin,
            comment=comment,
            documents=list(documents),
        )
        (dossier.pending if draft else dossier.posted)[entry.id] = entry
        self._tell_lines(dossier, entry, origin.via, "_draft" if draft else "")
        if not draft:
            self._announce_lines(dossier, entry)
        return entry

    def validate(self, dossier: Dossier, draft: Entry) -> Entry:
        """Post a draft: a new entry id and new line ids, the partner's id kept [D]."""
        del dossier.pending[draft.id]
        lines = [replace(line, id=self.numbers.draw("line")) for line in draft.lines]
        entry = replace(draft, id=self.numbers.draw("entry"), lines=lines, accounted_on=self.today)
        dossier.posted[entry.id] = entry
        self._tell_lines(dossier, entry, "user", "")
        self._announce_lines(dossier, entry)
        return entry

    def reject(self, dossier: Dossier, draft: Entry) -> None:
        """Throw a draft away."""
        del dossier.pending[draft.id]
        self._tell_lines(dossier, draft, "user", "_rejected")

    def letter(
        self, dossier: Dossier, group: Sequence[tuple[Entry, Line]], code: str | None, via: Via
    ) -> None:
        """Put lines under a code, or free them when it is None."""
        for entry, line in group:
            line.lettering = code
            row: Row = {"id": str(line.id if self._names_lines else entry.id)}
            row["paymentType"] = line.payment_type.code if line.payment_type else None
            if line.piece:
                row["piece1"] = line.piece
            self.announce(
                dossier, "accountingEntryLettering", "DELETE" if code is None else "CREATE", row
            )
        kind = "unlettered" if code is None else "lettered"
        if code is not None and code.startswith("*"):
            kind = "partly_lettered"
        owed: dict[str, int] = {}
        for _, line in group:
            if line.debit:
                owed[line.number] = owed.get(line.number, 0) + line.debit
        for number, cents in owed.items():
            self.enter(dossier, number, cents, self.today, kind, via)

    def enter(
        self, dossier: Dossier, number: str, cents: int, on: date, kind: str, via: Via
    ) -> None:
        """Write one effect down."""
        self.ledger.append(LedgerEntry(PARTNER, dossier.siren, number, cents, on, kind, via))

    def announce(self, dossier: Dossier, name: str, operation: str, data: Row) -> None:
        """Sign a delivery for each subscription to an event of a dossier."""
        for webhook in self.webhooks.values():
            if name in webhook.events and dossier.society_id in webhook.dossiers:
                items = [event(webhook, dossier, name, operation, data, self.now)]
                body = as_json(cast("Json", items))
                secret = self.keys.partners[webhook.partner].secret
                self.deliveries.append(signed(secret, webhook.post_url, self.now, body))

    def subscribe(
        self, partner: str, post_url: str, events: Iterable[str], dossiers: Iterable[int]
    ) -> Webhook:
        """Keep a subscription."""
        number = self.numbers.draw("webhook")
        name = str(uuid.UUID(self.ids.secret("webhook", str(number))[:32], version=4))
        third_party_id = self.keys.partners[partner].third_party_id
        made = Webhook(
            number, name, partner, post_url, tuple(events), tuple(dossiers), third_party_id
        )
        self.webhooks[number] = made
        return made

    @property
    def _names_lines(self) -> bool:
        return self.choices.lettering_event_id == "line"

    def _announce_lines(self, dossier: Dossier, entry: Entry) -> None:
        for line in entry.lines:
            self.announce(dossier, "accountingLineEntry", "CREATE", {"id": str(line.id)})

    def _tell_lines(self, dossier: Dossier, entry: Entry, via: Via, suffix: str) -> None:
        """Tell what an entry does to customers' invoices; à-nouveaux do nothing.

        A sales invoice a person books is the ground everything stands on, no effect; one that
        comes by a call is.
        """
        for line in entry.lines:
            if not line.account.is_customer or entry.is_carried:
                continue
            sales = entry.journal.type == "VTE"
            if sales and line.debit and entry.origin.via == "user":
                continue
            number = invoice_meant(dossier, line)
            if line.credit:
                kind, cents = ("credit_note" if sales else "payment"), line.credit
            else:
                kind, cents = ("invoice", line.debit) if sales else ("reversal", -line.debit)
            self.enter(dossier, number, cents, entry.day, kind + suffix, via)


def invoice_meant(dossier: Dossier, line: Line) -> str:
    """Give the invoice's own number where a line names it by its letters and digits only."""
    wanted = plain(line.number)
    if not wanted:
        return line.number
    for entry, other in dossier.lines():
        same = other.account is line.account and plain(other.number) == wanted
        if same and other.debit and entry.journal.type in ("VTE", "AN"):
            return other.number
    return line.number
