"""Settle by hand what the outbox could not: adopt what landed, look up and retry, or abandon.

A person's decision takes the effect's lease like a worker does, so that no daemon sends meanwhile;
it is journaled with who decided and why (the words beside the journal, erasable).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import Absent, Conflict, Receipt, Rejected
from encaisse_core import deliver, journal, outbox
from encaisse_core.errors import UsageError
from encaisse_core.host import Host, Link, link
from encaisse_core.kinds import Kind, Never, NotNow
from encaisse_core.outbox import Effect
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows, stamp

WAYS = ("adopt", "retry", "abandon")

OPEN_TO: dict[str, tuple[str, ...]] = {
    "adopt": ("uncertain", "parked", "refused", "sending"),
    "retry": ("planned", "uncertain", "parked", "refused", "sending"),
    "abandon": ("planned", "uncertain", "parked", "sending"),
}
"""In which states a person may decide; `sending` only once its worker's lease is over."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold what a person decided of one effect, why, who, and the reference they saw there."""

    way: str
    reason: str
    by: str
    remote_id: str | None = None


def resolve(host: Host, company_id: str, effect_id: str, decided: Decision) -> str:
    """Carry a decision out and give the effect's kind, which the caller drains after a retry.

    Raises `UsageError` where the effect is not open to it, `PartnerError` where the look-up fails;
    the effect then stands as it stood.
    """
    if decided.remote_id is not None and decided.way != "adopt":
        raise UsageError("--remote-id ne sert qu'à adopter un envoi.")
    if not decided.reason.strip():
        raise UsageError("Dites pourquoi : --reason TEXTE.")
    effect, where, before = _take(host, company_id, effect_id, decided)
    kind = deliver.kinds()[effect.kind]
    try:
        if decided.way == "adopt":
            _adopt(host, effect, where, kind, decided)
        elif decided.way == "abandon":
            _abandon(host, effect, where, kind, decided)
        else:
            _retry(host, effect, where, kind, decided)
    except Exception as error:
        _give_back(host, effect, before)
        if isinstance(error, (NotNow, Never)):
            raise UsageError(f"Cet envoi ne peut pas être réglé ainsi : {error.reason}") from error
        raise
    return effect.kind


def _take(
    host: Host, company_id: str, effect_id: str, decided: Decision
) -> tuple[Effect, Link, dict[str, Any]]:
    """Take the effect's lease, or say why it is not open to this decision."""
    e = schema.effect.c
    with host.store.begin() as tx:
        host.store.one_at_a_time(tx, company_id)
        row = rows(
            tx.execute(select(schema.effect).where(e.company_id == company_id, e.id == effect_id))
        )[0]
        now = host.store.db_now(tx)
        if row["state"] not in OPEN_TO[decided.way]:
            done = "il est fait" if row["state"] == "done" else "il est déjà refusé"
            raise UsageError(f"L'envoi {effect_id} n'est plus à régler : {done}.")
        if row["state"] == "sending" and instant(row["ready_at"]) > now:
            raise UsageError(f"L'envoi {effect_id} est en cours : attendez quelques minutes.")
        token = host.ids.nonce(16).hex()
        tx.execute(
            schema.effect.update()
            .where(e.company_id == company_id, e.id == effect_id)
            .values(state="sending", token=token, ready_at=stamp(now + outbox.LEASE))
        )
        where = link(tx, company_id, row["connection_id"])
    effect = outbox.effect_of(
        row, state="uncertain" if row["state"] == "sending" else row["state"], token=token
    )
    return effect, where, row


def _give_back(host: Host, effect: Effect, before: dict[str, Any]) -> None:
    """Put the effect back as it stood; a dead worker's `sending` stays in doubt."""
    e = schema.effect.c
    kept = {name: before[name] for name in ("reason", "ready_at", "finished_at", "attempts")}
    with host.store.begin() as tx:
        tx.execute(
            schema.effect.update()
            .where(e.company_id == effect.company_id, e.id == effect.id, e.token == effect.token)
            .values(state=effect.state, token=None, **kept)
        )


