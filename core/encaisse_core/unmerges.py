"""Take apart what a person, or a rung, brought together.

Undone the same day, a merge leaves no trace but its events: what it wrote down is put back as it
was. Undone later, each record goes back to its claim with what its tool said since, and what the
tools then tell of money one of the claims does not know is explained as any other difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import (
    claim_states,
    doubts,
    holds,
    journal,
    mergeable,
    observed,
    retractions,
    sides,
    tasks,
)
from encaisse_core.cents import euros
from encaisse_core.errors import UsageError
from encaisse_core.faces import Face
from encaisse_core.host import Host, links
from encaisse_core.join import Candidate, verify
from encaisse_core.merges import Said, claim_row, collected
from encaisse_core.moving import put_back, put_on, take_off
from encaisse_core.payments import ask_refund, standing, undo_payment, use_unallocated
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp


def unmerge(host: Host, tx: Connection, company_id: str, merge_id: str, said: Said) -> None:
    """Undo a merge: each record, payment and question goes back where it came from."""
    host.store.one_at_a_time(tx, company_id)
    merge = _merge(tx, company_id, merge_id)
    kept_id, gone_id, moved = merge["kept_id"], merge["gone_id"], json.loads(merge["moved"])
    _check(tx, company_id, claim_row(tx, company_id, kept_id), gone_id)
    going = _going(host, tx, company_id, merge, moved)
    _give_back_money(host, tx, company_id, kept_id, moved, set(going))
    for part in moved.get("used", ()):
        e = schema.echeance.c
        tx.execute(
            schema.echeance.update()
            .where(e.company_id == company_id, e.id == part["id"])
            .values(open=e.open - part["cents"])
        )
    _move_back(tx, company_id, gone_id, moved, going)
    _collected_back(host, tx, company_id, kept_id, gone_id, moved)
    if _paid_since(tx, company_id, merge):
        use_unallocated(host, tx, company_id, kept_id)
    for claim_id in (kept_id, gone_id):
        claim_states.refresh(host, tx, company_id, claim_id)
    follows = moved.get("made") is not None
    for claim_id, before in ((kept_id, moved["kept"]), (gone_id, moved["gone"])):
        if follows:
            sides.settle(host, tx, company_id, claim_id, before["seen"], before["total"])
        else:
            _follow(host, tx, company_id, claim_id)
    _questions_back(host, tx, company_id, kept_id, gone_id, moved)
    doubts.parted(host, tx, company_id, kept_id, gone_id, moved["doubts"])
    for claim_id in (kept_id, gone_id):
        claim_states.refresh(host, tx, company_id, claim_id)
    observed.observe(host, tx, company_id)
    for claim_id in (kept_id, gone_id):
        ask_about_misplaced(host, tx, company_id, claim_id)
    _note(host, tx, company_id, merge, said)


def _merge(tx: Connection, company_id: str, merge_id: str) -> dict[str, Any]:
    m = schema.claim_merge.c
    found = rows(
        tx.execute(
            select(schema.claim_merge).where(
                m.company_id == company_id, m.id == merge_id, m.undone_at.is_(None)
            )
        )
    )
    if not found:
        raise UsageError(f"La réunion {merge_id} n'existe pas, ou est déjà défaite.")
    return found[0]


def _check(tx: Connection, company_id: str, kept: Mapping[str, Any], gone_id: str) -> None:
    if kept["merged_into"] is not None:
        raise UsageError(
            f"La créance « {kept['number']} » est elle-même réunie à {kept['merged_into']}. "
            f"Défaites d'abord cette réunion : encaisse unjoin {kept['id']}."
        )
    for claim in (kept, claim_row(tx, company_id, gone_id)):
        mergeable.at_rest(tx, company_id, claim)


def _going(
    host: Host,
    tx: Connection,
    company_id: str,
    merge: Mapping[str, Any],
    moved: Mapping[str, Any],
) -> dict[str, int]:
    """Name the records that leave, with their rung there: those that came, and their own since.

    A record that joined the merged claim later goes with the one it resembles most.
    """
    going: dict[str, int] = {each["id"]: each["rung"] for each in moved["sightings"]}
    all_faces = {
        face.sighting_id: face for face in mergeable.faces(host, tx, company_id, merge["kept_id"])
    }
    theirs = [face for name, face in all_faces.items() if name in going]
    ours = [face for name, face in all_faces.items() if name in moved["kept"]["seen"]]
    s = schema.sighting.c
    since = tx.execute(
        select(s.id).where(
            s.company_id == company_id,
            s.claim_id == merge["kept_id"],
            s.id.not_in([*going, *moved["kept"]["seen"]]),
            s.rung.in_(mergeable.STRONG),
        )
    ).scalars()
    for name in since.all():
        there = _rung(all_faces[name], theirs)
        if there < _rung(all_faces[name], ours):
            going[name] = there
    return going


def _rung(face: Face, others: Sequence[Face]) -> int:
    """Find the strongest rung on which a record is the same as one of some; 9 for none."""
    same = [
        rung
        for rung in mergeable.STRONG
        for other in others
        if verify(face, Candidate("", rung, other)) == "same"
    ]
    return min(same, default=9)


def _give_back_money(
    host: Host,
    tx: Connection,
    company_id: str,
    kept_id: str,
    moved: Mapping[str, Any],
    going: set[str],
) -> None:
    """Take off the first claim what only the leaving records showed."""
    made = set(moved.get("made", ()))
    for payment in standing(tx, company_id, kept_id, "source", "credit"):
        if payment["id"] in made and not _told_anyone(tx, company_id, payment["id"]):
            _erase(host, tx, company_id, kept_id, payment)
        elif payment["id"] in made or payment["shown_by"] in going:
            undo_payment(host, tx, company_id, payment["id"], host.clock.today().isoformat())
            retractions.went_back(host, tx, payment)


def _paid_since(tx: Connection, company_id: str, merge: Mapping[str, Any]) -> bool:
    """Tell whether money came since: what was too much for both may be due to the first alone."""
    p = schema.payment.c
    query = select(p.id).where(
        p.company_id == company_id,
        p.claim_id == merge["kept_id"],
        p.created_at > merge["made_at"],
    )
    return tx.execute(query.limit(1)).first() is not None


def _told_anyone(tx: Connection, company_id: str, payment_id: str) -> bool:
    """Tell whether an effect was planned for a payment: then it is taken back, not taken out."""
    e = schema.effect.c
    query = select(e.id).where(e.company_id == company_id, e.cause.contains(payment_id))
    return tx.execute(query.limit(1)).first() is not None


def _erase(
    host: Host, tx: Connection, company_id: str, claim_id: str, payment: Mapping[str, Any]
) -> None:
    """Take out a payment a merge made and nobody was told of; the journal keeps that it was."""
    p = schema.payment.c
    take_off(tx, company_id, payment["id"])
    ask_refund(host, tx, company_id, claim_id, payment["id"], 0, payment["currency"])
    tx.execute(schema.payment.delete().where(p.company_id == company_id, p.id == payment["id"]))
    journal.append(
        tx,
        company_id,
        host.clock.now(),
        "payment_unmerged",
        payment["id"],
        {"claim": claim_id, "amount": payment["amount"]},
    )


def _collected_back(
    host: Host,
    tx: Connection,
    company_id: str,
    kept_id: str,
    gone_id: str,
    moved: Mapping[str, Any],
) -> None:
    """Give back what was collected on the second claim, then or since."""
    known = {each["id"]: each for each in moved.get("collected", ())}
    s = schema.settlement.c
    since = set(
        tx.execute(
            select(s.payment_id).where(
                s.company_id == company_id, s.claim_id == gone_id, s.payment_id.is_not(None)
            )
        ).scalars()
    )
    for payment in collected(tx, company_id, kept_id):
        before = known.get(payment["id"])
        if before is None and payment["id"] not in since:
            continue
        take_off(tx, company_id, payment["id"])
        if payment["undone"]:
            take_off(tx, company_id, payment["undone"])
        if before is None or before["undone"] != payment["undone"]:
            put_on(host, tx, company_id, payment, gone_id)
            continue
        left = before["unallocated"]
        put_back(tx, company_id, payment["id"], gone_id, before["lines"], left)
        if payment["undone"]:
            put_back(tx, company_id, payment["undone"], gone_id, before["undo_lines"], -left)
        ask_refund(host, tx, company_id, gone_id, payment["id"], left, payment["currency"])


def _move_back(
    tx: Connection,
    company_id: str,
    gone_id: str,
    moved: Mapping[str, Any],
    going: Mapping[str, int],
) -> None:
    s, k, c = schema.sighting.c, schema.claim_key.c, schema.claim.c
    tx.execute(
        schema.claim.update()
        .where(c.company_id == company_id, c.id == gone_id)
        .values(state=moved["gone"]["state"], merged_into=None)
    )
    for name, rung in going.items():
        tx.execute(
            schema.sighting.update()
            .where(s.company_id == company_id, s.id == name)
            .values(claim_id=gone_id, rung=rung)
        )
        tx.execute(
            schema.claim_key.update()
            .where(k.company_id == company_id, k.sighting_id == name)
            .values(claim_id=gone_id)
        )


def _follow(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Take a credit or a purchase again as its own tool tells it."""
    s = schema.sighting.c
    following = [
        link.id
        for link in links(tx, company_id, states=("active", "paused"))
        if host.follows_money(link)
    ]
    own = tx.execute(
        select(s.id)
        .where(
            s.company_id == company_id,
            s.claim_id == claim_id,
            s.presence == "live",
            s.connection_id.in_(following),
        )
        .order_by(s.rung, s.id)
    ).scalars()
    if (first := own.first()) is not None:
        observed.follow(host, tx, observed.sighting(tx, company_id, first))


