"""Enter a payment into a tool's books, or undo it there: what is checked, sent and expected after.

What the tool shows after our entry is what we expect it to show, so that the next pull brings no
news of our own doing.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from encaisse_api import (
    Conflict,
    Missing,
    Money,
    PartnerError,
    PaymentEntry,
    Receipt,
    ReversalEntry,
    SourceInvoice,
)
from encaisse_core import bridges, outbox, restored, succession, tasks
from encaisse_core.host import Host, Link
from encaisse_core.kinds import ANSWER_AWAITED, Kind, Never, NotNow, Waits
from encaisse_core.outbox import Effect
from encaisse_core.sightings import store_invoices
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.upsert import among


def handed_over(tx: Connection, company_id: str) -> dict[str, int]:
    """Add up the principal of each payment that accountants were handed as entries to import.

    A payment its collector says otherwise of is recorded anew: what was handed over of the ones
    before it, and of their going back, is in the books all the same.
    """
    x, p = schema.exported_payment.c, schema.payment.c
    handed: Counter[str] = Counter()
    told: dict[str, Counter[str]] = defaultdict(Counter)
    query = (
        select(x.payment_id, x.amount, p.settlement_id)
        .join(schema.payment, (p.company_id == x.company_id) & (p.id == x.payment_id))
        .where(x.company_id == company_id)
    )
    for row in tx.execute(query):
        handed[row.payment_id] += int(row.amount)
        told[row.settlement_id][row.payment_id] += int(row.amount)
    again = select(p.id, p.settlement_id, p.reverses, p.created_at).where(
        p.company_id == company_id, among(tx, p.settlement_id, [each for each in told if each])
    )
    made: dict[str, list[Any]] = defaultdict(list)
    for one in tx.execute(again):
        made[one.settlement_id].append(one)
    for settlement_id, payments in made.items():
        for one in payments:
            before = (
                other.id
                for other in payments
                if other.id != one.id
                and other.reverses != one.id
                and other.created_at <= one.created_at
            )
            if one.reverses is None:
                handed[one.id] += sum(told[settlement_id][each] for each in before)
    return {payment_id: cents for payment_id, cents in handed.items() if cents}


def _beyond(tx: Connection, effect: Effect) -> bool:
    """Tell whether an entry would post what accountants were handed, retried after the export."""
    payment_id = effect.payload["payment_id"]
    exported = abs(handed_over(tx, effect.company_id).get(payment_id, 0))
    if not exported:
        return False
    p, e = schema.payment.c, schema.effect.c
    whole = tx.execute(
        select(p.amount).where(p.company_id == effect.company_id, p.id == payment_id)
    ).scalar_one()
    done = select(e.payload).where(
        e.company_id == effect.company_id,
        e.kind.in_(outbox.ENTRIES),
        e.subject == effect.subject,
        e.state == "done",
    )
    told = [json.loads(text) for text in tx.execute(done).scalars()]
    posted = sum(said["amount"] for said in told if said["payment_id"] == payment_id)
    room = abs(int(whole)) - exported - int(posted)
    return bool(effect.payload["amount"] > room)


def _expect_entry(tx: Connection, effect: Effect, moved: int, *, unread: bool) -> None:
    """Expect an entry where it was written, or in the record that replaced that one meanwhile.

    A record that came since was read after the entry was sent: what it shows does not move.
    """
    s = schema.sighting.c
    entered = {
        "expected": s.expected - moved,
        "fingerprint": "" if unread else s.fingerprint,
        "written": s.written + 1,
    }
    shown = {"open": s.open - moved} if unread else {}
    record = schema.sighting.update().where(s.company_id == effect.company_id)
    written_to = effect.payload["sighting_id"]
    live = record.where(s.id == written_to, s.presence == "live")
    if tx.execute(live.values(**entered, **shown)).rowcount:
        return
    standing = succession.entered_in(tx, effect.company_id, effect.id)
    if standing != written_to:
        shown = {}
    tx.execute(record.where(s.id == standing).values(**entered, **shown))


def forget_echo(tx: Connection, effect: Effect, seen: SourceInvoice | Missing) -> None:
    """Take back what a refused entry made us expect: the tool no longer shows it.

    Where the invoice is gone as well, what it showed moves too: it was read with our entry.
    """
    x, s = schema.payment_sighting.c, schema.sighting.c
    moved = outbox.ENTRIES[effect.kind] * effect.payload["amount"]
    tx.execute(
        schema.payment_sighting.delete().where(
            x.company_id == effect.company_id, x.effect_id == effect.id, x.role == "echo"
        )
    )
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == effect.company_id, s.id == effect.payload["sighting_id"])
        .values(
            expected=s.expected + moved,
            open=s.open + (moved if isinstance(seen, Missing) else 0),
            written=s.written + 1,
        )
    )
    bridges.forget_copy(tx, effect.company_id, effect.id, moved)


JUST_AFTER = timedelta(seconds=1)
EXPLAINED_IN = timedelta(hours=1)
"""When an entry is tried again that waits for what its tool shows to be explained."""

UNEXPLAINED = "L'outil montre un paiement qui n'est pas encore expliqué."


FALLEN = (
    schema.sighting.c.presence == "live",
    schema.sighting.c.state != "cancelled",
    schema.sighting.c.open < schema.sighting.c.expected,
)
"""A tool shows less than we expect it to."""


def wake_explained(host: Host, tx: Connection, company_id: str) -> None:
    """Let entries be tried now that waited for what their tool shows, which is explained by now.

    Otherwise one a night put off a moment before would be written a night later.
    """
    e, s = schema.effect.c, schema.sighting.c
    unexplained = select(s.id).where(
        s.company_id == e.company_id,
        s.claim_id == e.subject,
        s.connection_id == e.connection_id,
        *FALLEN,
    )
    now = stamp(host.store.db_now(tx))
    tx.execute(
        schema.effect.update()
        .where(e.company_id == company_id, outbox.READY, e.ready_at > now)
        .where(e.state == "planned", e.reason == UNEXPLAINED, ~unexplained.exists())
        .values(ready_at=now, reason=None)
    )


def _fell(tx: Connection, effect: Effect, link: Link) -> bool:
    """Tell whether the tool shows money nobody explained yet: it may be this, typed in by hand.

    That is looked at once no entry of ours is in doubt on the claim (`observed.py`), and this one
    is not: it was looked up, and does not stand there.
    """
    s = schema.sighting.c
    query = select(s.id).where(
        s.company_id == effect.company_id,
        s.claim_id == effect.subject,
        s.connection_id == link.id,
        *FALLEN,
    )
    return tx.execute(query).first() is not None


def _in_doubt(host: Host, tx: Connection, effect: Effect) -> timedelta | None:
    """Tell how long until the other entries in doubt are looked up, whose fall it may be."""
    e = schema.effect.c
    until = tx.execute(
        select(func.max(e.ready_at)).where(
            e.company_id == effect.company_id,
            e.connection_id == effect.connection_id,
            e.subject == effect.subject,
            e.kind.in_(outbox.ENTRIES),
            e.state.in_(("sending", "uncertain")),
            e.id != effect.id,
        )
    ).scalar_one()
    if until is None:
        return None
    return max(timedelta(0), instant(until) - host.store.db_now(tx)) + JUST_AFTER


class _BooksEntry(Kind):
    """Share what a payment and its reversal have in common: reading back and expecting.

    A refused write leaves the claim as it is: the money came in, only the books do not show it.
    """

    def amount(self, effect: Effect) -> Money:
        """Ask the receipt to confirm what was written."""
        return Money.of_minor(effect.payload["amount"], effect.payload["currency"])

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Wait for the answer where a person was asked since the entry was planned."""
        x = schema.payment_sighting.c
        with host.store.begin() as tx:
            asked = tasks.open_on(tx, effect.company_id, effect.subject)
            typed = tx.execute(
                select(x.remote_ref).where(
                    x.company_id == effect.company_id,
                    x.connection_id == link.id,
                    x.payment_id == effect.payload["payment_id"],
                    x.role == "same",
                )
            ).first()
            beyond = _beyond(tx, effect)
        if "maybe_same" in asked:
            raise Waits(ANSWER_AWAITED, asked=effect.subject)
        if typed is not None:
            raise Never("Ce paiement est déjà saisi dans l'outil.")
        if beyond:
            raise Never(
                "Le principal de ce paiement a été remis à la comptabilité (encaisse payouts) : "
                "il n'est pas inscrit une seconde fois."
            )

    reads_back = True

    def look(
        self, host: Host, link: Link, partner: Any, effect: Effect
    ) -> SourceInvoice | Missing | None:
        """Read the invoice again right after the write."""
        try:
            answer: SourceInvoice | Missing
            answer = partner.read_invoices([effect.payload["invoice_ref"]])[0]
        except PartnerError:
            return None  # tonight's pull reads it; the difference then equals what we expect
        return answer

    def landed(
        self,
        host: Host,
        tx: Connection,
        link: Link,
        effect: Effect,
        receipt: Receipt,
        seen: SourceInvoice | Missing | None,
    ) -> None:
        """Move what we expect the tool to show by exactly what we wrote.

        Where it could not be read back, what it shows moves too: it was read before our entry.
        """
        seen = None if isinstance(seen, Missing) else seen
        seen_there = schema.payment_sighting.c
        remote_ref = f"{effect.payload['invoice_ref']}:{receipt.remote_id}"
        moved = outbox.ENTRIES[effect.kind] * effect.payload["amount"]
        taken = tx.execute(
            select(seen_there.payment_id).where(
                seen_there.company_id == effect.company_id,
                seen_there.connection_id == link.id,
                seen_there.remote_ref == remote_ref,
            )
        ).first()
        if taken is not None:
            raise Conflict(
                f"{link.connector} donne à cette écriture la référence {receipt.remote_id}, qui "
                "est déjà celle d'un autre paiement."
            )
        _expect_entry(tx, effect, moved, unread=seen is None)
        tx.execute(
            schema.payment_sighting.insert().values(
                company_id=effect.company_id,
                connection_id=link.id,
                remote_ref=remote_ref,
                payment_id=effect.payload["payment_id"],
                role="echo",
                effect_id=effect.id,
                record=receipt.model_dump_json(),
                seen_at=stamp(host.clock.now()),
            )
        )
        e = schema.effect.c
        tx.execute(
            schema.effect.update()
            .where(e.company_id == effect.company_id, e.id == effect.id)
            .values(fate=receipt.state)
        )
        written = {
            "effect_id": effect.id,
            "payment_id": effect.payload["payment_id"],
            "sighting_id": effect.payload["sighting_id"],
            "cents": moved,
        }
        bridges.expect_copy(host, tx, effect.company_id, link.id, written)
        if seen is not None:
            store_invoices(host, tx, link, [seen])


