"""A statement is its lines, VAT on the total, and what is owed back goes to the next one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.commissions import (
    EXPENSE,
    PAYABLE,
    CommissionLine,
    SettlementFacts,
    accrue,
    balance,
    claw_back,
    payable,
)
from encaisse_core.contracts import Contract
from encaisse_core.statements import (
    REGIMES,
    Billing,
    Heading,
    Party,
    Reckoning,
    Regime,
    Stated,
    document,
    missing,
    numbered,
    reckon,
)

CONTRACT = Contract("ctr_1", "ref_1", "editor", date(2026, 1, 1), None, 200_000)
SIGNED = date(2026, 1, 2)
EDITOR = Party("Éditeur Exemple", "987654324", "FR14987654324", "FR", "1 rue Exemple, Rennes")
BELGIAN = Party("Uitgever Voorbeeld", None, "BE0123456749", "BE", "Voorbeeldstraat 1, Gent")
COMPANY = Party("Atelier Exemple", "123456782", "FR11123456782", "FR", vat_derived=True)


def earned(number: int, fee: int, month: int, day: int = 5) -> CommissionLine:
    paid = SettlementFacts(f"stl_{number}", "verified", "EUR", date(2026, 1, 3), fee)
    line = accrue(paid, CONTRACT, SIGNED, on=date(2026, month, day))
    assert line is not None
    return line


LIVES = st.lists(
    st.tuples(
        st.integers(5, 10**7),  # fee: enough for a cent
        st.integers(1, 4),  # month accrued
        st.none() | st.integers(0, 3),  # months until payable
        st.none() | st.integers(0, 4),  # months until taken back
    ),
    max_size=12,
)


def ledger(lives: list[tuple[int, int, int | None, int | None]]) -> list[CommissionLine]:
    lines: list[CommissionLine] = []
    for number, (fee, month, paid, back) in enumerate(lives):
        mine = [earned(number, fee, month)]
        if paid is not None:
            mine.append(payable(mine[0], on=date(2026, month + paid, 6)))
        if back is not None:
            undone = claw_back(mine, on=date(2026, month + (paid or 0) + back, 7))
            assert undone is not None
            mine.append(undone)
        lines += mine
    return lines


def chain(lines: list[CommissionLine], regime: Regime) -> list[tuple[Reckoning, int]]:
    """Issue month after month, as a person does; give each reckoning with its number of lines."""
    made: list[tuple[Reckoning, int]] = []
    brought = 0
    for month in range(1, 13):
        period = f"2026-{month:02d}"
        mine = [line for line in lines if f"{line.on:%Y-%m}" == period]
        if mine:
            sums = reckon(mine, period, brought, regime)
            made.append((sums, len(mine)))
            brought = sums.carried
    return made


@settings(max_examples=examples(60), deadline=None)
@given(LIVES, st.sampled_from(sorted(REGIMES)))
def test_statements_in_a_row_invoice_the_whole_ledger_and_nothing_else(
    lives: list[tuple[int, int, int | None, int | None]], regime: Regime
) -> None:
    lines = ledger(lives)
    made = chain(lines, regime)
    assert sum(count for _, count in made) == len(lines)
    left = made[-1][0].carried if made else 0
    owed = -balance(lines).get(PAYABLE, 0)
    assert sum(sums.excl_vat for sums, _ in made) + left == owed
    assert sum(sums.earned for sums, _ in made) == balance(lines).get(EXPENSE, 0)
    assert all(later.brought == before.carried for (before, _), (later, _) in pairwise(made))
    for sums, _ in made:
        assert sums.excl_vat >= 0 >= sums.carried
        assert 0 in (sums.excl_vat, sums.carried)
        assert sums.vat is not None
        assert sums.incl_vat == sums.excl_vat + sums.vat
        assert abs(100 * sums.vat - sums.excl_vat * REGIMES[regime].percent) <= 50


def test_a_negative_month_invoices_nothing_and_comes_off_the_next() -> None:
    first = earned(1, 100_00, 1)
    paid = payable(first, on=date(2026, 1, 20))
    back = claw_back([first, paid], on=date(2026, 2, 3))
    assert back is not None
    january = reckon([first, paid], "2026-01", 0, "standard")
    assert (january.excl_vat, january.vat, january.carried) == (20_00, 4_00, 0)
    february = reckon([back], "2026-02", january.carried, "standard")
    assert (february.payable, february.excl_vat, february.vat) == (-20_00, 0, 0)
    assert february.carried == -20_00
    again = earned(2, 250_00, 3)
    march = [again, payable(again, on=date(2026, 3, 9))]
    assert reckon(march, "2026-03", february.carried, "standard").excl_vat == 30_00


def test_lines_of_another_month_or_a_credit_carried_over_are_errors() -> None:
    with pytest.raises(ValueError, match="not of 2026-02"):
        reckon([earned(1, 100, 1)], "2026-02", 0, "standard")
    with pytest.raises(ValueError, match="owed back"):
        reckon([earned(1, 100, 1)], "2026-01", 1, "standard")


def drawn(seller: Party, billing: Billing, fee: int = 100_00) -> dict[str, object]:
    line = earned(1, fee, 1)
    moved = payable(line, on=date(2026, 1, 9))
    lines = [Stated(line, "stl_1", None, 200_000), Stated(moved, "stl_1", None, 200_000)]
    sums = reckon([line, moved], "2026-01", 0, billing.regime)
    heading = Heading("2026-01", "EUR", seller, COMPANY, billing)
    return document(heading, lines, sums)


@pytest.mark.parametrize(
    ("seller", "regime", "mandate", "code", "mentions", "vat"),
    [
        (EDITOR, "standard", None, "380", [], 4_00),
        (EDITOR, "standard", "MF-1", "389", ["Autofacturation"], 4_00),
        (EDITOR, "franchise", None, "380", ["TVA non applicable, article 293 B du CGI"], 0),
        (BELGIAN, "reverse_charge", "MF-2", "389", ["Autofacturation", "Autoliquidation"], 0),
    ],
)
def test_an_invoice_says_who_draws_it_up_and_what_the_law_asks(
    seller: Party,
    regime: Regime,
    mandate: str | None,
    code: str,
    mentions: list[str],
    vat: int,
) -> None:
    told = drawn(seller, Billing(regime, mandate))
    invoice, sums = told["invoice"], told["sums"]
    assert isinstance(invoice, dict)
    assert isinstance(sums, dict)
    assert (invoice["type_code"], invoice["mentions"]) == (code, mentions)
    assert (sums["excl_vat"], sums["vat"], sums["incl_vat"]) == (20_00, vat, 20_00 + vat)
    assert told["missing"] == []


def test_what_is_not_known_of_a_referrer_is_named_and_its_vat_is_not_guessed() -> None:
    nobody = Party("Éditeur", None, None, "FR")
    told = drawn(nobody, Billing(None, "MF-1"))
    assert isinstance(told["sums"], dict)
    assert told["sums"]["vat"] is None
    assert [each.split(" (")[0] for each in missing(nobody, Billing(None, "MF-1"))] == [
        "son régime de TVA",
        "son SIREN",
        "son adresse",
    ]
    assert missing(nobody, Billing("standard", None)) == [
        "son SIREN (--siren)",
        "son numéro de TVA (--vat-number)",
    ]
    assert missing(replace(BELGIAN, vat_id=None), Billing("reverse_charge", None)) == [
        "son numéro de TVA (--vat-number)"
    ]


def test_nothing_to_invoice_bears_no_code_and_no_mention() -> None:
    line = earned(1, 100_00, 1)
    sums = reckon([line], "2026-01", 0, "franchise")
    heading = Heading("2026-01", "EUR", EDITOR, COMPANY, Billing("franchise", "MF-1"))
    told = document(heading, [Stated(line, "stl_1", None, 200_000)], sums)
    assert told["invoice"] == {
        "mode": "nothing_to_invoice",
        "type_code": None,
        "number": None,
        "mandate": None,
        "mentions": [],
    }


def test_every_regime_names_its_source_and_numbers_stay_in_their_series() -> None:
    assert all(regime.source.startswith("CGI") for regime in REGIMES.values())
    assert numbered("AF", EDITOR, 2026, 7) == "AF-987654324-2026-0007"
    assert len(numbered("RC", BELGIAN, 2026, 1)) <= 35  # BT-1 in France
