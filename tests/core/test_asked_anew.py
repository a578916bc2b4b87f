"""What happens anew is asked about anew; what lasts is not asked about every night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, answer, line_of, nights, open_tasks
from tests.core.paper import invoice

from encaisse_api import CollectedPayment, Denied, Page, Unreadable
from encaisse_core import connecting, drafts, grants, ingest, outbox, payments
from encaisse_core.host import Link, links
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp


def asked(house: House, kind: str) -> int:
    """Count the open questions of a kind."""
    return [each for _, each, _ in open_tasks(house)].count(kind)


def tool_of(house: House) -> Link:
    with house.host.store.begin() as tx:
        return links(tx, house.company, states=("active", "paused"))[0]


def reconnect(house: House) -> None:
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="papertool", values={}
    )


def tells(house: House, *pages: Page[CollectedPayment]) -> None:
    """Let the collector tell these pages of payments."""

    def pull(self: Any, since: Any) -> Iterator[Page[CollectedPayment]]:
        yield from pages

    kind: Any = house.shelf.known["papercollector"]
    kind.pull_payments_collected = pull


def unread(ref: str) -> Unreadable:
    return Unreadable(ref=ref, reason="illisible", raw="{}")


def test_a_second_payment_nobody_can_read_is_asked_about(house: House) -> None:
    (ref,) = house.open_everything()
    house.paper.collect("p1", ref, line_of(house, [ref]), 40_00, date(2026, 2, 5))
    first = house.paper.collected["p1"]
    tells(house, Page(unreadable=(unread("p1"),), end=True))
    assert house.night().counts["unreadable"] == 1
    answer(house, "unreadable")
    assert house.night().counts["unreadable"] == 1, "it is still not read"
    assert asked(house, "unreadable") == 0, "and was answered"
    tells(house, Page(items=(first,), end=True))
    assert house.night().counts["unreadable"] == 0
    tells(house, Page(items=(first,), unreadable=(unread("p2"),), end=True))
    assert house.night().counts["unreadable"] == 1
    assert asked(house, "unreadable") == 1


def test_a_row_a_later_page_reads_is_asked_about_once(house: House) -> None:
    """Each night it is taken off the list, and set aside anew the night after."""
    (ref,) = house.open_everything()
    house.paper.collect("p1", ref, line_of(house, [ref]), 40_00, date(2026, 2, 5))
    page = Page(items=(house.paper.collected["p1"],), end=True)
    tells(house, Page(unreadable=(unread("p1"),)), page)
    house.night()
    answer(house, "unreadable")
    house.night()
    assert asked(house, "unreadable") == 0


@pytest.mark.parametrize("answered", [True, False])
def test_each_time_an_access_is_refused_a_person_is_asked(house: House, answered: bool) -> None:
    for _ in range(2):
        house.paper.fail_pull = Denied("L'accès est refusé.")
        house.night()
        assert asked(house, "reconnect") == 1
        if answered:
            answer(house, "reconnect")
            house.night()
            assert asked(house, "reconnect") == 0, "it is the refusal that was answered"
        house.paper.fail_pull = None
        reconnect(house)
        assert asked(house, "reconnect") == 0
        house.night()


def test_each_mass_vanishing_is_asked_about(house: House) -> None:
    for number in range(10, 30):
        house.paper.add(invoice(f"F-{number}", 50_00 + number))
    everything = dict(house.paper.invoices)
    for _ in range(2):
        house.paper.invoices = dict(everything)
        house.night()
        house.paper.invoices = dict(list(everything.items())[:10])
        house.night()
        assert asked(house, "mass_vanishing") == 1
        reconnect(house)
        assert asked(house, "mass_vanishing") == 0


def confirmed_after_a_mass_vanishing(house: House) -> None:
    for number in range(10, 30):
        house.paper.add(invoice(f"F-{number}", 50_00 + number))
    house.night()
    house.paper.invoices = dict(list(house.paper.invoices.items())[:10])
    house.night()
    reconnect(house)


def test_a_mass_vanishing_a_person_confirms_is_over(house: House) -> None:
    confirmed_after_a_mass_vanishing(house)
    nights(house, 2)
    assert asked(house, "mass_vanishing") == 0
    assert house.claim("F-25")["state"] == "unseen"
    assert "stale" not in house.reasons("F-1")


def test_a_mass_vanishing_that_grew_is_asked_about_again(house: House) -> None:
    confirmed_after_a_mass_vanishing(house)
    house.paper.invoices = dict(list(house.paper.invoices.items())[:9])
    house.night()
    assert asked(house, "mass_vanishing") == 1
    assert house.claim("F-25")["state"] == "open"


def test_money_that_was_used_and_is_too_much_again_is_asked_about(house: House) -> None:
    (ref,) = house.open_everything()
    line = line_of(house, [ref])
    house.paper.collect("p1", ref, line, 100_00, date(2026, 2, 5))
    house.night()
    claim_id = str(house.claim(line.invoice_number)["id"])
    p = schema.payment.c
    for cents, open_now in ((50_00, 1), (0, 0), (50_00, 1)):
        with house.host.store.begin() as tx:
            paid = tx.execute(select(p.id)).scalar_one()
            payments.ask_refund(house.host, tx, house.company, claim_id, paid, cents, "EUR")
        assert asked(house, "refund") == open_now
    answer(house, "refund")
    with house.host.store.begin() as tx:
        payments.ask_refund(house.host, tx, house.company, claim_id, paid, 30_00, "EUR")
    assert asked(house, "refund") == 0, "a person settled it"


def test_a_payout_that_is_corrected_is_asked_about_anew(house: House) -> None:
    (ref,) = house.open_everything()
    for name, number in (("p1", "F-1"), ("p2", "F-2")):
        line = line_of(house, [ref], number)
        house.paper.collect(name, ref, line, 50_00, date(2026, 2, 5))
    tells(house, Page(end=True))
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    house.night()
    answer(house, "payout_unknown_payment")
    house.night()
    assert asked(house, "payout_unknown_payment") == 0
    house.paper.pay_out("v1", ["p1", "p2"], date(2026, 2, 8))
    house.night()
    assert asked(house, "payout_unknown_payment") == 1


def test_an_entry_sent_again_waits_anew(house: House) -> None:
    tool, e, now = tool_of(house), schema.effect, house.clock.now()
    row = {
        "company_id": house.company,
        "id": "eff_1",
        "kind": "record_payment",
        "subject": "clm_1",
        "cause": "essai",
        "key": "enc-1",
        "connection_id": tool.id,
        "lane": 1,
        "state": "done",
        "fate": "pending",
        "payload": '{"invoice_number": "F-1", "amount": 100, "currency": "EUR"}',
        "payload_version": 1,
        "ready_at": stamp(now),
        "created_at": stamp(now),
        "finished_at": stamp(now),
        "remote_id": "one",
    }
    with house.host.store.begin() as tx:
        tx.execute(e.insert().values(**row))

    def waits(days: int) -> int:
        with house.host.store.begin() as tx:
            (found,) = rows(tx.execute(select(e)))
        at = now + timedelta(days=days)
        vars(drafts)["_still_waits"](house.host, tool, outbox.effect_of(found), at)
        return asked(house, "entry_waits")

    assert waits(40) == 1
    with house.host.store.begin() as tx:
        tx.execute(schema.task.update().values(done_at=stamp(now), answer="le comptable a répondu"))
    assert waits(41) == 0
    later = stamp(now + timedelta(days=41))
    with house.host.store.begin() as tx:
        tx.execute(e.update().values(remote_id="two", finished_at=later))
    assert waits(42) == 0, "this one waits since yesterday"
    assert waits(90) == 1


def test_a_refusal_of_what_a_person_replaced_meanwhile_pauses_nothing(house: House) -> None:
    tool = tool_of(house)
    with house.host.store.begin() as tx:
        presented = grants.version(tx, tool.grant_id)
        grants.replace_secrets(tx, house.app.vault, tool.grant_id, {"token": "neuf"})
        fresh = grants.version(tx, tool.grant_id)
    ingest.note_result(house.host, tool, grants.Refused("Refusé.", version=presented))
    with house.host.store.begin() as tx:
        assert grants.read_grant(tx, tool.grant_id).state == "active"
    assert (tool_of(house).state, asked(house, "reconnect")) == ("active", 0)
    ingest.note_result(house.host, tool, grants.Refused("Refusé.", version=fresh))
    with house.host.store.begin() as tx:
        assert grants.read_grant(tx, tool.grant_id).state == "denied"
    assert (tool_of(house).state, asked(house, "reconnect")) == ("paused", 1)
