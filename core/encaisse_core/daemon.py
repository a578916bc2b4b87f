"""The nightly daemon: sleep until 04:10 in Paris, run every company's night, sleep again.

04:10 exists every day, also on the two nights the clocks change. What it does is logged, one JSON
object a line, without personal data. Two daemons on one store do each thing once (leases see to
that), but the second says that it is not alone.
"""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from encaisse_api import PartnerError
from encaisse_core import crew
from encaisse_core.app import App
from encaisse_core.cli.ending import TERMINATED
from encaisse_core.cli.mishap import expected, write_incident
from encaisse_core.cli.session import Session
from encaisse_core.clock import PARIS
from encaisse_core.crew import Crew
from encaisse_core.errors import DONE, ITEMS_REFUSED, STORE, HostError
from encaisse_core.host import Host, companies
from encaisse_core.nightly import PHASES, PULL_AGAIN, Night, Phase, run_night
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.upsert import bulk_upsert
from encaisse_core.watch.outside import Outside

GONE = ("stopped", "once")
"""What a heartbeat says last: a daemon was told to end, a single night is over."""

HEARTBEAT = "daemon"
"""The row of the store in which the daemon says that it lives."""

WORKER = "worker:"
"""Begins the rows in which workers say that they live."""

BEAT = timedelta(minutes=5)
"""How often a waiting daemon says so."""

AT = time(4, 10)

OUTCOMES = {DONE: "done", ITEMS_REFUSED: "partial", TERMINATED: "stopped"}
"""What a run is counted as, by the exit code of its worst company; any other code is a failure."""

STOPPED = TERMINATED
"""The code of nights told to end before they were over; they start over the next time."""


def next_run(now: datetime, at: time = AT) -> datetime:
    """Give the next instant after `now` at which clocks in Paris show `at`; aware, UTC.

    On the spring night one hour does not exist: a time in it falls an hour later. On the autumn
    night one exists twice: the first counts, once. Raises ValueError for a `now` without a zone.
    """
    if now.tzinfo is None:
        raise ValueError("a schedule needs an aware instant")
    day = now.astimezone(PARIS).date()
    while (found := shown_at(day, at)) <= now:
        day += timedelta(days=1)
    return found


def shown_at(day: date, at: time) -> datetime:
    """Give the instant at which clocks in Paris first show `at` on a day; UTC."""
    return datetime.combine(day, at.replace(fold=0), PARIS).astimezone(UTC)


