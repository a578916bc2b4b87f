"""The small world of a stream: one worker reads two pages, and may die between any two commits."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from encaisse_api import Cursor, Page, ProcedureState, Token
from encaisse_core import chaos, collector, connecting
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import Host, Link
from encaisse_core.store import schema
from encaisse_lab.explorer_scopes import SIREN, START, Only, Partner, connector

STREAM = "payments"
PAGES = (("p1", "p2"), ("p3",))
AT = datetime(2026, 2, 2, 12, tzinfo=UTC)


@dataclass
class Pages:
    """Explore the reading of one stream."""

    app: App
    link: Link
    file: sqlite3.Connection

    @property
    def stops(self) -> frozenset[str]:
        """Name the commits of a page, and those that have no name."""
        named = [f"collector.{STREAM}.{phase}" for phase in chaos.COMMIT]
        return frozenset([*named, f"{chaos.ELSEWHERE}.after_commit"])

    def reset(self) -> None:
        """Forget what was read."""
        self.file.execute("delete from cursor")
        self.file.execute("delete from heartbeat")

    def work(self, worker: int) -> None:
        """Read the stream from its cursor on, as a night does."""
        read = vars(collector)["_stream"]
        read(self.app.host, self.link, STREAM, _pull, _keep)

    def expire(self) -> None:
        """Do nothing: a stream is not leased."""

    def lose(self, worker: int) -> bool:
        """Lose nothing: what is read may be read again."""
        return False

    def _kept(self) -> frozenset[str]:
        return frozenset(row[0] for row in self.file.execute("select name from heartbeat"))

    def state(self) -> Hashable:
        """Give what was kept, and where the cursor stands."""
        places = tuple(self.file.execute("select stream, value from cursor").fetchall())
        return (self._kept(), places)

    def seen(self, where: str) -> Hashable:
        """Learn nothing beyond the pages, which are always the same."""
        return None

    def token(self) -> Hashable:
        """Give none: a stream is not leased."""
        return None

    def wrong(self) -> str | None:
        """Say nothing before all is quiet."""
        return None

    def quiet(self) -> str | None:
        """Read once more; every row must be kept."""
        self.work(-1)
        lost = {name for page in PAGES for name in page} - self._kept()
        return f"jamais lu : {', '.join(sorted(lost))}" if lost else None


def _pull(since: Cursor | None) -> Iterator[Page[ProcedureState]]:
    done = int(since.value) if isinstance(since, Token) else 0
    for number, names in enumerate(PAGES[done:], done + 1):
        yield Page[ProcedureState](
            items=tuple(
                ProcedureState(remote_id=name, state="active", updated_at=AT) for name in names
            ),
            cursor=Token(value=str(number)),
            end=number == len(PAGES),
        )


def _keep(host: Host, tx: Connection, link: Link, item: Any) -> bool:
    tx.execute(schema.heartbeat.delete().where(schema.heartbeat.c.name == item.remote_id))
    tx.execute(schema.heartbeat.insert().values(name=item.remote_id, at="", body="{}"))
    return True


@contextmanager
def pages() -> Generator[Pages]:
    """Set the world of a stream up on SQLite until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="encaisse-"))
    clock = VirtualClock(START)
    app = open_app(
        {},
        folder=folder,
        clock=clock,
        ids=SeededIds(1, clock),
        transport=Partner(),
        connectors=Only(connector("key")),
    )
    company = connecting.add_company(app.host, siren=SIREN, name="Société", environment="test")
    link = connecting.connect(
        app.host, app.vault, company_id=company, connector="exploree", values={}
    )
    file = sqlite3.connect(folder / "encaisse.db", isolation_level=None)
    try:
        yield Pages(app, link, file)
    finally:
        file.close()
        app.close()
        shutil.rmtree(folder, ignore_errors=True)