class RecordPayment(_BooksEntry):
    """Record a collected payment in the books."""

    send = "record_payment"
    find = "find_payment"

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Wait until what the tool shows is explained: somebody may have typed it in by hand."""
        super().ready(host, link, effect, told)
        with host.store.begin() as tx:
            fallen = host.follows_money(link) and _fell(tx, effect, link)
            doubt = _in_doubt(host, tx, effect) if fallen else None
        if doubt is not None:
            raise Waits("Une autre écriture de cette facture est en doute.", doubt, soon=True)
        if fallen:
            raise Waits(UNEXPLAINED, EXPLAINED_IN)

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        entry = PaymentEntry(
            invoice_ref=payload["invoice_ref"],
            invoice_number=payload["invoice_number"],
            amount=Money.of_minor(payload["amount"], payload["currency"]),
            paid_on=date.fromisoformat(payload["paid_on"]),
            reference=effect.key,
            label=f"Recouvrement facture {payload['invoice_number']}",
        )
        return (entry,)


NEVER_ENTERED = "Le paiement rejeté n'a jamais été inscrit : il n'y a rien à annuler."


def _undone(host: Host, effect: Effect) -> Any:
    """Read the entry a reversal undoes: its state, and its reference where it was ever entered."""
    e = schema.effect.c
    query = select(e.state, e.remote_id).where(
        e.company_id == effect.company_id, e.id == effect.payload["undoes"]
    )
    with host.store.begin() as tx:
        return tx.execute(query).one()


class ReversePayment(_BooksEntry):
    """Undo a payment recorded before: the debtor's bank took it back."""

    send = "reverse_payment"
    find = "find_reversal"

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Wait, after a restored backup, until what the entry did in other tools is explained.

        What it undoes may have been refused since this was first sent.
        """
        if _undone(host, effect).state == "refused":
            raise Never(NEVER_ENTERED)
        super().ready(host, link, effect, told)
        with host.store.begin() as tx:
            unexplained = restored.unexplained(tx, effect.company_id, effect.subject)
        if unexplained:
            raise NotNow("Les outils sont d'abord rapprochés, après la restauration.", timedelta(0))

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        original = _undone(host, effect)
        if original.remote_id is None and original.state == "refused":
            raise Never(NEVER_ENTERED)
        if original.remote_id is None or original.state not in ("done", "refused"):
            raise NotNow("Le paiement à annuler n'est pas encore inscrit.", timedelta(seconds=20))
        entry = ReversalEntry(
            invoice_ref=payload["invoice_ref"],
            invoice_number=payload["invoice_number"],
            payment_remote_id=original.remote_id,
            amount=Money.of_minor(payload["amount"], payload["currency"]),
            reversed_on=date.fromisoformat(payload["paid_on"]),
            reference=effect.key,
            label=f"Rejet de paiement facture {payload['invoice_number']}",
        )
        return (entry,)
