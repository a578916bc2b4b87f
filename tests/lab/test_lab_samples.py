"""The invented invoices are read back right, in every syntax, for any seed."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from stdnum.fr import siren, siret, tva

from encaisse_core.join import normalise_number
from encaisse_einvoicing import read_bytes
from encaisse_lab import papers
from encaisse_lab.samples import COLLECTIBLE, FIRST_EVENING, Samples, samples

SEEDS = range(1, 201)
FEW = (1, 2, 3, 17)


@pytest.fixture(params=FEW)
def known(request: pytest.FixtureRequest) -> Samples:
    return samples(request.param)


def test_every_file_is_read_back_as_it_was_meant(known: Samples) -> None:
    for sample in known.in_folder:
        name, content = papers.paper(sample)
        reading = read_bytes(name, content)
        assert reading.invoice is not None, (name, reading.issues)
        assert not reading.issues, (name, reading.issues)
        invoice = reading.invoice
        assert invoice.number == sample.written
        assert invoice.type_code == papers.TYPE_CODES[sample.kind]
        assert (invoice.issue_date, invoice.due_date) == (sample.issued, sample.due)
        assert invoice.currency == sample.currency
        assert invoice.process == sample.process
        for party, meant in ((invoice.seller, sample.seller), (invoice.buyer, sample.debtor)):
            assert party is not None
            assert party.name == meant.name
            assert (party.siren, party.vat_id) == (meant.siren, meant.vat_id)
            assert party.address is not None
            assert party.address.postcode == meant.postcode
            assert party.address.country == meant.country
        sums = invoice.totals
        assert sums.tax_inclusive == Decimal(abs(sample.cents)) / 100
        assert sums.tax_exclusive is not None
        assert sums.tax is not None
        assert sums.tax_exclusive + sums.tax == sums.tax_inclusive
        paid_at_issue = sample.process == "S2"
        assert sums.payable == (0 if paid_at_issue else sums.tax_inclusive)
        assert [each.number for each in invoice.preceding] == [sample.credits][
            : len(invoice.preceding)
        ]
        assert bool(invoice.preceding) == bool(sample.credits)


def test_a_broken_file_is_refused_with_a_reason_and_always_the_same(known: Samples) -> None:
    for name, content in papers.broken(known).items():
        first, second = read_bytes(name, content), read_bytes(name, content)
        assert first.invoice is None, name
        assert first.issues
        assert [i.message for i in first.issues] == [i.message for i in second.issues]
        assert "0x" not in first.issues[0].message


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    papers.fill_folder(samples(5), tmp_path / "a")
    papers.fill_folder(samples(5), tmp_path / "b")
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    assert len(first) == len(samples(5).in_folder) + len(samples(5).broken)


@pytest.mark.parametrize("syntax", ["facturx", "cii", "ubl"])
def test_each_syntax_is_among_the_files(known: Samples, syntax: str) -> None:
    assert any(sample.file == syntax for sample in known.in_folder)


def test_the_truth_is_in_no_file(known: Samples) -> None:
    for sample in known.in_folder:
        assert sample.true_id.encode() not in papers.paper(sample)[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_set_holds_what_the_demo_must_show(seed: int) -> None:
    known = samples(seed)
    assert 60 <= len(known.invoices) <= 70, seed
    assert len({s.true_id for s in known.invoices}) == len(known.invoices)
    twice = [s for s in known.in_folder if s.in_books]
    assert len(twice) >= 30, seed
    respelled = [s for s in twice if s.written != s.number]
    assert len(respelled) == 5, seed
    for sample in respelled:
        assert normalise_number(sample.written) == normalise_number(sample.number), seed
    fates = Counter(s.fate for s in known.invoices)
    for wanted in (
        "public_debtor",
        "debtor_unidentified",
        "debtor_kind_unknown",
        "unallocated_credit",
        "not_an_invoice",
        "possible_duplicate",
        "due_date_missing",
        "below_minimum",
        "prescribed",
        "currency",
        "paid_at_issue",
        "not_our_invoice",
        "not_due",
    ):
        assert fates[wanted], (seed, wanted)
    assert fates[COLLECTIBLE] >= 30, seed


@pytest.mark.parametrize("seed", SEEDS)
def test_three_monthly_invoices_look_alike_and_nothing_else_does(seed: int) -> None:
    same: dict[tuple[str, int], list[str]] = {}
    for sample in samples(seed).collectible:
        assert sample.due is not None
        assert sample.due < FIRST_EVENING
        same.setdefault((sample.debtor.name, sample.cents), []).append(sample.number)
    alike = [numbers for numbers in same.values() if len(numbers) > 1]
    assert [len(set(numbers)) for numbers in alike] == [3], seed


@pytest.mark.parametrize("seed", FEW)
def test_official_numbers_have_right_keys(seed: int) -> None:
    for party in {sample.debtor for sample in samples(seed).invoices}:
        if party.siren is not None:
            assert siren.is_valid(party.siren)
            assert siret.is_valid(party.siret or "")
        if party.vat_id is not None and party.country == "FR":
            assert tva.is_valid(party.vat_id)
