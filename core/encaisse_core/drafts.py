"""Learn what an accountant made of the entries we proposed, and take it over.

An entry that waits in a tool counts as written: the money came in, whoever has not looked yet.
What becomes of it is asked every night before anything is reconciled, because a refusal and a
correction both move the open amount, and would pass for money going back or coming in. What the
invoice shows now is read together with the answer, so that both land in one transaction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import select

from encaisse_api import Drift, FollowedUp, FollowsUp, Missing, PartnerError, SourceInvoice
from encaisse_core import chaos, journal, outbox, succession, tasks
from encaisse_core.books_entries import forget_echo
from encaisse_core.cents import euros
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.holds import hold
from encaisse_core.host import Host, Link, link
from encaisse_core.ingest import ask_each, note_result
from encaisse_core.outbox import Effect
from encaisse_core.sightings import store_invoices
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows, stamp

PATIENCE = timedelta(days=30)
"""An entry nobody looked at for so long is brought to a person's mind, once."""

BATCH = 50
"""Entries asked about in one call."""

Reads = Callable[[Sequence[str]], Sequence[SourceInvoice | Missing]]


@dataclass
class Followed:
    """Count what became of entries, and say which connection did not answer."""

    fates: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, PartnerError] = field(default_factory=dict[str, PartnerError])


def follow_up(host: Host, company_id: str) -> Followed:
    """Ask each tool about the entries of ours that wait there."""
    followed = Followed()
    with host.store.begin() as tx:
        host.store.one_at_a_time(tx, company_id)
        succession.follow(tx, company_id)
    for connection_id, waiting in _waiting(host, company_id).items():
        with host.store.begin() as tx:
            where = link(tx, company_id, connection_id)
        if where.state != "active" or not host.can(where, FollowsUp):
            continue
        for start in range(0, len(waiting), BATCH):
            error = _follow(host, where, waiting[start : start + BATCH], followed.fates)
            if error is not None:
                followed.failures[connection_id] = error
                break
    return followed


def _waiting(host: Host, company_id: str) -> dict[str, list[Effect]]:
    """List the entries whose fate is open, by connection, in the order they were written."""
    e = schema.effect.c
    found: dict[str, list[Effect]] = defaultdict(list)
    query = (
        select(schema.effect)
        .where(e.company_id == company_id, e.fate == "pending", e.state == "done")
        .order_by(e.created_at, e.id)
    )
    with host.store.begin() as tx:
        for row in rows(tx.execute(query)):
            found[row["connection_id"]].append(outbox.effect_of(row))
    return found


def _follow(
    host: Host, where: Link, waiting: Sequence[Effect], fates: Counter[str]
) -> PartnerError | None:
    """Ask about some entries; give the error where the tool could not say."""
    by_remote = {str(effect.remote_id): effect for effect in waiting}
    failed: PartnerError | None
    try:
        with host.open(where) as partner:
            ask = cast("Callable[[Sequence[str]], Sequence[FollowedUp]]", partner.follow_up)
            asked_at = host.clock.now()
            with chaos.during("follow_up.read"):
                answers, failed = ask_each(ask, list(by_remote))
            decided: list[tuple[Effect, FollowedUp]] = []
            for told in answers:
                effect = by_remote.get(told.remote_id)
                if effect is None:
                    failed = Drift(f"{where.connector} répond sur {told.remote_id}, non demandé.")
                elif told.state == "pending":
                    fates["waiting"] += 1
                    _still_waits(host, where, effect, asked_at)
                else:
                    decided.append((effect, told))
            with chaos.during("follow_up.read"):
                shown, unread = _shown(partner, [effect for effect, _ in decided])
            for effect, told in decided:  # one whose invoice cannot be read is asked tomorrow
                if (seen := shown.get(effect.payload["invoice_ref"])) is not None:
                    fates[told.state] += _take_over(host, where, effect, told, seen)
            failed = failed or unread
    except PartnerError as error:
        failed = error
    except HostError:
        raise
    except Exception as error:  # a connector's fault leaves its entries as they were
        failed = Drift(
            f"{where.connector} n'a pas pu dire la suite d'une écriture ({fault(error)})"
        )
    if failed is not None:
        note_result(host, where, failed)
    return failed


