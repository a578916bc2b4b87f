"""Gather what the decision looks at, for one claim or all of a company's, and decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, or_, select

from encaisse_api import Debtor, SourceInvoice
from encaisse_api.source import Flag
from encaisse_core.claim_facts import (
    ClaimFacts,
    DebtorFacts,
    DebtorKind,
    EcheanceFacts,
    SightingFacts,
)
from encaisse_core.claim_states import standing_claim
from encaisse_core.decide import Decision, decide
from encaisse_core.host import Host, links
from encaisse_core.payments import TOLD
from encaisse_core.sightings import record_of
from encaisse_core.spoken_for import spoken_for
from encaisse_core.store import schema
from encaisse_core.store.engine import instant
from encaisse_core.store.schema.money import ALLOCATED
from encaisse_core.store.upsert import among

Row = dict[str, Any]

PROTECTED: tuple[DebtorKind, ...] = ("individual", "public")
"""Kinds of debtor with rules of their own, which one record is enough to claim."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Hold a claim's facts with what was decided from them."""

    facts: ClaimFacts
    decision: Decision
    claim: Row


@dataclass(frozen=True, slots=True)
class Collectible:
    """Describe what may be proposed of one claim; `due` lists its overdue échéances."""

    claim_id: str
    number: str
    issue_date: date
    debtor_id: str
    debtor: Debtor
    cents: int
    due: tuple[tuple[date, int], ...]


def decide_all(
    host: Host,
    tx: Connection,
    company_id: str,
    *,
    only: Collection[str] | None = None,
    ignore_procedure: bool = False,
) -> Iterator[Decided]:
    """Decide every claim of a company, or `only` some, in order of number.

    `ignore_procedure` decides as if no proposal held the claim: for that very proposal.
    """
    gathered = _Gathered(host, tx, company_id, only)
    for claim in gathered.claims:
        facts = gathered.facts(claim, ignore_procedure)
        yield Decided(facts, decide(facts, host.clock.today(), host.policy), claim)


def collectible(host: Host, tx: Connection, company_id: str) -> list[Collectible]:
    """List what may be proposed today.

    Only claims with an overdue amount are decided: no rule makes another one collectible, and of
    those that are settled there are more every year.
    """
    found: list[Collectible] = []
    overdue = _overdue(tx, company_id, host.clock.today())
    for each in decide_all(host, tx, company_id, only=overdue):
        if not each.decision.collectible:
            continue
        allowed = {e.id for e in each.decision.echeances if e.collectible}
        found.append(
            Collectible(
                claim_id=each.facts.claim_id,
                number=each.facts.number,
                issue_date=each.facts.issue_date,
                debtor_id=each.claim["debtor_id"],
                debtor=debtor(tx, company_id, each.claim["debtor_id"]),
                cents=each.decision.collectible_cents,
                due=tuple(
                    (e.due_date, e.open)
                    for e in each.facts.echeances
                    if e.id in allowed and e.due_date is not None
                ),
            )
        )
    return found


def _overdue(tx: Connection, company_id: str, today: date) -> list[str]:
    """Name the claims of which an échéance is owed that is not due on a later day."""
    e = schema.echeance.c
    late = or_(e.due_date.is_(None), e.due_date < today.isoformat())
    query = select(e.claim_id).where(e.company_id == company_id, e.open > 0, late).distinct()
    return [str(claim_id) for claim_id in tx.execute(query).scalars()]


def debtor(tx: Connection, company_id: str, debtor_id: str) -> Debtor:
    """Read a debtor as its source told it."""
    d = schema.debtor.c
    detail = tx.execute(
        select(d.detail).where(d.company_id == company_id, d.id == debtor_id)
    ).scalar_one()
    return Debtor.model_validate_json(detail)


def creditor(tx: Connection, company_id: str) -> Row:
    """Read the company."""
    row = tx.execute(select(schema.company).where(schema.company.c.id == company_id)).mappings()
    return dict(row.one())


