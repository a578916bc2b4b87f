"""All a connector has: its client, its settings, its account, today's date, a log, a deadline.

What `http` raises
==================

The host's client does more than a plain one, so that no connector does it twice. It adds the
credentials, keeps to the quotas, refuses hosts the manifest does not declare, follows no redirect,
and tries a GET again (429, 500, 502, 503, 504, no answer) before it gives up. It then raises the
errors of the contract itself:

    =============== ===========================================================================
    Transient       a GET that failed every time; a write that did not leave; any 429; a quota
                    used up; the deadline reached
    OutcomeUnknown  a write whose reply was lost, or is too large to read
    Denied          a 401 that renewing did not cure
    Rejected        a request refused before it left: a host not declared, a broken header
    Drift           an answer to a GET too large to read
    =============== ===========================================================================

A connector lets all of them pass: the host has already said what they mean. Everything else
comes back as an answer, and what it means is the connector's to say: a 403, a 404, a 409, a 5xx on
a write, HTML, JSON cut short. `httpx.RequestError` is mapped too (a read: `Transient`; a write:
`OutcomeUnknown`, or `Transient` where nothing left), because in tests the client may be a plain
one. An `except` that catches a `PartnerError` and answers all the same is how doubt becomes
`Absent`; the exam raises each of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import httpx

from encaisse_api.base import Environment


@dataclass(frozen=True, slots=True)
class Context:
    """Lend a connector its whole world for one unit of work.

    `http` already carries authentication, pacing, allowed hosts and timeouts; `today` is the
    business date in Paris; `now` the instant the unit of work started; `deadline` the instant by
    which it should have ended. `settings` never holds a secret.

    `hosts` are those the manifest declares for this `environment`, in its order: a vendor with a
    sandbox is called at `hosts[0]`, whichever it is. `siren` is the company's, None where nobody
    asked for one.
    """

    http: httpx.Client
    settings: Mapping[str, str]
    account: str | None
    today: date
    now: datetime
    log: logging.Logger
    deadline: datetime
    environment: Environment = "test"
    hosts: tuple[str, ...] = ()
    siren: str | None = None
