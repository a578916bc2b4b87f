"""A company with its tools and its collector on paper, and what the tests of the host do there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from tests.core import handing
from tests.core.handing import Shelf
from tests.core.paper import SIREN, Paper, invoice, paper_connectors

from encaisse_api import Transient
from encaisse_core import (
    connecting,
    facts,
    nightly,
)
from encaisse_core.app import App, open_app
from encaisse_core.cli import answering
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import Host
from encaisse_core.store import schema


class House:
    """Run a company's nights over a paper."""

    def __init__(self, app: App, clock: VirtualClock, paper: Paper, shelf: Shelf) -> None:
        self.clock, self.paper, self.shelf = clock, paper, shelf
        self.company = connecting.add_company(
            app.host, siren=SIREN, name="Société", environment="test"
        )
        self.app = app.of(self.company)
        self.host: Host = self.app.host
        for slug in ("papertool", "papercollector"):
            connecting.connect(
                self.host, app.vault, company_id=self.company, connector=slug, values={}
            )

    def night(self) -> nightly.Night:
        self.clock.sleep(timedelta(hours=24).total_seconds())
        return nightly.run_night(self.host, self.company, self.app.signer)

    def open_everything(self) -> list[str]:
        """Propose, approve, sign, and open by night; give the procedures' remote ids."""
        approve_and_sign(self)
        self.night()
        return list(self.paper.procedures)

    def count(self, table: str) -> int:
        with self.host.store.begin() as tx:
            found = tx.execute(select(func.count()).select_from(schema.metadata.tables[table]))
            return int(found.scalar_one())

    def claim(self, number: str) -> dict[str, object]:
        c = schema.claim
        with self.host.store.begin() as tx:
            row = tx.execute(select(c).where(c.c.number == number)).mappings().one()
            return dict(row)

    def reasons(self, number: str) -> set[str]:
        with self.host.store.begin() as tx:
            for each in facts.decide_all(self.host, tx, self.company):
                if each.facts.number == number:
                    return {reason.rule for reason in each.decision.reasons}
        raise AssertionError(f"no claim {number}")

    def answer(self, kind: str, number: str, *, lift: bool) -> None:
        t, c = schema.task, schema.claim
        with self.host.store.begin() as tx:
            task_id = tx.execute(
                select(t.c.id)
                .join(c, c.c.id == t.c.subject)
                .where(t.c.kind == kind, c.c.number == number, t.c.done_at.is_(None))
            ).scalar_one()
        answering.answer(
            self.host, self.company, task_id, answering.Answer("vu", "essai", lift=lift)
        )

    def effect_states(self, kind: str) -> list[str]:
        e = schema.effect.c
        with self.host.store.begin() as tx:
            return list(tx.execute(select(e.state).where(e.kind == kind)).scalars())

    def tasks(self) -> set[str]:
        with self.host.store.begin() as tx:
            return set(tx.execute(select(schema.task.c.kind)).scalars())


def make(
    url: str, tmp_path: Path, clock: VirtualClock, invoices: int = 8, without: tuple[str, ...] = ()
) -> House:
    paper = Paper()
    for number in range(1, invoices + 1):
        paper.add(invoice(f"F-{number}", 100_00 * number))
    shelf = Shelf(paper_connectors(paper))
    for name in without:
        delattr(shelf.known["papercollector"], name)
    app = open_app(
        {"ENCAISSE_DATABASE_URL": url},
        folder=tmp_path / "home",
        clock=clock,
        ids=SeededIds(1, clock),
        connectors=shelf,
    )
    return House(app, clock, paper, shelf)


def line_of(house: House, opened: list[str], number: str = "F-1") -> Any:
    for file in house.paper.procedures.values():
        for claim in file.claims:
            if claim.line.invoice_number == number:
                return claim.line
    raise AssertionError(number)


def approve_and_sign(house: House) -> None:
    """Propose what the night found, approve it, and let a person sign."""
    house.night()
    handing.approve_and_sign(house.app, house.company, house.paper)


def nights(house: House, count: int) -> None:
    """Live some nights."""
    for _ in range(count):
        house.night()


def payments(house: House, number: str) -> list[tuple[str, int]]:
    p, c = schema.payment, schema.claim
    with house.host.store.begin() as tx:
        return [
            (row.origin, row.amount)
            for row in tx.execute(
                select(p.c.origin, p.c.amount)
                .join(c, c.c.id == p.c.claim_id)
                .where(c.c.number == number)
                .order_by(p.c.created_at, p.c.id)
            )
        ]


def open_tasks(house: House) -> list[tuple[str, str, str]]:
    t = schema.task.c
    with house.host.store.begin() as tx:
        return [
            (r.id, r.kind, r.subject)
            for r in tx.execute(select(t.id, t.kind, t.subject).where(t.done_at.is_(None)))
        ]


def answer(house: House, kind: str, **how: Any) -> None:
    task = next(t for t in open_tasks(house) if t[1] == kind)
    answering.answer(
        house.host, house.company, task[0], answering.Answer(words="oui", by="essai", **how)
    )


def add_tool(house: House) -> Paper:
    """Connect a second tool that follows money, on a paper of its own."""
    second = Paper()
    for item in house.paper.invoices.values():
        second.add(item)
    kind = paper_connectors(second)["papertool"]
    kind.manifest = kind.manifest.model_copy(update={"slug": "othertool"})
    house.shelf.known["othertool"] = kind
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="othertool", values={}
    )
    return second


def procedures_unfindable(house: House) -> list[bool]:
    """Let look-ups of procedures fail for as long as what is returned holds True."""
    kind = house.shelf.known["papercollector"]
    find: Callable[..., Any] = kind.find_procedure  # type: ignore[attr-defined]
    down = [True]

    def find_or_fail(self: Any, key: str, file: Any) -> Any:
        if down[0]:
            raise Transient("en panne")
        return find(self, key, file)

    kind.find_procedure = find_or_fail  # type: ignore[attr-defined]
    return down
