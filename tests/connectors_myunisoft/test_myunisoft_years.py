"""A year ends: lines get new ids, are detailed or summed up, and each invoice keeps its name."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from tests.connectors_myunisoft.office import KEY, Y2025, Y2026, Office, opened, payment

from encaisse_api import Absent, LetteringEntry, Receipt, SourceInvoice, Transient
from encaisse_simulator.myunisoft import Choices

DECEMBER = datetime(2025, 12, 15, 2, 0, tzinfo=UTC)
APRIL = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
OLD = {"issued": date(2025, 11, 3), "due": date(2025, 12, 3)}
F1 = "411CLIENT0/2025/F1"


def fill(office: Office) -> dict[str, SourceInvoice]:
    """Book a year's end: an invoice, one partly paid, one in two échéances, an avoir, a receipt."""
    books, who = office.books, office.customer
    office.invoice("F1", **OLD)
    office.invoice("F2", 90_000, **OLD)
    books.receive(who, date(2025, 12, 9), 30_000)
    books.receive(who, date(2025, 12, 9), 30_000, number="F2", lettered=True)
    books.issue("F3", who, OLD["issued"], (date(2025, 12, 3), 20_000), (date(2026, 2, 3), 20_000))
    books.receive(who, date(2025, 12, 4), 20_000, number="F3")
    books.letter(books.line_ids(who, "F3")[0], books.line_ids(who, "F3")[-1])
    books.credit("AV1", who, date(2025, 12, 10), 5_000)
    return office.pulled()


def receive(office: Office, on: date) -> None:
    """Let the customer pay F1, and the accountant letter it."""
    office.books.receive(office.customer, on, 120_000, number="F1", lettered=True)


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("dates_carried", [False, True])
def test_every_item_is_the_same_after_the_year_ended(close: bool, dates_carried: bool) -> None:
    with opened(now=DECEMBER) as office:
        office.world.myunisoft.choices = Choices(carried_due_dates=dates_carried)
        before = fill(office)
        assert before[F1].open.minor == 120_000
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1), close=close)
        after = office.pulled()
        assert after == before
        assert [office.read(ref) for ref in before] == list(before.values())


def test_two_years_later_an_invoice_still_has_its_first_name() -> None:
    with opened(now=DECEMBER) as office:
        before = fill(office)
        office.world.set_now(datetime(2027, 4, 14, 2, 0, tzinfo=UTC))
        office.books.carry_forward(date(2025, 6, 1))
        office.books.carry_forward(date(2026, 6, 1))
        assert office.pulled() == before


def test_what_is_paid_on_the_carried_line_is_settled() -> None:
    with opened(now=DECEMBER) as office:
        before = fill(office)
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1))
        receive(office, date(2026, 3, 1))
        assert set(before) - set(office.pulled()) == {F1}
        again = office.read(F1)
        assert (again.state, again.open.minor, again.issue_date) == ("settled", 0, OLD["issued"])


def test_what_was_paid_in_the_year_that_closed_since_is_settled() -> None:
    with opened(now=DECEMBER) as office:
        fill(office)
        office.books.receive(
            office.customer, date(2025, 12, 20), 120_000, number="F1", lettered=True
        )
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1))
        assert F1 not in office.pulled()
        again = office.read(F1)
        assert (again.state, again.open.minor, again.total.minor) == ("settled", 0, 120_000)


def test_what_was_paid_after_a_provisional_carrying_is_settled() -> None:
    with opened(now=DECEMBER) as office:
        fill(office)
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1), close=False)
        office.books.receive(
            office.customer, date(2025, 12, 20), 120_000, number="F1", lettered=True
        )
        # the à-nouveau of F1 stands in 2026 until the accountant carries forward anew
        assert F1 not in office.pulled()
        assert office.read(F1).state == "settled"


def test_a_payment_reaches_an_invoice_of_last_year() -> None:
    with opened(now=DECEMBER) as office:
        fill(office)
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1))
        paid = payment(F1)
        office.connector().record_payment(KEY, paid)
        assert office.told()[F1] == ("invoice", "open", 70_000)
        office.books.validate(f"GCO-{KEY}")
        assert office.told()[F1] == ("invoice", "open", 70_000)
        assert office.books.open_cents(office.customer, "F1") == 70_000


