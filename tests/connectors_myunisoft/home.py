"""A dossier of MyUnisoft in the host's house, night after night, with a collector on paper."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from tests.connectors_myunisoft.office import SETTINGS, Office
from tests.core.handing import approve_and_sign, collect
from tests.core.paper import Paper

from encaisse_core import nightly, runner
from encaisse_core.app import App
from encaisse_core.cli import answering, resolving
from encaisse_core.clock import VirtualClock
from encaisse_core.store import schema
from encaisse_simulator.myunisoft.entries import Line

EVENING = datetime(2026, 4, 13, 19, 0, tzinfo=UTC)


@dataclass
class House:
    """Run a company's nights over a dossier and a collector on paper."""

    app: App
    clock: VirtualClock
    office: Office
    paper: Paper
    company: str

    def night(self) -> nightly.Night:
        self.clock.sleep(timedelta(hours=24).total_seconds())
        return nightly.run_night(self.app.host, self.company, self.app.signer)

    def hand_over(self) -> str:
        """Propose, approve, sign and open; give the procedure."""
        self.night()
        approve_and_sign(self.app, self.company, self.paper)
        self.night()
        (procedure,) = self.paper.procedures
        return procedure

    def collect(self, payment: str, procedure: str, number: str, cents: int) -> None:
        collect(self.paper, payment, procedure, number, cents, date(2026, 4, 14))

    def claim(self, number: str) -> tuple[str, int, str | None]:
        c = schema.claim.c
        with self.app.host.store.begin() as tx:
            row = tx.execute(select(c.state, c.open, c.hold).where(c.number == number)).one()
            return row.state, row.open, row.hold

    def tasks(self) -> list[tuple[str, str]]:
        t = schema.task.c
        with self.app.host.store.begin() as tx:
            return [tuple(row) for row in tx.execute(select(t.kind, t.sentence))]

    def open_tasks(self) -> list[tuple[str, str]]:
        t = schema.task.c
        with self.app.host.store.begin() as tx:
            query = select(t.kind, t.id).where(t.done_at.is_(None))
            return [tuple(row) for row in tx.execute(query)]

    def tasks_said(self) -> list[str]:
        t = schema.task.c
        with self.app.host.store.begin() as tx:
            query = select(t.sentence).where(t.done_at.is_(None)).order_by(t.created_at)
            return list(tx.execute(query).scalars())

    def answer(self, kind: str, **how: bool) -> None:
        ((_, task),) = (found for found in self.open_tasks() if found[0] == kind)
        given = answering.Answer(words="oui", by="essai", **how)  # type: ignore[arg-type]
        answering.answer(self.app.host, self.company, task, given)

    def settle(self, kind: str, way: str) -> None:
        e = schema.effect.c
        with self.app.host.store.begin() as tx:
            effect = tx.execute(select(e.id).where(e.kind == kind)).scalar_one()
        decided = resolving.Decision(way=way, reason="vu avec le comptable", by="essai")
        resolving.resolve(self.app.host, self.company, effect, decided)
        runner.drain(self.app.host, self.company, (kind,))

    def letters(self) -> list[str]:
        e = schema.effect.c
        with self.app.host.store.begin() as tx:
            query = select(e.state).where(e.kind == "letter").order_by(e.created_at)
            return list(tx.execute(query).scalars())

    def lines(self, number: str) -> list[Line]:
        books = self.office.books
        ids = books.line_ids(self.office.customer, number)
        return [line for _, line in books._dossier.lines() if line.id in ids]

    def lettered(self, number: str) -> tuple[set[str], int]:
        """Tell how the lines of an invoice are lettered, and what is owed of it there."""
        states = {line.state for line in self.lines(number)}
        return states, self.office.books.open_cents(self.office.customer, number)

    def payments(self) -> list[int]:
        with self.app.host.store.begin() as tx:
            return list(tx.execute(select(schema.payment.c.amount)).scalars())

    def events(self) -> int:
        v = schema.event.c
        with self.app.host.store.begin() as tx:
            return len(tx.execute(select(v.sequence)).all())

    def set_mode(self, mode: str) -> None:
        c = schema.connection
        with self.app.host.store.begin() as tx:
            tx.execute(
                c.update()
                .where(c.c.connector == "myunisoft")
                .values(settings=json.dumps({**SETTINGS, "mode": mode}))
            )

    def entries(self) -> tuple[int, int]:
        """Count our entries in the dossier: posted, waiting."""
        dossier = self.office.books._dossier
        ours = [
            sum((entry.origin.partner_id or "").startswith("GCO-") for entry in kept.values())
            for kept in (dossier.posted, dossier.pending)
        ]
        return ours[0], ours[1]
