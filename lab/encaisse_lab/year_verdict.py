"""Judge a finished year: each payment of the collector stands once in the dossier, or is asked.

What should stand is worked out from what the town did at the collector, never from the host; what
stands is read from the dossier's own lines. Where an entry is missing or loose, the host must say
so itself: by a question that is open, or by an effect it will try again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from encaisse_core import outbox
from encaisse_core.app import App
from encaisse_core.store import schema
from encaisse_lab.year_people import Town
from encaisse_simulator.myunisoft import Move, plain

Effect = tuple[str, int]
"""An invoice's number by its letters and digits, and cents, debit less credit."""

Slot = tuple[str, int]
"""An invoice's number, and the sense: -1 for payments, 1 for what went back."""


@dataclass
class Verdict:
    """Count how entries stand, and name what should not be."""

    lettered: int = 0
    drafts: int = 0
    to_letter: int = 0
    with_a_person: int = 0
    doubled: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    loose: list[str] = field(default_factory=list[str])

    @property
    def sound(self) -> bool:
        """Tell whether nothing is doubled, lost, or loose."""
        return not (self.doubled or self.lost or self.loose)


def judge(app: App, company_id: str, town: Town) -> Verdict:
    """Compare what the collector received with what stands in the dossier."""
    verdict = Verdict()
    moves = town.books.moves()
    wanted, stands = Counter(wanted_effects(town)), Counter(_written(moves, town))
    with app.host.store.begin() as tx:
        told = _Told(tx, company_id)
    missing, beyond = _by_slot(wanted - stands), _by_slot(stands - wanted)
    for slot in sorted({*missing, *beyond}):
        lacking = missing[slot] - beyond[slot]
        known = min(lacking, told.unwritten[slot] + told.excess[slot])
        if lacking < 0:
            verdict.doubled.append(f"{slot[0]} {-lacking}")
        elif lacking > known:
            verdict.lost.append(f"{slot[0]} {lacking - known}")
        else:
            verdict.with_a_person += 1
    for move in moves:
        if move.state == "draft":
            verdict.drafts += 1
        elif move.state != "none":
            verdict.lettered += 1
        elif move.name in told.waits:
            verdict.to_letter += 1
        elif move.name in told.accountants:
            verdict.with_a_person += 1
        else:
            verdict.loose.append(f"{move.name} {move.invoice_number} {move.cents}")
    return verdict


def _by_slot(effects: Counter[Effect]) -> Counter[Slot]:
    """Add the cents of each slot.

    A customer who paid the collector too much pays the invoice in part: that entry is smaller than
    the payment, so what does not match to the cent is compared by its sum.
    """
    found: Counter[Slot] = Counter()
    for number, cents in effects.elements():
        found[number, 1 if cents > 0 else -1] += abs(cents)
    return found


def wanted_effects(town: Town) -> Iterable[Effect]:
    """Give what should stand: each payment of the collector, and its going back."""
    for paid in town.collected:
        number = plain(paid.bill.number)
        if paid.verified:
            yield number, -paid.cents
            if paid.went_back:
                yield number, paid.cents


def _written(moves: Iterable[Move], town: Town) -> Iterable[Effect]:
    """Give what stands, each entry as it was before the accountant corrected it."""
    for move in moves:
        yield plain(move.invoice_number), town.corrected_from.get(move.name, move.cents)


class _Told:
    """Read what the host itself says is not settled."""

    def __init__(self, tx: Connection, company_id: str) -> None:
        e, t = schema.effect.c, schema.task.c
        asked = set(
            tx.execute(
                select(t.subject).where(t.company_id == company_id, t.done_at.is_(None))
            ).scalars()
        )
        effects = tx.execute(select(schema.effect).where(e.company_id == company_id)).all()
        entries = {row.id: row for row in effects if row.kind in outbox.ENTRIES}
        self.unwritten: Counter[Slot] = Counter()
        """Cents of entries that are not there: asked about, to be tried again, undone in time."""
        self.excess: Counter[Slot] = Counter()
        """Cents the collector received beyond what was owed: a person was asked to give it back."""
        self.waits: set[str] = set()
        """Entries whose lettering will be tried again."""
        self.accountants: set[str] = set()
        """Entries the accountant letters: corrected, undone, or lettered otherwise by him."""
        for row in entries.values():
            said = json.loads(row.payload)
            if row.state != "done":
                slot = plain(said["invoice_number"]), -outbox.ENTRIES[row.kind]
                self.unwritten[slot] += said["amount"]
            if row.fate == "altered":
                self.accountants.add(row.remote_id)
            if row.kind == "reverse_payment" and row.state == "done":
                self.accountants |= {row.remote_id, entries[said["undoes"]].remote_id}
        for row in effects:
            if row.kind != "letter":
                continue
            names = [ref for ref in json.loads(row.payload)["line_refs"] if ref.startswith("GCO-")]
            if row.state in ("planned", "uncertain"):
                self.waits.update(names)
            elif row.id in asked:
                self.accountants.update(names)
        p, c = schema.payment.c, schema.claim.c
        query = (
            select(c.number, p.unallocated)
            .join(schema.claim, (c.company_id == p.company_id) & (c.id == p.claim_id))
            .where(p.company_id == company_id, p.origin == "collector", p.unallocated != 0)
        )
        for row in tx.execute(query):
            self.excess[plain(row.number), 1 if row.unallocated < 0 else -1] += abs(row.unallocated)
