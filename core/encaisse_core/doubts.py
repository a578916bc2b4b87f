"""Keep claims apart that may be one, ask a person, and do what the answer means.

No claim of an unanswered pair is collectible. Where only customer, amount and due date agree, one
question stands for all that look alike: it is asked about one claim, every other is linked to it,
and while it stands those that come are linked to it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select

from encaisse_core import holds, tasks
from encaisse_core.host import Host
from encaisse_core.join import Choice, Doubtful, Joined, look_alike_question
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
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
    """Answer the pairs of a claim; one that is another's double is held back for good.

    A pair whose other claim is being asked about itself waits for that answer as well.
    """
    d, c, t = schema.possible_duplicate.c, schema.claim.c, schema.task.c
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
    if verdict == "same":
        tx.execute(
            schema.claim.update()
            .where(c.company_id == company_id, c.id == claim_id)
            .values(hold=holds.DUPLICATE)
        )


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
    others = tx.execute(
        select(c.id, c.number, c.created_at)
        .join(schema.possible_duplicate, linked)
        .where(*_open_pairs(company_id, claim_id))
        .order_by(c.created_at, c.id)
    ).all()
    later = [row for row in others if row.created_at >= asked_at]
    if not later or len(others) == 1:
        return
    rest = [row.id for row in others if row.id != later[0].id]
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
) -> None:
    """Write the pairs of a claim, and ask about it where one is new and nobody else is asked."""
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
