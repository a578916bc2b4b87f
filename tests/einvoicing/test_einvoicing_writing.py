"""What is written is read back the same, valid against its schema, or refused with its reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pydantic import BaseModel
from tests.counts import examples
from tests.einvoicing.invoices import Draw, model_paths, said_paths
from tests.einvoicing.schemas import schema
from tests.einvoicing.test_einvoicing_corpus import leaves

from encaisse_einvoicing import CannotWrite, Invoice, Written, read_bytes, write_xml
from encaisse_einvoicing.model import Attachment, LineExtensions, Note, VatSubtotal
from encaisse_einvoicing.writing.levels import LEVELS, Level, SyntaxName, level_of

UNSAID: Final[Mapping[SyntaxName, str]] = {
    # CII has no card network: UBL's schema wants one, EN 16931 has no term for it.
    "CII": r"payment_means\.card_network",
    # UBL has one quantity of a price, one name of a contact, no groups of lines.
    "UBL": r"lines\.gross_base_quantity(_unit)?|(.*\.)?contact\.department"
    r"|lines\.extensions\.(tax_inclusive|parent_line|subtype)|extensions\.project_name",
}
"""Fields of the whole model that a syntax cannot say, even at its widest level."""

DOCUMENTS: Final[tuple[tuple[SyntaxName, str, str], ...]] = (
    ("CII", "380", "extended-ctc-fr"),
    ("UBL", "380", "ubl"),
    ("UBL", "381", "credit_note"),
)
"""Syntax, BT-3, schema."""

drawn = given(
    seed=st.integers(0, 2**32), density=st.sampled_from((0.1, 0.5, 1.0)), which=st.integers(0, 2)
)
CALM = settings(max_examples=examples(15), deadline=None, database=None)


def without(part: BaseModel, unsaid: re.Pattern[str], above: str = "") -> BaseModel:
    """Copy an invoice without the fields a syntax cannot say."""
    update: dict[str, object] = {}
    for name in type(part).model_fields:
        value, dotted = getattr(part, name), f"{above}{name}"
        if unsaid.fullmatch(dotted):
            update[name] = None
        elif isinstance(value, tuple):
            each = cast("tuple[BaseModel, ...]", value)
            update[name] = tuple(without(one, unsaid, f"{dotted}.") for one in each)
        elif isinstance(value, BaseModel):
            update[name] = without(value, unsaid, f"{dotted}.")
    return part.model_copy(update=update)


def valid(written: Written, name: str) -> None:
    """Check against the schema, and that nothing stands empty but what CII wants."""
    root = etree.fromstring(written.data)
    official = schema(name)
    assert official.validate(root), official.error_log.last_error
    for element in root.iter("{*}*"):
        assert not any("nil" in str(key) for key in element.attrib)
        if len(element) == 0 and not element.text:
            assert str(element.tag).endswith("}ApplicableHeaderTradeDelivery"), element.tag


@CALM
@drawn
def test_an_invoice_written_and_read_is_the_same_invoice(
    seed: int, density: float, which: int
) -> None:
    syntax, code, name = DOCUMENTS[which]
    whole = Draw(seed, density).invoice(code)
    invoice = without(whole, re.compile(UNSAID[syntax]))
    written = write_xml(invoice, syntax, "extended-ctc-fr", keep_profile=True)
    valid(written, name)
    reading = read_bytes("facture.xml", written.data)
    assert (written.left_out, reading.unmapped, reading.syntax) == ((), (), written.syntax)
    assert reading.invoice == invoice


@CALM
@drawn
def test_what_a_syntax_cannot_say_is_refused_or_left_out_on_demand_and_told(
    seed: int, density: float, which: int
) -> None:
    syntax, code, name = DOCUMENTS[which]
    whole = Draw(seed, density).invoice(code)
    unsaid = re.compile(UNSAID[syntax])
    lost = {path for path in said_paths(whole) if unsaid.fullmatch(path)}
    written = write_xml(whole, syntax, "extended-ctc-fr", keep_profile=True, lossy=True)
    valid(written, name)
    assert {re.sub(r"\.[0-9]+", "", gap.field) for gap in written.left_out} == lost
    assert read_bytes("facture.xml", written.data).invoice == without(whole, unsaid)
    if lost:
        with pytest.raises(CannotWrite) as refused:
            write_xml(whole, syntax, "extended-ctc-fr", keep_profile=True)
        assert refused.value.gaps == written.left_out
        assert {gap.code for gap in refused.value.gaps} == {"no_place"}


def test_every_field_of_the_model_is_drawn_by_these_properties() -> None:
    said: set[str] = set()
    for seed in range(25):
        said |= set(said_paths(Draw(seed, 1.0 if seed % 2 else 0.6).invoice("380")))
    assert set(model_paths()) == said


@settings(max_examples=examples(15), deadline=None, database=None)
@given(seed=st.integers(0, 2**32), level=st.sampled_from(sorted(LEVELS)))
def test_a_lower_level_is_valid_and_says_nothing_else(seed: int, level: Level) -> None:
    whole = Draw(seed, 0.7).invoice("380")
    written = write_xml(whole, "CII", level, lossy=True)
    valid(written, level)
    reading = read_bytes("facture.xml", written.data)
    assert reading.invoice is not None and reading.unmapped == ()
    assert level_of(reading.invoice.profile) == level
    before, after = values(whole), values(reading.invoice)
    assert after <= before, sorted(map(str, after - before))[:5]
    assert bool(written.left_out) == (after != before)


def values(invoice: Invoice) -> set[tuple[str, object]]:
    """Gather what an invoice says, wherever it stands in a list, but for what is derived."""
    return {
        (re.sub(r"\.[0-9]+", "", path), value)
        for path, value in leaves(invoice.model_dump())
        if not path.endswith(("siren", "siren_source", "siret")) and path != "profile"
    }


def test_the_small_invoice_says_all_at_its_level_and_names_what_a_lower_one_loses(
    cii: str, ubl: str
) -> None:
    invoice = invoice_of(cii)
    for syntax in ("CII", "UBL"):
        written = write_xml(invoice, syntax)
        assert invoice_of(written.data.decode()) == invoice
        assert written == write_xml(invoice_of(ubl), syntax), "the same bytes each time"
    with pytest.raises(CannotWrite) as refused:
        write_xml(invoice, "CII", "basicwl")
    assert {gap.field for gap in refused.value.gaps} == {"lines", "seller.contact"}
    assert "lignes (BG-25, lines)" in refused.value.message_fr
    least = write_xml(invoice, "CII", "minimum", lossy=True)
    valid(least, "minimum")
    assert {"BG-23", "BG-25", "BG-1", "BT-113"} <= {gap.term for gap in least.left_out}


@pytest.mark.parametrize(
    ("update", "term", "code"),
    [
        ({"number": None}, "BT-1", "missing"),
        ({"currency": None}, "BT-5", "missing"),
        ({"issue_date": None}, "BT-2", "missing"),
        ({"type_code": None}, "BT-3", "missing"),
        ({"seller": None}, "BG-4", "missing"),
        ({"lines": ()}, "BG-25", "missing"),
        (
            {"vat_breakdown": (VatSubtotal(taxable=Decimal(1), tax=Decimal(0)),)},
            "BT-118",
            "missing",
        ),
        ({"notes": (Note(subject_code="PMT"),)}, "BT-22", "missing"),
        ({"number": "F\x01"}, "BT-1", "unwritable"),
        ({"number": "F" * 1001}, "BT-1", "unwritable"),
        ({"buyer_reference": "\ud800"}, "BT-10", "unwritable"),
        *(
            (
                {"attachments": (attached.model_copy(update={"encoded": text}),)},
                "BT-125",
                "unwritable",
            )
            for attached in (Attachment(id="1", filename="a.pdf", mime="application/pdf"),)
            for text in ("VAT", "VAT_", "A===", "QQ=Q", "QR==", "é")
        ),
        ({"attachments": (Attachment(id="A", encoded="YQ=="),)}, "BT-125", "missing"),
    ],
)
def test_an_invoice_that_cannot_be_valid_is_refused_with_the_term(
    cii: str, update: Mapping[str, object], term: str, code: str
) -> None:
    invoice = invoice_of(cii).model_copy(update=dict(update))
    for syntax in ("CII", "UBL"):
        for lossy in (False, True):
            with pytest.raises(CannotWrite) as refused:
                write_xml(invoice, syntax, lossy=lossy)
            assert (term, code) in {(gap.term, gap.code) for gap in refused.value.gaps}
            assert term in refused.value.message_fr and refused.value.code == "cannot_write"


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1E+60", "1E-60"])
def test_an_amount_that_is_none_is_refused(cii: str, amount: str) -> None:
    invoice = invoice_of(cii)
    totals = invoice.totals.model_copy(update={"payable": Decimal(amount)})
    with pytest.raises(CannotWrite, match="BT-115"):
        write_xml(invoice.model_copy(update={"totals": totals}), "UBL")


@pytest.mark.parametrize(
    ("amount", "written"), [("1E+3", "1000"), ("12.50", "12.50"), ("-0.001", "-0.001"), ("7", "7")]
)
def test_amounts_are_written_as_they_stand(cii: str, amount: str, written: str) -> None:
    invoice = invoice_of(cii)
    totals = invoice.totals.model_copy(update={"payable": Decimal(amount)})
    data = write_xml(invoice.model_copy(update={"totals": totals}), "UBL").data.decode()
    assert f'<cbc:PayableAmount currencyID="EUR">{written}</cbc:PayableAmount>' in data


def test_bt_3_decides_which_document_ubl_is(cii: str) -> None:
    invoice = invoice_of(cii)
    for code in ("381", "396", "261", "262", "502", "503"):
        note = write_xml(invoice.model_copy(update={"type_code": code}), "UBL")
        assert note.syntax == "UBL CreditNote"
        valid(note, "credit_note")
    for code in ("380", "384", "386", "389", "393", "501"):
        written = write_xml(invoice.model_copy(update={"type_code": code}), "UBL")
        assert written.syntax == "UBL Invoice"


def test_a_level_of_factur_x_is_refused_in_ubl(cii: str) -> None:
    for level in ("minimum", "basicwl", "basic", "extended"):
        with pytest.raises(CannotWrite, match=f"niveau {level}"):
            write_xml(invoice_of(cii), "UBL", level)


def test_the_profile_is_the_level_s_unless_the_invoice_s_own_is_kept(cii: str) -> None:
    invoice = invoice_of(cii).model_copy(update={"profile": "urn:example:cius"})
    for level in ("en16931", "extended", "extended-ctc-fr"):
        profile = invoice_of(write_xml(invoice, "CII", level).data.decode()).profile
        assert profile == LEVELS[level].profile
    kept = write_xml(invoice, "UBL", keep_profile=True)
    assert invoice_of(kept.data.decode()) == invoice


def test_a_number_the_readers_would_not_find_again_is_refused(cii: str) -> None:
    invoice = invoice_of(cii)
    assert invoice.buyer is not None
    buyer = invoice.buyer.model_copy(update={"siren": "987654324", "siren_source": "legal_id"})
    with pytest.raises(CannotWrite, match="SIREN ou SIRET"):
        write_xml(invoice.model_copy(update={"buyer": buyer}))


def test_a_note_that_looks_like_a_subject_is_refused_in_ubl_only(cii: str) -> None:
    invoice = invoice_of(cii).model_copy(update={"notes": (Note(text="#AAB#x"),)})
    assert invoice_of(write_xml(invoice, "CII").data.decode()) == invoice
    with pytest.raises(CannotWrite, match="code de sujet"):
        write_xml(invoice, "UBL")


def test_the_price_a_schema_wants_beside_the_others_is_worked_out(cii: str) -> None:
    invoice = invoice_of(cii)
    line = invoice.lines[0].model_copy(update={"gross_price": Decimal("120.50")})
    (read,) = invoice_of(
        write_xml(invoice.model_copy(update={"lines": (line,)}), "UBL").data.decode()
    ).lines
    assert read.price_discount == Decimal("20.50")


def invoice_of(text: str) -> Invoice:
    reading = read_bytes("facture.xml", text.encode())
    assert reading.invoice is not None, reading.issues
    return reading.invoice


def test_a_subject_without_its_note_on_a_line_is_refused_in_ubl_not_dropped(cii: str) -> None:
    invoice = invoice_of(cii)
    notes = LineExtensions(notes=(Note(subject_code="SUR"),))
    line = invoice.lines[0].model_copy(update={"extensions": notes})
    with pytest.raises(CannotWrite) as refused:
        write_xml(invoice.model_copy(update={"lines": (line,)}), "UBL", "extended-ctc-fr")
    assert [(gap.term, gap.code) for gap in refused.value.gaps] == [("BT-127", "missing")]


@pytest.mark.parametrize("written", ["#BAR#B2B#", "#BAR#B2B", "#PMT##x#", "#ABC#a#DEF#b"])
def test_a_note_with_more_signs_comes_back_as_it_was_written(ubl: str, written: str) -> None:
    source = ubl.replace("#PMT#Indemnité de 40 euros", written)
    read = invoice_of(source)
    assert (read.notes[0].subject_code, read.notes[0].text) == (written[1:4], written[5:])
    by_cii = invoice_of(write_xml(read, "CII").data.decode())
    for invoice in (read, by_cii):
        again = write_xml(invoice, "UBL").data.decode()
        assert f"<cbc:Note>{written}</cbc:Note>" in again
        assert invoice_of(again).notes == read.notes
