"""Drain the outbox, each result committed by itself, beside a loop that makes the same commits.

Ours takes an effect, fences it, hands it to a partner in memory and writes the proof with its event
of the journal, by the very code of the night. The raw loop makes the same three transactions on a
table of its own and does nothing else: no look at who holds what, no event, no partner.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, ClassVar

from encaisse_api import (
    Absent,
    Connector,
    Context,
    Granted,
    Manifest,
    Pause,
    Receipt,
    Write,
)
from encaisse_core import outbox, runner
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import insert_many
from encaisse_lab.bench.host import house
from encaisse_lab.bench.host.databases import Database
from encaisse_lab.bench.host.found import Bench, Finding, Spent, compared, rates, ratio
from encaisse_lab.bench.host.invented import SELLER
from encaisse_lab.bench.judging import Goal, Verdict

DRAIN = Goal(
    "drain",
    0.5,
    "effects carried out, each result committed, part of a raw loop of the same commits",
    "envois faits, chaque résultat validé, part d'une boucle brute des mêmes transactions",
)
BACKLOG = Goal(
    "backlog",
    0.8,
    "the same with a hundred times the backlog, part of the speed with a small one",
    "les mêmes avec cent fois plus d'envois en attente, part de la vitesse avec peu",
)
TAKEN = 1_000
"""Effects carried out in one round; what is left of the backlog stays."""

SMALLER = 100
EFFECT = (
    "company_id", "id", "kind", "subject", "cause", "key", "connection_id", "lane", "state",
    "payload", "payload_version", "ready_at", "created_at",
)  # fmt: skip
PAGE = 10_000
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class BenchCollector:
    """Take stops in memory, once for each key."""

    manifest: ClassVar[Manifest] = Manifest(
        slug="benchcollector",
        name="Recouvreur d'essai",
        summary_fr="Pour les mesures.",
        contract="documented",
        streams={},
        writes={"pause": Write(guarantee="key")},
    )
    taken: ClassVar[set[str]] = set()

    def __init__(self, context: Context) -> None:
        self.context = context

    def probe(self) -> Granted:
        """Answer for the company."""
        return Granted(siren=SELLER)

    def find_pause(self, key: str, pause: Pause) -> Receipt | Absent:
        """Look a stop up by its key."""
        if key in self.taken:
            return Receipt(remote_id=key)
        return Absent(searched="la mémoire", at=self.context.now)

    def pause(self, key: str, pause: Pause) -> Receipt:
        """Take a stop."""
        self.taken.add(key)
        return Receipt(remote_id=key)


def measure(bench: Bench) -> Iterator[Finding]:
    """Alternate ours with a small backlog, ours with a large one, and the raw loop."""
    small, large = max(TAKEN * 2, bench.rows // SMALLER), max(TAKEN * 2, bench.rows)
    taken: dict[str, list[Spent]] = {"small": [], "large": [], "raw": []}
    urls = {"small": bench.database.fresh(), "large": bench.database.fresh()}
    known: dict[str, type[Connector]] = {"benchcollector": BenchCollector}
    for name, size in (("small", small), ("large", large)):
        bench.tell(f"{bench.database.name}, {size} envois en attente")
        with house.opened(urls[name], bench.folder / f"home-{name}", known) as opened:
            plan(opened, size + TAKEN * bench.rounds)
    for number in range(1, bench.rounds + 1):
        bench.tell(f"{bench.database.name}, envois, tour {number}/{bench.rounds}")
        for name in ("small", "large"):
            with house.opened(urls[name], bench.folder / f"home-{name}", known) as opened:
                taken[name].append(_ours(bench, opened))
        taken["raw"].append(_raw(bench.database))
    for url in urls.values():
        bench.database.drop(url)
    yield compared(bench, DRAIN, TAKEN, ("ours", taken["small"]), ("raw", taken["raw"]))
    figures = rates(f"of {small}", TAKEN, taken["small"]) | rates(
        f"of {large}", TAKEN, taken["large"]
    )
    figures["large beside small"] = ratio(taken["small"], taken["large"])
    if large < small * SMALLER:
        verdict = Verdict(BACKLOG, None, f"needs {TAKEN * 2 * SMALLER:,} rows or more")
    else:
        verdict = Verdict(BACKLOG, figures["large beside small"])
    yield Finding(verdict, bench.database.name, figures)


def plan(opened: house.House, count: int) -> None:
    """Write effects down as a night would, a moment after each other."""
    for first in range(0, count, PAGE):
        with opened.app.host.store.begin() as tx:
            insert_many(
                tx,
                schema.effect,
                EFFECT,
                [_effect(opened, number) for number in range(first, min(first + PAGE, count))],
            )


def _effect(opened: house.House, number: int) -> tuple[Any, ...]:
    key = outbox.key_of(opened.company, "pause", f"prc_{number}", "bench")
    at = stamp(LONG_AGO + timedelta(milliseconds=number))
    return (
        opened.company, f"eff_{number:026d}", "pause", f"prc_{number}", "bench", key,
        opened.links[0].id, outbox.LANES["pause"], "planned",
        f'{{"procedure_ref": "p-{number}", "reason": "dispute"}}', outbox.PAYLOAD_VERSION, at, at,
    )  # fmt: skip


def _ours(bench: Bench, opened: house.House) -> Spent:
    """Carry some effects out; one that fails is no measure."""
    left = [TAKEN + 1]

    def enough() -> bool:
        left[0] -= 1
        return left[0] == 0

    started = bench.database.spent()
    done = runner.drain(opened.app.host, opened.company, ("pause",), stop_asked=enough)
    spent = bench.database.spent() - started
    if done.outcomes != {"done": TAKEN}:
        raise AssertionError(f"effects ended as {dict(done.outcomes)}")
    return spent


LOOP: Sequence[Sequence[str]] = (
    (
        "select id, payload from effect where state in ('planned','sending','uncertain') "
        "and ready_at <= {now} order by lane, ready_at limit 1",
        "update effect set state = 'sending', token = 'x', ready_at = '2099' where id = {id}",
    ),
    ("select ready_at from effect where id = {id} and token = 'x'",),
    (
        "update effect set state = 'done', token = null, receipt = 'r' "
        "where id = {id} and token = 'x'",
        "insert into event (at, body) values ('2026', {id})",
    ),
)
"""What each of the three transactions says."""


def _raw(database: Database) -> Spent:
    url = database.fresh()
    mark = "?" if database.sqlite else "%s"
    loop = [[said.format(now="'2026-06'", id=mark) for said in part] for part in LOOP]
    with closing(_connect(database, url)) as raw:
        execute: Callable[..., Any] = raw.execute
        for said in (
            "create table effect (id text primary key, lane int, ready_at text, state text,"
            " token text, payload text, receipt text)",
            "create index ready on effect (lane, ready_at)"
            " where state in ('planned','sending','uncertain')",
            "create table event (at text, body text)",
        ):
            execute(said)
        many: Callable[..., Any] = raw.cursor().executemany
        execute("begin")
        many(
            f"insert into effect values ({mark}, 0, {mark}, 'planned', null, '{{}}', null)",
            [(f"eff_{n:026d}", stamp(LONG_AGO + timedelta(milliseconds=n))) for n in range(TAKEN)],
        )
        execute("commit")
        begin = "begin immediate" if database.sqlite else "begin"
        started = database.spent()
        for _ in range(TAKEN):
            execute(begin)
            (effect_id, _payload) = execute(loop[0][0]).fetchone()
            execute(loop[0][1], (effect_id,))
            execute("commit")
            for part in loop[1:]:
                execute(begin)
                for said in part:
                    execute(said, (effect_id,))
                execute("commit")
        spent = database.spent() - started
    database.drop(url)
    return spent


def _connect(database: Database, url: str) -> Any:
    if not database.sqlite:
        return import_module("psycopg").connect(url.replace("+psycopg", "", 1), autocommit=True)
    raw = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    raw.execute("pragma journal_mode = wal")
    raw.execute("pragma synchronous = normal")
    return raw
