"""Make payments of what tools show beyond what we can explain.

A tool tells an open amount, not a payment. What is lower than expected is first taken for money
another tool showed already, then for credit notes the tool counts, and only then for money paid to
the company. What is higher undoes payments, or asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, or_, select, true

from encaisse_api import RecordsPayments
from encaisse_core import (
    claim_states,
    outbox,
    retractions,
    routing,
    showing_questions,
    tasks,
    typed,
    typed_otherwise,
)
from encaisse_core.clock import PARIS
from encaisse_core.host import Host, links
from encaisse_core.join import CREDITS
from encaisse_core.payments import add_payment, standing, undo_payment
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows

SAME_WITHIN = timedelta(days=10)
"""Equal money on one claim within this time, without a common identity, may be the same money.

However long ago, where an entry of ours is yet to tell the tool of it.
"""

MOST_COMBINED = 12
"""Payments looked at for those that went back together; more than these, a person looks."""

ANSWERED_LATELY = timedelta(days=2)
"""How long after an answer what it had held back is looked at, at most."""

ASKED = ("maybe_same", "amount_rose", "entry_altered")
"""While one of these questions is open, its claim's differences wait for the answer."""

Verdict = Literal["same", "different"]


@dataclass(frozen=True, slots=True)
class Answered:
    """Hold a person's answer to whether money a tool shows is known under another name.

    `cents` is what was in question, and `payment` what it may be; None where nobody knows.
    `denied` are payments of which it was said that it is none of them.
    """

    verdict: Verdict
    cents: int | None = None
    payment: str | None = None
    denied: tuple[str, ...] = ()


def observe(
    host: Host,
    tx: Connection,
    company_id: str,
    *,
    handed_only: bool = False,
    claim_id: str | None = None,
) -> int:
    """Explain every live sighting whose open amount is not what we expect; return how many.

    With `handed_only`, those of claims in a procedure: a collector must hear of money at once;
    with `claim_id`, those of one claim.
    """
    r = schema.reservation.c
    handed = select(r.claim_id).where(
        r.company_id == company_id, r.procedure_id.is_not(None), r.released_at.is_(None)
    )
    of = schema.sighting.c.claim_id
    among = of == claim_id if claim_id else of.in_(handed) if handed_only else true()
    return sum(
        explain(host, tx, company_id, sighting_id)
        for sighting_id in _different(host, tx, company_id, among)
    )


def following_money(host: Host, tx: Connection, company_id: str) -> list[str]:
    """Name the connections whose open amounts move with payments."""
    return [
        link.id
        for link in links(tx, company_id, states=("active", "paused"))
        if host.follows_money(link)
    ]


def _different(
    host: Host, tx: Connection, company_id: str, among: ColumnElement[bool]
) -> Sequence[str]:
    """List sightings with a difference, no write of ours and no question being open on it.

    A rise waits too where an entry of ours awaits its accountant, unless the tool said so after the
    rise was read: it may be his refusal, which is told by itself (`drafts.py`). A fall does not
    wait: it may be the customer paying.
    """
    s, e, t = schema.sighting.c, schema.effect.c, schema.task.c
    following = following_money(host, tx, company_id)
    busy = select(e.subject).where(
        e.company_id == company_id,
        e.kind.in_(outbox.ENTRIES),
        e.state.in_(("sending", "uncertain")),
    )
    asked = select(t.subject).where(
        t.company_id == company_id, t.kind.in_(ASKED), t.done_at.is_(None)
    )
    query = (
        select(s.id)
        .where(
            s.company_id == company_id,
            s.connection_id.in_(following),
            s.presence == "live",
            s.state != "cancelled",
            s.claim_id.is_not(None),
            s.open != s.expected,
            s.claim_id.not_in(busy),
            s.claim_id.not_in(asked),
            among,
        )
        .order_by(s.number, s.id)
    )
    waiting = select(e.id).where(
        e.company_id == company_id,
        e.subject == s.claim_id,
        e.connection_id == s.connection_id,
        e.fate == "pending",
        or_(e.awaited_at.is_(None), e.awaited_at < s.changed_at),
    )
    query = query.where(or_(s.open < s.expected, ~waiting.exists()))
    return tx.execute(query).scalars().all()


