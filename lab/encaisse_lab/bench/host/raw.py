"""What a program of one page would do with the same rows: upsert them, and nothing else.

The raw peers keep the same columns of each invoice as ours does, the record as text included;
`BARE` leaves the record out. They know no cursor, no event, no company but one. What laying the
invoices out as rows costs them is told apart: a program that is handed its rows ready does less.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import Any

from encaisse_api import SourceInvoice
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Spent, swept

FULL = (
    "company_id",
    "connection_id",
    "remote_ref",
    "number",
    "kind",
    "state",
    "issue_date",
    "due_date",
    "currency",
    "total",
    "open",
    "debtor",
    "record",
)
BARE = FULL[:-1]
KEY = FULL[:3]
CENTS = frozenset({"total", "open"})

Row = tuple[Any, ...]
Ready = Iterable[Sequence[Row]]
"""Rows by the page, each page made before its time begins."""


@dataclass(frozen=True, slots=True)
class Into:
    """Name a table, its columns as rows give them, and the key an upsert meets what stands by."""

    table: str
    columns: Sequence[str]
    key: Sequence[str]


@dataclass
class Laid:
    """Lay invoices out as rows, and keep what it cost."""

    database: Database
    spent: Spent = field(default_factory=lambda: Spent(0.0, 0.0))

    def pages(self, items: Iterable[SourceInvoice], page: int, columns: int) -> Iterator[list[Row]]:
        """Give a page of rows after another."""
        waiting = iter(items)
        while taken := list(islice(waiting, page)):
            started = self.database.spent()
            rows = [row(item)[:columns] for item in taken]
            self.spent += self.database.spent() - started
            yield rows


def row(item: SourceInvoice) -> Row:
    """Lay an invoice out as the columns of `FULL`."""
    due = item.instalments[0].due_date
    return (
        "cmp_1",
        "cnx_1",
        item.ref,
        item.number,
        item.kind,
        item.state,
        item.issue_date.isoformat(),
        due.isoformat() if due else None,
        item.currency,
        item.total.minor,
        item.open.minor,
        item.debtor.siren,
        item.model_dump_json(),
    )


def upsert(
    database: Database, url: str, items: Iterable[SourceInvoice], page: int, columns: Sequence[str]
) -> tuple[Spent, Spent]:
    """Upsert all of them, a transaction a page; give the time of it, and that of laying out."""
    swept()
    laid = Laid(database)
    make = _table(columns)
    ready = laid.pages(items, page, len(columns))
    return load(database, url, Into("invoice", columns, KEY), ready, make), laid.spent


def load(database: Database, url: str, into: Into, ready: Ready, *before: str) -> Spent:
    """Upsert pages that are ready, each in a transaction; `before` is said outside the time."""
    return (_sqlite if database.sqlite else _postgres)(database, url, into, ready, before)


def _table(columns: Sequence[str]) -> str:
    kinds = ", ".join(f"{name} {'bigint' if name in CENTS else 'text'}" for name in columns)
    return f"create table if not exists invoice ({kinds}, primary key ({', '.join(KEY)}))"


def _conflict(into: Into, differs: str) -> str:
    rest = [name for name in into.columns if name not in into.key]
    sets = ", ".join(f"{name} = excluded.{name}" for name in rest)
    news = " or ".join(f"{into.table}.{name} {differs} excluded.{name}" for name in rest)
    return f"on conflict ({', '.join(into.key)}) do update set {sets} where {news}"


def _sqlite(database: Database, url: str, into: Into, ready: Ready, before: Sequence[str]) -> Spent:
    marks = ", ".join("?" * len(into.columns))
    statement = (
        f"insert into {into.table} ({', '.join(into.columns)}) values ({marks}) "
        + _conflict(into, "is not")
    )
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as raw:
        for said in ("pragma journal_mode = wal", "pragma synchronous = normal", *before):
            raw.execute(said)
        total = Spent(0.0, 0.0)
        for taken in ready:
            started = database.spent()
            raw.execute("begin immediate")
            raw.executemany(statement, taken)
            raw.execute("commit")
            total += database.spent() - started
    return total


def _postgres(
    database: Database, url: str, into: Into, ready: Ready, before: Sequence[str]
) -> Spent:
    psycopg: Any = import_module("psycopg")
    listed = ", ".join(into.columns)
    merge = f"insert into {into.table} ({listed}) select {listed} from stage "
    merge += _conflict(into, "is distinct from")
    stage = f"as select {listed} from {into.table} with no data"
    with psycopg.connect(url.replace("+psycopg", "", 1)) as raw:
        for said in (*before, f"create temp table stage on commit delete rows {stage}"):
            raw.execute(said)
        raw.commit()
        total = Spent(0.0, 0.0)
        for taken in ready:
            started = database.spent()
            with raw.cursor() as cursor:
                with cursor.copy(f"copy stage ({listed}) from stdin") as copy:
                    for each in taken:
                        copy.write_row(each)
                cursor.execute(merge)
            raw.commit()
            total += database.spent() - started
    return total
