"""Make a company with many open invoices at once, and let chosen ones be paid.

Facts are written straight into the store, as a host that had read, joined and handed them over
would have left them; what happens next is told by a tool in memory, or stands there as a
collector's word. Every draw is from a seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import ClassVar

from sqlalchemy import Connection, select

from encaisse_api import (
    Connector,
    Context,
    Cursor,
    Debtor,
    Granted,
    Instalment,
    Manifest,
    Missing,
    Money,
    Page,
    Seller,
    SourceInvoice,
    Stream,
    Token,
)
from encaisse_core import connecting, referrers
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import Host
from encaisse_core.naming import named
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

SIREN = "123456782"
START = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)
ISSUED, DUE, RECEIVED = date(2025, 12, 1), date(2025, 12, 31), date(2026, 3, 1)
AT_ONCE = 10_000
"""Invoices written together: what is held in memory does not grow with their number."""

PER_DEBTOR = 10
RATE_PPM = 100_000


@dataclass
class Told:
    """Hold what the tool in memory says next, and only that: it tells changes."""

    news: list[SourceInvoice] = field(default_factory=list[SourceInvoice])


def told_by(told: Told, slug: str) -> type[Connector]:
    """Make the class of a tool that tells what is new to it, page by page."""

    class Ledger:
        manifest: ClassVar[Manifest] = Manifest(
            slug=slug,
            name="Outil du banc",
            summary_fr="Pour mesurer.",
            contract="documented",
            streams={"invoices": Stream(mode="changes")},
        )

        def __init__(self, context: Context) -> None:
            self.context = context

        def probe(self) -> Granted:
            return Granted(siren=SIREN)

        def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
            for first in range(0, len(told.news), 500):
                yield Page[SourceInvoice](items=tuple(told.news[first : first + 500]))
            yield Page[SourceInvoice](items=(), cursor=Token(value="0"), end=True)

        def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
            return [Missing(ref=ref) for ref in refs]

    return Ledger


class Shelf:
    """Find the connectors there are."""

    def __init__(self, connectors: Sequence[type[Connector]]) -> None:
        self._connectors = {each.manifest.slug: each for each in connectors}

    def connector(self, slug: str) -> type[Connector]:
        return self._connectors[slug]


def _id(kind: str, *parts: int) -> str:
    """Name a row as long as the host names it, and in no order."""
    return named(kind, "stock", *parts)


@dataclass
class Stock:
    """Hold a company's open invoices: its host, its tool, and how many there are."""

    app: App
    clock: VirtualClock
    told: Told
    company_id: str
    tools: list[str]
    """Connections that show every invoice; the first made the claims."""
    invoices: int
    seed: int

    @property
    def host(self) -> Host:
        """Give the host as the company's."""
        return self.app.host.of(self.company_id)

    def cents(self, number: int) -> int:
        """Tell how much an invoice is of: 10 to 5,010 euros, by the seed."""
        return 10_00 + Random(f"{self.seed}-{number}").randrange(500_000)

    def invoice(self, number: int, *, paid: bool = False) -> SourceInvoice:
        """Give an invoice as its tool shows it, open or paid."""
        total = Money.of_minor(self.cents(number))
        left = Money.of_minor(0) if paid else total
        return SourceInvoice(
            ref=f"r{number:07d}",
            number=f"F-{number:07d}",
            issue_date=ISSUED,
            state="settled" if paid else "open",
            total=total,
            open=left,
            instalments=(Instalment(ref="1", due_date=DUE, amount=total, open=left),),
            debtor=Debtor(ref=f"c{number // PER_DEBTOR}", kind="company", name="Client Exemple"),
            seller=Seller(siren=SIREN),
        )

    def pay(self, numbers: Sequence[int]) -> None:
        """Let the tool tell next that these invoices were paid to the company."""
        self.told.news = [self.invoice(number, paid=True) for number in numbers]

    def collect(self, *, fee_per_cent: int = 10) -> None:
        """Let the collector have told that each invoice was paid to it, in full."""
        for first in range(0, self.invoices, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, self.invoices))
            with self.host.store.begin() as tx:
                tx.execute(
                    schema.settlement.insert(), [self._settlement(n, fee_per_cent) for n in numbers]
                )

    def _settlement(self, number: int, fee_per_cent: int) -> Mapping[str, object]:
        cents = self.cents(number)
        return {
            "company_id": self.company_id,
            "id": _id("stl", number),
            "connection_id": self.tools[0],
            "remote_id": f"p{number:07d}",
            "procedure_id": _id("prc", number // PER_DEBTOR),
            "claim_id": _id("clm", number),
            "state": "verified",
            "currency": "EUR",
            "principal": cents,
            "interest": 0,
            "indemnity": 0,
            "costs": 0,
            "fee": cents * fee_per_cent // 100,
            "fee_vat": cents * fee_per_cent // 500,
            "received_on": RECEIVED.isoformat(),
            "updated_at": stamp(START),
        }


def make(
    url: str,
    folder: Path,
    invoices: int,
    *,
    seed: int,
    handed_over: bool = False,
    tools: int = 1,
) -> Stock:
    """Make the company; with `handed_over` each invoice is in its debtor's procedure."""
    clock, told = VirtualClock(START), Told()
    app = _opened(url, folder, SeededIds(seed, clock), clock, told, tools)
    company = connecting.add_company(app.host, siren=SIREN, name="Société", environment="test")
    host = app.host.of(company)
    with host.store.begin() as tx:
        referrer = referrers.add(host, tx, company, "Éditeur Exemple", "editor")
        referrers.agree(host, tx, company, referrer, referrers.Agreed(RATE_PPM, ISSUED))
    connected = [
        connecting.connect(
            app.host,
            app.vault,
            company_id=company,
            connector=slug,
            values={},
            referrer_id=referrer,
        ).id
        for slug in _slugs(tools)
    ]
    stock = Stock(app, clock, told, company, connected, invoices, seed)
    for first in range(0, invoices, AT_ONCE):
        _write(stock, range(first, min(first + AT_ONCE, invoices)), referrer, handed_over)
    return stock


def reopened(stock: Stock, url: str, folder: Path, *, turn: int) -> Stock:
    """Open a copy of a company's database beside a copy of its folder; `turn` keeps ids apart."""
    clock, told = VirtualClock(stock.clock.now()), Told()
    ids = SeededIds(stock.seed + turn, clock)
    app = _opened(url, folder, ids, clock, told, len(stock.tools))
    return replace(stock, app=app, clock=clock, told=told)


def _opened(
    url: str, folder: Path, ids: SeededIds, clock: VirtualClock, told: Told, tools: int
) -> App:
    return open_app(
        {"ENCAISSE_DATABASE_URL": url},
        folder=folder,
        clock=clock,
        ids=ids,
        connectors=Shelf([told_by(told, slug) for slug in _slugs(tools)]),
    )


def _slugs(tools: int) -> list[str]:
    return [f"stocktool{number}" for number in range(tools)]


def _write(stock: Stock, numbers: range, referrer: str, handed_over: bool) -> None:
    """Write a few thousand invoices with all that hangs on them."""
    at = stamp(START - timedelta(days=30))
    own: dict[str, object] = {"company_id": stock.company_id}
    debtors = sorted({number // PER_DEBTOR for number in numbers})
    tables: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("debtor", "claim", "echeance", "sighting", "attribution")
    }
    for each in debtors:
        debtor = stock.invoice(each * PER_DEBTOR).debtor
        tables["debtor"].append(
            own
            | {
                "id": _id("dbt", each),
                "key": f"{stock.tools[0]}:{debtor.ref}",
                "kind": debtor.kind,
                "name": debtor.name,
                "detail": debtor.model_dump_json(),
                "source_id": stock.tools[0],
                "created_at": at,
            }
        )
    for number in numbers:
        item = stock.invoice(number)
        record = item.model_dump_json()
        claim_id = _id("clm", number)
        cents = item.total.minor
        tables["claim"].append(
            own
            | {
                "id": claim_id,
                "number": item.number,
                "kind": item.kind,
                "issue_date": item.issue_date.isoformat(),
                "currency": item.currency,
                "total": cents,
                "open": cents,
                "state": "open",
                "debtor_id": _id("dbt", number // PER_DEBTOR),
                "created_at": at,
            }
        )
        tables["echeance"].append(
            own
            | {
                "id": _id("ech", number),
                "claim_id": claim_id,
                "ref": "1",
                "due_date": DUE.isoformat(),
                "amount": cents,
                "open": cents,
            }
        )
        for turn, connection_id in enumerate(stock.tools):
            seen = _id("sgt", number, turn)
            tables["sighting"].append(
                own
                | {
                    "id": seen,
                    "connection_id": connection_id,
                    "remote_ref": item.ref,
                    "fingerprint": hashlib.sha256(record.encode()).hexdigest(),
                    "record": record,
                    "number": item.number,
                    "state": item.state,
                    "presence": "live",
                    "total": cents,
                    "open": cents,
                    "expected": cents,
                    "credited": 0,
                    "expected_credited": 0,
                    "claim_id": claim_id,
                    "rung": turn,
                    "changed_at": at,
                    "created_at": at,
                }
            )
            tables["attribution"].append(
                own
                | {
                    "sighting_id": seen,
                    "referrer_id": referrer,
                    "connection_id": connection_id,
                    "attributed_at": at,
                }
            )
    with stock.host.store.begin() as tx:
        for table, written in tables.items():
            tx.execute(schema.metadata.tables[table].insert(), written)
        if handed_over:
            _hand_over(tx, stock, debtors, numbers)


def _hand_over(tx: Connection, stock: Stock, debtors: Sequence[int], numbers: range) -> None:
    """Put each invoice into a procedure with its debtor's others, under one signed mandate."""
    at = stamp(START - timedelta(days=20))
    own = {"company_id": stock.company_id, "connection_id": stock.tools[0]}
    annex = {"annex": "[]", "created_at": at}
    m = schema.mandate.c
    if tx.execute(select(m.id).where(m.company_id == stock.company_id)).first() is None:
        mandate = own | annex | {"id": "mdt_0", "state": "signed", "signed_at": at}
        tx.execute(schema.mandate.insert(), [mandate | {"remote_id": "m0"}])
    tx.execute(
        schema.proposal.insert(),
        [
            own
            | annex
            | {
                "id": _id("prp", each),
                "debtor_id": _id("dbt", each),
                "state": "opened",
                "quote": "{}",
                "policy_version": "2026-1",
                "digest": "",
            }
            for each in debtors
        ],
    )
    tx.execute(
        schema.procedure.insert(),
        [
            own
            | {
                "id": _id("prc", each),
                "proposal_id": _id("prp", each),
                "mandate_id": "mdt_0",
                "remote_id": f"d{each}",
                "state": "active",
                "opened_at": at,
                "updated_at": at,
            }
            for each in debtors
        ],
    )
    tx.execute(
        schema.reservation.insert(),
        [
            {
                "company_id": stock.company_id,
                "claim_id": _id("clm", number),
                "proposal_id": _id("prp", number // PER_DEBTOR),
                "procedure_id": _id("prc", number // PER_DEBTOR),
                "principal": stock.cents(number),
                "handed_at": at,
            }
            for number in numbers
        ],
    )
