"""A record its tool gave a new id goes on telling what the one it replaces told."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, add_tool, answer, line_of, nights, payments
from tests.core.merging import WHY
from tests.core.paper import Paper, invoice
from tests.core.same_money import collected, declared_cents, kinds, tomorrow

from encaisse_api import FollowedUp, FollowsUp, Money, Receipt, Transient
from encaisse_core import connecting, ingest, merges, portfolio
from encaisse_core.cli import resolving
from encaisse_core.host import Host, Link, links
from encaisse_core.store import schema


def links_of(house: House) -> dict[str, Link]:
    with house.host.store.begin() as tx:
        return {link.connector: link for link in links(tx, house.company)}


def ref_of(paper: Paper, number: str = "F-4") -> str:
    return next(ref for ref, item in paper.invoices.items() if item.number == number)


def renamed(paper: Paper, number: str = "F-4", *, to: str | None = None) -> None:
    """Give an invoice another id in its tool, all else as it is."""
    known = paper.invoices.pop(ref_of(paper, number))
    paper.add(known.model_copy(update={"ref": to or f"{known.ref}+"}))


def put_back(paper: Paper) -> None:
    """Give F-4 its first id again."""
    renamed(paper, to="r-F-4")


def paid(paper: Paper, cents: int) -> None:
    """Show `cents` less open of F-4, under whatever id it has."""
    paper.pay("F-4", cents, ref=ref_of(paper))


def an_entry_waits(house: House) -> None:
    """Plan an entry which the tool does not take yet."""
    collected(house, "F-4", 50_00)
    house.paper.bug = Transient("en panne")
    house.night()
    assert house.paper.written == []


def test_money_shown_under_a_new_id_stops_the_collector(house: House) -> None:
    house.open_everything()
    paid(house.paper, 150_00)
    renamed(house.paper)
    house.night()
    assert payments(house, "F-4") == [("source", 150_00)]
    assert house.claim("F-4")["open"] == 250_00
    assert declared_cents(house) == 150_00
    paid(house.paper, 30_00)
    house.night()
    assert house.claim("F-4")["open"] == 220_00
    assert declared_cents(house) == 180_00


def test_what_another_tool_shows_too_is_shown_under_the_new_id(house: House) -> None:
    other = add_tool(house)
    house.open_everything()
    for paper in (house.paper, other):
        paid(paper, 150_00)
    renamed(house.paper)
    house.night()
    assert house.claim("F-4")["open"] == 250_00
    paid(house.paper, 30_00)
    house.night()
    assert house.claim("F-4")["open"] == 220_00
    paid(other, 30_00)
    nights(house, 2)
    assert house.claim("F-4")["open"] == 220_00
    assert declared_cents(house) == 180_00
    assert kinds(house) == {"routing"}


def test_money_that_went_back_is_owed_again_under_a_new_id(house: House) -> None:
    house.open_everything()
    paid(house.paper, 150_00)
    house.night()
    paid(house.paper, -150_00)
    renamed(house.paper)
    nights(house, 2)
    assert house.claim("F-4")["open"] == 400_00
    assert "amount_rose" not in kinds(house)


@pytest.mark.parametrize("lost", [False, True], ids=["heard", "reply lost"])
def test_an_entry_of_ours_stands_under_the_new_id(house: House, lost: bool) -> None:
    opened = house.open_everything()
    house.paper.lose_replies = 1 if lost else 0
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    house.night()
    assert len(house.paper.written) == 1
    renamed(house.paper)
    nights(house, 3)
    assert kinds(house) == set()
    assert len(house.paper.written) == 1
    assert house.claim("F-4")["open"] == 350_00
    paid(house.paper, 30_00)
    nights(house, 2)
    assert house.claim("F-4")["open"] == 320_00
    assert declared_cents(house) == 30_00


def test_an_entry_that_waited_is_made_under_the_new_id(house: House) -> None:
    an_entry_waits(house)
    house.paper.bug = None
    renamed(house.paper)
    nights(house, 2)
    assert [ref for _, ref, _ in house.paper.written] == ["r-F-4+"]
    assert house.claim("F-4")["open"] == 350_00
    assert kinds(house) == set()


def test_an_entry_refused_under_the_old_id_is_made_under_the_new_one_when_retried(
    house: House,
) -> None:
    collected(house, "F-4", 50_00)
    house.paper.fail_pull = Transient("en panne")
    renamed(house.paper)
    house.night()
    assert house.paper.written == []
    assert "refused" in kinds(house)
    house.paper.fail_pull = None
    house.night()
    e = schema.effect.c
    with house.host.store.begin() as tx:
        refused = tx.execute(select(e.id).where(e.state == "refused")).scalar_one()
    again = resolving.Decision("retry", "facture renumérotée", "essai")
    resolving.resolve(house.host, house.company, refused, again)
    nights(house, 2)
    assert [ref for _, ref, _ in house.paper.written] == ["r-F-4+"]
    assert house.claim("F-4")["open"] == 350_00
    assert kinds(house) == set()


def test_an_entry_that_is_being_made_stands_under_the_new_id(house: House) -> None:
    opened = house.open_everything()
    link = links_of(house)["papertool"]

    def meanwhile(receipt: Receipt) -> Receipt:
        """Let the tool renumber and another worker read it before the answer is heard."""
        renamed(house.paper)
        assert ingest.pull_invoices(house.host, link).error is None
        portfolio.join(house.host, house.company)
        return receipt

    house.paper.receipts = meanwhile
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    house.night()
    house.paper.receipts = lambda receipt: receipt
    nights(house, 2)
    assert len(house.paper.written) == 1
    assert house.claim("F-4")["open"] == 350_00
    assert payments(house, "F-4") == [("collector", 50_00)]
    assert kinds(house) == set()


def test_a_question_is_about_the_record_under_its_new_id(house: House) -> None:
    collected(house, "F-4", 50_00)
    paid(house.paper, 50_00)
    house.night()
    assert "maybe_same" in kinds(house)
    renamed(house.paper)
    house.night()
    answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert "maybe_same" not in kinds(house)
    assert house.claim("F-4")["open"] == 350_00
    assert house.paper.written == []
    assert declared_cents(house) == 0


def made_anew(paper: Paper, *, less: int) -> None:
    """Replace F-4 by a record of a lower total, under another id."""
    known = paper.invoices.pop("r-F-4")
    left = Money.of_minor(known.total.minor - less)
    parts = tuple(p.model_copy(update={"open": left, "amount": left}) for p in known.instalments)
    changed = {"ref": "r-F-4+", "open": left, "total": left, "instalments": parts}
    paper.add(known.model_copy(update=changed))


def test_a_record_made_anew_with_another_total_is_no_payment(house: House) -> None:
    house.open_everything()
    made_anew(house.paper, less=100_00)
    nights(house, 2)
    assert payments(house, "F-4") == []
    assert declared_cents(house) == 0


def test_a_tool_that_renumbers_everything_is_not_one_that_lost_it(house: House) -> None:
    for number in range(10, 30):
        house.paper.add(invoice(f"F-{number}", 50_00 + number))
    house.open_everything()
    before = house.count("claim")
    paid(house.paper, 150_00)
    for number in [item.number for item in house.paper.invoices.values()]:
        renamed(house.paper, number)
    nights(house, 2)
    assert "mass_vanishing" not in house.tasks()
    assert payments(house, "F-4") == [("source", 150_00)]
    assert declared_cents(house) == 150_00
    assert house.count("claim") == before


@pytest.mark.parametrize("back", [False, True], ids=["kept", "renamed and back"])
def test_a_draft_refused_where_it_was_made_undoes_no_payment(
    house: House, back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, fate = house.open_everything(), ["pending"]
    can = Host.can
    monkeypatch.setattr(
        Host,
        "can",
        lambda self, link, role: (
            link.connector == "papertool" if role is FollowsUp else can(self, link, role)
        ),
    )
    tool: Any = house.shelf.known["papertool"]
    tool.follow_up = lambda self, refs: [FollowedUp(remote_id=r, state=fate[0]) for r in refs]
    house.paper.receipts = lambda receipt: receipt.model_copy(update={"state": "pending"})
    paid(house.paper, 50_00)
    house.night()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    nights(house, 2)
    if back:
        renamed(house.paper)
        house.night()
        put_back(house.paper)
        house.night()
    fate[0] = "rejected"
    paid(house.paper, -50_00)
    nights(house, 2)
    assert house.claim("F-4")["open"] == 300_00


def test_an_entry_that_waits_is_made_where_the_tool_goes_back_to_the_old_id(house: House) -> None:
    an_entry_waits(house)
    renamed(house.paper)
    house.night()
    put_back(house.paper)
    house.paper.bug = None
    nights(house, 3)
    assert [ref for _, ref, _ in house.paper.written] == ["r-F-4"]
    assert kinds(house) == set()


def test_an_entry_that_waits_is_made_in_a_record_of_another_total(house: House) -> None:
    an_entry_waits(house)
    made_anew(house.paper, less=100_00)
    house.paper.bug = None
    nights(house, 3)
    assert [ref for _, ref, _ in house.paper.written] == ["r-F-4+"]


def test_two_merged_records_renumbered_at_once_undo_no_payment(house: House) -> None:
    house.open_everything()
    house.paper.add(house.paper.invoices["r-F-4"].model_copy(update={"ref": "r-F-4-dbl"}))
    house.night()
    s, c = schema.sighting.c, schema.claim.c
    with house.host.store.begin() as tx:
        kept, gone = (
            tx.execute(select(s.claim_id).where(s.remote_ref == ref)).scalar_one()
            for ref in ("r-F-4", "r-F-4-dbl")
        )
        merges.merge(house.host, tx, house.company, kept, gone, WHY)
    house.night()
    house.paper.pay("F-4", 150_00, ref="r-F-4-dbl")
    nights(house, 2)
    for ref, anew in (("r-F-4", "n1"), ("r-F-4-dbl", "n2")):
        house.paper.add(house.paper.invoices.pop(ref).model_copy(update={"ref": anew}))
    nights(house, 2)
    with house.host.store.begin() as tx:
        assert tx.execute(select(c.open).where(c.id == kept)).scalar_one() == 250_00


def test_many_records_of_one_number_that_leave_are_lost(house: House) -> None:
    for each in range(20):
        house.paper.add(invoice("ACOMPTE", 60_00).model_copy(update={"ref": f"a{each}"}))
    nights(house, 2)
    for each in range(1, 20):
        del house.paper.invoices[f"a{each}"]
    house.night()
    assert "mass_vanishing" in house.tasks()


def test_what_is_lost_beside_what_is_renumbered_is_asked_about_once(house: House) -> None:
    for number in range(10, 30):
        house.paper.add(invoice(f"F-{number}", 50_00 + number))
    house.night()
    for number in range(10, 20):
        renamed(house.paper, f"F-{number}")
        del house.paper.invoices[f"r-F-{number + 10}"]
    house.night()
    assert "mass_vanishing" in kinds(house)
    assert house.claim("F-25")["state"] == "open"
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="papertool", values={}
    )
    house.night()
    assert "mass_vanishing" not in kinds(house)


def test_a_question_nobody_answered_confirms_nothing(house: House) -> None:
    for number in range(10, 30):
        house.paper.add(invoice(f"F-{number}", 50_00 + number))
    link = links_of(house)["papertool"]
    house.paper.cut_short = True
    ingest.pull_invoices(house.host, link)
    house.paper.cut_short = False
    house.paper.invoices.clear()
    assert ingest.pull_invoices(house.host, link).error is not None
    again = ingest.pull_invoices(house.host, link)
    assert again.error is not None and again.vanished == 0
