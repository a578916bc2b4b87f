"""The daemon's log: one event a line, as JSON for machines or as text for a person, scrubbed.

What the daemon says of itself is made of ids, counts and sentences of the host. What libraries and
connectors log may quote what they read, so only where and how grave it was is repeated, never their
words. As a second net every text goes through `scrubbed`.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO, cast

Form = Literal["json", "text"]

MASK = "•••"

PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("e-mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z0-9]){11,30}\b")),
    (
        "SIRET, SIREN",
        re.compile(r"(?<![\w.-])\d{3}[ \u00a0]?\d{3}[ \u00a0]?\d{3}(?:[ \u00a0]?\d{5})?(?![\w.-])"),
    ),
    ("amount", re.compile(r"(?<![\w-])\d[\d \u00a0\u202f]*[.,]\d{2}[ \u00a0]?(?:€|EUR)")),
    ("token", re.compile(r"\b(?:Bearer|Basic|token|key|secret)[ =:]+\S+", re.IGNORECASE)),
    ("token", re.compile(r"\beyJ[\w-]{4,}\.[\w-]+\.[\w-]+")),
    ("query", re.compile(r"(?<=\?)\S*=\S+")),
)
"""What looks like a datum that a log must not hold, whatever sentence brought it."""

LEAST = 4
"""Length from which a known secret is masked wherever it stands."""


def scrubbed(text: str, secrets: Collection[str] = ()) -> str:
    """Take known secrets out of a text, and whatever looks like a datum of a person."""
    for secret in sorted((one for one in secrets if len(one) >= LEAST), key=len, reverse=True):
        text = text.replace(secret, MASK)
    for _, pattern in PATTERNS:
        text = pattern.sub(MASK, text)
    return text


def _clean(value: object, secrets: Collection[str]) -> Any:
    if isinstance(value, str):
        return scrubbed(value, secrets)
    if isinstance(value, dict):
        held = cast("dict[object, object]", value)
        return {str(key): _clean(item, secrets) for key, item in held.items()}
    if isinstance(value, list):
        return [_clean(item, secrets) for item in cast("list[object]", value)]
    return value


class Lines:
    """Write events to a stream, each line whole, in one form; safe to call from any thread."""

    def __init__(
        self, stream: TextIO, form: Form, *, secrets: Callable[[], Collection[str]] = tuple
    ) -> None:
        self._stream = stream
        self._form = form
        self._secrets = secrets
        self._lock = threading.Lock()

    def __call__(self, line: str) -> None:
        """Write one event, given as a JSON object; what is none is written as a scrubbed text."""
        try:
            said: Any = json.loads(line)
        except ValueError:
            said = {"event": line}
        clean = _clean(said, self._secrets())
        shown = json.dumps(clean, ensure_ascii=False) if self._form == "json" else as_text(clean)
        with self._lock:
            print(shown, file=self._stream, flush=True)


def as_text(said: Mapping[str, Any]) -> str:
    """Write an event for a person: when, what, then each field."""
    at = str(said.get("at", ""))[:19].replace("T", " ")
    level = str(said.get("level", "info"))
    mark = "" if level == "info" else f" {level.upper()}"
    rest = " ".join(
        f"{key}={_plain(value)}"
        for key, value in said.items()
        if key not in ("at", "level", "event")
    )
    return f"{at}{mark} {said.get('event', '')} {rest}".strip()


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


class Repeating(logging.Handler):
    """Repeat that a library or a connector logged something grave, where, and not what."""

    def __init__(self, lines: Callable[[str], object], level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a log that cannot be written costs nothing else."""
        try:
            said = {
                "at": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "level": record.levelname.lower(),
                "event": "logged",
                "logger": record.name,
                "where": f"{record.module}:{record.lineno}",
            }
            if record.exc_info and record.exc_info[0] is not None:
                said["error"] = record.exc_info[0].__name__
            self._lines(json.dumps(said))
        except Exception:
            self.handleError(record)
