"""What a program of one page would do with the same rows: upsert them, and nothing else.

The raw peers keep the same columns of each invoice as ours does, the record as text included, which
they are given ready to write; `BARE` leaves the record out. They know no cursor, no event, no
company but one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
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
) -> Spent:
    """Upsert all of them, a transaction a page; give the time without that of making the rows."""
    load = _sqlite if database.sqlite else _postgres
    swept()
    laid = (row(item)[: len(columns)] for item in items)
    return load(database, url, laid, page, columns)


def _pages(rows: Iterable[Row], page: int) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while taken := list(islice(waiting, page)):
        yield taken


def _table(columns: Sequence[str]) -> str:
    kinds = ", ".join(f"{name} {'bigint' if name in CENTS else 'text'}" for name in columns)
    return f"create table if not exists invoice ({kinds}, primary key ({', '.join(KEY)}))"


def _conflict(columns: Sequence[str], differs: str) -> str:
    rest = [name for name in columns if name not in KEY]
    sets = ", ".join(f"{name} = excluded.{name}" for name in rest)
    news = " or ".join(f"invoice.{name} {differs} excluded.{name}" for name in rest)
    return f"on conflict ({', '.join(KEY)}) do update set {sets} where {news}"


def _sqlite(
    database: Database, url: str, rows: Iterable[Row], page: int, columns: Sequence[str]
) -> Spent:
    statement = (
        f"insert into invoice ({', '.join(columns)}) values ({', '.join('?' * len(columns))}) "
        + _conflict(columns, "is not")
    )
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as raw:
        raw.execute("pragma journal_mode = wal")
        raw.execute("pragma synchronous = normal")
        raw.execute(_table(columns))
        total = Spent(0.0, 0.0)
        for taken in _pages(rows, page):
            started = database.spent()
            raw.execute("begin immediate")
            raw.executemany(statement, taken)
            raw.execute("commit")
            total += database.spent() - started
    return total


def _postgres(
    database: Database, url: str, rows: Iterable[Row], page: int, columns: Sequence[str]
) -> Spent:
    psycopg: Any = import_module("psycopg")
    listed = ", ".join(columns)
    merge = f"insert into invoice ({listed}) select {listed} from stage " + _conflict(
        columns, "is distinct from"
    )
    with psycopg.connect(url.replace("+psycopg", "", 1)) as raw:
        raw.execute(_table(columns))
        raw.execute("create temp table stage (like invoice) on commit delete rows")
        raw.commit()
        total = Spent(0.0, 0.0)
        for taken in _pages(rows, page):
            started = database.spent()
            with raw.cursor() as cursor:
                with cursor.copy(f"copy stage ({listed}) from stdin") as copy:
                    for each in taken:
                        copy.write_row(each)
                cursor.execute(merge)
            raw.commit()
            total += database.spent() - started
    return total
