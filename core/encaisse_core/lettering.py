"""Letter an invoice with what pays it, once its entry stands in the books.

A lettering is an effect of its own: the entry it needs may wait for an accountant for days, his
tool letters by itself too, and lines he lettered otherwise are left as he wants them. An entry that
was undone before it was lettered is lettered with what undid it; one undone afterwards is left to
the accountant, since no tool says how to unletter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, select

from encaisse_api import LetteringEntry, LettersEntries
from encaisse_core import outbox
from encaisse_core.host import Host, Link, links
from encaisse_core.kinds import Kind, Never
from encaisse_core.outbox import Effect
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

OUTDATED = (
    "Un paiement annulé depuis peut y être encore lettré avec la facture : délettrez-le dans "
    "l'outil, puis relancez cet envoi."
)


def plan_letterings(host: Host, company_id: str) -> int:
    """Plan the lettering of each entry that stands in its books; return how many."""
    planned = 0
    with host.store.begin("lettering.plan") as tx:
        for where in links(tx, company_id):
            if host.can(where, LettersEntries):
                host.store.one_at_a_time(tx, company_id)
                for payload in _due(tx, where):
                    planned += _plan(host, tx, where, payload)
    return planned


def _due(tx: Connection, where: Link) -> Iterator[Mapping[str, Any]]:
    """Give what is to be lettered: an invoice with its payment, or a payment with its undoing."""
    e = schema.effect.c
    query = (
        select(schema.effect)
        .where(
            e.company_id == where.company_id,
            e.connection_id == where.id,
            e.fate == "posted",
            e.state == "done",
        )
        .order_by(e.created_at, e.id)
    )
    entries = rows(tx.execute(query))
    undone = _undone(tx, where)
    lettered = _lettered(tx, where)
    for row in entries:
        if row["kind"] != "record_payment" or row["id"] in lettered:
            continue  # lettered with its invoice, or about to be
        said = json.loads(row["payload"])
        account = _account(tx, where.company_id, said["sighting_id"])
        if account is None:
            continue
        undoing = undone.get(row["id"])
        if undoing is None:
            refs = [said["invoice_ref"], row["remote_id"]]
        elif undoing["fate"] == "posted":
            refs = [row["remote_id"], undoing["remote_id"]]
        else:
            continue  # its undoing is on its way
        yield {
            "claim_id": row["subject"],
            "effect_id": row["id"],
            "undoing": undoing["id"] if undoing else None,
            "account": account,
            "line_refs": refs,
        }


def _undone(tx: Connection, where: Link) -> dict[str, Mapping[str, Any]]:
    """Name the entries a reversal undoes, or is about to."""
    e = schema.effect.c
    query = select(schema.effect).where(
        e.company_id == where.company_id,
        e.connection_id == where.id,
        e.kind == "reverse_payment",
        e.state != "refused",
    )
    return {json.loads(row["payload"])["undoes"]: row for row in rows(tx.execute(query))}


def _lettered(tx: Connection, where: Link) -> set[str]:
    """Name the entries that are lettered, or about to be; a refused lettering is neither."""
    e = schema.effect.c
    query = select(e.cause).where(
        e.company_id == where.company_id,
        e.connection_id == where.id,
        e.kind == "letter",
        e.state != "refused",
    )
    return set(tx.execute(query).scalars())


def _account(tx: Connection, company_id: str, sighting_id: str) -> str | None:
    """Name the customer's account as the tool does."""
    s = schema.sighting.c
    record = tx.execute(
        select(s.record).where(s.company_id == company_id, s.id == sighting_id)
    ).scalar_one()
    return record_of(record).debtor.ref


def _plan(host: Host, tx: Connection, where: Link, payload: Mapping[str, Any]) -> bool:
    return (
        outbox.plan(
            host,
            tx,
            company_id=where.company_id,
            kind="letter",
            subject=payload["claim_id"],
            cause=payload["undoing"] or payload["effect_id"],
            connection_id=where.id,
            payload=payload,
        )
        is not None
    )


class Letter(Kind):
    """Letter lines of one customer account together."""

    send = "letter"
    find = "find_lettering"
    yields = True

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        refs: Sequence[str] = effect.payload["line_refs"]
        entry = LetteringEntry(
            account=effect.payload["account"], line_refs=tuple(refs), reference=effect.key
        )
        return (entry,)

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Leave a payment alone that somebody undid since."""
        with host.store.begin() as tx:
            undoing = _undone(tx, link).get(effect.payload["effect_id"])
        if undoing is not None and undoing["id"] != effect.payload["undoing"]:
            raise Never("Le paiement à lettrer a été annulé depuis : le comptable le lettre.")

    def outdated(self, host: Host, link: Link, effect: Effect) -> str | None:
        """Tell whether the invoice may still be lettered with a payment that went back since.

        Only a person unletters it, and what paid the invoice afterwards stands alone till then.
        """
        if effect.payload["undoing"] is not None:
            return None
        e = schema.effect.c
        with host.store.begin() as tx:
            undone = _undone(tx, link)
            ended = {
                json.loads(payload)["effect_id"]
                for payload in tx.execute(
                    select(e.payload).where(
                        e.company_id == link.company_id,
                        e.subject == effect.subject,
                        e.kind == "letter",
                        e.cause.in_([row["id"] for row in undone.values()]),
                        e.state == "done",
                    )
                ).scalars()
            }  # lettered with what undid them
            left = tx.execute(
                select(e.id).where(
                    e.company_id == link.company_id,
                    e.connection_id == link.id,
                    e.subject == effect.subject,
                    e.kind == "record_payment",
                    e.state == "done",
                    e.id.in_(undone.keys() - ended),
                )
            ).first()
        return None if left is None else OUTDATED