class _Gathered:
    """Read each table once for all claims wanted."""

    def __init__(
        self, host: Host, tx: Connection, company_id: str, only: Collection[str] | None
    ) -> None:
        self._host = host
        self._siren = creditor(tx, company_id)["siren"]
        self._now = host.clock.now()
        c = schema.claim.c
        query = (
            select(schema.claim)
            .where(c.company_id == company_id, c.merged_into.is_(None))
            .order_by(c.number, c.id)
        )
        if only is not None:
            query = query.where(among(tx, c.id, list(only)))
        self.claims = [dict(row) for row in tx.execute(query).mappings()]
        self._links = {link.id: link for link in links(tx, company_id, states=("active", "paused"))}
        k = schema.connection.c
        self._pulled = {
            row.id: row.pulled_at and instant(row.pulled_at)
            for row in tx.execute(select(k.id, k.pulled_at).where(k.company_id == company_id))
        }
        self._echeances = _grouped(tx, schema.echeance, company_id, "due_date", only)
        self._sightings = _grouped(tx, schema.sighting, company_id, "id", only)
        d = schema.debtor.c
        cards = select(schema.debtor).where(d.company_id == company_id)
        if only is not None:
            owing = {claim["debtor_id"] for claim in self.claims if claim["debtor_id"]}
            cards = cards.where(among(tx, d.id, sorted(owing)))
        self._debtors = {row["id"]: dict(row) for row in tx.execute(cards).mappings()}
        self._untold = collected_untold(tx, company_id)
        self._acknowledged = _acknowledged(tx, company_id)
        self._duplicates = _duplicates(tx, company_id)
        self._held = spoken_for(tx, company_id)
        self._in_flight = _in_flight(tx, company_id)
        self._credits = _unallocated_credits(tx, company_id)
        self._hold_texts = _hold_texts(tx, company_id)

    def facts(self, claim: Row, ignore_procedure: bool) -> ClaimFacts:
        """Gather one claim's facts."""
        rows = self._sightings.get(claim["id"], [])
        records = [(row, record_of(row["record"])) for row in rows]
        live = [(row, record) for row, record in records if row["presence"] == "live"]
        first = (live or records)[0][1]
        paid = self._acknowledged.get(claim["id"], (None, 0))
        return ClaimFacts(
            claim_id=claim["id"],
            number=claim["number"],
            issue_date=date.fromisoformat(claim["issue_date"]),
            company_siren=self._siren,
            seller_siren=next(
                (record.seller.siren for _, record in records if record.seller.siren), None
            ),
            seller_abroad=any(
                vat[:2].isalpha() and not vat.upper().startswith("FR")
                for _, record in records
                if record.seller.siren is None and (vat := record.seller.vat_id or "")
            ),
            gathered_at=self._now,
            echeances=tuple(
                EcheanceFacts(
                    id=row["id"],
                    due_date=row["due_date"] and date.fromisoformat(row["due_date"]),
                    open=row["open"],
                    due_estimated=bool(row["due_estimated"]),
                )
                for row in self._echeances.get(claim["id"], [])
            ),
            sightings=tuple(
                self._sighting(row, record)
                for row, record in records
                if row["connection_id"] in self._links and not _replaced(row, live)
            ),
            debtor=self._debtor(claim, [record for _, record in live]),
            total=claim["total"],
            kind=claim["kind"],
            direction=first.direction,
            state=claim["state"],
            currency=claim["currency"],
            credited=paid[1],
            flags=self._flags(claim, [record for _, record in live]),
            unallocated_credits=self._credits.get(claim["debtor_id"], 0),
            hold=claim["hold"],
            hold_text=self._hold_texts.get((claim["hold"], claim["id"])),
            possible_duplicates=tuple(sorted(self._duplicates.get(claim["id"], ()))),
            procedure=None if ignore_procedure else self._held.get(claim["id"]),
            acknowledged_on=paid[0],
        )

    def _flags(self, claim: Row, live: Sequence[SourceInvoice]) -> frozenset[Flag]:
        """Gather what any tool knows, and what a collector holds that nobody verified yet."""
        held: set[Flag] = {flag for record in live for flag in record.flags}
        if claim["id"] in self._in_flight:
            held.add("payment_in_flight")
        return frozenset(held)

    def _sighting(self, row: Row, record: SourceInvoice) -> SightingFacts:
        link = self._links[row["connection_id"]]
        return SightingFacts(
            tool=link.connector,
            total=row["total"],
            open=row["open"] - row["untold"] - self._untold.get((row["claim_id"], link.id), 0)
            if self._host.follows_money(link)
            else None,
            state=record.state,
            pulled_at=self._pulled.get(link.id) if link.state == "active" else None,
            live=row["presence"] == "live",
        )

    def _debtor(self, claim: Row, live: Sequence[SourceInvoice]) -> DebtorFacts | None:
        """Describe who owes: what one of the claim's records says of its kind is not outvoted.

        One card serves a SIREN, as its source last described it; an invoice marked as a consumer's
        or a public body's keeps its mark.
        """
        row = self._debtors.get(claim["debtor_id"])
        if row is None:
            return None
        told = Debtor.model_validate_json(row["detail"])
        said = {record.debtor.kind for record in live}
        marked: list[DebtorKind] = [kind for kind in PROTECTED if kind in said]
        kind = marked[0] if marked else told.kind
        return DebtorFacts(name=row["name"], kind=kind, siren=told.siren, vat_id=told.vat_id)