def _shown(
    partner: Any, decided: Sequence[Effect]
) -> tuple[dict[str, SourceInvoice | Missing], PartnerError | None]:
    """Read what the invoices show now, each by itself where one of them cannot be read."""
    refs = list(dict.fromkeys(str(effect.payload["invoice_ref"]) for effect in decided))
    if not refs:
        return {}, None
    found, failed = ask_each(cast("Reads", partner.read_invoices), refs)
    return {each.ref: each for each in found}, failed


def _take_over(
    host: Host,
    where: Link,
    effect: Effect,
    told: FollowedUp,
    seen: SourceInvoice | Missing,
) -> bool:
    """Record a fate with what the invoice shows now; False when another worker did."""
    e = schema.effect.c
    number = effect.payload["invoice_number"]
    amount = f"{euros(effect.payload['amount'])} {effect.payload['currency']}"
    with host.store.begin("follow_up.fate") as tx:
        values: dict[str, Any] = {"fate": told.state}
        if told.state == "rejected":
            values |= {"state": "refused", "reason": told.note or "Écriture refusée."}
        written = tx.execute(
            schema.effect.update()
            .where(e.company_id == effect.company_id, e.id == effect.id, e.fate == "pending")
            .values(**values)
        )
        if written.rowcount == 0:
            return False
        journal.append(
            tx,
            effect.company_id,
            host.clock.now(),
            f"entry_{told.state}",
            effect.id,
            {"claim": effect.subject, "kind": effect.kind, "remote_id": told.remote_id},
        )
        if told.state == "rejected":
            forget_echo(tx, effect, seen)
        if isinstance(seen, SourceInvoice):
            store_invoices(host, tx, where, [seen])
        if told.state == "rejected":
            tasks.ask(
                tx,
                effect.company_id,
                "entry_rejected",
                effect.id,
                f"Facture {number} : dans {where.connector}, le comptable a refusé l'écriture de "
                f"{amount} que nous proposions. Rien n'est réécrit sans vous : voyez avec lui, "
                "puis retentez l'envoi ou laissez-le refusé (encaisse effects).",
                task_id=host.ids.new("tsk"),
                at=host.clock.now(),
                again=True,
            )
        elif told.state == "altered":
            hold(
                host,
                tx,
                effect.company_id,
                effect.subject,
                "entry_altered",
                f"Facture {number} : dans {where.connector}, le comptable a changé l'écriture de "
                f"{amount} que nous proposions. {told.note or ''} Vérifiez avec lui : si ce que "
                "montre l'outil est juste, levez la retenue ; rien d'automatique ne se fait avant.",
            )
        tasks.close(
            tx,
            effect.company_id,
            "entry_waits",
            effect.id,
            "le comptable a répondu",
            at=host.clock.now(),
        )
    return True


def _still_waits(host: Host, where: Link, effect: Effect, asked_at: datetime) -> None:
    """Note when a tool was asked that said so: a rise read before that is no refusal of his.

    An entry that waits for long is brought to mind: the books of its month are about to close. One
    that was refused and sent again is another entry, which waits anew.
    """
    e = schema.effect.c
    with host.store.begin() as tx:
        tx.execute(
            schema.effect.update()
            .where(e.company_id == effect.company_id, e.id == effect.id, e.fate == "pending")
            .values(awaited_at=stamp(asked_at))
        )
        query = select(e.finished_at).where(e.company_id == effect.company_id, e.id == effect.id)
        if asked_at - instant(tx.execute(query).scalar_one()) < PATIENCE:
            return
        tasks.ask(
            tx,
            effect.company_id,
            "entry_waits",
            effect.id,
            f"Facture {effect.payload['invoice_number']} : l'écriture de "
            f"{euros(effect.payload['amount'])} {effect.payload['currency']} attend la validation "
            f"du comptable dans {where.connector} depuis {PATIENCE.days} jours.",
            task_id=host.ids.new("tsk"),
            at=host.clock.now(),
            about={"entry": effect.remote_id},
        )