def _questions_back(
    host: Host,
    tx: Connection,
    company_id: str,
    kept_id: str,
    gone_id: str,
    moved: Mapping[str, Any],
) -> None:
    """Give each claim its own questions and hold; what was answered meanwhile holds no more."""
    t, c = schema.task.c, schema.claim.c
    questions = moved["questions"]
    tx.execute(
        schema.task.update()
        .where(t.company_id == company_id, t.id.in_(questions["moved"]), t.done_at.is_(None))
        .values(subject=gone_id)
    )
    theirs, here = moved["gone"]["hold"], moved["kept"]["hold"]
    for kind in questions["closed"]:
        still = tasks.open_on(tx, company_id, kept_id).get(kind)
        if still is not None:
            sentence = tx.execute(
                select(t.sentence).where(t.company_id == company_id, t.id == still)
            ).scalar_one()
            tasks.ask(
                tx,
                company_id,
                kind,
                gone_id,
                sentence,
                task_id=host.ids.new("tsk"),
                at=host.clock.now(),
                again=True,
            )
    answered = theirs in holds.HOLDS and theirs not in tasks.open_on(tx, company_id, gone_id)
    left = holds.newest(tx, company_id, gone_id) if answered else theirs
    tx.execute(
        schema.claim.update().where(c.company_id == company_id, c.id == gone_id).values(hold=left)
    )
    if here is None and theirs is not None:
        tx.execute(
            schema.claim.update()
            .where(c.company_id == company_id, c.id == kept_id)
            .values(hold=holds.newest(tx, company_id, kept_id))
        )
    for refund in moved.get("refunds", ()):
        tasks.ask(
            tx,
            company_id,
            "refund",
            refund["subject"],
            refund["sentence"],
            task_id=host.ids.new("tsk"),
            at=host.clock.now(),
            again=True,
        )


