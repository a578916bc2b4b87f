"""Tell what of a payout's principal stands in the books already, and what is not certain yet."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, func, select

from encaisse_core import outbox, tasks, typed_otherwise
from encaisse_core.entries import Collected, matched
from encaisse_core.store import schema
from encaisse_core.store.engine import rows
from encaisse_core.vouchers import CUSTOMERS, Line

IN_FLIGHT = ("planned", "sending", "uncertain", "parked")
"""States in which nobody knows yet whether an entry stands in the tool's books."""

QUESTIONS = ("maybe_same", "entry_altered")
"""Questions whose answer says what the books show of a claim's money."""


Told: TypeAlias = Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]
"""What tools were or are to be told of each payment: the state of the effect, and what it says."""


@dataclass(frozen=True, slots=True)
class _Posted:
    """Hold what the books show of a settlement, and why it is not certain, if so.

    `cents` are by payment, or by its going back.
    """

    history: tuple[Collected, ...]
    cents: Mapping[str, int]
    doubt: str | None


class _Pool:
    """Give each line of a settlement what stands in the books of it, every cent once.

    One its collector corrected is paid out under the old amount first, when only the new one may
    have been entered: the last payment of the settlement then lends what the first has not, and is
    paid out with so much less.
    """

    def __init__(self, there: _Posted, left: Mapping[str, int]) -> None:
        self._last = there.history[-1].payment_id if there.history else ""
        self._undone = {each.payment_id for each in there.history if each.undone_by is not None}
        known = {*there.cents, *left}
        self._pool = {one: there.cents.get(one, 0) - left.get(one, 0) for one in known}
        for one in self._undone - {self._last}:
            lent = min(0, self._pool.get(one, 0))  # to lines that were handed over before
            self._take(one, lent)
            self._take(self._last, -lent)

    def share(self, payment_id: str, cents: int) -> int:
        """Take what stands of a line of so many cents, positive however the money went."""
        lenders = [payment_id]
        if payment_id in self._undone:
            lenders.append(self._last)
        found = 0
        for one in dict.fromkeys(lenders):
            part = min(abs(cents) - found, max(0, self._pool.get(one, 0)))
            self._take(one, part)
            found += part
        return found

    def _take(self, payment_id: str, cents: int) -> None:
        self._pool[payment_id] = self._pool.get(payment_id, 0) - cents


def already_there(
    tx: Connection, payout: Mapping[str, Any], lines: list[Line], told: Told
) -> tuple[dict[int, int], list[tuple[str, int, int]], str | None]:
    """Tell by position what of each 411 line stands in the books, and what each payment hands over.

    The last is why nothing can be said yet, in French.
    """
    if payout["currency"] != "EUR":
        return {}, [], f"Il est en {payout['currency']} : ces écritures se passent en euros."
    by_payment: dict[str, list[int]] = defaultdict(list)
    for position, line in enumerate(lines):
        if line.account == CUSTOMERS:
            by_payment[line.payment_ref or ""].append(position)
    posted: dict[int, int] = {}
    shares: list[tuple[str, int, int]] = []
    for payment_ref, positions in by_payment.items():
        there = _posted(tx, payout, payment_ref, told)
        if there.doubt is not None:
            return {}, [], there.doubt
        used, left = _used(tx, payout["company_id"], there.history)
        principals = [lines[at].credit - lines[at].debit for at in positions]
        pool = _Pool(there, left)
        for at, cents, payment_id in zip(
            positions, principals, matched(principals, there.history, used), strict=True
        ):
            if payment_id is None:
                what = "est revenu" if cents < 0 else "est arrivé"
                return (
                    {},
                    [],
                    (
                        f"Le partenaire n'a pas encore dit que le paiement de la facture "
                        f"{lines[at].reference} {what} pour ce montant."
                    ),
                )
            share = posted[at] = pool.share(payment_id, cents)
            shares.append((payment_id, cents, cents - share if cents > 0 else cents + share))
    return posted, shares, None


