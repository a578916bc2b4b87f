"""Carry stops out: each as its own act at the collector, which is heard before it is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

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
from encaisse_core import (
    collector,
    forgotten,
    journal,
    payments,
    reductions,
    replanning,
    settled,
    stops,
    tasks,
)
from encaisse_core.claim_states import standing_claim
from encaisse_core.host import Host, Link
from encaisse_core.kinds import ANSWER_AWAITED, NOTHING_TO_TELL, Kind, Never, NotNow, Waits
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

    def ready(
        self, host: Host, link: Link, effect: Effect, told: BaseModel
    ) -> Mapping[str, Any] | None:
        """Say nothing of money a tool showed before the collector was asked whether it is its own.

        Somebody may have typed the collector's payment into the books before we heard of it. What
        is said is what is so by then: money may have gone back since the stop was planned, or more
        may have come in.
        """
        cause = effect.cause.rpartition(":")[2]
        if cause != reductions.BY_CREDIT and not cause.startswith("pay_"):
            with host.store.begin() as tx:  # a dispute, or what a tool cancelled
                if _given_back(tx, effect):
                    raise Never(NOTHING_TO_TELL)
            return None
        with host.store.begin() as tx:
            unheard = _unheard(host, tx, effect, _rests_on(host, tx, effect, cause))
        if unheard:
            _hear(host, link)
        with host.store.begin("reconcile.money") as tx:
            host.store.one_at_a_time(tx, effect.company_id)
            if settled.has_news(tx, effect.company_id):
                settled.follow_settlements(host, tx, effect.company_id)
            now = _as_of_now(host, tx, effect, cause)
        if isinstance(now, (Never, Waits)):
            raise now
        return now

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


def _given_back(tx: Connection, effect: Effect) -> bool:
    """Tell whether a claim is no more in the procedure it would be taken out of."""
    r = schema.reservation.c
    query = select(r.claim_id).where(
        r.company_id == effect.company_id,
        r.claim_id == effect.subject,
        r.procedure_id == effect.payload["procedure_id"],
        r.released_at.is_(None),
    )
    return tx.execute(query).first() is None


def _about(tx: Connection, effect: Effect) -> dict[str, Any] | None:
    """Read the claim a stop is about in its procedure; None where that is over."""
    found = reductions.live(
        tx,
        effect.company_id,
        claim_id=effect.subject,
        procedure_id=effect.payload["procedure_id"],
    )
    return found[0] if found else None


def _same_stop(
    found: Sequence[reductions.Told], effect: Effect, cause: str
) -> reductions.Told | None:
    same = (each for each in found if (each.kind, each.cause) == (effect.kind, cause))
    return next(same, None)


def _rests_on(host: Host, tx: Connection, effect: Effect, cause: str) -> tuple[str, ...]:
    """Name the payments of tools a stop tells of."""
    row = _about(tx, effect)
    found = reductions.owed(host, tx, row).told if row else ()
    mine = _same_stop(found, effect, cause)
    return mine.rests_on if mine else (cause,)


def _as_of_now(
    host: Host, tx: Connection, effect: Effect, cause: str
) -> Never | Waits | Mapping[str, Any] | None:
    """Say what a stop says by now where it is not what was planned, or why it is not sent.

    Where another kind of stop tells of its money by now, that is planned in its place. Once the
    claim is no more in the procedure nothing is lowered or withdrawn; what was paid to the company
    is declared all the same.
    """
    company_id = effect.company_id
    row = _about(tx, effect)
    mine: reductions.Told | None = None
    if row is not None:
        owed = reductions.owed(host, tx, row, apart_from=cause)
        mine = _same_stop(owed.told, effect, cause)
        if mine is None:
            stops.plan_reductions(host, tx, row, owed)
    elif effect.kind == "declare_direct_payment" and payments.stands(tx, company_id, cause):
        mine = reductions.Told(effect.kind, cause, {}, (cause,))
    if mine is None:
        return Never(NOTHING_TO_TELL)
    claim_id = standing_claim(tx, company_id, effect.subject)
    if mine.rests_on and "maybe_same" in tasks.open_on(tx, company_id, claim_id):
        return Waits(ANSWER_AWAITED, asked=claim_id)
    payload = {**effect.payload, **mine.says}
    if payload == effect.payload:
        return None
    replanning.tell_instead(tx, effect, payload, host.clock.now())
    return payload


def _unheard(host: Host, tx: Connection, effect: Effect, payment_ids: Collection[str]) -> bool:
    """Tell whether the collector was not heard since a tool showed one of some payments.

    Nor since we know the procedure: what a collector says of one that is not known yet is put off.
    """
    p, s, x = schema.payment.c, schema.sighting.c, schema.connection.c
    k = schema.procedure.c
    procedure = (k.company_id == p.company_id) & (k.id == effect.payload["procedure_id"])
    shown = tx.execute(
        select(p.created_at, s.changed_at, k.opened_at, x.pulled_at)
        .outerjoin(schema.sighting, (s.company_id == p.company_id) & (s.id == p.shown_by))
        .join(schema.procedure, procedure)
        .join(schema.connection, (x.company_id == k.company_id) & (x.id == k.connection_id))
        .where(
            p.company_id == effect.company_id,
            p.id.in_(sorted(payment_ids)),
            p.origin == "source",
        )
    )
    heard = host.heard.get(effect.connection_id, "")
    return any(
        max(heard, row.pulled_at or "") < max(row.changed_at or row.created_at, row.opened_at)
        for row in shown
    )


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

    def ready(
        self, host: Host, link: Link, effect: Effect, told: BaseModel
    ) -> Mapping[str, Any] | None:
        """Send none whose question has its answer: nobody would go on with the procedure.

        A planned one was dropped with the answer (`holds.lift`); one under way then was not.
        """
        if effect.state == "planned" and effect.attempts == 1:
            return None
        c = schema.claim.c
        with host.store.begin() as tx:
            held = tx.execute(
                select(c.hold).where(c.company_id == effect.company_id, c.id == effect.subject)
            ).scalar_one()
        if held is None:
            raise Never("La question a sa réponse : il n'y a plus rien à suspendre.")
        return None

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