def ask_about_misplaced(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Hold a claim whose record bears an entry of the other's money, from when they were one."""
    for entry in sides.misplaced(tx, company_id, claim_id):
        other = claim_states.number_of(tx, company_id, entry["claim_id"])
        holds.hold(
            host,
            tx,
            company_id,
            claim_id,
            "misplaced",
            f"Facture {entry['invoice_number']} : {euros(entry['amount'])} de la facture {other} y "
            "sont inscrits dans l'outil. Déplacez cette écriture ; rien d'automatique ne se fait "
            "avant votre réponse.",
        )


def _note(
    host: Host, tx: Connection, company_id: str, merge: Mapping[str, Any], said: Said
) -> None:
    now = host.clock.now()
    m = schema.claim_merge.c
    tx.execute(
        schema.claim_merge.update()
        .where(m.company_id == company_id, m.id == merge["id"])
        .values(undone_at=stamp(now), undone_by=said.by, undone_reason=said.reason)
    )
    words = journal.seal_personal(tx, company_id, f"{said.by} : {said.reason}", host.ids.nonce(16))
    for claim_id in (merge["kept_id"], merge["gone_id"]):
        journal.append(
            tx,
            company_id,
            now,
            "claims_unmerged",
            claim_id,
            {
                "merge": merge["id"],
                "kept": merge["kept_id"],
                "gone": merge["gone_id"],
                "words": words,
            },
        )
