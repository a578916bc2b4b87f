"""What is collected is declared per VAT rate, to the cent, and never more than the principal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.counts import examples
from tests.einvoicing.cdar_messages import AT, BUYER, SELLER, facts, siren
from tests.einvoicing.cdar_oracle import broken_rules, needs_oracle, schema_errors

from encaisse_einvoicing import Invoice, Refused, read_bytes
from encaisse_einvoicing.cdar import (
    CdarMessage,
    InvoiceFacts,
    Signal,
    collected,
    meanings,
    read_cdar,
    write_cdar,
)
from encaisse_einvoicing.cdar.facts import owed_by_rate
from encaisse_einvoicing.cdar.message import Characteristic, Party
from encaisse_einvoicing.cdar.split import CENT, split
from encaisse_einvoicing.model import VatSubtotal

RATES = ("20", "10", "8.5", "5.5", "2.1", "0")
Owed = dict[Decimal, Decimal]


def paid(invoice: InvoiceFacts, principal: str, already: str = "0", **changed: Any) -> CdarMessage:
    """Declare a payment, as usual but for what is changed."""
    given: dict[str, Any] = {
        "currency": "EUR",
        "received_on": date(2026, 11, 20),
        "message_id": "CDV-1",
        "at": AT,
    }
    return collected(
        invoice, principal=Decimal(principal), already=Decimal(already), **{**given, **changed}
    )


def data(message: CdarMessage, code: str) -> list[Characteristic]:
    (document,) = message.documents()
    (detail,) = document.details
    return [each for each in detail.characteristics if each.type_code == code]


def by_rate(message: CdarMessage) -> dict[Decimal, Decimal]:
    found: dict[Decimal, Decimal] = {}
    for each in data(message, "MEN"):
        assert each.amount is not None and each.percent is not None and each.currency == "EUR"
        assert each.percent not in found
        found[each.percent] = each.amount
    return found


def refused(
    invoice: InvoiceFacts, principal: str = "10", already: str = "0", **changed: Any
) -> str:
    with pytest.raises(Refused) as raised:
        paid(invoice, principal, already, **changed)
    assert raised.value.message_fr.endswith(".")
    return raised.value.code


# --- the split -----------------------------------------------------------------------------------

amounts_owed = st.dictionaries(
    st.sampled_from(RATES).map(Decimal), st.integers(0, 10**8), min_size=1, max_size=5
).filter(lambda owed: sum(owed.values()) > 0)


def owed_in_cents(owed: Mapping[Decimal, int]) -> Owed:
    return {rate: cents * CENT for rate, cents in owed.items()}


@settings(max_examples=examples(80), deadline=None)
@given(amounts_owed, st.data())
def test_a_split_sums_never_goes_back_and_ends_on_what_is_owed(
    cents: dict[Decimal, int], data: st.DataObject
) -> None:
    owed, total = owed_in_cents(cents), sum(cents.values())
    steps = sorted(data.draw(st.lists(st.integers(0, total), max_size=6)))
    before = dict.fromkeys(owed, Decimal(0))
    for step in [*steps, total]:
        parts = split(step * CENT, owed)
        assert sum(parts.values()) == step * CENT
        for rate in owed:
            assert before[rate] <= parts[rate] <= owed[rate]
            assert abs(parts[rate] - step * CENT * owed[rate] / (total * CENT)) < 2 * CENT
        before = parts
    assert before == owed


@settings(max_examples=examples(60), deadline=None)
@given(
    st.dictionaries(st.sampled_from(RATES).map(Decimal), st.integers(-(10**6), 10**7), min_size=1),
    st.data(),
)
def test_a_rate_given_back_goes_down_while_the_others_go_up(
    cents: dict[Decimal, int], data: st.DataObject
) -> None:
    total = sum(cents.values())
    if total <= 0:
        return
    owed = owed_in_cents(cents)
    first, last = sorted(data.draw(st.tuples(st.integers(0, total), st.integers(0, total))))
    early, late = split(first * CENT, owed), split(last * CENT, owed)
    assert (sum(early.values()), sum(late.values())) == (first * CENT, last * CENT)
    assert split(total * CENT, owed) == owed
    for rate in owed:
        step = late[rate] - early[rate]
        assert step >= 0 if owed[rate] >= 0 else step <= 0


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(1, 10**7), st.integers(0, 10**7), st.data())
def test_on_two_rates_the_lower_one_takes_what_rounding_the_higher_leaves(
    high: int, low: int, data: st.DataObject
) -> None:
    owed = {Decimal("20"): high * CENT, Decimal("5.5"): low * CENT}
    amount = data.draw(st.integers(0, high + low)) * CENT
    exact = amount * owed[Decimal("20")] / (owed[Decimal("20")] + owed[Decimal("5.5")])
    rounded = exact.quantize(CENT, ROUND_HALF_UP)
    assert split(amount, owed) == {Decimal("20"): rounded, Decimal("5.5"): amount - rounded}


def test_three_cents_on_five_rates_take_nothing_back() -> None:
    """Rounding four rates up and leaving the rest to the fifth would give it -0.01."""
    owed = {Decimal(rate): Decimal(1) for rate in RATES[:5]}
    assert sorted(split(Decimal("0.03"), owed).values()) == [0, 0, CENT, CENT, CENT]


@pytest.mark.parametrize("amount", ["-0.01", "172.76", "0.001", "1E+40"])
def test_a_split_beyond_what_is_owed_is_a_fault_of_ours(amount: str) -> None:
    with pytest.raises(ValueError, match=r"cents|owed"):
        split(Decimal(amount), {Decimal(20): Decimal("120.00"), Decimal("5.5"): Decimal("52.75")})


# --- histories -----------------------------------------------------------------------------------


@st.composite
def invoices(draw: st.DrawFn) -> InvoiceFacts:
    """Make any invoice of up to five rates, VAT rounded as invoices round it."""
    rates = draw(st.lists(st.sampled_from(RATES), min_size=1, max_size=5, unique=True))
    groups: list[tuple[str, str, str]] = []
    for rate in rates:
        base = draw(st.integers(1, 10**7)) * CENT
        groups.append((str(base), str((base * Decimal(rate) / 100).quantize(CENT)), rate))
    return facts(*groups)


@st.composite
def histories(draw: st.DrawFn) -> tuple[InvoiceFacts, list[Decimal]]:
    """Make an invoice with payments and reversals, the last of which pays what is left."""
    invoice = draw(invoices())
    moves: list[Decimal] = []
    done = Decimal(0)
    for _ in range(draw(st.integers(0, 6))):
        target = draw(st.integers(0, int(invoice.total / CENT))) * CENT
        if target != done:
            moves.append(target - done)
            done = target
    if done != invoice.total:
        moves.append(invoice.total - done)
    return invoice, moves


@settings(max_examples=examples(60), deadline=None)
@given(histories())
@example(
    (facts(("0.01", "0.00", "20"), ("0.01", "0.00", "10"), ("0.01", "0.00", "5.5")), [CENT] * 3)
)
def test_any_history_adds_up_to_each_rate_and_each_payment(
    history: tuple[InvoiceFacts, list[Decimal]],
) -> None:
    invoice, moves = history
    owed = owed_by_rate(invoice)
    sums, done = dict.fromkeys(owed, Decimal(0)), Decimal(0)
    for number, amount in enumerate(moves):
        message = paid(
            invoice, str(amount), str(done), message_id=f"M{number}", reason="rejet de prélèvement"
        )
        parts = by_rate(message)
        assert sum(parts.values()) == amount
        assert all(part * amount > 0 for part in parts.values())  # no zero, no other sign
        done += amount
        left = [each.amount for each in data(message, "RAP")]
        assert left == ([invoice.total - done] if done < invoice.total else [])
        for rate, part in parts.items():
            sums[rate] += part
    assert sums == owed


@needs_oracle
def test_a_sample_of_histories_passes_the_schema_and_the_official_rules() -> None:
    written: list[bytes] = []

    @settings(max_examples=12, deadline=None, database=None)
    @given(histories(), st.booleans())
    def gather(history: tuple[InvoiceFacts, list[Decimal]], to_ppf: bool) -> None:
        invoice, moves = history
        done = Decimal(0)
        for number, amount in enumerate(moves):
            written.append(
                write_cdar(
                    collected(
                        invoice,
                        principal=amount,
                        currency="EUR",
                        received_on=date(2026, 11, 20),
                        already=done,
                        message_id=f"CDV-{number}",
                        at=AT,
                        reason="rejet de prélèvement" if amount < 0 else None,
                        to_ppf=to_ppf,
                    )
                )
            )
            done += amount

    gather()
    assert len(written) >= 12
    assert [schema_errors(each) for each in written] == [[] for _ in written]
    assert broken_rules(written) == [set() for _ in written]
    assert all(read_cdar("a.xml", each).issues == () for each in written)


# --- one message ---------------------------------------------------------------------------------


def test_a_partial_payment_says_what_is_left_and_to_whom_it_is_told() -> None:
    message = paid(facts(), "100.00")
    assert by_rate(message) == {Decimal("20"): Decimal("69.46"), Decimal("5.5"): Decimal("30.54")}
    assert [each.amount for each in data(message, "RAP")] == [Decimal("72.75")]
    assert all(each.day == date(2026, 11, 20) for each in data(message, "MEN"))
    (document,) = message.documents()
    assert (document.number, document.type_code, document.status_code) == (
        "FA-2026-0042",
        "380",
        "47",
    )
    assert (document.process_code, document.process_label) == ("212", "Encaissée")
    assert document.issuer is not None and document.issuer.number("0002") == SELLER
    assert message.issuer is not None and (message.issuer.role, message.id) == ("SE", "CDV-1")
    (buyer,) = message.recipients
    assert (buyer.role, buyer.number("0002"), buyer.endpoint) == ("BY", BUYER, BUYER)
    (meaning,) = meanings(message)
    assert (meaning.signal, meaning.collected) == (Signal.COLLECTED, Decimal("100.00"))


def test_a_reversal_is_negative_and_says_why() -> None:
    message = paid(facts(), "-100.00", "100.00", reason=" chèque impayé ")
    assert by_rate(message) == {Decimal("20"): Decimal("-69.46"), Decimal("5.5"): Decimal("-30.54")}
    (document,) = message.documents()
    assert [note.text for note in document.details[0].notes] == ["chèque impayé"]
    (meaning,) = meanings(message)
    assert (meaning.signal, meaning.collected) == (Signal.REVERSED, Decimal("-100.00"))
    assert "Note : « chèque impayé »." in meaning.points


def test_what_was_prepaid_is_not_declared_again() -> None:
    invoice = facts(prepaid=Decimal("72.75"))
    message = paid(invoice, "100.00")
    assert data(message, "RAP") == []
    before = split(Decimal("72.75"), owed_by_rate(invoice))
    assert {r: before[r] + part for r, part in by_rate(message).items()} == owed_by_rate(invoice)
    assert refused(invoice, "100.01") == "more_than_the_invoice"
    assert refused(facts(prepaid=Decimal("172.76"))) == "total_not_collectible"


def test_a_rate_given_twice_is_declared_once_and_no_rate_out_of_scope_is_zero() -> None:
    groups = (
        VatSubtotal(
            taxable=Decimal("10.00"), tax=Decimal("2.00"), category="S", rate=Decimal("20")
        ),
        VatSubtotal(
            taxable=Decimal("20.00"), tax=Decimal("4.00"), category="S", rate=Decimal("20.0")
        ),
        VatSubtotal(taxable=Decimal("5.00"), tax=Decimal("0.00"), category="O"),
        VatSubtotal(taxable=Decimal("6.00"), tax=Decimal("0.00"), category="E", rate=Decimal("0")),
    )
    invoice = facts(vat_breakdown=groups, total=Decimal("47.00"))
    assert by_rate(paid(invoice, "47.00")) == {
        Decimal("20"): Decimal("36"),
        Decimal("0"): Decimal("11"),
    }


def test_a_moment_with_a_zone_is_brought_to_french_time() -> None:
    message = paid(facts(), "1.00", at=datetime(2026, 11, 22, 23, 30, 0, 7, UTC))
    assert message.issued_at == AT.replace(day=23, hour=0)


def test_an_agent_declares_under_its_own_number() -> None:
    agent = Party(role="SR", global_ids=siren(BUYER), name="Agence")
    message = paid(facts(), "1.00", declared_by=agent, sender_role="WK")
    assert message.issuer == agent
    assert message.documents()[0].issuer == Party(role="SE", global_ids=siren(SELLER))


REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("more_than_the_invoice", {"principal": "172.76"}),
    ("more_than_the_invoice", {"principal": "72.76", "already": "100"}),
    ("amount_not_in_cents", {"principal": "1E+50"}),
    ("reversal_beyond_collected", {"principal": "-100.01", "already": "100", "reason": "rejet"}),
    ("reversal_without_reason", {"principal": "-1", "already": "100"}),
    ("reversal_without_reason", {"principal": "-1", "already": "100", "reason": " "}),
    ("already_out_of_bounds", {"already": "-0.01"}),
    ("already_out_of_bounds", {"already": "172.76"}),
    ("amount_zero", {"principal": "0.00"}),
    ("amount_not_in_cents", {"principal": "0.001"}),
    ("amount_not_in_cents", {"principal": "NaN"}),
    ("amount_not_in_cents", {"already": "Infinity"}),
    ("currency_mismatch", {"currency": "USD"}),
    ("currency_mismatch", {"currency": ""}),
    ("received_in_the_future", {"received_on": date(2026, 11, 23)}),
    ("role_not_of_the_seller", {"sender_role": "BY"}),
    ("role_not_of_the_seller", {"declared_by": Party(role="BY", global_ids=siren(BUYER))}),
    ("role_not_of_the_seller", {"declared_by": Party(global_ids=siren(BUYER))}),
]


@pytest.mark.parametrize(("code", "changed"), REFUSALS)
def test_a_payment_that_cannot_be_is_refused(code: str, changed: dict[str, Any]) -> None:
    assert refused(facts(), **changed) == code


def test_late_interest_and_the_indemnity_cannot_get_in() -> None:
    with pytest.raises(Refused, match=r"ni intérêts de retard, ni indemnité de 40 €"):
        paid(facts(), "212.75")  # the invoice and its 40 €


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("credit_note", {"type_code": "381"}),
        ("currency_mismatch", {"currency": "USD"}),
        ("siren_invalid", {"seller_siren": "123456789"}),
        ("total_not_collectible", {"total": Decimal(0), "vat_breakdown": ()}),
        ("total_not_collectible", {"total": Decimal("1E+30"), "vat_breakdown": ()}),
        ("breakdown_does_not_sum", {"vat_breakdown": ()}),
        ("breakdown_does_not_sum", {"total": Decimal("172.76")}),
        (
            "breakdown_incomplete",
            {"vat_breakdown": (VatSubtotal(taxable=Decimal(1), tax=Decimal(0)),)},
        ),
        ("breakdown_incomplete", {"vat_breakdown": (VatSubtotal(rate=Decimal(20)),)}),
    ],
)
def test_an_invoice_that_cannot_be_declared_is_refused(code: str, changed: dict[str, Any]) -> None:
    assert refused(facts(**changed)) == code


def test_an_invoice_in_another_currency_is_for_a_person() -> None:
    assert refused(facts(currency="USD"), currency="USD") == "currency_not_euro"


def test_a_buyer_who_cannot_be_reached_is_refused() -> None:
    with pytest.raises(Refused) as raised:
        write_cdar(
            collected(
                facts(buyer_endpoint=" "),
                principal=Decimal(1),
                currency="EUR",
                received_on=date(2026, 11, 20),
                already=Decimal(0),
                message_id="CDV-1",
                at=AT,
            )
        )
    assert raised.value.code == "text_not_written"


def test_the_facts_come_from_an_invoice_as_read(cii: str) -> None:
    uri = '<ram:URIID schemeID="0225">987654324</ram:URIID>'
    vat = '<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">FR14987654324'
    endpoint = f"<ram:URIUniversalCommunication>{uri}</ram:URIUniversalCommunication>"
    reachable = cii.replace(vat, f"{endpoint}{vat}")
    invoice = read_bytes("a.xml", reachable.encode()).invoice
    assert invoice is not None
    found = InvoiceFacts.of(invoice)
    assert (found.number, found.total, found.prepaid) == ("F-2026-001", Decimal(1200), Decimal(200))
    assert (found.seller_siren, found.buyer_siren) == (SELLER, BUYER)
    assert by_rate(paid(found, "1000.00")) == {Decimal(20): Decimal(1000)}


def test_an_invoice_without_what_is_needed_says_which_term_is_missing(cii: str) -> None:
    invoice = read_bytes("a.xml", cii.encode()).invoice
    assert invoice is not None
    with pytest.raises(Refused, match="BT-49"):
        InvoiceFacts.of(invoice)
    with pytest.raises(Refused, match="BT-1"):
        InvoiceFacts.of(Invoice())
