"""Claims merged by a person, and taken apart: exact, counted once, never two procedures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parent))

from paper import Paper, invoice, paper_connectors
from test_odd_nights import line_of, make, open_tasks, payments
from test_spine import House

from encaisse_api import Money
from encaisse_core import connecting, merges, proposals, referrers, routing, separations, unmerges
from encaisse_core.clock import VirtualClock
from encaisse_core.contracts import first_import
from encaisse_core.errors import UsageError
from encaisse_core.host import links
from encaisse_core.merges import Said
from encaisse_core.store import schema

WHY = Said("essai", "c'est la même facture")
TABLES = (
    "claim",
    "echeance",
    "allocation",
    "payment",
    "payment_sighting",
    "sighting",
    "claim_key",
    "attribution",
    "reservation",
    "settlement",
    "commission_line",
)
"""What a merge touches, or must leave alone."""


def second_tool(house: House, numbers: tuple[int, ...] = (1, 2, 3), **how: Any) -> Paper:
    """Connect a tool that shows the same invoices under numbers and dates of its own."""
    second = Paper()
    for n in numbers:
        second.add(invoice(f"X-{n}", 100_00 * n, **{"due": date(2026, 1, 20), **how}))
    kind = paper_connectors(second)["papertool"]
    kind.manifest = kind.manifest.model_copy(update={"slug": "othertool"})
    house.shelf.known["othertool"] = kind
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="othertool", values={}
    )
    with house.host.store.begin() as tx:
        first = next(x for x in links(tx, house.company) if x.connector == "papertool")
        routing.answer(
            house.host, tx, house.company, "record_payment", first.id, decided_by="essai"
        )
    return second


@pytest.fixture
def house(tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    made = make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock, invoices=3)
    yield made
    made.app.close()


def claim_id(house: House, number: str) -> str:
    return str(house.claim(number)["id"])


def merge(house: House, kept: str, gone: str) -> str:
    first, second = claim_id(house, kept), claim_id(house, gone)
    with house.host.store.begin() as tx:
        return merges.merge(house.host, tx, house.company, first, second, WHY)


def unmerge(house: House, merge_id: str) -> None:
    with house.host.store.begin() as tx:
        unmerges.unmerge(house.host, tx, house.company, merge_id, WHY)


def semantic(house: House) -> dict[str, list[dict[str, Any]]]:
    """Export what claims are, in a fixed order."""
    with house.host.store.begin() as tx:
        return {
            name: sorted((dict(row) for row in tx.execute(select(table)).mappings()), key=repr)
            for name in TABLES
            for table in (schema.metadata.tables[name],)
        }


def changed(
    before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]
) -> list[str]:
    """Say which rows and fields are not as they were."""
    found: list[str] = []
    for name in TABLES:
        key = schema.metadata.tables[name].primary_key.columns.keys()
        old, new = (
            {tuple(row[part] for part in key): row for row in rows[name]}
            for rows in (before, after)
        )
        for which in sorted(set(old) | set(new)):
            had, has = old.get(which), new.get(which)
            if had is None or has is None:
                found.append(f"{name} {which}: {'new' if had is None else 'gone'}")
            elif had != has:
                fields = {k: (had[k], has[k]) for k in had if had[k] != has[k]}
                found.append(f"{name} {which}: {fields}")
    return found


def sums(house: House) -> None:
    """Check that every cent of every payment is in a line or unallocated, and échéances add up."""
    found = semantic(house)
    for row in found["payment"]:
        put = sum(a["amount"] for a in found["allocation"] if a["payment_id"] == row["id"])
        assert row["amount"] == put + row["unallocated"], row
    for row in found["echeance"]:
        on = sum(a["amount"] for a in found["allocation"] if a["echeance_id"] == row["id"])
        assert 0 <= row["open"] <= row["amount"] - on, row  # what was paid before we came aside
    opened = {
        row["id"]: sum(e["open"] for e in found["echeance"] if e["claim_id"] == row["id"])
        for row in found["claim"]
        if row["merged_into"] is None
    }
    assert opened == {r["id"]: r["open"] for r in found["claim"] if r["merged_into"] is None}


def pay(paper: Paper, number: str, cents: int) -> None:
    """Let the tool show less open, or more for money that went back."""
    known = paper.invoices[f"r-{number}"]
    left = Money.of_minor(known.open.minor - cents)
    parts = tuple(i.model_copy(update={"open": left}) for i in known.instalments)
    state = "settled" if left.minor <= 0 else "open"
    paper.add(known.model_copy(update={"open": left, "state": state, "instalments": parts}))


# --- what counts once -------------------------------------------------------------------------


def test_one_payment_both_tools_showed_is_one_payment(house: House) -> None:
    second = second_tool(house)
    house.night()
    pay(house.paper, "F-3", 50_00)
    pay(second, "X-3", 50_00)
    house.night()
    merge(house, "F-3", "X-3")
    assert house.claim("F-3")["open"] == 250_00
    assert payments(house, "F-3") == [("source", 50_00)]
    sums(house)


def test_what_only_the_second_tool_showed_is_news_to_the_first(house: House) -> None:
    opened = house.open_everything()
    second = second_tool(house)
    house.night()
    pay(second, "X-3", 300_00)
    house.night()
    assert house.paper.stops == []
    merge(house, "F-3", "X-3")
    assert house.claim("F-3")["state"] == "settled"
    house.night()
    assert [(kind, ref) for kind, _, ref in house.paper.stops] == [("direct_payment", opened[0])]
    pay(house.paper, "F-3", 300_00)  # the first tool is late: the same money
    house.night()
    assert payments(house, "F-3") == [("source", 300_00)]


def test_a_payment_the_second_tool_is_late_with_is_recognised_after_the_merge(
    house: House,
) -> None:
    second = second_tool(house)
    house.night()
    pay(house.paper, "F-2", 80_00)
    house.night()
    merge(house, "F-2", "X-2")
    pay(second, "X-2", 80_00)
    house.night()
    assert payments(house, "F-2") == [("source", 80_00)]
    assert house.claim("F-2")["open"] == 120_00


def test_collected_money_and_direct_money_are_two_payments(house: House) -> None:
    (procedure,) = house.open_everything()
    second = second_tool(house)
    house.night()
    line = line_of(house, [procedure], "F-3")
    house.paper.collect("p1", procedure, line, 40_00, date(2026, 2, 5))
    pay(second, "X-3", 70_00)
    house.night()
    merge(house, "F-3", "X-3")
    assert sorted(payments(house, "F-3")) == [("collector", 40_00), ("source", 70_00)]
    assert house.claim("F-3")["open"] == 190_00
    sums(house)


def test_money_collected_on_the_second_moves_and_comes_back(house: House) -> None:
    second = second_tool(house)
    (procedure,) = house.open_everything()
    line = line_of(house, [procedure], "X-3")
    house.paper.collect("p1", procedure, line, 40_00, date(2026, 2, 5))
    house.night()
    close(house, procedure)
    before = semantic(house)
    merge_id = merge(house, "F-3", "X-3")
    assert payments(house, "F-3") == [("collector", 40_00)]
    assert house.claim("F-3")["open"] == 260_00
    sums(house)
    unmerge(house, merge_id)
    assert changed(before, semantic(house)) == []
    assert second.written == []


def test_a_payment_that_went_back_at_the_collector_after_a_merge_goes_back_once(
    house: House,
) -> None:
    second_tool(house)
    (procedure,) = house.open_everything()
    house.paper.collect("p1", procedure, line_of(house, [procedure], "X-3"), 40_00, FEBRUARY)
    house.night()
    close(house, procedure)
    merge_id = merge(house, "F-3", "X-3")
    house.night()
    assert [cents for _, ref, cents in house.paper.written if ref == "r-F-3"] == [40_00]
    house.paper.reverse("p1", date(2026, 2, 8))
    house.night()
    assert house.claim("F-3")["open"] == 300_00
    assert [cents for _, ref, cents in house.paper.written if ref == "r-F-3"] == [40_00, -40_00]
    unmerge(house, merge_id)
    assert house.claim("X-3")["open"] == house.claim("F-3")["open"] == 300_00
    sums(house)


FEBRUARY = date(2026, 2, 5)


def close(house: House, procedure: str) -> None:
    """Let the collector close a procedure: its claims are free again."""
    from encaisse_api import ProcedureState

    house.paper.states["s"] = ProcedureState(
        remote_id=procedure, state="closed", close_code="creditor", updated_at=house.clock.now()
    )
    house.night()


# --- refused ----------------------------------------------------------------------------------


def refused(house: House, kept: str, gone: str) -> str:
    before = semantic(house)
    with pytest.raises(UsageError) as told:
        merge(house, kept, gone)
    assert changed(before, semantic(house)) == []
    return str(told.value)


def test_two_that_are_handed_over_are_not_merged(house: House) -> None:
    second_tool(house)
    house.open_everything()
    assert "toutes deux confiées" in refused(house, "F-3", "X-3")


def test_the_one_that_is_handed_over_stays_itself(house: House) -> None:
    house.open_everything()
    second_tool(house)
    house.night()
    assert "c'est elle qui doit rester" in refused(house, "X-3", "F-3")
    merge(house, "F-3", "X-3")
    assert house.reasons("F-3") >= {"in_procedure"}


def test_a_mere_quote_on_the_second_is_given_up(house: House) -> None:
    second_tool(house)
    house.night()
    proposals.propose(house.host, house.company)
    merge(house, "F-3", "X-3")
    with house.host.store.begin() as tx:
        r = schema.reservation.c
        live = tx.execute(select(r.claim_id).where(r.released_at.is_(None))).scalars().all()
    assert live == []
    assert proposals.propose(house.host, house.company)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"siren": "552100554"}, "Les clients ne sont pas les mêmes"),
        ({"paid": 0, "total": 77_00}, "Les totaux diffèrent"),
        ({"currency": "USD"}, "est en EUR et"),
        ({"direction": "payable"}, "une vente, l'autre un achat"),
    ],
)
def test_records_that_contradict_each_other_are_not_merged(
    house: House, how: dict[str, Any], said: str
) -> None:
    second = second_tool(house)
    item = invoice("X-9", how.pop("total", 300_00), siren=how.pop("siren", "987654324"))
    how.pop("paid", None)
    if "currency" in how:
        money = Money(amount=item.total.amount, currency=how["currency"])
        parts = tuple(
            i.model_copy(update={"amount": money, "open": money}) for i in item.instalments
        )
        item = item.model_copy(update={"total": money, "open": money, "instalments": parts})
    second.add(item.model_copy(update=how))
    house.night()
    assert said in refused(house, "F-3", "X-9")


def test_an_open_question_on_the_money_is_answered_first(house: House) -> None:
    second = second_tool(house, paid=10_00)
    house.night()
    pay(second, "X-3", -10_00)
    house.night()
    assert house.claim("X-3")["hold"] == "amount_rose"
    assert "attend sa réponse" in refused(house, "F-3", "X-3")


def test_a_claim_is_part_of_one_other_at_most(house: House) -> None:
    second_tool(house)
    house.night()
    merge(house, "F-3", "X-3")
    with pytest.raises(UsageError, match="déjà réunie"):
        merge(house, "F-2", "X-3")


# --- what is carried along --------------------------------------------------------------------


def test_a_dispute_of_the_second_holds_the_first_and_goes_back_with_it(house: House) -> None:
    second = second_tool(house)
    house.night()
    with house.host.store.begin() as tx:
        from encaisse_core.holds import hold

        gone = claim_id_in(tx, "X-3")
        hold(house.host, tx, house.company, gone, "disputed", "Contestée.")
    before = semantic(house)
    merge_id = merge(house, "F-3", "X-3")
    assert house.claim("F-3")["hold"] == "disputed"
    assert "disputed" in house.reasons("F-3")
    assert [(k, s) for _, k, s in open_tasks(house)] == [("disputed", claim_id(house, "F-3"))]
    unmerge(house, merge_id)
    assert changed(before, semantic(house)) == []
    assert [(k, s) for _, k, s in open_tasks(house)] == [("disputed", gone)]
    assert second.written == []


def claim_id_in(tx: Any, number: str) -> str:
    c = schema.claim.c
    return str(tx.execute(select(c.id).where(c.number == number)).scalar_one())


def test_who_brought_the_invoice_first_stays_who_brought_it(house: House) -> None:
    house.night()
    second_tool(house)
    house.night()
    s, a = schema.sighting.c, schema.attribution
    with house.host.store.begin() as tx:
        for number, name in (("F-3", "one"), ("X-3", "two")):
            referrer = referrers.add(house.host, tx, house.company, name, "editor")
            shown = tx.execute(
                select(s.id, s.connection_id, s.created_at).where(s.number == number)
            ).one()
            tx.execute(a.delete().where(a.c.sighting_id == shown.id))
            tx.execute(
                a.insert().values(
                    company_id=house.company,
                    sighting_id=shown.id,
                    referrer_id=referrer,
                    connection_id=shown.connection_id,
                    attributed_at=shown.created_at,
                )
            )

    def decides(number: str) -> str:
        with house.host.store.begin() as tx:
            claim = claim_id_in(tx, number)
            first = first_import(referrers.imports(tx, house.company, only=claim)[claim])
            r = schema.referrer.c
            assert first is not None
            return str(tx.execute(select(r.name).where(r.id == first.referrer_id)).scalar_one())

    before = semantic(house)
    assert (decides("F-3"), decides("X-3")) == ("one", "two")
    merge_id = merge(house, "X-3", "F-3")  # the newer one is kept
    assert decides("X-3") == "one"
    unmerge(house, merge_id)
    assert changed(before, semantic(house)) == []
    assert (decides("F-3"), decides("X-3")) == ("one", "two")


def test_a_merged_claim_is_decided_no_more_and_quiet_nights_leave_nothing(house: House) -> None:
    second_tool(house)
    house.night()
    merge(house, "F-3", "X-3")
    house.night()
    house.night()  # by now the books should have had the other invoices
    with pytest.raises(AssertionError):
        house.reasons("X-3")
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_a_double_deleted_in_its_tool_after_the_merge_holds_nothing_back(house: House) -> None:
    house.paper.add(invoice("F-3bis", 300_00, due=date(2026, 1, 20)))
    house.night()
    merge(house, "F-3", "F-3bis")
    house.night()
    assert house.reasons("F-3") == set()
    del house.paper.invoices["r-F-3bis"]
    house.night()
    assert house.reasons("F-3") == set()
    assert house.claim("F-3")["open"] == 300_00


# --- records a rung joined --------------------------------------------------------------------


def test_a_record_joined_by_a_rung_gets_a_claim_of_its_own(house: House) -> None:
    second = Paper()
    second.add(invoice("F-3", 300_00))
    kind = paper_connectors(second)["papertool"]
    kind.manifest = kind.manifest.model_copy(update={"slug": "othertool"})
    house.shelf.known["othertool"] = kind
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="othertool", values={}
    )
    house.night()
    pay(second, "F-3", 60_00)
    house.night()
    assert house.claim("F-3")["open"] == 240_00
    s = schema.sighting.c
    with house.host.store.begin() as tx:
        joined = tx.execute(select(s.id).where(s.rung == 1)).scalar_one()
        first = tx.execute(select(s.id).where(s.number == "F-3", s.rung == 0)).scalar_one()
        kept = tx.execute(select(s.claim_id).where(s.id == joined)).scalar_one()
    with house.host.store.begin() as tx, pytest.raises(UsageError, match="a fait la créance"):
        separations.separate(house.host, tx, house.company, first, WHY)
    with house.host.store.begin() as tx:
        own = separations.separate(house.host, tx, house.company, joined, WHY)
    for _ in range(2):
        house.night()
        c = schema.claim.c
        with house.host.store.begin() as tx:
            opens = dict(tx.execute(select(c.id, c.open).where(c.number == "F-3")).all())
        assert opens == {kept: 300_00, own: 240_00}
    sums(house)


# --- random histories -------------------------------------------------------------------------


class Twice:
    """Play random money over invoices two tools show under two numbers, and a collector."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.random = house, Random(seed)
        self.opened = house.open_everything() if self.random.random() < 0.6 else []
        self.second = second_tool(house)
        self.count = 0
        house.night()

    def act(self) -> None:
        kind = self.random.choice(("first", "second", "both", "back", "collect", "night", "night"))
        n = self.random.randint(1, 3)
        self.count += 1
        cents = self.random.randint(1, 30) * 100 * n + self.count
        if kind == "night":
            self.night()
        elif kind == "collect" and self.opened:
            line = line_of(self.house, self.opened, f"F-{n}")
            on = self.house.clock.today()
            self.house.paper.collect(f"p{self.count}", self.opened[0], line, cents, on)
        elif kind == "back" and self.random.random() < 0.5:
            self.undo(n)
        for paper, number, kinds in (
            (self.house.paper, f"F-{n}", ("first", "both")),
            (self.second, f"X-{n}", ("second", "both")),
        ):
            if kind in kinds and cents <= paper.invoices[f"r-{number}"].open.minor:
                pay(paper, number, cents)

    def undo(self, n: int) -> None:
        """Let the tool that showed it show that the newest direct payment went back."""
        p, s = schema.payment.c, schema.sighting.c
        self.night()
        with self.house.host.store.begin() as tx:
            undone = select(p.reverses).where(p.reverses.is_not(None))
            found = tx.execute(
                select(p.amount, s.number)
                .join(schema.sighting, s.id == p.shown_by)
                .where(p.origin == "source", p.amount > 0, p.id.not_in(undone))
                .where(s.number.in_((f"F-{n}", f"X-{n}")))
                .order_by(p.created_at.desc(), p.id.desc())
            ).first()
        if found is not None:
            paper = self.house.paper if found.number.startswith("F") else self.second
            pay(paper, found.number, -found.amount)
        self.night()

    def night(self) -> None:
        self.house.night()
        for task, kind, _ in open_tasks(self.house):
            if kind == "maybe_same":
                from encaisse_core.cli import answering

                given = answering.Answer("autre argent", "essai", verdict="different")
                answering.answer(self.house.host, self.house.company, task, given)


