"""Drain the outbox, each result committed by itself, beside a loop that makes the same commits.

Ours takes an effect, fences it, hands it to a partner in memory and writes the proof with its
events of the journal, by the very code of the night. The raw loop (`raw_outbox.py`) leaves the same
rows in the same tables by the same transactions, and does nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import insert_many
from encaisse_lab.bench.host import house, raw_outbox
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
    urls = {name: bench.database.fresh() for name in taken}
    company = ""
    known: dict[str, type[Connector]] = {"benchcollector": BenchCollector}
    for name, size in (("small", small), ("large", large), ("raw", small)):
        bench.tell(f"{bench.database.name}, {size} envois en attente")
        with house.opened(urls[name], bench.folder / f"home-{name}", known) as opened:
            count = size + TAKEN * bench.rounds
            plan(opened.app.host, opened.company, opened.links[0].id, count)
            company = opened.company
    for number in range(1, bench.rounds + 1):
        bench.tell(f"{bench.database.name}, envois, tour {number}/{bench.rounds}")
        for name in ("small", "large"):
            with house.opened(urls[name], bench.folder / f"home-{name}", known) as opened:
                taken[name].append(_ours(bench, opened))
        taken["raw"].append(raw_outbox.drain(bench.database, urls["raw"], company, TAKEN))
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


def plan(host: Host, company: str, link: str, count: int) -> None:
    """Write effects down as a night would, a moment after each other."""
    with_company = host.of(company).store
    for first in range(0, count, PAGE):
        numbers = range(first, min(first + PAGE, count))
        with with_company.begin() as tx:
            insert_many(
                tx, schema.effect, EFFECT, [_effect(company, link, each) for each in numbers]
            )


def _effect(company: str, link: str, number: int) -> tuple[Any, ...]:
    key = outbox.key_of(company, "pause", f"prc_{number}", "bench")
    at = stamp(LONG_AGO + timedelta(milliseconds=number))
    return (
        company, f"eff_{number:026d}", "pause", f"prc_{number}", "bench", key, link,
        outbox.LANES["pause"], "planned",
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
