"""Put a claim on hold: nothing automatic happens to it until a person answers.

A claim may be held for several reasons at once, each with its own open question; its `hold` names
the newest. It is free again when the last of them was answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from encaisse_core import journal, replanning, tasks
from encaisse_core.host import Host
from encaisse_core.store import schema

HOLDS = (
    "disputed",
    "maybe_same",
    "amount_rose",
    "total_changed",
    "unknown_status",
    "currency_changed",
    "cited",
    "entry_altered",
    "misplaced",
)
"""Questions that hold the claim they are about."""


def hold(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    why: str,
    sentence: str,
    *,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Put a claim on hold and ask a person, once for each time it happens.

    A second reason of one kind waits for the answer to the first; then it is asked by itself.
    """
    standing = tasks.open_on(tx, company_id, claim_id)
    if why in standing:
        return
    _set(tx, company_id, claim_id, why)
    tasks.ask(
        tx,
        company_id,
        why,
        claim_id,
        sentence,
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        again=True,
        about=about,
    )


def hold_once(
    host: Host, tx: Connection, company_id: str, claim_id: str, why: str, sentence: str
) -> None:
    """Put a claim on hold for a fact that lasts: answered, it is not asked again."""
    if not tasks.answered(tx, company_id, why, claim_id):
        hold(host, tx, company_id, claim_id, why, sentence)


def lift(host: Host, tx: Connection, company_id: str, claim_id: str, why: str) -> str | None:
    """Take one reason away; tell which other one still holds the claim, or None."""
    left = newest(tx, company_id, claim_id, without=why)
    _set(tx, company_id, claim_id, left)
    if left is None:  # nobody would go on with what is suspended after the answer
        replanning.drop(host, tx, company_id, "pause", claim_id, "La question a sa réponse.")
    journal.append(
        tx, company_id, host.clock.now(), "hold_lifted", claim_id, {"hold": why, "left": left or ""}
    )
    return left


def newest(
    tx: Connection, company_id: str, claim_id: str, *, without: str | None = None
) -> str | None:
    """Name the newest open question that holds a claim."""
    asked = [kind for kind in tasks.open_on(tx, company_id, claim_id) if kind in HOLDS]
    return next((kind for kind in reversed(asked) if kind != without), None)


def _set(tx: Connection, company_id: str, claim_id: str, why: str | None) -> None:
    c = schema.claim.c
    tx.execute(
        schema.claim.update().where(c.company_id == company_id, c.id == claim_id).values(hold=why)
    )
