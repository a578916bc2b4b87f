"""End a company's connection to a tool, once nothing depends on it any more.

A connection is a pair of eyes and a hand. The eyes may not close on a debtor who is being asked to
pay, for nobody would see the payment; the hand may not let go of what it still has to write. So
each of these is refused with what to do first, and only then the secrets are forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from encaisse_core import grants, journal, tasks
from encaisse_core.connecting import ANSWERED
from encaisse_core.errors import UsageError
from encaisse_core.host import Host, Link, link
from encaisse_core.posted import IN_FLIGHT
from encaisse_core.store import schema

LISTED = 5
"""How many invoices or files a refusal names; a person needs a place to begin, not a list."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Say what a connection's end changed: `blind` claims were shown by that tool alone."""

    link: Link
    blind: tuple[str, ...]
    secrets_forgotten: bool


def disconnect(
    host: Host, tx: Connection, company_id: str, connection_id: str, *, by: str, reason: str
) -> Ended:
    """End a connection; what it told stays known, and its claims are no longer collectible by it.

    Raises `UsageError` where a procedure, a proposal, an effect or money in transit needs it.
    """
    host.store.one_at_a_time(tx, company_id)
    ended = link(tx, company_id, connection_id)
    if ended.state == "ended":
        raise UsageError(f"Cette connexion à {ended.connector} est déjà terminée.")
    for obstacle in (_procedures(tx, ended), _handed(tx, ended), _effects(tx, ended)):
        if obstacle:
            raise UsageError(f"{obstacle} Rien n'a été changé.")
    if in_transit := _in_transit(tx, ended):
        raise UsageError(f"{in_transit} Rien n'a été changé.")
    blind = _shown_by_it_alone(tx, ended)
    now = host.clock.now()
    c, r, b = schema.connection, schema.routing, schema.bridge
    tx.execute(
        c.update()
        .where(c.c.company_id == company_id, c.c.id == connection_id)
        .values(state="ended", reason=reason)
    )
    tx.execute(
        r.delete().where(r.c.company_id == company_id, r.c.connection_id == connection_id)
    )  # where writes go is asked anew
    tx.execute(
        b.delete().where(
            b.c.company_id == company_id,
            (b.c.from_id == connection_id) | (b.c.to_id == connection_id),
        )
    )
    forgotten = _forget_secrets(tx, ended, reason)
    body: dict[str, journal.JSON] = {
        "connector": ended.connector,
        "by": by,
        "reason": reason,
        "blind": len(blind),
    }
    journal.append(tx, company_id, now, "disconnected", connection_id, body)
    for question in ANSWERED:
        tasks.close(tx, company_id, question, connection_id, "connexion terminée", at=now)
    return Ended(ended, blind, forgotten)


def _procedures(tx: Connection, ended: Link) -> str:
    """Name the procedures a collector's connection still has under way."""
    p = schema.procedure.c
    found = (
        tx.execute(
            select(p.remote_id)
            .where(
                p.company_id == ended.company_id,
                p.connection_id == ended.id,
                p.state != "closed",
            )
            .order_by(p.opened_at, p.id)
        )
        .scalars()
        .all()
    )
    if not found:
        return ""
    return (
        f"{ended.connector} mène encore {_counted(len(found), 'procédure')} ({_some(found)}) : "
        "attendez la fin, ou un retrait."
    )


