"""Put a claim on hold: nothing automatic happens to it until a person answers."""

from __future__ import annotations

from sqlalchemy import Connection

from encaisse_core import tasks
from encaisse_core.host import Host
from encaisse_core.store import schema


def hold(
    host: Host, tx: Connection, company_id: str, claim_id: str, why: str, sentence: str
) -> None:
    """Put a claim on hold and ask a person, once."""
    c = schema.claim.c
    tx.execute(
        schema.claim.update().where(c.company_id == company_id, c.id == claim_id).values(hold=why)
    )
    tasks.ask(
        tx, company_id, why, claim_id, sentence, task_id=host.ids.new("tsk"), at=host.clock.now()
    )