def _replaced(row: Row, live: Sequence[tuple[Row, SourceInvoice]]) -> bool:
    """Tell whether a record left a tool that shows the claim in another record: renumbered, or a
    double that was deleted.
    """
    return row["presence"] != "live" and any(
        other["connection_id"] == row["connection_id"] for other, _ in live
    )


def _grouped(
    tx: Connection, table: Any, company_id: str, order: str, only: Collection[str] | None
) -> dict[str, list[Row]]:
    """Read a table's rows by the claim they are of; `only` those of some claims."""
    found: dict[str, list[Row]] = defaultdict(list)
    of = table.c.claim_id
    query = select(table).where(table.c.company_id == company_id)
    query = query.where(of.is_not(None) if only is None else among(tx, of, list(only)))
    for row in tx.execute(query.order_by(table.c[order], table.c.id)).mappings():
        found[row["claim_id"]].append(dict(row))
    return found


def collected_untold(tx: Connection, company_id: str) -> dict[tuple[str, str], int]:
    """Add what collectors received on a claim and a tool does not show yet."""
    p, x = schema.payment.c, schema.payment_sighting.c
    collected: dict[str, dict[str, int]] = defaultdict(dict)
    query = select(p.id, p.claim_id, ALLOCATED.label("amount")).where(
        p.company_id == company_id, p.origin == "collector"
    )
    for row in tx.execute(query):
        if row.amount is not None:
            collected[row.claim_id][row.id] = int(row.amount)
    told: dict[str, set[str]] = defaultdict(set)
    for echo in tx.execute(
        select(x.payment_id, x.connection_id).where(x.company_id == company_id, x.role.in_(TOLD))
    ):
        told[echo.connection_id].add(echo.payment_id)
    connections = tx.execute(
        select(schema.connection.c.id).where(schema.connection.c.company_id == company_id)
    ).scalars()
    return {
        (claim_id, connection): amount
        for connection in connections
        for claim_id, payments in collected.items()
        if (
            amount := sum(
                cents for payment, cents in payments.items() if payment not in told[connection]
            )
        )
    }


def _acknowledged(tx: Connection, company_id: str) -> dict[str, tuple[date | None, int]]:
    """Give each claim's last part payment (it interrupts prescription) and what was credited."""
    p = schema.payment.c
    found: dict[str, tuple[date | None, int]] = {}
    query = (
        select(p.claim_id, p.origin, p.amount, p.paid_on)
        .where(p.company_id == company_id)
        .order_by(p.paid_on)
    )
    for row in tx.execute(query):
        last, credited = found.get(row.claim_id, (None, 0))
        if row.origin == "credit":
            credited += row.amount
        elif row.amount > 0:
            last = date.fromisoformat(row.paid_on)
        found[row.claim_id] = (last, credited)
    return found


def _duplicates(tx: Connection, company_id: str) -> dict[str, set[str]]:
    d, c = schema.possible_duplicate.c, schema.claim
    a, b = c.alias("a"), c.alias("b")
    found: dict[str, set[str]] = defaultdict(set)
    query = (
        select(d.claim_a, d.claim_b, a.c.number.label("first"), b.c.number.label("second"))
        .join(a, (a.c.company_id == d.company_id) & (a.c.id == d.claim_a))
        .join(b, (b.c.company_id == d.company_id) & (b.c.id == d.claim_b))
        .where(d.company_id == company_id, d.answer.is_(None))
    )
    for row in tx.execute(query):
        found[row.claim_a].add(row.second)
        found[row.claim_b].add(row.first)
    return found


def _unallocated_credits(tx: Connection, company_id: str) -> dict[str, int]:
    """Add what each customer has to its credit and no invoice took yet."""
    c = schema.claim.c
    query = (
        select(c.debtor_id, func.sum(-c.open).label("credit"))
        .where(
            c.company_id == company_id,
            c.kind.in_(("credit_note", "unallocated_credit")),
            c.open < 0,
            c.state.in_(("open", "unseen")),  # an avoir that is lost is still the customer's
        )
        .group_by(c.debtor_id)
    )
    return {row.debtor_id: int(row.credit) for row in tx.execute(query)}


def _in_flight(tx: Connection, company_id: str) -> set[str]:
    """Name the claims a collector holds money for that nobody verified yet."""
    s = schema.settlement.c
    query = select(s.claim_id).where(s.company_id == company_id, s.state == "pending").distinct()
    found = tx.execute(query).scalars().all()
    return {standing_claim(tx, company_id, claim_id) for claim_id in found}


def _hold_texts(tx: Connection, company_id: str) -> dict[tuple[str, str], str]:
    t = schema.task.c
    query = select(t.kind, t.subject, t.sentence).where(
        t.company_id == company_id, t.done_at.is_(None)
    )
    return {(row.kind, row.subject): row.sentence for row in tx.execute(query)}
