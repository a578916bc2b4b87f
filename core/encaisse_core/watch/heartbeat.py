"""Tell an outside watcher that nights are run: nobody inside can say that a machine is off.

In the manner of common watchers: the address itself after a good night, `/start` before one,
`/fail` after a bad one. Nothing but these words leaves, and nothing that happens here fails a
night.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from encaisse_core.errors import HostError, UsageError
from encaisse_core.store import Store, schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import bulk_upsert

SETTING = "ENCAISSE_HEARTBEAT_URL"
ROW = "outside"
"""The row of the store in which the last call stands, for `doctor`."""

SECONDS = 10.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")

What = Literal["start", "success", "fail"]
PATHS: dict[What, str] = {"start": "/start", "success": "", "fail": "/fail"}


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follow nothing: an answer that leads elsewhere is a wrong address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def checked(url: str) -> str:
    """Give an address that may be called. Raises `UsageError`: https, or this machine."""
    try:
        parts = urlsplit(url)
        inside = parts.hostname in LOOPBACK
        fine = bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and inside)
        )
        fine = fine and not parts.query and not parts.fragment and parts.username is None
    except ValueError:
        fine = False
    if not fine:
        raise UsageError(
            "L'adresse du témoin extérieur doit être en https, sans identifiant ni paramètre : "
            "https://exemple.org/ping/ID."
        )
    return url.rstrip("/")


@dataclass(frozen=True)
class Heartbeat:
    """Call the watcher, and note in the store how that went."""

    url: str
    store: Store
    now: Callable[[], datetime]
    failed: Callable[[str], object]

    def tell(self, what: What) -> bool:
        """Make one call; tell whether the watcher took it. Never raises."""
        why = _call(f"{self.url}{PATHS[what]}")
        if why is not None:
            self.failed(why)
        row = {
            "name": ROW,
            "at": stamp(self.now()),
            "body": json.dumps({"what": what, "ok": why is None, "why": why}, sort_keys=True),
        }
        try:
            with self.store.begin() as tx:
                bulk_upsert(tx, schema.heartbeat, [row], key=("name",))
        except HostError:
            pass  # the daemon's own sign of life says that the store does not take it
        return why is None


def _call(url: str) -> str | None:
    """POST without a body; give why it failed in words that quote no address, None where it did."""
    request = urllib.request.Request(url, data=b"", method="POST")
    request.add_header("User-Agent", "encaisse")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            answer.read(1024)
        return None
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except Exception as error:  # a name that does not resolve, a silence, a broken answer
        return type(error).__name__


def last(tx: Connection) -> tuple[str, dict[str, Any]] | None:
    """Read when the watcher was last called and how that went."""
    h = schema.heartbeat.c
    row = tx.execute(select(h.at, h.body).where(h.name == ROW)).first()
    return None if row is None else (str(row.at), json.loads(row.body))
