"""Two companies of one store, one of which owes the other, over one simulated Libeo."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select
from tests.connectors_libeo.books import DUE, ISSUED, NOW

from encaisse_core import connecting, facts, nightly
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import Host
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

BUYER, SELLER = "987654324", "812345676"
SIRETS = {BUYER: "98765432400019", SELLER: "81234567600017"}
NAMES = {BUYER: "Atelier Exemple SARL", SELLER: "Fournil Exemple SAS"}
NUMBER, CENTS = "VTE-77", 120_000
"""One invoice, that the seller sent and the buyer received, the same in every figure."""


class Blot(httpx.BaseTransport):
    """Blot something out of the answers while told to, so that a row cannot be read."""

    def __init__(self, inner: httpx.BaseTransport, spoil: str) -> None:
        self.inner, self.spoil, self.on = inner, spoil.encode(), False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        answer = self.inner.handle_request(request)
        if not self.on:
            return answer
        body = answer.read().replace(self.spoil, b"?")
        return httpx.Response(
            answer.status_code,
            headers={"content-type": answer.headers["content-type"]},
            content=body,
            request=request,
        )


class Town:
    """Run the nights of companies that share one store, over one simulated Libeo."""

    def __init__(self, app: App, world: World, clock: VirtualClock, blot: Blot) -> None:
        self.app, self.host, self.world, self.clock = app, app.host, world, clock
        self.blot = blot
        self.companies: dict[str, str] = {}
        for siren, siret in SIRETS.items():
            world.libeo.add_company(siren, siret, NAMES[siren])
            self.companies[siren] = connecting.add_company(
                self.host, siren=siren, name=NAMES[siren], environment="test"
            )

    def of(self, siren: str) -> Host:
        """Give the host as one company's."""
        return self.host.of(self.companies[siren])

    def connect(self, siren: str, key: str | None = None) -> None:
        """Connect a company's own Libeo."""
        connecting.connect(
            self.of(siren),
            self.app.vault,
            company_id=self.companies[siren],
            connector="libeo",
            values={"api_key": key or siren, "siret": SIRETS[key or siren]},
        )

    def sale(self) -> str:
        """Enter the invoice where its seller keeps it."""
        return self.world.libeo.add_receivable(
            SELLER, NUMBER, NAMES[BUYER], BUYER, ISSUED, DUE, CENTS
        )

    def purchase(self, status: str = "À payer", siren: str = SELLER) -> str:
        """Enter the invoice where its buyer keeps it."""
        return self.world.libeo.add_payable(
            BUYER, NUMBER, NAMES[SELLER], siren, ISSUED, DUE, CENTS, status=status
        )

    def night(self, siren: str) -> nightly.Night:
        """Let a day pass and run one company's night."""
        self.clock.sleep(timedelta(hours=12).total_seconds())
        return nightly.run_night(self.of(siren), self.companies[siren], self.app.signer)

    def rows(self, siren: str) -> dict[str, list[tuple[Any, ...]]]:
        """Read every row of every table that belongs to a company."""
        with self.of(siren).store.begin() as tx:
            return {
                table.name: sorted(
                    (
                        tuple(row)
                        for row in tx.execute(
                            select(table).where(table.c.company_id == self.companies[siren])
                        )
                    ),
                    key=repr,
                )
                for table in schema.metadata.sorted_tables
                if "company_id" in table.c
            }

    def decided(self, siren: str, number: str = NUMBER) -> list[tuple[set[str], str, int]]:
        """Tell of each claim under a number why it waits, its state, and what is open."""
        with self.of(siren).store.begin() as tx:
            return [
                (
                    {reason.rule for reason in each.decision.reasons},
                    each.claim["state"],
                    each.claim["open"],
                )
                for each in facts.decide_all(self.of(siren), tx, self.companies[siren])
                if each.facts.number == number
            ]

    def directions(self, siren: str) -> list[str]:
        """List the directions of a company's records."""
        s = schema.sighting.c
        with self.of(siren).store.begin() as tx:
            records = tx.execute(select(s.record).where(s.company_id == self.companies[siren]))
            return sorted(record_of(record).direction for record in records.scalars())

    def tasks(self, siren: str) -> set[str]:
        """List the kinds of questions asked to a company's people."""
        t = schema.task.c
        with self.of(siren).store.begin() as tx:
            return set(
                tx.execute(select(t.kind).where(t.company_id == self.companies[siren])).scalars()
            )


@contextmanager
def open_town(database_url: str, home: Path, spoil: str = "") -> Generator[Town]:
    """Open one store for both companies on an evening in April.

    While `town.blot.on` holds, `spoil` is blotted out of every answer.
    """
    clock = VirtualClock(NOW)
    world = World(11, NOW)
    clock.on_advance.append(world.set_now)
    blot = Blot(SimTransport(world), spoil)
    app = open_app(
        {"ENCAISSE_DATABASE_URL": database_url},
        folder=home,
        clock=clock,
        ids=SeededIds(1, clock),
        transport=blot,
    )
    yield Town(app, world, clock, blot)
    app.close()