def explain(
    host: Host,
    tx: Connection,
    company_id: str,
    sighting_id: str,
    *,
    answered: Answered | None = None,
) -> bool:
    """Explain one sighting's difference; tell whether it moved money.

    What a person answered is said of what was in question; the rest of a difference, or another
    one that came instead, is explained by itself at the next look.
    """
    row = sighting(tx, company_id, sighting_id)
    invoice = record_of(row["record"])
    if invoice.kind in CREDITS or invoice.direction == "payable":
        return follow(host, tx, row)
    if answered is None and showing_questions.unsure(host, tx, row, invoice.currency):
        return False
    delta = int(row["expected"] - row["open"])
    known = max(min(delta, row["untold"]), 0) if delta > 0 else min(max(delta, row["untold"]), 0)
    if known:
        expect(tx, row, expected=row["expected"] - known, untold=row["untold"] - known)
        row = sighting(tx, company_id, sighting_id)
        delta -= known
    if delta > 0:
        return _paid(host, tx, row, invoice.currency, delta, answered)
    if delta < 0 and not _went_back(host, tx, row, -delta):
        return False
    expect(tx, row, expected=row["open"])
    return delta < 0


def sighting(tx: Connection, company_id: str, sighting_id: str) -> dict[str, Any]:
    s = schema.sighting.c
    query = select(schema.sighting).where(s.company_id == company_id, s.id == sighting_id)
    return rows(tx.execute(query))[0]


def expect(tx: Connection, row: Mapping[str, Any], **values: int) -> None:
    s = schema.sighting.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == row["company_id"], s.id == row["id"])
        .values(**values)
    )


def _paid(
    host: Host,
    tx: Connection,
    row: Mapping[str, Any],
    currency: str,
    delta: int,
    answered: Answered | None,
) -> bool:
    """Record what came in: credit notes as far as the tool counts them, the rest as money."""
    company_id, claim_id = row["company_id"], row["claim_id"]
    shown = _shown_on(host, row)
    credited = max(0, min(delta, row["credited"] - row["expected_credited"]))
    money, later = delta - credited, 0
    if answered is not None and answered.cents is not None and money > answered.cents:
        money, later = answered.cents, money - answered.cents
    if money and (answered is None or _not_all(answered)):
        denied = answered.denied if answered else ()
        known = typed.may_be(
            tx,
            row,
            money,
            min(shown, _held_since(host, tx, row)) - SAME_WITHIN,
            denied,
            written_there=routing.takes(
                host, tx, company_id, row["connection_id"], "record_payment", RecordsPayments
            ),
        )
        if known is not None or (answered is None and _parked(tx, row)):
            showing_questions.ask_same(host, tx, row, money, known, denied)
            return False
    on = shown.isoformat()
    if credited:
        add_payment(
            host, tx, company_id, claim_id, credited, currency, on, "credit", shown_by=row["id"]
        )
    if money and answered is not None and answered.verdict == "same":
        typed.corrected(tx, row, answered.payment, money)
        typed.note(tx, row, answered.payment, money)
    elif money:
        add_payment(
            host, tx, company_id, claim_id, money, currency, on, "source", shown_by=row["id"]
        )
    expect(tx, row, expected=row["open"] + later, expected_credited=row["credited"])
    return True


def _shown_on(host: Host, row: Mapping[str, Any]) -> date:
    """Tell the day a tool last said something new of an invoice, however late it is explained."""
    return min(host.clock.today(), instant(row["changed_at"]).astimezone(PARIS).date())


def _held_since(host: Host, tx: Connection, row: Mapping[str, Any]) -> date:
    """Tell since when an open question may have held back what a tool shows.

    The record may have changed meanwhile in what has nothing to do with it.
    """
    since = tasks.asked_since(
        tx, row["company_id"], ASKED, row["claim_id"], host.clock.now(), ANSWERED_LATELY
    )
    return since.astimezone(PARIS).date()