def lettering(office: Office) -> LetteringEntry:
    """Ask to letter F1 with the payment of it that we wrote at once."""
    return LetteringEntry(account=office.customer, line_refs=(F1, f"GCO-{KEY}"), reference=KEY)


def test_in_mono_a_lettering_waits_until_the_older_year_is_closed() -> None:
    with opened(now=DECEMBER) as office:
        fill(office)
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1), close=False)
        office.connector(mode="direct").record_payment(KEY, payment(F1))
        lines = lettering(office)
        with pytest.raises(Transient, match="deux exercices") as waits:
            office.connector().letter(KEY, lines)
        assert waits.value.retry_after is not None
        assert isinstance(office.connector().find_lettering(KEY, lines), Absent)
        office.books.carry_forward(date(2025, 6, 1))
        assert isinstance(office.connector().letter(KEY, lines), Receipt)
        assert office.told()[F1] == ("invoice", "open", 70_000)


def test_in_multi_a_lettering_spans_years() -> None:
    with opened(now=DECEMBER, lettering="MULTI") as office:
        fill(office)
        office.world.set_now(APRIL)
        office.connector(mode="direct").record_payment(KEY, payment(F1))
        assert isinstance(office.connector().letter(KEY, lettering(office)), Receipt)
        assert office.told()[F1] == ("invoice", "open", 70_000)


def test_a_payment_that_went_back_after_it_was_lettered_is_owed_under_the_same_name() -> None:
    with opened(now=DECEMBER) as office:
        fill(office)
        receive(office, date(2025, 12, 20))
        office.books.give_back(office.customer, date(2025, 12, 22), 120_000, number="F1")
        before = office.pulled()
        assert before[F1].open.minor == 120_000
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1))
        after = office.pulled()
        assert after == before
        assert [office.read(ref) for ref in before] == list(before.values())
        office.books.receive(office.customer, date(2026, 2, 1), 50_000, number="F1")
        assert office.told()[F1] == ("invoice", "open", 70_000)
        office.books.receive(office.customer, date(2026, 2, 2), 70_000, number="F1")
        assert F1 not in office.pulled()
        assert (office.read(F1).state, office.read(F1).open.minor) == ("settled", 0)


def test_money_on_an_invoice_that_was_settled_last_year_is_allocated_to_nothing() -> None:
    with opened(now=DECEMBER) as office:
        fill(office)
        receive(office, date(2025, 12, 20))
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1))
        before = office.pulled()
        office.books.receive(office.customer, date(2026, 2, 1), 120_000, number="F1")
        (paid,) = set(office.pulled()) - set(before)
        assert office.told()[paid] == ("unallocated_credit", "open", -120_000)


def test_in_multi_the_original_lines_count_and_the_totals_carried_do_not() -> None:
    with opened(now=DECEMBER, lettering="MULTI") as office:
        before = fill(office)
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1))
        office.invoice("F9", 10_000)
        assert office.pulled() == before | {"411CLIENT0/2026/F9": office.read("411CLIENT0/2026/F9")}
        receive(office, date(2026, 3, 1))
        assert F1 not in office.pulled()
        assert office.read(F1).state == "settled"


def test_a_dossier_whose_first_year_begins_with_what_was_carried_names_it_by_that_year() -> None:
    """A dossier taken over from another tool has no line behind its first à-nouveaux."""
    with opened(years=(Y2026,), now=APRIL) as office:
        office.books.enter(
            "AN", date(2026, 1, 1), (office.customer, 5_000), ("4670000000", -5_000), number="F7"
        )
        (item,) = office.pulled().values()
        assert (item.ref, item.issue_date) == ("411CLIENT0/2026/F7", date(2026, 1, 1))
        assert item.instalments[0].due_estimated is False
        office.world.set_now(datetime(2027, 4, 14, 2, 0, tzinfo=UTC))
        office.books.carry_forward(date(2026, 6, 1))
        (later,) = office.pulled().values()
        assert later.ref == item.ref


def test_the_closed_year_is_read_once_and_only_while_something_was_carried() -> None:
    with opened(years=(Y2025, Y2026), now=DECEMBER) as office:
        fill(office)
        office.world.set_now(APRIL)
        office.books.carry_forward(date(2025, 6, 1))
        tool = office.world.myunisoft
        office.pulled()
        asked = [said for said in tool.key_journal(office.token) if "/mad/movements" in said]
        assert len(asked) == (1 + 3) + 3 + (1 + 3) + (1 + 3)  # in December two years were open
