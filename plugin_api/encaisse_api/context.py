"""All a connector has: its client, its settings, its account, today's date, a log, a deadline."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import httpx


@dataclass(frozen=True, slots=True)
class Context:
    """Lend a connector its whole world for one unit of work.

    `http` already carries authentication, pacing, allowed hosts and timeouts; `today` is the
    business date in Paris; `now` the instant the unit of work started; `deadline` the instant by
    which it should have ended. `settings` never holds a secret.
    """

    http: httpx.Client
    settings: Mapping[str, str]
    account: str | None
    today: date
    now: datetime
    log: logging.Logger
    deadline: datetime
