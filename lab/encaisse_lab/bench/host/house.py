"""A company with one tool in memory: the real host and store, no partner and no wire."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import ClassVar

from encaisse_api import (
    Connector,
    Context,
    Cursor,
    Granted,
    Manifest,
    Missing,
    Page,
    SourceInvoice,
    Stream,
    Token,
)
from encaisse_core import app as apps
from encaisse_core import connecting, host
from encaisse_core.app import App
from encaisse_lab.bench.host.found import Spent
from encaisse_lab.bench.host.invented import SELLER

Make = Callable[[], Iterable[SourceInvoice]]


@dataclass
class Supply:
    """Be the tool: what it lists next, and how long making the list took, which is not ours."""

    spent: Callable[[], Spent]
    make: Make = field(default=tuple)
    page: int = 500
    aside: bool = True
    """Whether making the items is left out of the time."""
    outside: Spent = field(default_factory=lambda: Spent(0.0, 0.0))

    def pages(self) -> Iterator[Page[SourceInvoice]]:
        """List everything, a page at a time, each with its cursor."""
        waiting = iter(self.make())
        number = 0
        while True:
            started = self.spent() if self.aside else None
            items = tuple(islice(waiting, self.page))
            number += 1
            page = Page[SourceInvoice].model_construct(
                items=items,
                unreadable=(),
                removed=(),
                cursor=Token(value=f"page-{number}"),
                end=len(items) < self.page,
            )
            if started is not None:
                self.outside += self.spent() - started
            yield page
            if page.end:
                return


def tool(supply: Supply) -> type[Connector]:
    """Make a connector that lists what the supply holds."""

    class BenchTool:
        manifest: ClassVar[Manifest] = Manifest(
            slug="benchtool",
            name="Outil d'essai",
            summary_fr="Pour les mesures.",
            contract="documented",
            streams={"invoices": Stream(mode="changes")},
        )

        def __init__(self, context: Context) -> None:
            self.context = context

        def probe(self) -> Granted:
            return Granted(siren=SELLER)

        def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
            yield from supply.pages()

        def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
            return [Missing(ref=ref) for ref in refs]

    return BenchTool


@dataclass(frozen=True)
class Shelf:
    """Offer the connectors of a measure."""

    known: Mapping[str, type[Connector]]

    def connector(self, slug: str) -> type[Connector]:
        """Find one; `KeyError` where it is not there."""
        return self.known[slug]


@dataclass(frozen=True)
class House:
    """Hold one company and its connections."""

    app: App
    company: str
    links: Sequence[host.Link]


@contextmanager
def opened(url: str, folder: Path, known: Mapping[str, type[Connector]]) -> Generator[House]:
    """Open a company connected to some tools in memory."""
    app = apps.open_app(
        {apps.DATABASE: url},
        folder=folder,
        connectors=Shelf(known),
        routes={},
        max_wait=timedelta(seconds=1),
    )
    try:
        with app.host.store.begin() as tx:
            there = host.companies(tx)
        company = (
            str(there[0]["id"])
            if there
            else connecting.add_company(app.host, siren=SELLER, name="Essai", environment="test")
        )
        if not there:
            for slug in known:
                connecting.connect(
                    app.host, app.vault, company_id=company, connector=slug, values={}
                )
        with app.host.store.begin() as tx:
            found = host.links(tx, company)
        yield House(app, company, found)
    finally:
        app.close()
