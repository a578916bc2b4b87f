"""What the company does in a simulated year: answer what it is asked, hand over, sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import select

from encaisse_core import nightly, proposals, runner
from encaisse_core.app import App
from encaisse_core.cli import answering, resolving
from encaisse_core.store import schema
from encaisse_simulator.gcollect import GCollect

SIGNER, MAIL = "Dominique Exemple", "direction@example.org"

Given = Literal["lift", "retry"]

ANSWERS: Mapping[str, Given] = {
    "amount_rose": "lift",
    "entry_altered": "lift",
    "entry_rejected": "retry",
    "refused": "retry",
}
"""What the person says of each kind of question; the others stay open and are counted."""


def answer(app: App, company_id: str) -> None:
    """Answer last night's questions as somebody who called the accountant would."""
    t = schema.task.c
    with app.host.store.begin() as tx:
        asked = tx.execute(
            select(t.id, t.kind, t.subject)
            .where(t.company_id == company_id, t.done_at.is_(None), t.kind.in_(ANSWERS))
            .order_by(t.created_at, t.id)
        ).all()
    for task in asked:
        lift = True if ANSWERS[task.kind] == "lift" else None
        given = answering.Answer("Vu avec le comptable.", SIGNER, lift=lift)
        answering.answer(app.host, company_id, task.id, given)
        if ANSWERS[task.kind] == "retry":
            decided = resolving.Decision("retry", "Vu avec le comptable.", SIGNER)
            kind = resolving.resolve(app.host, company_id, task.subject, decided)
            runner.drain(app.host, company_id, (kind,))


def hand_over(app: App, company_id: str, gcollect: GCollect) -> None:
    """Approve what is proposed, and sign."""
    made = proposals.propose(app.host, company_id)
    if not made:
        return
    proposals.approve(app.host, company_id, made, by=SIGNER)
    runner.drain(app.host, company_id, nightly.OPENINGS)
    for mandate in gcollect.pending_mandates():
        gcollect.sign_mandate(mandate, name=SIGNER, email=MAIL)
