"""Keep claims apart that may be one, ask a person, and do what the answer means.

No claim of an unanswered pair is collectible. Where only customer, amount and due date agree, one
question stands for all that look alike: it is asked about one claim, every other is linked to it,
and while it stands those that come are linked to it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select

from encaisse_core import tasks
from encaisse_core.host import Host
from encaisse_core.join import Choice, Doubtful, Joined, look_alike_question
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp
from encaisse_core.store.upsert import bulk_upsert

POSSIBLE_DUPLICATE = "possible_duplicate"
LOOK_ALIKES = "look_alikes"


def keep(
    host: Host, tx: Connection, company_id: str, claim_id: str, number: str, choice: Choice
) -> None:
    """Write down what a choice left in doubt about its claim, and ask unless it is being asked."""
    if isinstance(choice, Doubtful):
        kind = LOOK_ALIKES if choice.alike else POSSIBLE_DUPLICATE
        others, why, standing = choice.claim_ids, choice.why_fr, choice.standing
    elif isinstance(choice, Joined) and choice.also:
        kind, others, standing = POSSIBLE_DUPLICATE, choice.also, choice.standing
        why = (
            f"La facture {number} ressemble à une autre créance. Est-ce la même ? "
            "Aucune des deux n'est recouvrée avant votre réponse."
        )
    else:
        return
    _link(host, tx, company_id, claim_id, others, why, None if standing else kind)


def settle(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    kind: str,
    verdict: Literal["same", "different"] | None,
) -> None:
    """Answer the pairs of a claim; the caller merges one that is another's double.

    A pair whose other claim is being asked about itself waits for that answer as well.
    """
    d, t = schema.possible_duplicate.c, schema.task.c
    if verdict == "same" and kind == LOOK_ALIKES:
        _ask_about_the_next(host, tx, company_id, claim_id)
    other = case((d.claim_a == claim_id, d.claim_b), else_=d.claim_a)
    asked = (
        select(t.id)
        .where(
            t.company_id == company_id,
            t.kind.in_((POSSIBLE_DUPLICATE, LOOK_ALIKES)),
            t.subject == other,
            t.done_at.is_(None),
        )
        .exists()
    )
    tx.execute(
        schema.possible_duplicate.update()
        .where(*_open_pairs(company_id, claim_id), *([] if verdict == "same" else [~asked]))
        .values(answer=verdict)
    )


def others(tx: Connection, company_id: str, claim_id: str) -> list[str]:
    """Name the claims an unanswered pair links a claim to."""
    d = schema.possible_duplicate.c
    other = case((d.claim_a == claim_id, d.claim_b), else_=d.claim_a).label("other")
    query = select(other).where(*_open_pairs(company_id, claim_id)).order_by(other)
    return [str(each) for each in tx.execute(query).scalars()]


def merged(
    host: Host, tx: Connection, company_id: str, kept_id: str, gone_id: str
) -> dict[str, Any]:
    """Answer what was asked about two claims that are one; give what stood, to be asked again.

    Who else looks like the second looks like the first, unless the second was asked about itself.
    """
    stood: dict[str, Any] = {"questions": [], "linked": [], "others": []}
    d = schema.possible_duplicate.c
    pair = tx.execute(select(d.answer).where(*_pair(company_id, kept_id, gone_id))).first()
    stood["answer"] = None if pair is None else pair.answer or "open"
    stood["others"] = [each for each in others(tx, company_id, gone_id) if each != kept_id]
    asked = _questions(tx, company_id, gone_id)
    for question in asked:  # whoever is asked about next is linked to the first claim as well
        settle(host, tx, company_id, gone_id, question["kind"], "same")
    _answer_pair(host, tx, company_id, kept_id, gone_id, "same")
    if not asked:
        for other in stood["others"]:
            if _link(host, tx, company_id, kept_id, [other], _ALSO, None):
                stood["linked"].append(other)
    if not others(tx, company_id, kept_id):
        asked += _questions(tx, company_id, kept_id)
    for question in asked:
        tasks.close(
            tx,
            company_id,
            question["kind"],
            question["subject"],
            "réunies en une créance",
            at=host.clock.now(),
        )
    stood["questions"] = asked
    return stood


def parted(
    host: Host,
    tx: Connection,
    company_id: str,
    kept_id: str,
    gone_id: str,
    stood: Mapping[str, Any],
) -> None:
    """Ask again what a merge answered; two that nobody asked about are different: a person says so.

    `stood` is what `merged` gave.
    """
    d = schema.possible_duplicate.c
    answer = stood["answer"]
    tx.execute(
        schema.possible_duplicate.update()
        .where(*_pair(company_id, kept_id, gone_id))
        .values(answer=None if answer == "open" else answer or "different")
    )
    for other in stood["others"]:
        tx.execute(
            schema.possible_duplicate.update()
            .where(*_pair(company_id, gone_id, other), d.answer == "same")
            .values(answer=None)
        )
    for other in stood["linked"]:
        tx.execute(
            schema.possible_duplicate.delete().where(
                *_pair(company_id, kept_id, other), d.answer.is_(None)
            )
        )
    for question in stood["questions"]:
        tasks.ask(
            tx,
            company_id,
            question["kind"],
            question["subject"],
            question["sentence"],
            task_id=host.ids.new("tsk"),
            at=host.clock.now(),
            again=True,
        )


def different(host: Host, tx: Connection, company_id: str, one: str, other: str) -> None:
    """Say of two claims that they are different, so that nobody is asked."""
    _answer_pair(host, tx, company_id, one, other, "different")


_ALSO = "Elle ressemble à une facture qui est la même que celle-ci. Est-ce la même ?"


def _answer_pair(
    host: Host, tx: Connection, company_id: str, one: str, other: str, verdict: str
) -> None:
    """Answer whether two claims are one, whether or not anybody asked."""
    _link(host, tx, company_id, one, [other], "Une personne l'a dit.", None)
    tx.execute(
        schema.possible_duplicate.update()
        .where(*_pair(company_id, one, other))
        .values(answer=verdict)
    )


def _pair(company_id: str, one: str, other: str) -> tuple[ColumnElement[bool], ...]:
    d = schema.possible_duplicate.c
    first, second = sorted((one, other))
    return d.company_id == company_id, d.claim_a == first, d.claim_b == second


def _questions(tx: Connection, company_id: str, claim_id: str) -> list[dict[str, Any]]:
    t = schema.task.c
    query = (
        select(t.kind, t.subject, t.sentence)
        .where(
            t.company_id == company_id,
            t.kind.in_((POSSIBLE_DUPLICATE, LOOK_ALIKES)),
            t.subject == claim_id,
            t.done_at.is_(None),
        )
        .order_by(t.created_at, t.id)
    )
    return rows(tx.execute(query))


def _ask_about_the_next(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Go on asking about those that came while one was asked about that is a double.

    They were linked to it alone, so nobody said anything about them yet.
    """
    d, c = schema.possible_duplicate.c, schema.claim.c
    asked_at = tx.execute(
        select(c.created_at).where(c.company_id == company_id, c.id == claim_id)
    ).scalar_one()
    linked = and_(
        d.company_id == c.company_id,
        or_(
            and_(d.claim_a == claim_id, d.claim_b == c.id),
            and_(d.claim_b == claim_id, d.claim_a == c.id),
        ),
    )
    linked_to = tx.execute(
        select(c.id, c.number, c.created_at)
        .join(schema.possible_duplicate, linked)
        .where(*_open_pairs(company_id, claim_id))
        .order_by(c.created_at, c.id)
    ).all()
    later = [row for row in linked_to if row.created_at >= asked_at]
    if not later or len(linked_to) == 1:
        return
    rest = [row.id for row in linked_to if row.id != later[0].id]
    question = look_alike_question(later[0].number)
    _link(host, tx, company_id, later[0].id, rest, question, LOOK_ALIKES)


def _open_pairs(company_id: str, claim_id: str) -> tuple[ColumnElement[bool], ...]:
    d = schema.possible_duplicate.c
    return (
        d.company_id == company_id,
        or_(d.claim_a == claim_id, d.claim_b == claim_id),
        d.answer.is_(None),
    )


def _link(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    others: Sequence[str],
    why: str,
    kind: str | None,
) -> int:
    """Write the pairs of a claim, and ask about it where one is new and nobody else is asked.

    Returns how many pairs are new.
    """
    now = host.clock.now()
    new = bulk_upsert(
        tx,
        schema.possible_duplicate,
        [
            {
                "company_id": company_id,
                "claim_a": min(claim_id, other),
                "claim_b": max(claim_id, other),
                "why": why,
                "created_at": stamp(now),
            }
            for other in others
        ],
        key=("company_id", "claim_a", "claim_b"),
        keep=("why", "created_at"),
    )
    if new and kind is not None:
        tasks.ask(
            tx, company_id, kind, claim_id, why, task_id=host.ids.new("tsk"), at=now, again=True
        )
    return new
