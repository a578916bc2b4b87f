"""Be the drain's peer: a loop of one page that leaves the very rows ours leaves, and no more.

The tables, indexes and rows are the host's own, and so is what lands in them: the claim under a
token and a lease, a read of the fence, and the result with the events it appends to the company's
chain. There is no partner, no lent client, no check of who may be called, and nothing is built that
is not written.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from encaisse_api import Receipt
from encaisse_core.journal.form import FIRST
from encaisse_core.outbox import LEASE
from encaisse_core.store.engine import stamp
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Spent

NEXT = (
    "select id, key, subject, payload, created_at from effect"
    " where state in ('planned','sending','uncertain') and company_id = {0} and kind = 'pause'"
    " and ready_at <= {0} order by lane, ready_at, created_at, id limit 1"
)
TAKE = (
    "update effect set state = 'sending', token = {0}, ready_at = {0}, attempts = attempts + 1"
    " where company_id = {0} and id = {0}"
)
FENCE = "select ready_at from effect where company_id = {0} and id = {0} and token = {0}"
DONE = (
    "update effect set state = 'done', token = null, reason = null, ready_at = {0},"
    " finished_at = {0}, remote_id = {0}, receipt = {0}"
    " where company_id = {0} and id = {0} and token = {0}"
)
LAST = "select sequence, hash from event where company_id = {0} order by sequence desc limit 1"
EVENT = (
    "insert into event (company_id, sequence, at, kind, subject, body, previous, hash)"
    " values ({0}, {0}, {0}, {0}, {0}, {0}, {0}, {0})"
)
RECEIPT = json.dumps(Receipt(remote_id="KEY").model_dump(mode="json"), sort_keys=True)


def drain(database: Database, url: str, company: str, count: int) -> Spent:
    """Carry `count` effects out, each claim and each result a transaction of its own."""
    mark = "?" if database.sqlite else "%s"
    begin = "begin immediate" if database.sqlite else "begin"
    following, take, fence, done, last, event = (
        said.format(mark) for said in (NEXT, TAKE, FENCE, DONE, LAST, EVENT)
    )
    with closing(connect(database, url)) as raw:
        execute: Callable[..., Any] = raw.execute
        started = database.spent()
        for number in range(count):
            now = datetime.now(UTC)
            token = f"{number:032x}"
            execute(begin)
            found = execute(following, (company, stamp(now))).fetchone()
            effect_id, key, subject, _payload, created_at = found
            execute(take, (token, stamp(now + LEASE), company, effect_id))
            execute("commit")
            execute(begin)
            (until,) = execute(fence, (company, effect_id, token)).fetchone()
            execute("commit")
            if until <= stamp(now):
                raise AssertionError("the lease is over")
            at = stamp(datetime.now(UTC))
            execute(begin)
            receipt = RECEIPT.replace("KEY", key)
            execute(done, (at, at, key, receipt, company, effect_id, token))
            sequence, previous = execute(last, (company,)).fetchone() or (0, FIRST)
            waited = int((now - datetime.fromisoformat(created_at)) / timedelta(seconds=1))
            for kind, about, body in (
                ("effect_done", effect_id, {"kind": "pause", "remote_id": key, "subject": subject}),
                ("stop_acknowledged", subject, {"kind": "pause", "seconds": waited}),
            ):
                sequence += 1
                text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
                hash_ = _hash(previous, company, sequence, at, kind, about, text)
                execute(event, (company, sequence, at, kind, about, text, previous, hash_))
                previous = hash_
            execute("commit")
        return database.spent() - started


def _hash(
    previous: str, company: str, sequence: int, at: str, kind: str, subject: str, body: str
) -> str:
    said = {"at": at, "company": company, "kind": kind, "sequence": sequence, "subject": subject}
    header = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{header}\n{body}".encode()).hexdigest()


def connect(database: Database, url: str) -> Any:
    """Open a database by its driver, as the store sets it."""
    if not database.sqlite:
        return import_module("psycopg").connect(url.replace("+psycopg", "", 1), autocommit=True)
    raw = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
        raw.execute(f"pragma {pragma}")
    return raw
