"""Carry stops out: each as its own act at the collector, which is heard before it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel
from sqlalchemy import Connection, select

from encaisse_api import (
    ActionNeeded,
    Amendment,
    Denied,
    DirectPayment,
    Money,
    PartnerError,
    Pause,
    Receipt,
    Transient,
    Withdrawal,
)
from encaisse_core import collector, forgotten, journal, payments, settled, tasks
from encaisse_core.host import Host, Link
from encaisse_core.kinds import ANSWER_AWAITED, Kind, Never, NotNow, Waits
from encaisse_core.outbox import Effect
from encaisse_core.reports import release
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

HEARD_AGAIN = timedelta(minutes=30)
"""When a collector that answered in no form we know is asked again.

Longer than a drain waits for what it may try again: one such answer would hold a night up.
"""


class _Stop(Kind):
    """Share what every stop does once the collector acknowledged it.

    A refused stop leaves the claim reserved: it may still be worked on there, and the task it
    opens asks a person to end it.
    """

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Say nothing of money a tool showed before the collector was asked whether it is its own.

        Somebody may have typed the collector's payment into the books before we heard of it.
        """
        cause = effect.cause.rpartition(":")[2]
        if not cause.startswith("pay_"):
            return  # a credit, a dispute, a question
        with host.store.begin() as tx:
            shown = _shown(tx, effect, cause)
        if shown is None:
            return
        if not shown.heard:
            _hear(host, link)
        with host.store.begin("reconcile.money") as tx:
            host.store.one_at_a_time(tx, effect.company_id)
            if settled.has_news(tx, effect.company_id):
                settled.follow_settlements(host, tx, effect.company_id)
            gone = not payments.stands(tx, effect.company_id, cause)
            asked = tasks.open_on(tx, effect.company_id, shown.claim_id)
        if gone:
            raise Never("Ce paiement ne tient plus : il n'y a plus rien à annoncer.")
        if "maybe_same" in asked:
            raise Waits(ANSWER_AWAITED)

    def landed(
        self, host: Host, tx: Connection, link: Link, effect: Effect, receipt: Receipt, seen: Any
    ) -> None:
        """Give the claim back where nothing of it remains."""
        if self.ends(effect):
            _close(host, tx, effect)

    def says(self, host: Host, effect: Effect) -> Sequence[journal.Entry]:
        """Tell how long the silence took: from seeing the fact to the acknowledgement."""
        now = host.clock.now()
        seconds = int((now - effect.created_at).total_seconds())
        body: dict[str, journal.JSON] = {"kind": effect.kind, "seconds": seconds}
        return (journal.Entry(now, "stop_acknowledged", effect.subject, body),)

    def ends(self, effect: Effect) -> bool:
        """Tell whether nothing of the claim remains in the procedure."""
        return False


class _Shown(NamedTuple):
    """Be money a tool showed: the claim it is on now, and whether its collector was heard since."""

    claim_id: str
    heard: bool


def _shown(tx: Connection, effect: Effect, payment_id: str) -> _Shown | None:
    """Read the payment of a tool a stop tells of.

    Heard since the tool showed it, and since we know the procedure: what a collector says of one
    that is not known yet is put off. None where no tool showed it.
    """
    p, s, x = schema.payment.c, schema.sighting.c, schema.connection.c
    k = schema.procedure.c
    procedure = (k.company_id == p.company_id) & (k.id == effect.payload["procedure_id"])
    row = tx.execute(
        select(p.claim_id, p.created_at, s.changed_at, k.opened_at, x.pulled_at)
        .outerjoin(schema.sighting, (s.company_id == p.company_id) & (s.id == p.shown_by))
        .join(schema.procedure, procedure)
        .join(schema.connection, (x.company_id == k.company_id) & (x.id == k.connection_id))
        .where(
            p.company_id == effect.company_id,
            p.id == payment_id,
            p.origin == "source",
        )
    ).one_or_none()
    if row is None:
        return None
    since = max(row.changed_at or row.created_at, row.opened_at)
    heard_since = row.pulled_at is not None and row.pulled_at >= since
    return _Shown(row.claim_id, heard_since)


def _hear(host: Host, link: Link) -> None:
    """Ask a collector what it received; without an answer nothing is said to it either."""
    try:
        collector.hear_payments(host, link)
    except (Transient, Denied, ActionNeeded):
        raise
    except PartnerError as error:
        raise NotNow(error.message, HEARD_AGAIN) from error


def _close(host: Host, tx: Connection, effect: Effect) -> None:
    """Give the claim back; the procedure is over when it was its last one."""
    r = schema.reservation.c
    now = stamp(host.clock.now())
    here = (r.company_id == effect.company_id, r.procedure_id == effect.payload["procedure_id"])
    tx.execute(
        schema.reservation.update()
        .where(*here, r.claim_id == effect.payload["claim_id"], r.released_at.is_(None))
        .values(released_at=now)
    )
    left = tx.execute(select(r.claim_id).where(*here, r.released_at.is_(None))).first()
    if left is None:
        release(host, tx, effect.company_id, effect.payload["procedure_id"])


class DeclareDirectPayment(_Stop):
    """Declare that the customer paid the creditor."""

    send = "declare_direct_payment"
    find = "find_direct_payment"

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        return (
            DirectPayment(
                procedure_ref=payload["procedure_ref"],
                claim_id=payload["claim_id"],
                invoice_number=payload["invoice_number"],
                amount=Money.of_minor(payload["amount"], payload["currency"]),
                paid_on=date.fromisoformat(payload["paid_on"]),
                settles=payload["settles"],
            ),
        )

    def otherwise(self, host: Host, link: Link, effect: Effect) -> Receipt | None:
        """Declare nothing twice that was declared before a backup was restored."""
        return forgotten.declared_already(host, link, effect)

    def ends(self, effect: Effect) -> bool:
        return bool(effect.payload["settles"])


class Withdraw(_Stop):
    """Take a claim back."""

    send = "withdraw"
    find = "find_withdrawal"

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        return (
            Withdrawal(
                procedure_ref=payload["procedure_ref"],
                claim_ids=(payload["claim_id"],),
                reason=payload["reason"],
            ),
        )

    def ends(self, effect: Effect) -> bool:
        return True


class PauseProcedure(_Stop):
    """Suspend a procedure while a person looks."""

    send = "pause"
    find = "find_pause"

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Send none a second time whose question has its answer: the first one never arrived.

        A planned one was dropped with the answer (`holds.lift`).
        """
        if effect.state == "planned":
            return
        c = schema.claim.c
        with host.store.begin() as tx:
            held = tx.execute(
                select(c.hold).where(c.company_id == effect.company_id, c.id == effect.subject)
            ).scalar_one()
        if held is None:
            raise Never("La question a sa réponse : il n'y a plus rien à suspendre.")

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        return (Pause(procedure_ref=payload["procedure_ref"], reason=payload["reason"]),)


class Amend(_Stop):
    """Lower what is claimed."""

    send = "amend"
    find = "find_amendment"

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        return (
            Amendment(
                procedure_ref=payload["procedure_ref"],
                claim_id=payload["claim_id"],
                invoice_number=payload["invoice_number"],
                principal=Money.of_minor(payload["principal"], payload["currency"]),
            ),
        )
