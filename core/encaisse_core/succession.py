"""Let a record its tool gave a new id go on where the one it replaces stood.

Some tools renumber their records, at the end of a year or when an invoice is made anew. To the host
that is one record gone and another come, on one claim. What the new one shows is compared with what
was expected of the old one: a customer who pays in the night of the change has paid. What was asked
about the old one, and what is entered there, is the new one's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, exists, select, text

from encaisse_core import outbox
from encaisse_core.host import Link
from encaisse_core.payments import untold_at_first_sight
from encaisse_core.store import schema
from encaisse_core.store.engine import rows
from encaisse_core.store.upsert import among

Row = Mapping[str, Any]

RECORDS = ("sighting", "shown_by")
"""How a question names the record it is about (`showing_questions.py`, `typed_otherwise.py`)."""


def explained(tx: Connection, link: Link, claim_id: str, fresh: Row) -> dict[str, int]:
    """Say what is explained of a record that joins a claim: all it shows, where it replaces none.

    What it shows otherwise than the one it replaces is explained like any change.
    """
    before = _replaced(tx, link, claim_id, fresh)
    if before is None:
        return {"untold": untold_at_first_sight(tx, link, claim_id, fresh["open"])}
    _hand_on(tx, link, claim_id, before, fresh)
    return {name: before[name] for name in ("expected", "expected_credited", "untold")}


def _replaced(tx: Connection, link: Link, claim_id: str, fresh: Row) -> Row | None:
    """Find the record a new one of the same tool replaces; None where it replaces none.

    It left the tool, which shows the claim in no other record, and told the same total: of another
    total, nobody can tell what was paid and what was corrected.
    """
    s = schema.sighting.c
    query = (
        select(schema.sighting)
        .where(
            s.company_id == link.company_id,
            s.connection_id == link.id,
            s.claim_id == claim_id,
            s.id != fresh["id"],
        )
        .order_by(s.changed_at.desc(), s.created_at.desc(), s.id.desc())
    )
    others = rows(tx.execute(query))
    if not others or any(row["presence"] == "live" for row in others):
        return None
    left = [row for row in others if row["changed_at"] == others[0]["changed_at"]]
    last = min(left, key=lambda row: abs(row["expected"] - fresh["open"]))
    return last if last["total"] == fresh["total"] else None


def _hand_on(tx: Connection, link: Link, claim_id: str, before: Row, fresh: Row) -> None:
    """Let payments, entries and open questions name the record that stands now."""
    company_id = link.company_id
    p, e, t = schema.payment.c, schema.effect.c, schema.task.c
    tx.execute(
        schema.payment.update()
        .where(p.company_id == company_id, p.claim_id == claim_id, p.shown_by == before["id"])
        .values(shown_by=fresh["id"])
    )
    entries = select(e.id, e.payload).where(
        e.company_id == company_id,
        e.connection_id == link.id,
        e.subject == claim_id,
        e.kind.in_(outbox.ENTRIES),
    )
    for row in tx.execute(entries).all():
        said = json.loads(row.payload)
        if said["sighting_id"] == before["id"]:
            _enter_in(tx, company_id, row.id, said, fresh["id"], fresh["remote_ref"])
    asked = select(t.id, t.about).where(
        t.company_id == company_id,
        t.subject == claim_id,
        t.done_at.is_(None),
        t.about.is_not(None),
    )
    for row in tx.execute(asked).all():
        about = json.loads(row.about)
        named = {what: fresh["id"] for what in RECORDS if about.get(what) == before["id"]}
        if named:
            tx.execute(
                schema.task.update()
                .where(t.company_id == company_id, t.id == row.id)
                .values(about=json.dumps(about | named, sort_keys=True))
            )


def shown_anew(tx: Connection, link: Link, lost: Sequence[str]) -> list[str]:
    """Choose the refs a tool cannot find whose invoices it shows under others: it renumbered them.

    An invoice is known again by its number, its total and its customer.
    """
    s, now = schema.sighting.c, schema.sighting.alias("now")
    gone = tx.execute(
        select(s.remote_ref, s.number, s.total, s.record).where(
            s.company_id == link.company_id,
            s.connection_id == link.id,
            among(tx, s.remote_ref, lost),
        )
    ).all()
    numbers = sorted({row.number for row in gone})
    if not numbers:
        return []
    shown = tx.execute(
        select(now.c.number, now.c.total, now.c.record).where(
            now.c.company_id == link.company_id,
            now.c.connection_id == link.id,
            now.c.presence == "live",
            among(tx, now.c.number, numbers),
            ~among(tx, now.c.remote_ref, lost),
        )
    ).all()
    anew = Counter((row.number, row.total, _customer(row.record)) for row in shown)
    found: list[str] = []
    for row in gone:
        told = (row.number, row.total, _customer(row.record))
        if anew[told] > 0:
            anew[told] -= 1
            found.append(row.remote_ref)
    return found


def _customer(record: str) -> tuple[str | None, str | None]:
    debtor = json.loads(record)["debtor"]
    return debtor.get("siren"), debtor.get("name")


def entered_in(tx: Connection, company_id: str, effect_id: str) -> str:
    """Name the record an entry is in now: it may have been replaced while the entry was sent."""
    e = schema.effect.c
    query = select(e.payload).where(e.company_id == company_id, e.id == effect_id)
    return str(json.loads(tx.execute(query).scalar_one())["sighting_id"])


def follow(tx: Connection, company_id: str) -> None:
    """Let entries that wait to be made, or for their fate, name the one record that stands.

    Theirs left its tool since. One that is not made yet is made in whatever came in its place; one
    that was made follows only to a record it was in before, when the tool goes back to that id.
    """
    e, gone = schema.effect.c, schema.sighting.alias("gone")
    left = exists().where(
        gone.c.company_id == e.company_id,
        gone.c.claim_id == e.subject,
        gone.c.connection_id == e.connection_id,
        gone.c.presence != "live",
    )
    for waits in (and_(outbox.READY, e.state == "planned"), and_(FOLLOWED, e.fate == "pending")):
        query = select(e.id, e.connection_id, e.subject, e.state, e.payload).where(
            e.company_id == company_id, e.kind.in_(outbox.ENTRIES), waits, left
        )
        for row in tx.execute(query).all():
            _follow_one(tx, company_id, row)


FOLLOWED = text("fate in ('pending','posted')")
"""Said as the index says it: SQLite uses no partial index for bound values."""


def _follow_one(tx: Connection, company_id: str, entry: Any) -> None:
    s = schema.sighting.c
    live = tx.execute(
        select(s.id, s.remote_ref).where(
            s.company_id == company_id,
            s.connection_id == entry.connection_id,
            s.claim_id == entry.subject,
            s.presence == "live",
        )
    ).all()
    said = json.loads(entry.payload)
    if len(live) != 1 or live[0].id == said["sighting_id"]:
        return
    if entry.state == "planned" or live[0].id in said.get("was", ()):
        _enter_in(tx, company_id, entry.id, said, live[0].id, live[0].remote_ref)


def _enter_in(
    tx: Connection,
    company_id: str,
    effect_id: str,
    said: Mapping[str, Any],
    record_id: str,
    ref: str,
) -> None:
    """Let an entry name another record, and keep which ones it named before."""
    e = schema.effect.c
    was = [*said.get("was", ()), said["sighting_id"]]
    named = {**said, "sighting_id": record_id, "invoice_ref": ref, "was": was}
    tx.execute(
        schema.effect.update()
        .where(e.company_id == company_id, e.id == effect_id)
        .values(payload=json.dumps(named, sort_keys=True))
    )
