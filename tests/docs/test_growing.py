"""The page on growing is followed as it is written, from SQLite to two workers on PostgreSQL."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.conftest import _on_server
from tests.core.cli.shells import SIREN, write_invoice

PAGE = Path(__file__).parents[2] / "docs" / "growing.md"
BLOCKS = re.findall(r"^```(sh|sql)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
LONGEST = 300.0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_page_is_followed_as_it_is_written(postgres_server: str, tmp_path: Path) -> None:
    server = postgres_server.replace("postgresql://postgres:@/postgres", "")
    papers = tmp_path / "factures"
    write_invoice(papers, "F-1")
    environ = {
        **os.environ,
        "ENCAISSE_HOME": str(tmp_path / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONWARNINGS": "ignore",
    }

    def type_in(lines: str, *, url: str | None = None, fine: tuple[int, ...] = (0,)) -> str:
        here = {**environ, **({"ENCAISSE_DATABASE_URL": url} if url else {})}
        done = subprocess.run(
            ["bash", "-c", lines.replace("@db.example/encaisse", f"@/encaisse{server}")],
            env=here,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        assert done.returncode in fine, (lines, done.returncode, done.stdout, done.stderr)
        return done.stdout

    kinds = [kind for kind, _ in BLOCKS]
    assert kinds == ["sh", "sql", "sh", "sh", "sh"]
    back_up, make, prepare, restore, work = (block for _, block in BLOCKS)
    type_in(
        f"encaisse connect folder --siren {SIREN} --name Exemple "
        f"--set path={shlex.quote(str(papers))} && encaisse sync"
    )
    type_in(back_up)
    for statement in filter(None, make.split(";\n")):
        _on_server(postgres_server, statement)
    type_in(prepare)
    said = type_in(restore.replace("encaisse doctor", "encaisse doctor || test $? = 6"))
    assert "PostgreSQL tient les sociétés à part pour le rôle encaisse_app." in said
    url = f"postgresql+psycopg://encaisse_app@/encaisse{server}"
    assert "F-1" in type_in("encaisse claims --all", url=url)

    workers: list[subprocess.Popen[bytes]] = []
    lines = [line for line in work.splitlines() if line]
    assert len(lines) == 2
    ports = [_free() for _ in lines]
    try:
        for line, port in zip(lines, ports, strict=True):
            words = shlex.split(re.sub(r":\d+$", f":{port}", line))
            workers.append(
                subprocess.Popen(
                    words,
                    env={**environ, "ENCAISSE_DATABASE_URL": url},
                    stderr=subprocess.DEVNULL,
                )
            )
        for port in ports:
            _wait_for(f"http://127.0.0.1:{port}/healthz")
        assert "Ouvriers vivants : 2." in type_in("encaisse doctor", url=url, fine=(0, 6))
    finally:
        for worker in workers:
            worker.terminate()
        codes = [worker.wait(60) for worker in workers]
    assert codes == [0, 0]


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def _wait_for(url: str) -> None:
    until = time.monotonic() + LONGEST
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    time.sleep(2)  # its first sign of life in the store
                    return
        except OSError:
            pass
        assert time.monotonic() < until, f"{url} does not answer"
        time.sleep(0.2)