def _handed(tx: Connection, ended: Link) -> str:
    """Name the invoices that are proposed or handed over and that this connection watches."""
    r, s, p = schema.reservation.c, schema.sighting, schema.proposal
    watched = (
        select(s.c.number)
        .join(schema.reservation, (r.company_id == s.c.company_id) & (r.claim_id == s.c.claim_id))
        .where(
            s.c.company_id == ended.company_id,
            s.c.connection_id == ended.id,
            s.c.presence == "live",
            r.released_at.is_(None),
        )
    )
    numbers = tx.execute(watched.distinct().order_by(s.c.number)).scalars().all()
    if numbers:
        return (
            f"Confiées ou proposées : {_counted(len(numbers), 'facture')} de {ended.connector} "
            f"({_some(numbers)}). Sans cette connexion, un paiement du client passerait inaperçu : "
            "écartez la proposition (encaisse decline), ou attendez la fin de la procédure."
        )
    addressed = (
        select(func.count())
        .select_from(p)
        .join(schema.reservation, (r.company_id == p.c.company_id) & (r.proposal_id == p.c.id))
        .where(
            p.c.company_id == ended.company_id,
            p.c.connection_id == ended.id,
            r.released_at.is_(None),
        )
    )
    if count := tx.execute(addressed).scalar_one():
        return (
            f"Proposées à {ended.connector} : {_counted(count, 'facture')}. Écartez d'abord ces "
            "propositions (encaisse decline), ou refusez d'en signer le mandat."
        )
    return ""


def _effects(tx: Connection, ended: Link) -> str:
    """Count what must still be written there, or of which nobody knows whether it landed."""
    e = schema.effect.c
    waiting = tx.execute(
        select(func.count())
        .select_from(schema.effect)
        .where(
            e.company_id == ended.company_id,
            e.connection_id == ended.id,
            e.state.in_(IN_FLIGHT),
        )
    ).scalar_one()
    if not waiting:
        return ""
    return (
        f"Pas encore finis vers {ended.connector} : {_counted(waiting, 'envoi')}. Lancez encaisse "
        "nightly, ou réglez cela par encaisse effects."
    )


def _in_transit(tx: Connection, ended: Link) -> str:
    """Count the payments a collector received and has not verified or paid out yet."""
    s, y = schema.settlement.c, schema.payout.c
    pending = tx.execute(
        select(func.count())
        .select_from(schema.settlement)
        .where(s.company_id == ended.company_id, s.connection_id == ended.id, s.state == "pending")
    ).scalar_one()
    unpaid = tx.execute(
        select(func.count())
        .select_from(schema.payout)
        .where(
            y.company_id == ended.company_id,
            y.connection_id == ended.id,
            y.state.in_(("scheduled", "held")),
        )
    ).scalar_one()
    if not pending and not unpaid:
        return ""
    return (
        f"{ended.connector} a encore de l'argent pour vous ({_counted(pending, 'paiement')} à "
        f"vérifier, {_counted(unpaid, 'reversement')} à venir) : attendez qu'il soit arrivé."
    )


def _shown_by_it_alone(tx: Connection, ended: Link) -> tuple[str, ...]:
    """List the open claims that no other connection shows."""
    s, c, k = schema.sighting, schema.claim.c, schema.connection.c
    other = s.alias("other")
    elsewhere = (
        select(other.c.id)
        .join(
            schema.connection,
            (k.company_id == other.c.company_id) & (k.id == other.c.connection_id),
        )
        .where(
            other.c.company_id == s.c.company_id,
            other.c.claim_id == s.c.claim_id,
            other.c.presence == "live",
            k.state != "ended",
            k.id != ended.id,
        )
        .exists()
    )
    query = (
        select(c.number)
        .join(s, (s.c.company_id == c.company_id) & (s.c.claim_id == c.id))
        .where(
            s.c.company_id == ended.company_id,
            s.c.connection_id == ended.id,
            s.c.presence == "live",
            c.state == "open",
            ~elsewhere,
        )
        .distinct()
        .order_by(c.number)
    )
    return tuple(tx.execute(query).scalars())


def _forget_secrets(tx: Connection, ended: Link, reason: str) -> bool:
    """Forget the secrets of an access that no other connection uses; True when they are gone."""
    c = schema.connection.c
    shared = select(c.id).where(c.grant_id == ended.grant_id, c.id != ended.id, c.state != "ended")
    if tx.execute(shared.limit(1)).first() is not None:
        return False
    grants.end(tx, ended.grant_id, reason)
    return True


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _some(names: Sequence[str]) -> str:
    """Name the first few."""
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" et {more} de plus" if more > 0 else "")