@pytest.mark.parametrize("seed", range(1, 3))
def test_a_merge_undone_at_once_leaves_the_store_as_it_was(house: House, seed: int) -> None:
    played = Twice(house, seed)
    for _ in range(played.random.randint(2, 10)):
        played.act()
    played.night()
    for n in (1, 2, 3):
        if house.claim(f"F-{n}")["hold"] or house.claim(f"X-{n}")["hold"]:
            continue
        before = semantic(house)
        merge_id = merge(house, f"F-{n}", f"X-{n}")
        sums(house)
        unmerge(house, merge_id)
        assert changed(before, semantic(house)) == [], f"seed {seed}, F-{n}"


@pytest.mark.parametrize("seed", range(101, 103))
def test_a_merge_undone_later_gives_each_claim_what_its_own_tool_says(
    house: House, seed: int
) -> None:
    played = Twice(house, seed)
    for _ in range(played.random.randint(0, 5)):
        played.act()
    played.night()
    made = {}
    for n in (1, 2, 3):
        if not house.claim(f"F-{n}")["hold"] and not house.claim(f"X-{n}")["hold"]:
            made[n] = merge(house, f"F-{n}", f"X-{n}")
    for _ in range(played.random.randint(1, 6)):
        played.act()
        sums(house)
    played.night()
    for merge_id in made.values():
        unmerge(house, merge_id)
    for _ in range(3):
        played.night()
        sums(house)
    for n in made:
        held = house.claim(f"F-{n}")["hold"], house.claim(f"X-{n}")["hold"]
        shown = (
            house.paper.invoices[f"r-F-{n}"].open.minor,
            played.second.invoices[f"r-X-{n}"].open.minor,
        )
        owed = house.claim(f"F-{n}")["open"], house.claim(f"X-{n}")["open"]
        told = f"seed {seed}, {n}: owed {owed}, tools show {shown}, held {held}"
        for is_held, there, here in zip(held, shown, owed, strict=True):
            if is_held is None:
                assert max(0, there) == here, told
