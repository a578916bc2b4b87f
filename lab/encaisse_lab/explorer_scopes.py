"""The small worlds that are explored: one effect, a stream of two pages, a stop among others."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Generator, Hashable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx

from encaisse_api import (
    Absent,
    Conflict,
    Connector,
    Context,
    Granted,
    LetteringEntry,
    Manifest,
    OutcomeUnknown,
    Pause,
    Receipt,
    Write,
)
from encaisse_api.manifest import Guarantee
from encaisse_core import chaos, connecting, deliver, outbox
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.store.engine import stamp

HOST = "partner.example.org"
SIREN = "987654324"
START = datetime(2026, 2, 2, 19, 0, tzinfo=UTC)
PAST = outbox.LEASE + timedelta(minutes=1)
KINDS = ("letter", "pause")
CLOSED = ("done", "refused", "parked")


@dataclass
class Partner(httpx.BaseTransport):
    """Be a partner that keeps what it is sent, and the key of it where it keeps keys."""

    guarantee: Guarantee = "key"
    ledger: list[str] = field(default_factory=list[str])
    loses: set[str] = field(default_factory=set[str])
    """Threads whose next write is made and not answered."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a look-up with what stands under a key; keep what is posted."""
        key = request.headers["Idempotency-Key"]
        if request.method == "GET":
            return httpx.Response(200, json={"standing": self.ledger.count(key)})
        if self.guarantee != "key" or key not in self.ledger:
            self.ledger.append(key)
        name = threading.current_thread().name
        if name in self.loses:
            self.loses.discard(name)
            raise httpx.ReadError("the connection broke before the answer", request=request)
        return httpx.Response(200, json={"id": key})


def connector(guarantee: Guarantee) -> type[Connector]:
    """Make a connector to that partner.

    The contract keeps `none` for one role, which no phase of the host calls; the promise behind it
    is explored all the same, so the manifest is told without the contract's check.
    """

    class Explored:
        manifest: ClassVar[Manifest] = Manifest(
            slug="exploree",
            name="Partenaire exploré",
            summary_fr="Pour les essais.",
            contract="documented",
            test_hosts=(HOST,),
        ).model_copy(update={"writes": {kind: Write(guarantee=guarantee) for kind in KINDS}})

        def __init__(self, context: Context) -> None:
            self.context = context

        def probe(self) -> Granted:
            return Granted(siren=SIREN)

        def _find(self, key: str) -> Receipt | Absent:
            answer = self.context.http.get(
                f"https://{HOST}/writes", headers={"Idempotency-Key": key}
            )
            standing: int = json.loads(answer.content)["standing"]
            if standing > 1:
                raise Conflict(f"{standing} écritures portent la même référence.")
            if standing:
                return Receipt(remote_id=key)
            return Absent(searched="les écritures", at=self.context.now)

        def _send(self, key: str) -> Receipt:
            answer = self.context.http.post(
                f"https://{HOST}/writes", headers={"Idempotency-Key": key}, json={}
            )
            if answer.status_code != 200:
                raise OutcomeUnknown("réponse inattendue")
            return Receipt(remote_id=key)

        def find_lettering(self, key: str, lettering: LetteringEntry) -> Receipt | Absent:
            return self._find(key)

        def letter(self, key: str, lettering: LetteringEntry) -> Receipt:
            return self._send(key)

        def find_pause(self, key: str, pause: Pause) -> Receipt | Absent:
            return self._find(key)

        def pause(self, key: str, pause: Pause) -> Receipt:
            return self._send(key)

    return Explored


@dataclass(frozen=True)
class Only:
    """Have one connector, whatever is asked for."""

    kind: type[Connector]

    def connector(self, slug: str) -> type[Connector]:
        return self.kind


PAYLOADS: Mapping[str, Mapping[str, Any]] = {
    "letter": {
        "account": "C1",
        "line_refs": ["1", "2"],
        "effect_id": "eff_0",
        "undoing": None,
        "claim_id": "clm_1",
    },
    "pause": {"procedure_ref": "P1", "reason": "payment_check"},
}


