"""Kill the real daemon while partners tell it by day what happened, over real HTTP.

Customers pay the company directly and the collector; both partners tell of it, signed, some of it
lost, doubled, mixed up or late. The daemon dies between a letter and its answer or in a look, with
a night under way beside it; a new one is told again what was not answered. Each sum must be
declared to the collector once, and by day, unless all that told of it was lost.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from encaisse_core import stops
from encaisse_core.app import FOLDER, open_app
from encaisse_core.hooks.receiving import path
from encaisse_core.host import links
from encaisse_core.store import schema
from encaisse_lab import faults_host
from encaisse_lab.faults_post import Letter
from encaisse_lab.faults_processes import LEASE, LONGEST, Processes, Street, logged, street_of
from encaisse_lab.faults_town import Fate

WATCHING = ("--listen", "127.0.0.1:0", "--log", "json")
DIRECT: Fate = "reversed"
"""The invoice customers pay the company for directly: the books alone show it."""

NEVER_ANSWERED = (OSError, urllib.error.URLError)


@dataclass
class Watched:
    """Hold where a daemon that keeps watch is heard, and what partners tell it."""

    street: Street
    paths: Mapping[str, str]
    company: str
    day: int = 0
    paid: int = 0
    port: int = 0
    logs: list[Path] = field(default_factory=list[Path])

    def start(self) -> subprocess.Popen[bytes]:
        """Start a daemon that waits for its night, and wait until it listens."""
        self.street.live_now()
        log = Path(self.street.environ[FOLDER]) / f"watch-{len(self.logs)}.log"
        self.logs.append(log)
        daemon = logged("faults_child", WATCHING, self.street.environ, log)
        until = time.monotonic() + LONGEST
        while time.monotonic() < until and daemon.poll() is None:
            found = [line["port"] for line in self.said() if line.get("event") == "listening"]
            if found:
                self.port = found[0]
                return daemon
            time.sleep(0.05)
        self.street.told.failed.append(f"a watching daemon does not listen: {daemon.poll()}")
        return daemon

    def said(self) -> list[dict[str, Any]]:
        """Read what the last daemon logged; a line cut by its death is left out."""
        lines = self.logs[-1].read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def happens(self) -> None:
        """Let a customer pay the company, others the collector, and partners draw up letters."""
        street = self.street
        street.pay()
        with street.world.locked():
            self.paid += 1
            bill = street.town.bills[DIRECT]
            today = street.world.now.date()
            street.town.books.receive(bill.account, today, self.paid, number=bill.number)
            street.told.direct += self.paid
            self.day += 1
            street.town.post.collect(street.world, self.day)

    def tell(self, most: int | None = None) -> None:
        """Send letters until none is due, `most` at most; what nobody answers stays to be sent."""
        post = self.street.town.post
        while (letter := post.next(self.day)) is not None and most != 0:
            answer = self._posted(letter)
            if answer is None:
                return
            if answer != letter.answered:
                self.street.told.failed.append(f"{letter.partner}, {letter.way}: {answer}")
            post.took(letter)
            most = None if most is None else most - 1

    def _posted(self, letter: Letter) -> int | None:
        where = f"http://127.0.0.1:{self.port}{self.paths[letter.partner]}"
        headers = dict(letter.signed(datetime.now(UTC)))
        request = urllib.request.Request(where, data=letter.body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except NEVER_ANSWERED:
            return None

    def whisper(self) -> None:
        """Send a letter and hang up without hearing the answer: it is sent again later."""
        letter = self.street.town.post.next(self.day)
        if letter is None:
            return
        lines = [f"POST {self.paths[letter.partner]} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in letter.signed(datetime.now(UTC))]
        lines += [f"Content-Length: {len(letter.body)}", "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
            line.sendall("\r\n".join(lines).encode() + letter.body)
            time.sleep(self.street.chance.uniform(0.0, 0.03))

    def quiet(self) -> bool:
        """Wait until nothing told waits for a look and no stop for its answer."""
        until = time.monotonic() + LONGEST / 10
        app = open_app(self.street.environ)
        d, e = schema.delivery.c, schema.effect.c
        unheard = select(func.count()).select_from(schema.delivery).where(d.looked_at.is_(None))
        unsent = (
            select(func.count())
            .select_from(schema.effect)
            .where(e.kind.in_(stops.STOP_KINDS), e.finished_at.is_(None))
        )
        try:
            while time.monotonic() < until:
                with app.of(self.company).host.store.begin() as tx:
                    if not tx.execute(unheard).scalar_one() + tx.execute(unsent).scalar_one():
                        return True
                time.sleep(0.1)
        finally:
            app.close()
        return False


def run(seed: int, *, kills: int, database: str | None = None) -> Processes:
    """Kill a daemon that is told things that often, let nights run to their end, then judge."""
    told = Processes("sqlite" if database is None else "postgresql")
    with street_of(seed, told, database) as street:
        _strike(street, kills)
        for _ in range(2):
            time.sleep(LEASE / 10)
            street.peace()
    return told


def _strike(street: Street, kills: int) -> None:
    """Kill a watching daemon that often, each time at another moment; then let one end in peace."""
    app = open_app(street.environ)
    try:
        company = faults_host.company(app)
        with app.of(company).host.store.begin() as tx:
            paths = {each.connector: path(company, each.id) for each in links(tx, company)}
    finally:
        app.close()
    watched = Watched(street, paths, company)
    for number in range(kills):
        daemon = watched.start()
        beside = street.start() if number % 3 == 2 else None
        watched.happens()
        if number % 2:
            watched.tell(street.chance.randint(0, 5))
            watched.whisper()
        else:
            before = street.world.calls
            watched.tell()
            _calls_come(street, before)
        daemon.kill()
        daemon.communicate()
        street.told.kills += 1
        street.told.killed_midway += 1
        if beside is not None:
            street.end(beside)
    watched.happens()
    daemon = watched.start()
    watched.tell()
    if not watched.quiet():
        street.told.failed.append("what was told was not looked at")
    daemon.terminate()
    street.end(daemon)


def _calls_come(street: Street, before: int) -> None:
    """Wait until the daemon looks, and a random few of its calls more."""
    until = time.monotonic() + LONGEST / 10
    more = before + street.chance.randint(1, 40)
    while street.world.calls < more and time.monotonic() < until:
        time.sleep(0.002)
