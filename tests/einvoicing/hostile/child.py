"""Read hostile files one by one, each in a fork that may open nothing; say what each one cost.

Run as `python -m tests.einvoicing.hostile.child JOBS`: a JSON list of {"name", "kind", "path"}
gives a line of JSON for each on stdout. The imports and the readings named `warm` are made before
the forks, so that nothing honest is left to open.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree
from tests.einvoicing.hostile.seccomp import close_the_doors

from encaisse_einvoicing import FileReading, Refused, read_bytes, read_paths
from encaisse_einvoicing.cli.read import as_record
from encaisse_einvoicing.fec import read_fec, receivables
from encaisse_einvoicing.fec.cli import as_record as fec_record

CPU_SECONDS = 10
"""After which the kernel ends a fork: a hang is seen, not waited for."""

WATCHED = ("open", "socket.", "subprocess.", "os.", "ctypes.", "urllib.", "shutil.", "tempfile.")


class Held(type(Path())):  # type: ignore[misc]
    """Be a path whose file was opened before the doors were closed."""

    held: Any

    def open(self, *_: object, **__: object) -> Any:
        return self.held


def document(path: Path) -> Callable[[], list[dict[str, Any]]]:
    data = path.read_bytes()
    return lambda: [as_record(FileReading(path.name, read_bytes(path.name, data)))]


def whole_path(path: Path) -> Callable[[], list[dict[str, Any]]]:
    held = Held(path)
    held.held = io.BufferedReader(io.FileIO(str(path)))
    return lambda: [as_record(each) for each in read_paths([held])]


def ledger(path: Path) -> Callable[[], list[dict[str, Any]]]:
    data = path.read_bytes()

    def read() -> list[dict[str, Any]]:
        try:
            found = read_fec(data, path.name)
        except Refused as refused:
            issue = {"code": refused.code, "message": refused.message_fr, "where": refused.where}
            return [{"ok": False, "issues": [issue]}]
        told = fec_record(path.name, found, receivables(found))
        findings = [{**each, "where": str(each["lines"])} for each in told["findings"]]
        return [{**told, "ok": True, "issues": findings}]

    return read


def opens_a_file(path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Do what must kill: let libxml2 open a file by itself. Proves the filter bites."""

    def read() -> list[dict[str, Any]]:
        etree.parse(str(path))
        return []

    return read


def opens_in_python(path: Path) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        path.read_bytes()
        return []

    return read


KINDS = {
    "document": document,
    "path": whole_path,
    "fec": ledger,
    "libxml2 opens": opens_a_file,
    "python opens": opens_in_python,
}


def in_a_fork(kind: str, path: Path) -> bytes:
    """Fork, close the doors, read, and tell: records, CPU seconds, peak MiB, what was opened.

    As bytes, passed on at once: what one file told is not to weigh on the forks after it.
    """
    back, out = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _read_and_tell(kind, path, out)
        finally:
            os._exit(1)
    os.close(out)
    with os.fdopen(back, "rb") as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return json.dumps({"signal": signal.Signals(os.WTERMSIG(status)).name}).encode()
    return told


def _read_and_tell(kind: str, path: Path, out: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    read = KINDS[kind](path)
    status = os.open("/proc/self/status", os.O_RDONLY) if sys.platform == "linux" else -1
    closed = close_the_doors()
    touched: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(WATCHED):
            touched.append(f"{event} {arguments!r}"[:200])

    sys.addaudithook(watch)
    start = time.process_time()
    try:
        records, error = read(), ""
    except BaseException as crash:
        records, error = [], f"{type(crash).__name__}: {crash}"[:500]
    seconds = time.process_time() - start
    opened = list(touched)
    peak = 0
    if status >= 0:  # VmHWM and not ru_maxrss, which remembers the size of the forking process
        peak = int(os.pread(status, 8192, 0).split(b"VmHWM:")[1].split()[0]) // 1024
    told = {
        "records": records,
        "error": error,
        "cpu": seconds,
        "peak": peak,
        "closed": closed,
        "touched": opened,
    }
    with os.fdopen(out, "wb") as pipe:
        pipe.write(json.dumps(told).encode())
    os._exit(0)


def main() -> None:
    jobs: list[dict[str, str]] = json.loads(Path(sys.argv[1]).read_bytes())
    for job in jobs:
        if job["name"].startswith("warm"):
            KINDS[job["kind"]](Path(job["path"]))()
    for job in jobs:
        if not job["name"].startswith("warm"):
            told = in_a_fork(job["kind"], Path(job["path"]))
            sys.stdout.buffer.write(told + b"\n")


if __name__ == "__main__":
    main()