def _posted(tx: Connection, payout: Mapping[str, Any], payment_ref: str, told: Told) -> _Posted:
    """Gather what a settlement's payments are, and what tools were told of each."""
    company_id = payout["company_id"]
    s, p = schema.settlement.c, schema.payment.c
    settlement = tx.execute(
        select(s.id, s.claim_id).where(
            s.company_id == company_id,
            s.connection_id == payout["connection_id"],
            s.remote_id == payment_ref,
        )
    ).one()
    made = rows(
        tx.execute(
            select(p.id, p.amount, p.reverses)
            .where(p.company_id == company_id, p.settlement_id == settlement.id)
            .order_by(p.created_at, p.id)
        )
    )
    undone = {row["reverses"]: row["id"] for row in made if row["reverses"] is not None}
    history = tuple(
        Collected(row["id"], row["amount"], undone.get(row["id"]))
        for row in made
        if row["reverses"] is None
    )
    cents: dict[str, int] = defaultdict(int)
    doubt = None
    ours = {row["id"]: abs(row["amount"]) for row in made}
    for payment_id in ours:
        for state, said in told.get(payment_id, ()):
            if state in IN_FLIGHT:
                doubt = (
                    f"Une écriture sur la facture {said['invoice_number']} est en cours dans "
                    "l'outil : attendez qu'elle soit faite, ou réglez-la (encaisse effects)."
                )
            elif state == "pending":
                doubt = (
                    f"Une écriture sur la facture {said['invoice_number']} attend son comptable "
                    "dans l'outil : il peut encore la refuser."
                )
            else:
                cents[payment_id] += said["amount"]
    typed = _typed_in(tx, company_id, ours)
    corrected = typed_otherwise.answered(tx, company_id, settlement.id) is not None
    if len(typed) > 1 or corrected:
        # Who typed it follows its collector's word. What closed by itself stands as it was typed.
        by_hand = [row["id"] for row in made if (row["reverses"] or row["id"]) in typed]
        last = [row["id"] for row in made if row["id"] in typed][-1:]
        as_typed = {one: typed[one] for one in last if one not in undone and not corrected}
        typed = {payment_id: ours[payment_id] for payment_id in by_hand} | as_typed
    for payment_id, amount in typed.items():
        cents[payment_id] = min(ours[payment_id], cents[payment_id] + amount)
    asked = tasks.open_on(tx, company_id, settlement.id).keys() & {typed_otherwise.KIND}
    if asked or set(QUESTIONS) & set(tasks.open_on(tx, company_id, settlement.claim_id)):
        doubt = "Une question sur un de ses paiements attend sa réponse (encaisse tasks)."
    return _Posted(history, cents, doubt)


def told_to_tools(tx: Connection, company_id: str) -> Told:
    """Gather by payment what tools have been told, or may be about to hear."""
    e = schema.effect.c
    query = (
        select(e.state, e.fate, e.payload)
        .where(
            e.company_id == company_id,
            e.kind.in_(outbox.ENTRIES),
            e.state.in_((*IN_FLIGHT, "done")),
        )
        .order_by(e.created_at, e.id)
    )
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for row in tx.execute(query):
        said = json.loads(row.payload)
        state = "pending" if row.state == "done" and row.fate == "pending" else row.state
        found[said["payment_id"]].append((state, said))
    return found


def _typed_in(tx: Connection, company_id: str, among: Iterable[str]) -> dict[str, int]:
    """Tell how much of payments a person typed into a tool by hand, as an answer said."""
    x = schema.payment_sighting.c
    query = select(x.payment_id, x.record).where(
        x.company_id == company_id, x.role == "same", x.payment_id.in_(list(among))
    )
    found: dict[str, int] = {}
    for row in tx.execute(query):
        cents = int(json.loads(row.record)["amount"])
        found[row.payment_id] = max(cents, found.get(row.payment_id, 0))
    return found


def _used(
    tx: Connection, company_id: str, history: Iterable[Collected]
) -> tuple[dict[str, int], dict[str, int]]:
    """Tell what earlier exports took of each payment, and what of that they left to the tools."""
    ids = [one for each in history for one in (each.payment_id, each.undone_by) if one is not None]
    x = schema.exported_payment.c
    query = (
        select(
            x.payment_id,
            func.sum(func.abs(x.principal)).label("principal"),
            func.sum(func.abs(x.amount)).label("amount"),
        )
        .where(x.company_id == company_id, x.payment_id.in_(ids))
        .group_by(x.payment_id)
    )
    used: dict[str, int] = {}
    left: dict[str, int] = {}
    for row in tx.execute(query):
        used[row.payment_id] = int(row.principal)
        left[row.payment_id] = int(row.principal) - int(row.amount)
    return used, left
