"""Note what somebody typed into a tool by hand, so that we do not write it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import tasks
from encaisse_core.cents import euros
from encaisse_core.claim_states import number_of
from encaisse_core.host import Host
from encaisse_core.payments import TOLD
from encaisse_core.store import schema
from encaisse_core.store.engine import rows


def told_there(tx: Connection, row: Mapping[str, Any]) -> set[str]:
    """Name the payments a connection shows, or will without our doing."""
    x = schema.payment_sighting.c
    return set(
        tx.execute(
            select(x.payment_id).where(
                x.company_id == row["company_id"],
                x.connection_id == row["connection_id"],
                x.role.in_(TOLD),
            )
        ).scalars()
    )


def note_typed(tx: Connection, row: Mapping[str, Any], payment_id: str | None, amount: int) -> None:
    """Note that a tool shows a payment somebody typed in, so that we do not write it again.

    `amount` is what was typed: the principal, or what was left of it after the fee.
    """
    if payment_id is None or payment_id in told_there(tx, row):
        return
    tx.execute(
        schema.payment_sighting.insert().values(
            company_id=row["company_id"],
            connection_id=row["connection_id"],
            remote_ref=f"same:{payment_id}",
            payment_id=payment_id,
            role="same",
            record=json.dumps({"amount": amount}),
            seen_at=row["changed_at"],
        )
    )


def typed_still(tx: Connection, company_id: str, before: str, payment_id: str) -> bool:
    """Keep that tools show a payment somebody typed in, once its collector says another amount.

    Written in full beside what was typed it would count twice. Tells whether a tool shows it.
    """
    x = schema.payment_sighting.c
    noted = tx.execute(
        select(x.connection_id, x.company_id, x.record, x.seen_at.label("changed_at")).where(
            x.company_id == company_id, x.payment_id == before, x.role == "same"
        )
    )
    found = rows(noted)
    for row in found:
        note_typed(tx, row, payment_id, json.loads(row["record"])["amount"])
    return bool(found)


def ask_to_correct(
    host: Host, tx: Connection, company_id: str, claim_id: str, before: int, after: int
) -> None:
    """Let a person correct what was typed in: we write nothing beside it."""
    tasks.ask(
        tx,
        company_id,
        "typed_otherwise",
        claim_id,
        f"Facture {number_of(tx, company_id, claim_id)} : le partenaire a corrigé un encaissement "
        f"de {euros(before)} en {euros(after)}, que quelqu'un avait saisi dans votre outil. "
        "Corrigez-y la saisie : nous n'y écrivons rien.",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        again=True,
    )
