"""Run one night of a crowd on virtual time: the real daemon, outbox, quotas and lookout.

Ten thousand companies with three connections each share quotas their partners count themselves. All
night long customers pay their creditors, whose tool tells it; each must be left in peace within a
minute, however many pulls wait. One partner is down for an hour.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from encaisse_core.cli.session import Session
from encaisse_core.crew import Crew
from encaisse_core.daemon import Daemon
from encaisse_core.hooks.lookout import Lookout
from encaisse_core.hooks.receiving import Letterbox
from encaisse_core.store import schema
from encaisse_core.store.engine import instant
from encaisse_lab.crowd_quotas import WIDE
from encaisse_lab.crowd_town import TOOLS, Crowd, Paying, settle
from encaisse_simulator.factomos.tool import HOST as DOWN

NIGHT = timedelta(hours=5)
PEACE = timedelta(seconds=60)
MANY = 10_000
"""Pulls in line while a stop must still go through within `PEACE`."""

EVENING = timedelta(hours=10)
"""From the last company's arrival to the night."""

OUTAGE = (0.15, 0.35)
"""Between which shares of the expected night one tool is down."""

SHORTEST = timedelta(seconds=15)
"""How long it is down at least, so that a small crowd meets it too."""

CALLS_OF_A_COMPANY = 7
"""Calls of the collector that a quiet company's night takes: what its length is expected by."""

WATCH = 1.0
"""Seconds between two looks of the lookout, which in a daemon is woken at once."""

Tell = Callable[[str], None]