@dataclass(frozen=True)
class Daemon:
    """Run nights on a schedule. `wait` sleeps some seconds and tells whether to stop."""

    app: App
    session: Session
    write: Callable[[str], object]
    wait: Callable[[float], bool]
    stop_asked: Callable[[], bool]
    at: time = AT
    outside: Outside = field(default_factory=Outside)
    name: str = HEARTBEAT
    crew: Crew = field(default_factory=Crew)

    def run_forever(self) -> int:
        """Run a night each day until told to stop; a fault of one night does not end the next.

        Nights that a daemon was killed in are run first: a stop that was not sent does not wait a
        day. Where another daemon lives they may be its own, under way.
        """
        if not self.meet_others() and self._cut_short() and not self.stop_asked():
            self.run_once()
        while not self.stop_asked():
            due = next_run(self.app.host.clock.now(), self.at)
            self.log("waiting", until=due.isoformat())
            if not self._wait_until(due):
                break
            self.run_once()
        self.beat("stopped")
        self.log("stopped")
        return DONE

    def _cut_short(self) -> bool:
        """Tell whether any company's night of today was begun and is not over."""
        n = schema.night.c
        today = self.app.host.clock.today().isoformat()
        with self.app.host.store.planning().begin() as tx:
            begun = select(n.company_id).where(n.night == today, n.state == "running").limit(1)
            cut = tx.execute(begun).first() is not None
        if cut:
            self.log("night_cut_short", level="warning", night=today)
        return cut

    def run_and_end(self) -> int:
        """Run every company's night now, as a timer asks it to, and leave nobody watching."""
        self.meet_others()
        code = self.run_once()
        self.beat("stopped" if code == STOPPED else "once")
        return code

    def run_once(self) -> int:
        """Run every company's night now and give the exit code of the worst.

        A night that was told to end before its last phase gives `STOPPED`: it is not done.
        """
        self.beat("running")
        self.outside.begin(self.app.host.ids.new("run"))
        try:
            worst = self._run_all()
        except BaseException:
            self.outside.end("failed", told=False)  # the watcher hears nothing: it says so itself
            raise
        self.outside.end(OUTCOMES.get(worst, "failed"), told=worst != STOPPED)
        return worst

    def _run_all(self) -> int:
        try:
            with self.app.host.store.listing().begin() as tx:
                known = [str(row["id"]) for row in companies(tx)]
        except HostError as error:
            self.log("night_failed", level="error", sentence=error.message)
            return error.exit_code
        codes: dict[str, int] = {}
        again = known if len(known) == 1 else crew.spread(known)
        for number, pause in enumerate((timedelta(0), *PULL_AGAIN)):
            if number and (not again or self.wait(pause.total_seconds())):
                break
            again = self._round(again, codes, waits=PULL_AGAIN if len(known) == 1 else ())
        if self.stop_asked():
            for company_id in known:
                if company_id not in codes:
                    self.log("stopping", company=company_id)
                    codes[company_id] = STOPPED
        return max(codes.values(), default=DONE)

    def _round(
        self, due: Sequence[str], codes: dict[str, int], *, waits: tuple[timedelta, ...]
    ) -> list[str]:
        """Give each company its night; return those a partner failed that may answer in a moment.

        They have their night again after the others: a partner that is down for an hour holds up
        its own companies and no hand.
        """
        again: list[str] = []

        def share(company_id: str) -> None:
            if self.stop_asked():
                return
            codes[company_id], passing = self._night(company_id, waits)
            if passing:
                again.append(company_id)

        self.crew.share(due, share)
        return again if not waits else []

    def meet_others(self) -> bool:
        """Say when another daemon seems to be at work on this store."""
        h = schema.heartbeat.c
        with self.app.host.store.begin() as tx:
            row = tx.execute(select(h.at, h.body).where(h.name == HEARTBEAT)).first()
        if row is None:
            return False
        body: dict[str, Any] = json.loads(row.body)
        fresh = self.app.host.clock.now() - instant(row.at) <= 2 * BEAT
        if not fresh or body.get("state") in GONE or not alive(body):
            return False
        self.log(
            "another_daemon",
            level="warning",
            pid=body.get("pid"),
            machine=body.get("machine"),
            sentence="Un autre veilleur tourne sur cette base : sans danger, mais un seul suffit.",
        )
        return True

    def log(self, event: str, *, level: str = "info", **said: Any) -> None:
        """Write one line: when, how grave, what, and ids or counts; never a name or a message."""
        line = {"at": stamp(self.app.host.clock.now()), "level": level, "event": event, **said}
        if self.outside.run is not None:
            line["run"] = self.outside.run
        self.write(json.dumps(line, ensure_ascii=False))

    def _wait_until(self, due: datetime) -> bool:
        """Wait and show signs of life; False when told to stop."""
        clock = self.app.host.clock
        while (left := (due - clock.now()).total_seconds()) > 0:
            self.beat("waiting", next_run=due.isoformat())
            if self.wait(min(left, BEAT.total_seconds())):
                return False
        return True

    def night(self, company_id: str) -> int:
        """Run one company's night and give its exit code; the next company has its own."""
        return self._night(company_id, PULL_AGAIN)[0]

    def _night(self, company_id: str, waits: tuple[timedelta, ...]) -> tuple[int, bool]:
        """Run one company's night; whatever happens, the next company has its own.

        Gives its exit code, and whether it is worth another try tonight.
        """
        ran: list[str] = []
        phases = tuple((name, self._logged(name, phase, ran)) for name, phase in PHASES)
        try:
            with self.outside.spans("company", **{"encaisse.company": company_id}):
                night = run_night(
                    self.app.host,
                    company_id,
                    self.app.signer,
                    phases=phases,
                    stop_asked=self.stop_asked,
                    waits=waits,
                )
        except (HostError, PartnerError) as error:
            sentence, code = expected(error) or ("", STORE)
            # A host's own sentence names no person; a partner's may quote what it was sent.
            told = sentence if isinstance(error, HostError) else type(error).__name__
            self.log("night_failed", level="error", company=company_id, sentence=told)
            return code, False
        except Exception as error:
            where = write_incident(error, self.session)
            self.log(
                "night_failed",
                level="error",
                company=company_id,
                error=type(error).__name__,
                incident=str(where or ""),
            )
            return STORE, False
        counts = _nonzero(night.counts)
        if len(ran) < len(PHASES):
            self.log("night_stopped", level="warning", company=company_id, done=ran, counts=counts)
            return STOPPED, False
        self.log("night", company=company_id, counts=counts)
        failed = night.failures or night.counts["unreadable"]
        return ITEMS_REFUSED if failed else DONE, bool(night.passing)

    def _logged(self, name: str, phase: Phase, ran: list[str]) -> Phase:
        def run(host: Host, night: Night) -> None:
            before, failed = Counter(night.counts), set(night.failures)
            start = host.clock.monotonic()
            outcome = "failed"
            try:
                with self.outside.spans(f"phase {name}", **{"encaisse.company": night.company_id}):
                    phase(host, night)
                outcome = "done"
                ran.append(name)
            finally:
                new = sorted(set(night.failures) - failed)
                seconds = host.clock.monotonic() - start
                self.outside.phase(
                    name, "partial" if outcome == "done" and new else outcome, seconds
                )
                self.outside.pulled(night.counts - before)
                self.log(
                    "phase",
                    level="info" if outcome == "done" and not new else "warning",
                    company=night.company_id,
                    night=night.night.isoformat(),
                    phase=name,
                    outcome="partial" if outcome == "done" and new else outcome,
                    counts=_nonzero(night.counts - before),
                    connections_failed=new,
                    seconds=f"{seconds:.3f}",
                )
            self.beat("running")

        return run

    def beat(self, state: str, **more: str) -> None:
        """Show a sign of life; a store that does not take it is said, and does not stop us."""
        self.outside.pulse.tick(state)
        body = {"pid": os.getpid(), "machine": socket.gethostname(), "state": state, **more}
        row = {
            "name": self.name,
            "at": stamp(self.app.host.clock.now()),
            "body": json.dumps(body, sort_keys=True),
        }
        try:
            with self.app.host.store.begin() as tx:
                bulk_upsert(tx, schema.heartbeat, [row], key=("name",))
        except HostError as error:
            self.log("no_heartbeat", level="error", sentence=error.message)


def _nonzero(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}


def alive(body: Mapping[str, Any]) -> bool:
    """Tell whether the process of a heartbeat may still run; unknown on another machine."""
    if body.get("machine") != socket.gethostname():
        return True
    pid = body.get("pid")
    if not isinstance(pid, int) or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
