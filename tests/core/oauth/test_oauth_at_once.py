"""One renewal for all threads and processes, and no token in any log."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
import textwrap
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from encaisse_api import (
    Denied,
)

if TYPE_CHECKING:
    from tests.core.oauth.conftest import RealTime, TokenServer, World

HOST = "api.example.org"
CLIENT = {"client_id": "ident-123", "client_secret": "secret-tres-cache"}


def _told(error: Exception) -> str:
    """Write all an error report could hold: message, chain, and the locals of our frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if Path(__file__).name not in frame.filename]
    return "\n".join(
        [repr(error), *traceback.format_exception(error), *(repr(f.locals) for f in frames)]
    )


def test_eight_threads_make_one_renewal(real: RealTime, served: TokenServer) -> None:
    start = threading.Barrier(8)
    seen: list[object] = []

    def work() -> None:
        with real.door.lend(
            manifest=real.manifest, grant_id=real.grant_id, account=None, environment="test"
        ) as client:
            start.wait()
            try:
                seen.append(client.get(f"https://{HOST}/v1/x").status_code)
            except Exception as error:
                seen.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * 8
    assert served.partner.asked == 1


WORKER = """
    import sys, json
    from datetime import timedelta
    from pathlib import Path
    from encaisse_api import CodeAuth, Manifest
    from encaisse_core.clock import SystemClock, SystemIds
    from encaisse_core.http import Door
    from encaisse_core.store import open_store
    from encaisse_core.vault import Kek, Vault

    url, base, grant_id, manifest = sys.argv[1:]
    clock = SystemClock()
    ids = SystemIds(clock)
    door = Door(
        store=open_store(url, migrate=False), vault=Vault(Kek(bytes(range(32))), ids), clock=clock,
        ids=ids, routes={"api.example.org": base},
    )
    client = door.lend(
        manifest=Manifest.model_validate_json(manifest), grant_id=grant_id, account=None,
        environment="test",
    )
    print("ready", flush=True)
    sys.stdin.readline()
    print(client.get("https://api.example.org/v1/x").status_code)
"""


@pytest.mark.slow
def test_two_processes_make_one_renewal(real: RealTime, served: TokenServer) -> None:
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(WORKER)]
    arguments = [
        str(real.store.engine.url),
        served.base,
        real.grant_id,
        real.manifest.model_dump_json(),
    ]
    workers = [
        subprocess.Popen(
            [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=60)[0] for worker in workers] == ["200\n"] * 2
    assert served.partner.asked == 1


def test_no_token_and_no_secret_is_logged_or_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    world.by_code(access="perime-secret", refresh="r0")
    told: list[str] = []
    with world.client() as client:
        client.get(f"https://{HOST}/v1/x")
        world.partner.token_answer = lambda: httpx.Response(400, json={"error": "invalid_grant"})
        world.partner.valid.clear()
        try:
            client.get(f"https://{HOST}/v1/x")
        except Denied as error:
            told.append(_told(error))
    logged = [json.dumps(vars(record), default=repr) for record in caplog.records]
    everything = "\n".join(told + logged)
    basic = base64.b64encode(":".join(CLIENT.values()).encode()).decode()
    assert "POST" in everything
    for secret in ("secret-tres-cache", "perime-secret", "jeton-1", basic, "'r1'", "r0"):
        assert secret not in everything, secret