class Effects:
    """Explore some effects of one company on one connection."""

    def __init__(
        self, app: App, clock: VirtualClock, partner: Partner, kinds: Sequence[str]
    ) -> None:
        self.app, self.clock, self.partner, self.kinds = app, clock, partner, tuple(kinds)
        self.company = connecting.add_company(
            app.host, siren=SIREN, name="Société", environment="test"
        )
        link = connecting.connect(
            app.host, app.vault, company_id=self.company, connector="exploree", values={}
        )
        with app.host.store.begin() as tx:
            for place, kind in enumerate(self.kinds):
                outbox.plan(
                    app.host,
                    tx,
                    company_id=self.company,
                    kind=kind,
                    subject="clm_1",
                    cause=f"cause-{place}",
                    connection_id=link.id,
                    payload=PAYLOADS[kind],
                )
        # A second, plain look at the same file: thousands of histories begin and are compared here.
        self._file = sqlite3.connect(app.folder / "encaisse.db", isolation_level=None)
        self._planned = self._file.execute("select * from effect order by kind").fetchall()
        names = [each[0] for each in self._file.execute("select * from effect").description]
        self._at = {name: place for place, name in enumerate(names)}

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    @property
    def stops(self) -> frozenset[str]:
        """Name the points where workers stand: between any two steps others can see."""
        calls = [f"{kind}.{step}" for kind in self.kinds for step in ("find", "look_again")]
        return frozenset(
            [
                "outbox.claim.after_commit",
                "outbox.fence.after_commit",
                "outbox.postpone.after_commit",
                "outbox.ask.after_commit",
                *(f"{place}.after_reply" for place in calls),
                *(f"{kind}.send.{phase}" for kind in self.kinds for phase in chaos.CALL),
                *(f"{kind}.done.after_commit" for kind in self.kinds),
            ]
        )

    def reset(self) -> None:
        """Plan the effects anew; the first named is the oldest."""
        self.partner.ledger.clear()
        self.partner.loses.clear()
        self._file.execute("begin immediate")
        self._file.execute("delete from effect")
        self._file.execute("delete from task")
        for row in self._planned:
            fresh = list(row)
            age = timedelta(minutes=len(self.kinds) - self.kinds.index(row[self._at["kind"]]))
            fresh[self._at["created_at"]] = stamp(self.clock.now() - age)
            fresh[self._at["ready_at"]] = stamp(self.clock.now() - age)
            marks = ",".join("?" * len(fresh))
            self._file.execute(f"insert into effect values ({marks})", fresh)
        self._file.execute("commit")

    def work(self, worker: int) -> None:
        """Take one effect and try it once, as a drain does."""
        effect = outbox.claim_next(self.app.host, self.company, self.kinds)
        if effect is not None:
            deliver.deliver(self.app.host, effect)

    def expire(self) -> None:
        """Let every lease and every short wait run out."""
        self.clock.sleep(PAST.total_seconds())

    def lose(self, worker: int) -> bool:
        """Lose the reply of this worker's next write."""
        self.partner.loses.add(f"worker-{worker}")
        return True

    def _rows(self) -> list[tuple[str, str, str | None, bool, int]]:
        now = stamp(self.clock.now())
        query = "select kind, state, token, ready_at, attempts from effect order by kind"
        return [
            (kind, state, token, ready_at <= now, min(attempts, 3))
            for kind, state, token, ready_at, attempts in self._file.execute(query)
        ]

    def state(self) -> Hashable:
        """Give the effects without their tokens' letters, and what stands at the partner."""
        shown = tuple((kind, state, bool(t), ready, n) for kind, state, t, ready, n in self._rows())
        return (shown, len(self.partner.ledger), len(set(self.partner.ledger)))

    def seen(self, where: str) -> Hashable:
        """Give what was just learned: how many stand there, or how often it was tried."""
        if where.startswith("outbox.claim"):
            return tuple(n for _, _, _, _, n in self._rows())
        return len(self.partner.ledger) if where.endswith("after_reply") else None

    def token(self) -> Hashable:
        """Name the leases that stand."""
        return tuple(token for _, _, token, _, _ in self._rows())

    def wrong(self) -> str | None:
        """Say what stands twice."""
        if len(self.partner.ledger) > len(set(self.partner.ledger)):
            return f"{len(self.partner.ledger)} écritures pour un seul envoi"
        return None

    def quiet(self) -> str | None:
        """Let a healthy worker try for a night; then each effect is done, or with a person."""
        for _ in range(6):
            if all(state in CLOSED for _, state, *_ in self._rows()):
                break
            self.expire()
            self.work(-1)
        twice = self.wrong()
        if twice is not None:
            return f"à la reprise : {twice}"
        for kind, state, *_ in self._rows():
            standing = len(self.partner.ledger)
            if state == "done" and standing < len(self.kinds):
                return f"{kind} est fait, et le partenaire n'a rien"
            if state not in ("done", "parked"):
                return f"{kind} reste {state}"
            if state == "parked" and self.partner.guarantee != "none":
                return f"{kind} est laissé à une personne sans raison"
        return None

    def named(self) -> bool:
        """Tell whether a person was asked about a double."""
        asked = "select count(*) from task where kind in ('double', 'conflict')"
        return bool(self._file.execute(asked).fetchone()[0])


class Lanes(Effects):
    """Explore a stop planned after a lettering: whoever claims first must take the stop."""

    def wrong(self) -> str | None:
        """Say when something else was taken while a stop waited."""
        states = {kind: state for kind, state, *_ in self._rows()}
        if states["letter"] == "sending" and states["pause"] == "planned":
            return "un lettrage est pris alors qu'un arrêt attend"
        return super().wrong()


@contextmanager
def effects(guarantee: Guarantee, kinds: Sequence[str] = ("letter",)) -> Generator[Effects]:
    """Set a world of effects up on SQLite until the block ends."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="encaisse-", dir=memory if memory.is_dir() else None))
    clock, partner = VirtualClock(START), Partner(guarantee)
    app = open_app(
        {},
        folder=folder,
        clock=clock,
        ids=SeededIds(1, clock),
        transport=partner,
        connectors=Only(connector(guarantee)),
    )
    world = (Lanes if len(kinds) > 1 else Effects)(app, clock, partner, kinds)
    try:
        yield world
    finally:
        world.close()
        app.close()
        shutil.rmtree(folder, ignore_errors=True)
