"""Kill and freeze real workers that share one queue on PostgreSQL, as a role that owns nothing.

The same street, customers and verdict as for daemons (`faults_processes.py`): two workers at once,
one of them struck at a random moment and started again, while the other takes over what it held.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from encaisse_core.app import DATABASE, FOLDER
from encaisse_core.store import preparing
from encaisse_lab.faults_processes import LEASE, TRIES, Processes, Street, logged, street_of

ROLE = "encaisse_ouvrier_d_essai"


ASKED = ("worker", "--once", "--log", "json")


@dataclass
class Crew(Street):
    """Start workers where the street starts daemons, and keep what they log."""

    logs: list[Path] = field(default_factory=list[Path])

    def start(self) -> subprocess.Popen[bytes]:
        """Start a worker that asks for tonight and ends when no night is left."""
        if not self.logs:
            return self._first()
        return self._worker()

    def _first(self) -> subprocess.Popen[bytes]:
        owner = self.environ[DATABASE]
        self.environ[DATABASE] = held(owner)
        return self._worker()

    def _worker(self) -> subprocess.Popen[bytes]:
        self.live_now()
        log = Path(self.environ[FOLDER]) / f"worker-{len(self.logs)}.log"
        self.logs.append(log)
        return logged("faults_worker", ASKED, self.environ, log)

    def heard(self, event: str) -> int:
        """Count what workers said."""
        return sum(
            json.loads(line).get("event") == event
            for log in self.logs
            for line in log.read_text("utf-8").splitlines()
            if line.startswith("{") and line.endswith("}")
        )


@dataclass
class Struck:
    """Tell what was done to workers, what was found, and how often one took over from another."""

    found: Processes
    taken_over: int = 0

    @property
    def sound(self) -> bool:
        """Tell whether everything was done and nothing is wrong."""
        return self.found.sound and self.taken_over > 0


def run(seed: int, *, kills: int, freezes: int, database: str) -> Struck:
    """Strike one of two workers that often, then judge; `database` is a PostgreSQL server's."""
    told = Struck(Processes("postgresql"))
    with street_of(seed, told.found, database, Crew) as street:
        assert isinstance(street, Crew)
        pair = [street.start(), street.start()]
        for number in range(kills + TRIES * freezes):
            if told.found.freezes == freezes and number >= kills:
                break
            street.pay()
            pair = [each if each.poll() is None else street.start() for each in pair]
            which = street.chance.randrange(2)
            midway = street.moment(pair[which])
            if number < kills:
                told.found.killed_midway += midway
                pair[which].kill()
                pair[which].communicate()
                told.found.kills += 1
            elif midway:
                street.freeze(pair[which], pair[1 - which])
        for each in pair:
            if each.poll() is None:
                street.end(each)
        for _ in range(2):
            time.sleep(LEASE / 10)
            street.peace()
        told.taken_over = street.heard("taken_over")
    return told


def held(owner: str) -> str:
    """Prepare a database for a role row-level security holds; give the address it works under.

    The role is taken on at connection (`-c role`), so that any server will do that lets us in.
    """
    engine = create_engine(owner, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            known = text("select count(*) from pg_roles where rolname = :role")
            if not connection.execute(known, {"role": ROLE}).scalar_one():
                connection.execute(text(f"create role {ROLE} nosuperuser nobypassrls"))
    finally:
        engine.dispose()
    preparing.prepare(owner, ROLE)
    url = make_url(owner).update_query_dict({"options": f"-c role={ROLE}"})
    return url.render_as_string(hide_password=False)
