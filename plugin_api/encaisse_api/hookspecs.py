"""The three hooks, on one page. Hooks announce; roles do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pluggy

API_VERSION = "0.4"
"""Version of the contract; a connector names the one it was written for as `ENCAISSE_API`."""

PROJECT = "encaisse"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Register = Callable[[type], None]


@hookspec
def register_connectors(register: Register) -> None:
    """Call `register(MyConnector)` for each connector class of this distribution."""


@hookspec
def register_policies(register: Register) -> None:
    """Register commission, eligibility (veto only) and scenario policies.

    A policy is pure, versioned and dated; its version is recorded with each decision it took.
    """


@hookspec
def on_event(event: Mapping[str, Any]) -> None:
    """Hear of an event of the journal, at least once; each subscriber's position is kept."""
