"""Be careful after a restored backup: what was sent since it was made is not written anywhere here.

While a company's restoration is open, what is planned is `uncertain` from the start, so that it is
looked up before it is sent, and nothing opens until every partner was read again and the
procedures a collector has were compared with ours. `recovering.py` does that reading; a restoration
closes by itself once nothing is in doubt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from encaisse_core import journal
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp

UNKNOWN_PROCEDURE = "unknown_procedure"
"""The question about a procedure a collector has and a restored store does not know."""

NOT_CLOSED = ("planned", "sending", "uncertain")


@dataclass(frozen=True, slots=True)
class Restoration:
    """Say which backup a company was restored from; `read_at` is None until partners were read."""

    id: str
    taken_at: str
    restored_at: str
    read_at: str | None
    closed_at: str | None


def mark(
    tx: Connection, company_id: str, id_: str, taken_at: str, digest: str, at: datetime
) -> int:
    """Mark a company as restored and put its open effects in doubt; return how many there are."""
    now = stamp(at)
    tx.execute(
        schema.restoration.insert().values(
            company_id=company_id, id=id_, taken_at=taken_at, restored_at=now, digest=digest
        )
    )
    e = schema.effect.c
    doubted = tx.execute(
        schema.effect.update()
        .where(e.company_id == company_id, e.state.in_(NOT_CLOSED))
        .values(state="uncertain", token=None, ready_at=now)
    ).rowcount
    body: Mapping[str, journal.JSON] = {
        "taken_at": taken_at,
        "backup": digest,
        "in_doubt": doubted,
    }
    journal.append(tx, company_id, at, "restored", id_, body)
    return doubted


def latest(tx: Connection, company_id: str) -> Restoration | None:
    """Give a company's last restoration, open or closed."""
    r = schema.restoration.c
    row = tx.execute(
        select(r.id, r.taken_at, r.restored_at, r.read_at, r.closed_at)
        .where(r.company_id == company_id)
        .order_by(r.restored_at.desc(), r.id.desc())
        .limit(1)
    ).first()
    return None if row is None else Restoration(*row)


def open_of(tx: Connection, company_id: str) -> Restoration | None:
    """Give the restoration that is not over; None where nothing is to be doubted."""
    found = latest(tx, company_id)
    return None if found is None or found.closed_at is not None else found


def series(tx: Connection, company_id: str) -> str:
    """Name the series of numbers a company's last restoration began; empty before any.

    It is named by its minute, not counted: a count would be restored with the rest, and the same
    backup restored twice would give the same numbers twice.
    """
    found = latest(tx, company_id)
    return "" if found is None else f"R{instant(found.restored_at):%y%m%d%H%M}"


def first_number(tx: Connection, company_id: str) -> int:
    """Give what numbers without letters go on from: a hundred for each minute since 2026."""
    found = latest(tx, company_id)
    if found is None:
        return 0
    minutes = (instant(found.restored_at) - datetime(2026, 1, 1, tzinfo=UTC)) // timedelta(
        minutes=1
    )
    return max(1, minutes) * 100


def first_state(tx: Connection, company_id: str) -> str:
    """Give the state an effect is planned in: it may have been sent before the restoration."""
    return "planned" if open_of(tx, company_id) is None else "uncertain"


def why_not_open(tx: Connection, company_id: str) -> str | None:
    """Say in French why nothing may be opened yet; None where it may."""
    found = open_of(tx, company_id)
    if found is None:
        return None
    if found.read_at is None:
        return (
            "La base vient d'être restaurée : rien n'est ouvert avant que chaque partenaire ait "
            "été relu et ses procédures comparées aux nôtres."
        )
    asked = procedures_unknown(tx, company_id)
    if asked:
        return (
            f"{asked} procédure(s) d'un partenaire sont inconnues depuis la restauration : "
            "répondez d'abord à leur question (encaisse tasks)."
        )
    return None


def procedures_unknown(tx: Connection, company_id: str) -> int:
    """Count the procedures a person has not said anything about yet."""
    t = schema.task.c
    query = select(func.count()).where(
        t.company_id == company_id, t.kind == UNKNOWN_PROCEDURE, t.done_at.is_(None)
    )
    return int(tx.execute(query).scalar_one())


def unexplained(tx: Connection, company_id: str, claim_id: str) -> bool:
    """Tell whether, after a restoration, a tool shows of a claim what nobody has explained yet.

    An entry adopted and undone in one night would leave its copy in a fed tool unexplained: the two
    cancel out before anybody looked, and what was copied would look like the customer's payment.
    """
    if open_of(tx, company_id) is None:
        return False
    s = schema.sighting.c
    query = select(func.count()).where(
        s.company_id == company_id,
        s.claim_id == claim_id,
        s.presence == "live",
        s.open != s.expected,
    )
    return bool(tx.execute(query).scalar_one())


def may_have_been_issued(tx: Connection, company_id: str, over_by: str) -> Restoration | None:
    """Tell whether something that was due by an instant may have been given out and forgotten.

    That is what could have been done between the backup and its restoration, whether or not the
    restoration is closed: no partner can be asked about a document somebody sent.
    """
    found = latest(tx, company_id)
    return found if found is not None and over_by <= found.restored_at else None