@dataclass
class Lived:
    """Hold what one night was: how long, what each partner counted, how long each stop took."""

    seed: int
    companies: int
    hands: int
    quotas: dict[str, list[str]]
    hours: float = 0.0
    begun: int = 0
    """Companies whose night began."""
    code: int = 0
    calls: dict[str, int] = field(default_factory=dict[str, int])
    scopes: int = 0
    over: list[str] = field(default_factory=list[str])
    nights: Counter[str] = field(default_factory=Counter[str])
    told: int = 0
    in_line: dict[str, int] = field(default_factory=dict[str, int])
    """By invoice, how many pulls had not begun when its payment was told."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """By invoice, the seconds from the delivery to the collector's acknowledgement."""
    cpu_seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give the figures, without those of single invoices."""
        took = sorted(self.seconds.values())
        crowded = [s for name, s in self.seconds.items() if self.in_line[name] >= MANY]
        return {
            "seed": self.seed,
            "companies": self.companies,
            "connections": self.companies * len(TOOLS),
            "hands": self.hands,
            "quotas": self.quotas,
            "companies_begun": self.begun,
            "night_hours": round(self.hours, 3),
            "exit_code": self.code,
            "calls": self.calls,
            "nights": dict(sorted(self.nights.items())),
            "scopes": self.scopes,
            "over": self.over,
            "stops_told": self.told,
            "stops_acknowledged": len(took),
            "stop_p50": _share(took, 0.5),
            "stop_p95": _share(took, 0.95),
            "stop_most": _share(took, 1.0),
            "stops_with_many_in_line": len(crowded),
            "stop_most_with_many_in_line": _share(sorted(crowded), 1.0),
            "cpu_seconds": round(self.cpu_seconds, 1),
        }

    def faults(self) -> list[str]:
        """Say in French what does not hold."""
        found = [f"quota dépassé : {each}" for each in self.over]
        if self.hours > NIGHT.total_seconds() / 3600:
            found.append(f"la nuit dure {self.hours:.2f} h")
        if missing := self.told - len(self.seconds):
            found.append(f"{missing} arrêt(s) sans réponse")
        took = sorted(self.seconds.values())
        if not took or (p95 := _share(took, 0.95)) is None or p95 > PEACE.total_seconds():
            found.append("des arrêts prennent plus d'une minute")
        if self.nights["night_failed"]:
            found.append(f"{self.nights['night_failed']} nuit(s) en échec")
        return found


def live(
    seed: int,
    companies: int,
    paying: int,
    hands: int,
    tell: Tell = lambda _: None,
    *,
    nights: int | None = None,
) -> Lived:
    """Settle a crowd in, and live through one night; `nights` ends it once so many have begun."""
    started = time.process_time()
    with (
        tempfile.TemporaryDirectory(prefix="encaisse-foule-") as place,
        settle(seed, companies, paying, Path(place)) as crowd,
    ):
        tell(f"{companies} sociétés, {companies * len(TOOLS)} connexions")
        found = _night(seed, crowd, hands, tell, nights or companies)
    found.cpu_seconds = time.process_time() - started
    return found


def _night(seed: int, crowd: Crowd, hands: int, tell: Tell, nights: int) -> Lived:
    stage, street = crowd.stage, crowd.street
    found = Lived(seed, len(crowd.companies), hands, _quotas())
    stage.sleep(EVENING.total_seconds())
    street.keep_time(now=True)
    street.calls.clear()
    began = stage.now()
    expected = timedelta(seconds=CALLS_OF_A_COMPANY * nights / _busiest())
    falls = began + OUTAGE[0] * expected
    street.down[DOWN] = (falls, max(began + OUTAGE[1] * expected, falls + SHORTEST))
    over: list[datetime] = []
    begun: set[str] = set()

    def write(line: str) -> None:
        said = json.loads(line)
        found.nights[said["event"]] += 1
        if said["event"] == "phase" and said["phase"] == "pull":
            begun.add(said["company"])
            if len(begun) % 100 == 0 and len(begun) not in marks:
                marks.add(len(begun))
                tell(f"{len(begun)} nuits, {(stage.now() - began).total_seconds() / 3600:.2f} h")

    marks: set[int] = set()
    lookout = Lookout(crowd.host)
    letterbox = Letterbox(crowd.host, crowd.app.vault, lookout.wake)

    def watch() -> None:
        while not over or len(found.in_line) > _acknowledged(crowd, found):
            lookout.once()
            stage.sleep(WATCH)
            if over and stage.now() - over[0] > timedelta(hours=1):
                return

    def pay() -> None:
        chance = Random(f"crowd-{seed}")
        for who in crowd.paying:
            stage.sleep(chance.expovariate(1.0) * expected.total_seconds() / len(crowd.paying))
            if over:
                return
            _tell_of(crowd, who, letterbox, found, (len(crowd.companies) - len(begun)) * len(TOOLS))

    def rest(seconds: float) -> bool:
        stage.sleep(seconds)
        return False

    watching, paying = stage.starts(watch), stage.starts(pay)
    daemon = Daemon(
        app=crowd.app,
        session=Session({}, folder=crowd.app.folder, clock=stage),
        write=write,
        wait=rest,
        stop_asked=lambda: len(begun) >= nights < len(crowd.companies),
        crew=Crew(hands, stage.starts),
    )
    found.code = daemon.run_once()
    found.hours, found.begun = (stage.now() - began).total_seconds() / 3600, len(begun)
    over.append(stage.now())
    paying.join()
    watching.join()
    _acknowledged(crowd, found)
    found.calls = dict(sorted(street.calls.items()))
    found.scopes, found.over = len(street.counted), street.over()
    return found


def _tell_of(crowd: Crowd, who: Paying, letterbox: Letterbox, found: Lived, in_line: int) -> None:
    """Let a customer pay, and deliver what the tool says of it."""
    where, headers, body = crowd.pay(who)
    status = letterbox.take(where, tuple(headers.items()), body)
    if status != 200:
        raise RuntimeError(f"a true delivery was answered {status}")
    found.told += 1
    found.in_line[who.number] = in_line


def _acknowledged(crowd: Crowd, found: Lived) -> int:
    """Note the stops the collector acknowledged; return how many there are."""
    e, c = schema.effect.c, schema.claim.c
    query = (
        select(c.number, e.finished_at)
        .join(schema.claim, (e.company_id == c.company_id) & (e.subject == c.id))
        .where(e.kind == "declare_direct_payment", e.state == "done")
    )
    told = {who.number: who.told for who in crowd.paying}
    with crowd.host.store.overseeing().begin() as tx:
        for number, at in tx.execute(query):
            begin = told[number]
            if begin is not None:
                found.seconds[number] = (instant(at) - begin).total_seconds()
    return len(found.seconds)


def _busiest() -> float:
    """Give the calls a second the collector allows, which every night needs most of."""
    wide = next(quota for quota in WIDE["gcollect"] if quota.scope == "partner")
    return wide.limit / wide.period.total_seconds()


def _quotas() -> dict[str, list[str]]:
    return {
        slug: [f"{q.scope} {q.limit}/{q.period.total_seconds():g} s" for q in quotas]
        for slug, quotas in WIDE.items()
    }


def sentence(figures: Mapping[str, Any]) -> str:
    """Tell the figures in a few lines of French."""
    return "\n".join(
        (
            f"Graine {figures['seed']} : {figures['connections']} connexions, "
            f"{figures['hands']} nuits à la fois.",
            f"La nuit dure {figures['night_hours']} h en temps virtuel "
            f"({figures['cpu_seconds']} s de calcul).",
            f"{figures['scopes']} quotas comptés chez les partenaires, "
            f"{len(figures['over'])} dépassé(s).",
            f"{figures['stops_acknowledged']} arrêts sur {figures['stops_told']} confirmés : "
            f"médiane {figures['stop_p50']} s, 95 % en {figures['stop_p95']} s, "
            f"au plus {figures['stop_most']} s.",
        )
    )


def _share(ordered: list[float], share: float) -> float | None:
    """Give the value below which a share of them lies, by the nearest rank."""
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(len(ordered) * share) - 1)], 3)
