"""Keep watch by day and by night beside the nights: stops that are due first, then what was told.

A lane of its own, so that a stop waits for nobody's night. It may run on every machine: effects are
leased, looks are idempotent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from encaisse_core.errors import HostError
from encaisse_core.hooks import deliveries
from encaisse_core.hooks.looking import companies_with_stops, look, send_stops
from encaisse_core.host import Host

BEAT = timedelta(seconds=15)
"""How long it rests when nothing is due: another machine may have taken a delivery in."""

STOP = timedelta(seconds=20)
"""How long `close` waits for a look under way; whatever it leaves is taken up again."""


@dataclass
class Lookout:
    """Send due stops and look where partners told something, until told to end."""

    host: Host
    say: Callable[[str, str, Mapping[str, object]], None] = field(default=lambda _l, _e, _s: None)
    """Hears a level, an event and its ids and counts; never a name or a message of a partner."""
    _woken: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def wake(self) -> None:
        """Say that something is to be looked at now; from any thread."""
        self._woken.set()

    def start(self) -> None:
        """Keep watch from a thread of its own."""
        self._thread = threading.Thread(target=self._keep_watch, name="lookout", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch; what is under way is finished, or taken up again later."""
        self._ended.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(STOP.total_seconds())

    def once(self) -> int:
        """Do what is due now, company by company; return how many companies had something."""
        busy = 0
        for company_id in companies_with_stops(self.host):
            if self._ended.is_set():
                return busy
            busy += self._safely("stops", company_id, self._stops)
        with self.host.store.attending().begin() as tx:
            told = deliveries.companies_waiting(tx, self.host.store.db_now(tx))
        for company_id in told:
            if self._ended.is_set():
                return busy
            busy += self._safely("look", company_id, self._look)
        return busy

    def rest(self) -> timedelta:
        """Tell how long nothing is due, `BEAT` at most."""
        with self.host.store.attending().begin() as tx:
            ready = deliveries.next_ready(tx)
            now = self.host.store.db_now(tx)
        return BEAT if ready is None else max(timedelta(0), min(BEAT, ready - now))

    def _keep_watch(self) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            pause = BEAT
            try:
                self.once()
                pause = self.rest()
            except HostError as error:
                self.say("error", "lookout_failed", {"sentence": error.message})
            except Exception as error:
                self.say("error", "lookout_failed", {"error": type(error).__name__})
            self._woken.wait(max(0.05, pause.total_seconds()))

    def _safely(self, what: str, company_id: str, act: Callable[[str], dict[str, object]]) -> int:
        """Do one company's share; its fault is said and costs the others nothing."""
        try:
            self.say("info", what, {"company": company_id, **act(company_id)})
        except HostError:
            raise  # the store's own: nobody else's share can be done either
        except Exception as error:
            found = {"company": company_id, "error": type(error).__name__}
            self.say("error", f"{what}_failed", found)
            return 0
        return 1

    def _stops(self, company_id: str) -> dict[str, object]:
        return {
            "done": send_stops(self.host.of(company_id), company_id, stop_asked=self._ended.is_set)
        }

    def _look(self, company_id: str) -> dict[str, object]:
        found = look(self.host.of(company_id), company_id, stop_asked=self._ended.is_set)
        counts = {name: n for name, n in sorted(found.counts.items()) if n}
        return {"counts": counts, "connections_failed": sorted(found.failures)}