def _adopt(host: Host, effect: Effect, where: Link, kind: Kind, decided: Decision) -> None:
    """Record that it landed: found there by us, or, with its reference, by the person."""
    named, partner_name = decided.remote_id, where.connector
    found, seen = _found(host, effect, where, kind, named)
    if found is None and named is None:
        raise UsageError(
            f"{partner_name} ne permet pas de chercher cet envoi : donnez sa référence avec "
            "--remote-id."
        )
    if found is None and effect.kind == "request_mandate":
        raise UsageError("Un mandat s'adopte sans --remote-id : sa page de signature est cherchée.")
    if named is not None and found is not None and str(found.remote_id) != named:
        raise UsageError(
            f"{partner_name} connaît cet envoi sous la référence {found.remote_id}, non {named} : "
            "adoptez-le sans --remote-id."
        )
    found = found or Receipt(remote_id=str(named))
    with host.store.begin() as tx:
        held = outbox.finish(
            host,
            tx,
            effect,
            "done",
            remote_id=str(found.remote_id),
            receipt=found.model_dump(mode="json"),
        )
        _still_held(held, effect)
        kind.landed(host, tx, where, effect, found, seen)
        _note(host, tx, effect, decided)


def _still_held(held: bool, effect: Effect) -> None:
    if not held:
        raise UsageError(f"L'envoi {effect.id} a été repris entre-temps : regardez où il en est.")


def _found(
    host: Host, effect: Effect, where: Link, kind: Kind, named: str | None
) -> tuple[Any, Any]:
    """Look an effect up at its partner, and what it changed there; None where that is not possible.

    What stands there in another form is a conflict: a person who names it has seen it. What does
    not stand there is adopted under no reference: it would be missing for good.
    """
    try:
        write = host.manifest(where).writes.get(kind.send)
    except KeyError:  # its connector is no more installed
        return None, None
    if write is None or write.guarantee == "none":
        return None, None
    try:
        with host.open(where, longest=outbox.LEASE - deliver.LAST_START) as partner:
            find: Callable[..., Any] = getattr(partner, kind.find)
            found = find(effect.key, kind.build(host, where, effect)[0])
            if not isinstance(found, Absent):
                whole = kind.whole(effect, found)
                return whole, kind.look(host, where, partner, effect)
    except Conflict:
        if named is None:
            raise
        return None, None
    except Rejected as error:
        raise UsageError(f"{where.connector} a refusé cet envoi : {error.message}") from error
    raise UsageError(
        f"{where.connector} ne connaît pas cet envoi ({found.searched}) : retentez-le ou "
        "abandonnez-le."
    )


def _abandon(host: Host, effect: Effect, where: Link, kind: Kind, decided: Decision) -> None:
    with host.store.begin() as tx:
        held = outbox.finish(host, tx, effect, "refused", reason=f"Abandonné par {decided.by}.")
        _still_held(held, effect)
        kind.failed(host, tx, where, effect)
        _note(host, tx, effect, decided)


def _retry(host: Host, effect: Effect, where: Link, kind: Kind, decided: Decision) -> None:
    """Make it due again, in doubt: the outbox looks it up before it sends anything."""
    write = host.manifest(where).writes.get(kind.send)
    if write is None or write.guarantee == "none":
        raise UsageError(
            f"{where.connector} ne permet pas de vérifier si cet envoi est arrivé : vérifiez "
            "chez lui, puis adoptez-le ou abandonnez-le."
        )
    e = schema.effect.c
    with host.store.begin() as tx:
        held = outbox.finish(host, tx, effect, "uncertain", reason=f"Retenté par {decided.by}.")
        _still_held(held, effect)
        tx.execute(
            schema.effect.update()
            .where(e.company_id == effect.company_id, e.id == effect.id)
            .values(attempts=1)  # its patience starts over; above one, it is looked up first
        )
        _note(host, tx, effect, decided)


def _note(host: Host, tx: Connection, effect: Effect, decided: Decision) -> None:
    """Journal the decision and close the questions it answers."""
    now = host.clock.now()
    words = journal.seal_personal(
        tx, effect.company_id, f"{decided.by} : {decided.reason}", host.ids.nonce(16)
    )
    journal.append(
        tx,
        effect.company_id,
        now,
        "effect_resolved",
        effect.id,
        {"way": decided.way, "kind": effect.kind, "words": words},
    )
    t = schema.task.c
    tx.execute(
        schema.task.update()
        .where(t.company_id == effect.company_id, t.subject == effect.id, t.done_at.is_(None))
        .values(done_at=stamp(now), answer=f"{decided.way} : {decided.reason}")
    )