def _not_all(answered: Answered) -> bool:
    """Tell whether money may still be another payment than the one a person was asked about.

    It may have been heard of since. A question that names no amount was about all there was.
    """
    return answered.verdict == "different" and answered.cents is not None


def answer(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    about: Mapping[str, Any],
    verdict: Verdict,
) -> None:
    """Explain what a tool showed as a person says who was asked about it.

    What is not the payment in question may be another one: that is asked next. What the claim's
    other tools show is asked about by itself: equal money there may be other money. A question
    noted before that was, is answered for all of them.
    """
    s = schema.sighting.c
    different = verdict == "different"
    cents = about.get("of" if different else "cents")  # not a part of it, then none of it
    payment, denied = about.get("payment"), tuple(about.get("denied", ()))
    if different and payment is not None:
        denied = (*denied, payment)
    answered = Answered(verdict, cents, payment, denied)
    here = (s.company_id == company_id, s.claim_id == claim_id, s.open < s.expected)
    asked = s.id == about["sighting"] if "sighting" in about else true()
    fallen = tx.execute(select(s.id).where(*here, asked).order_by(s.number, s.id)).scalars()
    for sighting_id in fallen.all():
        explain(host, tx, company_id, sighting_id, answered=answered)
    if verdict == "same" and answered.payment is not None:
        p = schema.payment.c
        of = select(p.settlement_id).where(p.company_id == company_id, p.id == answered.payment)
        settlement_id = tx.execute(of).scalar_one_or_none()
        if settlement_id is not None:
            typed_otherwise.ask_if_otherwise(host, tx, company_id, settlement_id)


def follow(host: Host, tx: Connection, row: Mapping[str, Any]) -> bool:
    """Take the open amount of a credit or a purchase as its tool tells it: it is no payment.

    A credit that is used up came in with its invoice; what the company pays its own suppliers is
    not a customer's money.
    """
    e = schema.echeance.c
    here = (e.company_id == row["company_id"], e.claim_id == row["claim_id"])
    told = {part.ref: part.open.minor for part in record_of(row["record"]).instalments}
    refs = tx.execute(select(e.ref).where(*here).order_by(e.ref)).scalars().all()
    if set(refs) != set(told):  # cut anew: the sum is what counts
        told = dict.fromkeys(refs, 0) | {refs[0]: sum(told.values())}
    for ref, cents in told.items():
        tx.execute(schema.echeance.update().where(*here, e.ref == ref).values(open=cents))
    expect(tx, row, expected=row["open"], expected_credited=row["credited"])
    return claim_states.refresh(host, tx, row["company_id"], row["claim_id"])


def _parked(tx: Connection, row: Mapping[str, Any]) -> bool:
    """Tell whether an entry of ours may stand there in another form: a person has it already."""
    e = schema.effect.c
    query = select(e.id).where(
        e.company_id == row["company_id"],
        e.subject == row["claim_id"],
        e.connection_id == row["connection_id"],
        e.kind.in_(outbox.ENTRIES),
        e.state == "parked",
    )
    return tx.execute(query).first() is not None


def _went_back(host: Host, tx: Connection, row: Mapping[str, Any], amount: int) -> bool:
    """Undo the payments a tool no longer shows, or ask when none add up to it."""
    company_id, claim_id = row["company_id"], row["claim_id"]
    gone = adding_up(standing(tx, company_id, claim_id, "source"), amount)
    if gone:
        today = host.clock.today().isoformat()
        for payment in gone:
            undo_payment(host, tx, company_id, payment["id"], today, shown_by=row["id"])
            retractions.went_back(host, tx, payment)
        return True
    showing_questions.ask_why_it_rose(host, tx, row)
    return False


def adding_up(payments: Sequence[Mapping[str, Any]], amount: int) -> tuple[Mapping[str, Any], ...]:
    """Choose the fewest and newest payments that add up to an amount; none where none do."""
    newest = payments[:MOST_COMBINED]
    return next(
        (
            chosen
            for size in range(1, len(newest) + 1)
            for chosen in combinations(newest, size)
            if sum(payment["amount"] for payment in chosen) == amount
        ),
        (),
    )
