"""Compare, each night, what the host holds open with the dossier's own balances.

For each customer account, in cents:

    open in the host + collected and not yet written + corrected + asked
        =  balance in the books + our drafts there

On the left is the host alone: the open échéances of its claims and credits, and the collector's
money it allocated and no entry of ours tells: not written yet, refused by the tool or by the
accountant. What the host sees and does not understand waits as a question (`asked`): an amount that
rose without a payment to undo, money that may be known already. What the accountant corrected on
our entries is known from him. On the right is the dossier alone, read from its lines: what is
posted, and our entries that wait for the accountant, which are no part of a balance yet.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from encaisse_core import outbox
from encaisse_core.app import App
from encaisse_core.store import schema
from encaisse_simulator.myunisoft import Bookkeeping

ASKED = ("amount_rose", "maybe_same")
"""Questions about a difference the host leaves as it is until they are answered."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Be one account on which the two sides do not agree, in cents."""

    account: str
    held: int
    unwritten: int
    corrected: int
    asked: int
    booked: int
    awaiting: int

    @property
    def cents(self) -> int:
        """Give by how much the host holds more open than the books."""
        ours = self.held + self.unwritten + self.corrected + self.asked
        return ours - self.booked - self.awaiting


def differences(
    app: App, company_id: str, books: Bookkeeping, corrected: Mapping[str, int]
) -> list[Difference]:
    """Compare every account; an empty list is right."""
    held, unwritten = _held(app, company_id), _unwritten(app, company_id)
    asked = _asked(app, company_id)
    booked, awaiting = books.balances(), books.awaiting()
    found = [
        Difference(
            name,
            held[name],
            unwritten[name],
            corrected.get(name, 0),
            asked[name],
            booked.get(name, 0),
            awaiting.get(name, 0),
        )
        for name in sorted({*held, *unwritten, *booked, *awaiting})
    ]
    return [each for each in found if each.cents]


def _held(app: App, company_id: str) -> Counter[str]:
    """Add the open échéances of each account's claims and credits."""
    s, c = schema.sighting.c, schema.claim.c
    query = (
        select(s.remote_ref, c.id, c.open)
        .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
        .where(s.company_id == company_id)
    )
    found: Counter[str] = Counter()
    seen: set[str] = set()
    with app.host.store.begin() as tx:
        for row in tx.execute(query):
            if row.id not in seen:
                seen.add(row.id)
                found[account_of(row.remote_ref)] += row.open
    return found


def _unwritten(app: App, company_id: str) -> Counter[str]:
    """Add what the collector received for each account and no entry of ours tells yet."""
    a, p, e = schema.allocation.c, schema.payment.c, schema.effect.c
    accounts = _accounts(app, company_id)
    found: Counter[str] = Counter()
    collected = (
        select(p.claim_id, func.sum(a.amount).label("cents"))
        .join(schema.allocation, (a.company_id == p.company_id) & (a.payment_id == p.id))
        .where(p.company_id == company_id, p.origin == "collector")
        .group_by(p.claim_id)
    )
    written = select(e.subject, e.kind, e.payload).where(
        e.company_id == company_id, e.kind.in_(outbox.ENTRIES), e.state == "done"
    )
    with app.host.store.begin() as tx:
        for claim_id, cents in tx.execute(collected):
            found[accounts[claim_id]] += cents
        for claim_id, kind, payload in tx.execute(written):
            told = json.loads(payload)["amount"]
            found[accounts[claim_id]] -= outbox.ENTRIES[kind] * told
    return found


def _asked(app: App, company_id: str) -> Counter[str]:
    """Add what tools show beyond what the host explains, where a person was asked about it."""
    s, t = schema.sighting.c, schema.task.c
    query = (
        select(s.remote_ref, s.open, s.expected)
        .join(schema.task, (t.company_id == s.company_id) & (t.subject == s.claim_id))
        .where(
            s.company_id == company_id,
            s.presence == "live",
            t.kind.in_(ASKED),
            t.done_at.is_(None),
        )
    )
    found: Counter[str] = Counter()
    with app.host.store.begin() as tx:
        for row in tx.execute(query):
            found[account_of(row.remote_ref)] += row.open - row.expected
    return found


def _accounts(app: App, company_id: str) -> dict[str, str]:
    """Tell which customer account each claim stands on."""
    s = schema.sighting.c
    query = select(s.claim_id, s.remote_ref).where(
        s.company_id == company_id, s.claim_id.is_not(None)
    )
    with app.host.store.begin() as tx:
        return {row.claim_id: account_of(row.remote_ref) for row in tx.execute(query)}


def account_of(ref: str) -> str:
    """Read the customer account a MyUnisoft reference begins with."""
    return ref.partition("/")[0].partition("#")[0]
