"""Count what a night writes in which nothing changed: the record of its run, and no row more.

Nothing is timed. The company's open invoices stand in the store, its first night has settled them,
and the next one finds every tool saying the same. Each table is read whole before and after.

The record of a run is its row of `night` and, on each connection, when it was last read in full:
without that the gate could not know that facts are fresh.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

from sqlalchemy import select

from encaisse_core import nightly
from encaisse_core.store import Store, schema
from encaisse_lab.bench.host.found import Bench, Finding
from encaisse_lab.bench.judging import Goal, Verdict
from encaisse_lab.bench.stock import Stock, make

QUIET = Goal(
    "quiet",
    0,
    "rows an unchanged night writes beside its run record",
    "lignes qu'une nuit sans changement écrit en plus de sa propre trace",
    at_most=True,
    unit="",
)
RECORD = {"night", "virtual_clock"}
"""The run's own row, and the clock of a simulation, which no real store has."""

READ_AT = schema.connection.c.pulled_at

SEED = 1


def measure(bench: Bench) -> Iterator[Finding]:
    """Live two nights, and compare what stands after each."""
    url, home = bench.database.fresh(), bench.folder / "home-quiet"
    bench.tell(f"{bench.database.name}, nuit sans changement, {bench.peer_rows} factures")
    stock = make(url, home, bench.peer_rows, seed=SEED, handed_over=False, tools=1)
    try:
        _night(stock)
        before = standing(stock.host.store.overseeing())
        _night(stock)
        written = compared(before, standing(stock.host.store.overseeing()))
    finally:
        stock.app.close()
        bench.database.drop(url)
    more = sum(count for name, count in written.items() if name not in RECORD)
    figures: dict[str, float] = {f"rows of {name}": count for name, count in written.items()}
    yield Finding(Verdict(QUIET, more), bench.database.name, {"invoices": stock.invoices} | figures)


def _night(stock: Stock) -> None:
    stock.clock.sleep(timedelta(days=1).total_seconds())
    nightly.run_night(stock.host, stock.company_id, stock.app.signer)
    stock.told.news = []


def standing(store: Store) -> Mapping[str, Counter[bytes]]:
    """Give every row of every table, as a hash of its own."""
    found: dict[str, Counter[bytes]] = {}
    for name, table in schema.metadata.tables.items():
        with store.begin() as tx:
            told = [column for column in table.columns if column is not READ_AT]
            rows = tx.execution_options(yield_per=10_000).execute(select(*told))
            found[name] = Counter(
                hashlib.sha256(repr(tuple(row)).encode()).digest() for row in rows
            )
    return found


def compared(
    before: Mapping[str, Counter[bytes]], after: Mapping[str, Counter[bytes]]
) -> dict[str, int]:
    """Count, by table, the rows that were added, changed or removed."""
    counts = {
        name: max((after[name] - before[name]).total(), (before[name] - after[name]).total())
        for name in before
    }
    return {name: count for name, count in counts.items() if count}
