"""Lines of customer accounts into invoices: whatever their order, no cent is lost or made."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encaisse_api import Money, Seller, SourceInvoice, Unreadable
from encaisse_myunisoft import booking, mapping
from encaisse_myunisoft.lines import Line, Spoilt
from encaisse_myunisoft.mapping import Books, Facts
from encaisse_myunisoft.terms import Term, Terms

ISSUED = date(2026, 2, 2)
DUE = date(2026, 3, 4)


def line(id_: int, euros: str, number: str = "", **said: object) -> Line:
    signed = Decimal(euros)
    made = Line(
        id=str(id_),
        entry=str(id_ + 1000),
        exercice="9001",
        account="411CLIENT0",
        account_id="70011",
        account_name="CLIENT EXEMPLE",
        number=number,
        signed=signed,
        face=signed,
        state="none",
        letters="",
        group="",
        issued=ISSUED,
        due=DUE if signed > 0 else None,
        journal="sale" if signed > 0 else "bank",
        opening=False,
        label="ESSAI",
        currency="EUR",
        partner_id="",
        target="",
        tool="",
        documents=(),
        origin=str(id_),
    )
    return replace(made, **said)  # type: ignore[arg-type]


def lettered(one: Line, letters: str) -> Line:
    state = "partial" if letters.startswith("*") else "complete"
    return replace(one, state=state, letters=letters, group=f"9001:{letters}")


def told(
    lines: Sequence[Line], *, settled_too: bool = False, facts: Facts | None = None
) -> dict[str, SourceInvoice]:
    found = mapping.invoices(Books(tuple(lines)), facts or Facts(), settled_too=settled_too)
    items = list(found)
    assert all(isinstance(item, SourceInvoice) for item in items), items
    by_ref = {str(item.ref): item for item in items if isinstance(item, SourceInvoice)}
    assert len(by_ref) == len(items)
    return by_ref


def opens(lines: Sequence[Line]) -> dict[str, str]:
    return {ref: str(item.open.amount) for ref, item in told(lines).items()}


F1 = "411CLIENT0/2026/F1"


# --- what is owed --------------------------------------------------------------------------------


def test_an_unlettered_sale_is_owed_whole() -> None:
    (item,) = told(
        [line(1, "1800.00", "F1")], facts=Facts(seller=Seller(siren="987654324"))
    ).values()
    assert (item.ref, item.number, item.kind, item.state) == (F1, "F1", "invoice", "open")
    assert (item.total, item.open, item.credited) == (
        Money.of_minor(180_000),
        Money.of_minor(180_000),
        Money.of_minor(0),
    )
    assert (item.issue_date, item.instalments[0].due_date) == (ISSUED, DUE)
    assert item.seller.siren == "987654324"


def test_a_partly_lettered_sale_is_owed_less_its_receipt() -> None:
    paid = [lettered(line(1, "1800.00", "F1"), "*AAA"), lettered(line(2, "-600.00"), "*AAA")]
    assert opens(paid) == {F1: "1200.00"}
    assert told(paid)[F1].total == Money.of_minor(180_000)


def test_a_wholly_lettered_sale_is_settled_and_not_pulled() -> None:
    paid = [lettered(line(1, "1800.00", "F1"), "AAA"), lettered(line(2, "-1800.00"), "AAA")]
    assert opens(paid) == {}
    assert told(paid, settled_too=True)[F1].state == "settled"


def test_one_receipt_on_two_sales_pays_the_named_one_first_then_the_oldest() -> None:
    lines = [
        lettered(line(1, "100.00", "F1", due=date(2026, 3, 1)), "*AAA"),
        lettered(line(2, "100.00", "F2", due=date(2026, 2, 1)), "*AAA"),
        lettered(line(3, "100.00", "F3", due=None), "*AAA"),
        lettered(line(4, "-150.00", "F1"), "*AAA"),
    ]
    assert opens(lines) == {
        F1: "0.00",
        "411CLIENT0/2026/F2": "50.00",
        "411CLIENT0/2026/F3": "100.00",
    }
    assert told(lines)[F1].state == "settled"


def test_a_receipt_nobody_lettered_pays_the_invoice_it_names_and_no_other() -> None:
    lines = [line(1, "100.00", "FA-1"), line(2, "50.00", "F2"), line(3, "-30.00", "fa1")]
    assert opens(lines) == {"411CLIENT0/2026/F2": "50.00", "411CLIENT0/2026/FA-1": "70.00"}


def test_a_receipt_that_names_nothing_is_unallocated() -> None:
    lines = [line(1, "100.00", "F1"), line(2, "-30.00"), line(3, "-40.00", "F9")]
    found = told(lines)
    assert {ref: (item.kind, item.open.minor) for ref, item in found.items()} == {
        F1: ("invoice", 10_000),
        "411CLIENT0#2": ("unallocated_credit", -3_000),
        "411CLIENT0#3": ("unallocated_credit", -4_000),
    }
    numbers = [found["411CLIENT0#2"].number, found["411CLIENT0#3"].number]
    assert numbers == ["REGLEMENT-2", "REGLEMENT-3"]  # two receipts never look like one invoice


def test_what_is_paid_too_much_stays_with_the_receipt() -> None:
    lines = [line(1, "100.00", "F1"), line(2, "-100.00", "F1"), line(3, "-100.00", "F1")]
    assert opens(lines) == {F1: "0.00", "411CLIENT0#3": "-100.00"}


def test_an_avoir_of_its_own_number_stands_by_itself() -> None:
    lines = [line(1, "100.00", "F1"), line(2, "-20.00", "AV1", journal="sale")]
    found = told(lines)
    assert found["411CLIENT0/2026/AV1"].kind == "credit_note"
    assert found["411CLIENT0/2026/AV1"].credited is None


def test_an_avoir_lettered_with_its_invoice_is_told_as_credited() -> None:
    lines = [
        lettered(line(1, "100.00", "F1"), "*AAA"),
        lettered(line(2, "-20.00", "AV1", journal="sale"), "*AAA"),
        lettered(line(3, "-30.00"), "*AAA"),
    ]
    (item,) = told(lines).values()
    assert (item.open.minor, item.credited) == (5_000, Money.of_minor(2_000))


def test_echeances_of_one_invoice_keep_their_names_as_they_are_paid() -> None:
    parts = [line(n, "300.00", "F1", due=date(2026, n, 1), entry="1000") for n in (3, 4, 5)]
    receipt = lettered(line(9, "-300.00"), "AAA")
    before, after = told(parts)[F1], told([lettered(parts[0], "AAA"), *parts[1:], receipt])[F1]
    assert [(i.ref, i.open.minor) for i in before.instalments] == [
        ("1", 30_000),
        ("2", 30_000),
        ("3", 30_000),
    ]
    assert [(i.ref, i.due_date, i.open.minor) for i in after.instalments] == [
        ("1", date(2026, 3, 1), 0),
        ("2", date(2026, 4, 1), 30_000),
        ("3", date(2026, 5, 1), 30_000),
    ]
    assert before.total == after.total


def test_an_echeance_paid_in_a_closed_year_does_not_shrink_the_invoice() -> None:
    first = lettered(line(1, "300.00", "F1", due=date(2026, 3, 1)), "AAA")
    books = Books((line(2, "300.00", "F1"),), settled_before=(first,))
    (item,) = mapping.invoices(books, Facts())
    assert isinstance(item, SourceInvoice)
    assert (item.total.minor, item.open.minor) == (60_000, 30_000)
    assert [i.open.minor for i in item.instalments] == [0, 30_000]


def test_a_payment_that_bounced_is_owed_again() -> None:
    paid = [lettered(line(1, "100.00", "F1"), "AAA"), lettered(line(2, "-100.00", "F1"), "AAA")]
    bounced = line(3, "100.00", "F1", journal="bank")
    (item,) = told([*paid, bounced]).values()
    assert (item.ref, item.total.minor, item.open.minor, item.state) == (F1, 10_000, 10_000, "open")


def test_a_lettered_payment_that_went_back_pays_no_other_invoice_of_its_group() -> None:
    group = [
        lettered(line(1, "100.00", "F1"), "*AAA"),
        lettered(line(2, "270.00", "F2"), "*AAA"),
        lettered(line(3, "-80.00", "F1"), "*AAA"),
        lettered(line(4, "-60.00", "F1"), "*AAA"),
    ]
    undone = line(5, "80.00", "F1", journal="other")
    assert opens([*group, undone]) == {F1: "40.00", "411CLIENT0/2026/F2": "270.00"}


def test_a_debit_that_is_no_sale_starts_nothing() -> None:
    (item,) = told([line(1, "100.00", journal="bank")]).values()
    assert (item.ref, item.state) == ("411CLIENT0#1", "unknown")


def test_a_sale_without_a_number_starts_nothing() -> None:
    (item,) = told([line(1, "100.00")]).values()
    assert (item.ref, item.number, item.state) == ("411CLIENT0#1", "SANS-NUMERO-1", "unknown")


def test_one_number_in_two_years_is_two_invoices_and_a_receipt_pays_the_older() -> None:
    old = line(1, "100.00", "12", issued=date(2025, 2, 2))
    lines = [old, line(2, "200.00", "12"), line(3, "-40.00", "12")]
    assert opens(lines) == {"411CLIENT0/2025/12": "60.00", "411CLIENT0/2026/12": "200.00"}


def test_our_own_entry_pays_the_invoice_it_was_written_for_even_as_a_draft() -> None:
    ours = line(
        3,
        "-40.00",
        "FA2026",
        partner_id=f"{booking.PREFIX}enc-1",
        target=F1,
        journal="other",
        draft=True,
    )
    assert opens([line(1, "100.00", "F1"), line(2, "70.00", "FA2026"), ours]) == {
        F1: "60.00",
        "411CLIENT0/2026/FA2026": "70.00",
    }


# --- due dates and the rest ----------------------------------------------------------------------


def test_a_missing_due_date_is_worked_out_and_marked() -> None:
    facts = Facts(terms=Terms({"411CLIENT0": Term(30, end_of_month=True)}, Term(10)))
    (item,) = told([line(1, "10.00", "F1", due=None)], facts=facts).values()
    assert (item.instalments[0].due_date, item.instalments[0].due_estimated) == (
        date(2026, 3, 31),
        True,
    )
    other = line(2, "10.00", "F2", due=None, account="411AUTRE00")
    (item,) = told([other], facts=facts).values()
    assert item.instalments[0].due_date == date(2026, 2, 12)
    (item,) = told([line(1, "10.00", "F1", due=None)]).values()
    assert (item.instalments[0].due_date, item.instalments[0].due_estimated) == (None, False)


def test_the_pdf_that_bears_the_number_is_the_document() -> None:
    (item,) = told(
        [line(1, "10.00", "FA-1", documents=("a.pdf", "cgv.PDF", "scan FA1.pdf", "x.xml"))]
    ).values()
    assert item.document_ref == "1001/scan FA1.pdf"
    (item,) = told([line(1, "10.00", "FA-1", documents=("x.xml",))]).values()
    assert item.document_ref is None


def test_an_invoice_in_another_currency_is_set_aside() -> None:
    (bad,) = mapping.invoices(Books((line(1, "10.00", "F1", currency="USD"),)), Facts())
    assert isinstance(bad, Unreadable)
    assert bad.ref == F1
    assert "USD" in bad.reason


def test_a_spoilt_line_puts_its_whole_account_aside_and_no_other() -> None:
    books = Books(
        (line(1, "10.00", "F1"), line(2, "20.00", "F2", account="411AUTRE00")),
        spoilt=(Spoilt("{}", "montant illisible", "411CLIENT0", "F9"),),
    )
    row, good, aside = mapping.invoices(books, Facts())
    assert isinstance(row, Unreadable)
    assert isinstance(aside, Unreadable)
    assert (row.ref, aside.ref) == (None, F1)
    assert isinstance(good, SourceInvoice)
    assert good.ref == "411AUTRE00/2026/F2"


# --- for any lines -------------------------------------------------------------------------------

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CENTS = st.integers(1, 500_000).map(lambda cents: Decimal(cents).scaleb(-2))
NUMBERS = st.sampled_from(["", "F1", "F2", "FA-3", "AV1", "12"])
JOURNALS = st.sampled_from(["sale", "opening", "bank", "cash", "other"])
DUES = st.one_of(st.none(), st.dates(date(2025, 6, 1), date(2026, 12, 31)))


@st.composite
def any_lines(draw: st.DrawFn) -> list[Line]:
    found: list[Line] = []
    for place in range(1, draw(st.integers(1, 14)) + 1):
        signed = draw(CENTS) * draw(st.sampled_from([1, 1, -1]))
        account = draw(st.sampled_from(["411CLIENT0", "411AUTRE00"]))
        one = line(
            place,
            f"{signed:.2f}",
            draw(NUMBERS),
            account=account,
            journal=draw(JOURNALS),
            due=draw(DUES),
            issued=date(2026, 1, 5) - timedelta(days=draw(st.integers(0, 400))),
            draft=draw(st.booleans()),
        )
        if draw(st.booleans()):
            one = replace(one, partner_id="GCO-enc-1", target=f"{account}/2026/F1")
        letters = draw(st.sampled_from(["", "", "*AAA", "*AAB", "AAC"]))
        found.append(lettered(one, letters) if letters else one)
    return found


@PATIENT
@given(any_lines())
def test_open_amounts_add_up_to_the_lines_that_are_left(lines: list[Line]) -> None:
    left = sum((one.signed for one in lines if one.live), Decimal(0))
    assert sum((item.open.amount for item in told(lines).values()), Decimal(0)) == left
    every = told(lines, settled_too=True).values()
    assert sum((item.open.amount for item in every), Decimal(0)) == left


@PATIENT
@given(any_lines(), st.integers(0, 2**16))
def test_the_order_of_lines_changes_nothing(lines: list[Line], seed: int) -> None:
    mixed = list(lines)
    random.Random(seed).shuffle(mixed)
    assert told(mixed) == told(lines)
    assert told(mixed, settled_too=True) == told(lines, settled_too=True)


@PATIENT
@given(any_lines())
def test_nothing_paid_becomes_more_than_was_billed(lines: list[Line]) -> None:
    for item in told(lines, settled_too=True).values():
        for part in item.instalments:
            low, high = sorted((Decimal(0), part.amount.amount))
            assert low <= part.open.amount <= high
            assert isinstance(part.open.amount, Decimal)
