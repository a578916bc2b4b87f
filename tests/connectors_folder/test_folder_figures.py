"""What an invoice says of its sums twice must agree, as far as rounding allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from encaisse_einvoicing import Invoice
from encaisse_einvoicing.model import AllowanceCharge, Line, Totals, VatSubtotal
from encaisse_einvoicing.reading.documents import read_paths
from encaisse_folder.connector import FolderConnector
from encaisse_folder.figures import contradiction

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
CHECKED = {"BR-CO-10", "BR-CO-13", "BR-CO-14", "BR-CO-15", "BR-CO-16"}
EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"


def said(
    lines: tuple[str, ...] = ("200.00", "100.00"),
    vat: tuple[str, ...] = ("35.03",),
    profile: str | None = None,
    **totals: str,
) -> Invoice:
    usual = {
        "line_total": "300.00",
        "allowances": "27.00",
        "tax_exclusive": "273.00",
        "tax": "35.03",
        "tax_inclusive": "308.03",
        "prepaid": "100.00",
        "payable": "208.03",
    }
    written = {name: text for name, text in {**usual, **totals}.items() if text}
    return Invoice(
        profile=profile,
        totals=Totals(**{name: Decimal(text) for name, text in written.items()}),
        vat_breakdown=tuple(VatSubtotal(tax=Decimal(text)) for text in vat),
        lines=tuple(Line(line_total=Decimal(text)) for text in lines),
        allowances_charges=(AllowanceCharge(is_charge=False, amount=Decimal("27.00")),),
    )


@pytest.mark.parametrize(
    ("changes", "figures"),
    [
        ({"tax_inclusive": "1110.03", "payable": "1010.03"}, ("1110.03", "273.00", "308.03")),
        ({"tax": "", "tax_inclusive": "273.00", "payable": "173.00"}, ("273.00", "308.03")),
        ({"tax": "", "vat": (), "tax_exclusive": "273.00"}, ("308.03", "273.00")),
        ({"vat": ("35.00",)}, ("35.03", "35.00")),
        ({"vat": ("20.00", "20.00")}, ("35.03", "40.00")),
        ({"allowances": "30.00"}, ("273.00", "270.00")),
        ({"allowances": ""}, ("273.00", "300.00")),
        ({"charges": "5.00"}, ("273.00", "278.00")),
        ({"lines": ("200.00", "90.00")}, ("300.00", "290.00")),
        ({"payable": "200.00"}, ("200.00", "308.03", "100.00")),
    ],
)
def test_two_figures_that_disagree_are_both_named(
    changes: dict[str, Any], figures: tuple[str, ...]
) -> None:
    told = contradiction(said(**changes))
    assert told is not None
    assert all(figure in told for figure in figures), told


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lines": ()},
        {"vat": ()},
        {"line_total": ""},
        {"tax_exclusive": "", "line_total": ""},
        {"tax_inclusive": ""},
        {"lines": ("200.005", "100.00")},
        {"vat": ("35.026",)},
        {"rounding": "-0.03", "payable": "208.00"},
    ],
)
def test_figures_that_agree_or_are_not_there_contradict_nothing(changes: dict[str, Any]) -> None:
    assert contradiction(said(**changes)) is None


def test_an_extended_invoice_may_be_a_cent_out_for_each_part_and_group_its_lines() -> None:
    grouped = ("300.00", "200.00", "100.00")
    near = said(lines=grouped, profile=EXTENDED, tax_inclusive="308.06", payable="208.06")
    assert contradiction(near) is None
    far = said(lines=grouped, profile=EXTENDED, tax_inclusive="309.00", payable="209.00")
    assert "309.00" in (contradiction(far) or "")


def test_an_invoice_whose_total_is_not_its_parts_is_set_aside_with_a_reason(
    tmp_path: Path,
    written: Callable[..., bytes],
    connect: Callable[[Path], FolderConnector],
) -> None:
    (tmp_path / "a.xml").write_bytes(
        written("FA-7", net="273.00", tax="35.03", total="1110.03", prepaid="100.00").replace(
            b"1200.00", b"1010.03"
        )
    )
    (page,) = connect(tmp_path).pull_invoices(None)
    assert page.items == ()
    assert page.unreadable[0].reason == (
        "Facture FA-7 : le total TTC 1110.03 (BT-112) n'est pas le total HT 273.00 (BT-109) plus "
        "la TVA 35.03 (BT-110), soit 308.03."
    )


@pytest.mark.skipif(
    not (CORPUS / "truth.json").is_file(),
    reason="NOT RUN: the corpus of public invoices is not beside the project (../shared/corpus)",
)
def test_no_invoice_of_the_corpus_is_turned_away_for_sums_its_standard_accepts() -> None:
    known = json.loads((CORPUS / "truth.json").read_text())
    valid = [each for each in known if each["xsd_valid"] and each["cen_rules"] is not None]
    wrong = list[str]()
    for each in valid:
        (found,) = read_paths([CORPUS / each["file"]])
        assert found.reading.invoice is not None
        told = contradiction(found.reading.invoice)
        if told is not None and not CHECKED & set(each["cen_rules"]):
            wrong.append(f"{each['file']}: {told}")
    assert valid
    assert wrong == []
