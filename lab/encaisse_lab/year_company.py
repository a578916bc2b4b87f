"""What the company does in a simulated year: answer what it is asked, hand over, sign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from sqlalchemy import select

from encaisse_api import PartnerError
from encaisse_core import nightly, proposals, runner
from encaisse_core.app import App
from encaisse_core.cli import answering, resolving
from encaisse_core.errors import UsageError
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
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


def answer(
    app: App, company_id: str, given: Mapping[str, Given] = ANSWERS, after: timedelta = timedelta()
) -> dict[str, int]:
    """Answer the questions that wait since `after`, as somebody who called the accountant would.

    Gives how many of each kind.
    """
    t = schema.task.c
    asked_by = stamp(app.host.clock.now() - after)
    with app.host.store.begin() as tx:
        asked = tx.execute(
            select(t.id, t.kind, t.subject)
            .where(
                t.company_id == company_id,
                t.done_at.is_(None),
                t.kind.in_(given),
                t.created_at <= asked_by,
            )
            .order_by(t.created_at, t.id)
        ).all()
    settled: Counter[str] = Counter()
    for task in asked:
        if given[task.kind] == "retry":
            settled[task.kind] += _retry(app, company_id, task.subject)
            continue
        said = answering.Answer("Vu avec le comptable.", SIGNER, lift=True)
        answering.answer(app.host, company_id, task.id, said)
        settled[task.kind] += 1
    return dict(settled)


def _retry(app: App, company_id: str, effect_id: str) -> bool:
    """Send again what was refused, which answers its question; tell whether it could be.

    Where the partner cannot be asked today the question stands, and is answered another day.
    """
    decided = resolving.Decision("retry", "Vu avec le comptable.", SIGNER)
    try:
        kind = resolving.resolve(app.host, company_id, effect_id, decided)
    except (PartnerError, UsageError):
        return False
    runner.drain(app.host, company_id, (kind,))
    return True


def hand_over(app: App, company_id: str, gcollect: GCollect) -> None:
    """Approve all that is proposed, of today or of a day that broke off, and sign.

    Raises `PartnerError` where the collector quotes no more today; what it quoted before stands
    as proposed, and is approved the next time.
    """
    proposals.propose(app.host, company_id)
    p = schema.proposal.c
    with app.host.store.begin() as tx:
        made = list(
            tx.execute(
                select(p.id)
                .where(p.company_id == company_id, p.state == "proposed")
                .order_by(p.created_at, p.id)
            ).scalars()
        )
    if not made:
        return
    proposals.approve(app.host, company_id, made, by=SIGNER)
    runner.drain(app.host, company_id, nightly.OPENINGS)
    sign(gcollect)


def sign(gcollect: GCollect) -> None:
    """Sign the mandates that wait for it, on the collector's page."""
    for mandate in gcollect.pending_mandates():
        gcollect.sign_mandate(mandate, name=SIGNER, email=MAIL)
