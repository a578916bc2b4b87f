"""Turn a delivery of events into a reason to look again (webhooks.html). Pure.

A lettering may be a payment. Whether its `data.id` names the entry or the line is not documented,
so nothing of an event is taken for a fact: whichever line it is, the dossier is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from encaisse_api import wire
from encaisse_api.errors import Drift
from encaisse_api.source import Hint
from encaisse_myunisoft import spelling

TELLING = frozenset(
    {"accountingEntryLettering", "accountingLineEntry", "exercice", "connector", "thirdParty"}
)
"""Events after which what customers owe may have changed, or our access to it."""


def read(body: bytes, account: str | None) -> tuple[Hint, ...]:
    """Give one hint when an event concerns this dossier's invoices, none when none does."""
    try:
        events = wire.read(body)
    except ValueError:
        events = None
    if not isinstance(events, list):
        raise Drift(
            "Notification de MyUnisoft : pas une liste d'événements.",
            raw=body.decode("utf-8", "replace"),
        )
    rows = [wire.members(row) for row in cast("list[object]", events)]
    concerned = any(_concerns(row, account) for row in rows)
    return (Hint(stream="invoices"),) if concerned else ()


def _concerns(event: Mapping[str, object], account: str | None) -> bool:
    if event.get("name") not in TELLING:
        return False
    folder = wire.members(event.get("scope")).get("accountingFolderId")
    if folder is None or account is None:
        return True
    try:
        return spelling.words(folder) == account
    except ValueError:
        return True
