"""Ask a person to bring an entry made by hand up to what its collector says by now.

We write nothing beside such an entry, and take nothing away from it. What is asked compares the
collector's newest word with where the entry stands: as it was made, or as the last answer left it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from encaisse_core import tasks
from encaisse_core.cents import euros
from encaisse_core.claim_states import number_of, standing_claim
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import rows
from encaisse_core.typed import note, typed_of

KIND = "typed_otherwise"

TYPED_IN = "que quelqu'un avait saisi dans votre outil"
HANDED_OVER = "dont l'écriture a été remise à la comptabilité"


class ByHand(NamedTuple):
    """Be an entry somebody made of a settlement: on which claim, of how much, and how.

    `net_of` is the principal of which it was what was left after the fee, where it was.
    """

    claim_id: str
    cents: int
    how: str = TYPED_IN
    net_of: int | None = None
    shown_by: str | None = None
    """The sighting that shows it, where no payment holds it."""


def ask_if_otherwise(
    host: Host, tx: Connection, company_id: str, settlement_id: str, made: ByHand | None = None
) -> None:
    """Ask what is to be done with an entry its collector says otherwise of, or no more.

    `made` is the entry where no payment holds it.
    """
    s = schema.settlement.c
    here = (s.company_id == company_id, s.id == settlement_id)
    said = rows(tx.execute(select(schema.settlement).where(*here)))[0]
    entry = made or standing(tx, company_id, settlement_id)
    if entry is None or said["state"] not in ("verified", "reversed"):
        return
    asked = _asked(tx, company_id, said, entry)
    if asked is None:
        now = host.clock.now()
        tasks.close(tx, company_id, KIND, settlement_id, tasks.SAID_OTHERWISE, at=now)
        return
    sentence, then = asked
    about: dict[str, Any] = {"claim": then.claim_id, "cents": then.cents}
    if entry.shown_by is not None:
        about |= {"shown_by": entry.shown_by, "was": entry.cents}
    tasks.ask_newest(
        tx,
        company_id,
        KIND,
        settlement_id,
        f"{sentence} : nous n'y écrivons rien.",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        about=about,
        again=True,
    )


def _asked(
    tx: Connection, company_id: str, said: Mapping[str, Any], entry: ByHand
) -> tuple[str, ByHand] | None:
    """Say what a person is asked, and where the entry stands once that is done."""
    principal, fees = said["principal"], (said["fee"] or 0) + (said["fee_vat"] or 0)
    to = standing_claim(tx, company_id, said["claim_id"])
    here, there = (number_of(tx, company_id, each) for each in (entry.claim_id, to))
    handed = entry.how == HANDED_OVER
    was = f"{entry.how} ({euros(entry.cents)})"
    if said["state"] == "reversed":
        if handed or not entry.cents:
            return None
        told = f"a annulé un encaissement de {euros(entry.cents)}, {was}"
        return f"Facture {here} : le partenaire {told}. Annulez-y la saisie", ByHand(
            entry.claim_id, 0
        )
    if not entry.cents and principal:
        told = f"a rétabli un encaissement de {euros(principal)}, dont la saisie a été annulée"
        return f"Facture {there} : le partenaire {told}. Saisissez-le de nouveau", ByHand(
            to, principal
        )
    net = entry.net_of is not None and (
        entry.net_of == principal or entry.cents == principal - fees
    )
    other = not (handed or net or entry.cents == principal)
    if entry.claim_id != to:
        told = f"a rattaché à la facture {there} un encaissement de {euros(entry.cents)}, {was}"
        ask = f"Passez l'écriture sur la facture {there}"
        if other:
            ask += f", pour {euros(principal)}"
        return f"Facture {here} : le partenaire {told}. {ask}", ByHand(to, principal)
    if other:
        told = f"a corrigé un encaissement en {euros(principal)} de principal, {was}"
        return f"Facture {here} : le partenaire {told}. Corrigez-y la saisie", ByHand(to, principal)
    return None


def standing(tx: Connection, company_id: str, settlement_id: str) -> ByHand | None:
    """Tell where an entry made by hand of a settlement stands; None where none was made."""
    p = schema.payment.c
    query = (
        select(p.id, p.claim_id)
        .where(p.company_id == company_id, p.settlement_id == settlement_id, p.reverses.is_(None))
        .order_by(p.created_at, p.id)
    )
    made = {row.id: row.claim_id for row in tx.execute(query)}
    found = _typed(tx, company_id, made) or _handed_over(tx, company_id, made)
    if found is None:
        return None
    done = answered(tx, company_id, settlement_id)
    if done is not None:
        found = found._replace(claim_id=done["claim"], cents=done["cents"], net_of=None)
    return found._replace(claim_id=standing_claim(tx, company_id, found.claim_id))


def recall(tx: Connection, company_id: str, settlement_id: str, payment_id: str) -> bool:
    """Keep that a tool shows a payment which its collector had said to be nothing, and says again.

    As long as nobody answered that it was taken out there. Tells whether there was one.
    """
    t, s = schema.task.c, schema.sighting.c
    asked = tx.execute(
        select(t.about).where(
            t.company_id == company_id,
            t.kind == KIND,
            t.subject == settlement_id,
            t.done_at.is_(None),
        )
    ).scalar_one_or_none()
    about = tasks.what(asked)
    if "shown_by" not in about:
        return False
    here = (s.company_id == company_id, s.id == about["shown_by"])
    (row,) = rows(tx.execute(select(schema.sighting).where(*here)))
    note(tx, row, payment_id, about["was"])
    return True


def answered(tx: Connection, company_id: str, settlement_id: str) -> Mapping[str, Any] | None:
    """Tell what the last question about a settlement that somebody answered left of its entry."""
    return tasks.last_about(tx, company_id, KIND, settlement_id)


def _typed(tx: Connection, company_id: str, made: Mapping[str, str]) -> ByHand | None:
    """Read what somebody typed into a tool of payments, the earliest first."""
    found = sorted(typed_of(tx, company_id, list(made)), key=lambda each: str(each["seen_at"]))
    for row in found:
        record = json.loads(row["record"])
        on = record.get("claim") or made[row["payment_id"]]
        return ByHand(on, record["amount"], net_of=record.get("net_of"))
    return None


def _handed_over(tx: Connection, company_id: str, made: Mapping[str, str]) -> ByHand | None:
    """Find the first of some payments that accountants were handed."""
    x, p = schema.exported_payment.c, schema.payment.c
    query = (
        select(p.claim_id, p.amount)
        .join(schema.payment, (p.company_id == x.company_id) & (p.id == x.payment_id))
        .where(x.company_id == company_id, x.amount != 0, x.payment_id.in_(list(made)))
        .order_by(p.created_at, p.id)
        .limit(1)
    )
    row = tx.execute(query).first()
    return None if row is None else ByHand(row.claim_id, row.amount, HANDED_OVER)
