"""The page of an invoice says what its XML says: all of it, in French, whatever the texts."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import facturx
import pikepdf
import pypdf
import pytest
from hypothesis import Phase, given, settings
from pikepdf import pdfa
from tests.counts import examples
from tests.einvoicing.conftest import CII, CREDIT_NOTE
from tests.einvoicing.pages import WHEN, Filling, bare, odd_invoices, strings, text_of

from encaisse_einvoicing import Invoice, Refused, read_bytes
from encaisse_einvoicing.model import Instalment, Line, PaymentMeans, Preceding, Totals
from encaisse_einvoicing.reading.pdf import extract
from encaisse_einvoicing.writing_pdf import LEVELS, render
from encaisse_einvoicing.writing_pdf.page import french
from encaisse_einvoicing.writing_pdf.page import render as module
from encaisse_einvoicing.writing_pdf.page.content import sheet_of
from encaisse_einvoicing.writing_pdf.page.render import lay_out

XML = CII.encode()

NOT_SHOWN = {
    "profile",  # how the XML is written, not what is owed
    "tax_point_code",  # the date of BT-7 says it (BR-CO-03: never both)
    "payment_means.code",  # its text says it
    "allowances_charges.reason_code",  # its reason says it
    "lines.allowances_charges.reason_code",
    "lines.extensions.price_discount_code",
    "attachments.id",  # its file name says it
    "attachments.mime",
    "attachments.encoded",  # the document itself
    "lines.objects.scheme",
    "lines.objects.type_code",
    "lines.classes.version",
    "lines.gross_base_quantity",  # of a price before rabais, beside the net one
    "lines.gross_base_quantity_unit",
}
"""Fields whose value is not printed where others are filled too, and what says it instead."""

NOT_CHECKED = {
    # The oracle knows no extension schema, by which a PDF/A declares namespaces of its own
    # (ISO 19005-3 §6.6.2.3.3), nor the page count of XMP 2005 (xmpTPg), which PDF/A-3 has.
    ("ISO_19005_3:6.6.2.3.1-1", "violation"),
    ("ISO_19005_3:6.6.2.3.1-2", "unsupported"),  # xmpMM:History is not looked into
    ("pikepdf:font-program", "unsupported"),  # the fonts of typst are OpenType with CFF outlines
    ("ISO_19005_3:6.2.11.4.2-2", "unsupported"),  # a CIDSet is allowed, and not looked into
}
"""What pikepdf's check of PDF/A-3b says of each page of typst, and why it is no fault of it."""
NAMESPACES = ("pdfaExtension", "pdfaSchema", "pdfaProperty", "xmpTPg", "fx")


@pytest.fixture(scope="module")
def invoice() -> Invoice:
    found = read_bytes("a.xml", XML).invoice
    assert found is not None
    return found


def shown(invoice: Invoice) -> str:
    return text_of(lay_out(invoice, WHEN)[0])


def test_the_page_says_what_its_xml_says(invoice: Invoice) -> None:
    written = render(invoice, XML, level="en16931", when=WHEN)
    assert written.issues == ()
    assert extract(written.pdf).data == XML
    assert facturx.get_facturx_xml_from_pdf(io.BytesIO(written.pdf), check_xsd=False)[1] == XML
    assert read_bytes("a.pdf", written.pdf).invoice == invoice
    page = text_of(written.pdf)
    for said in (
        "Facture N° F-2026-001",
        "À régler au plus tard le 14/02/2026",
        "Net à payer 1 000,00 €",
        "Total TTC 1 200,00 €",
        "Déjà payé −200,00 €",
        "SIREN 123 456 782",
        "FR11123456782",
        "FR76 3000 6000 0112 3456 7890 189",
        "Conseil 10 h 100,00 20 % 1 000,00",
        "Indemnité forfaitaire de recouvrement : Indemnité de 40 euros",
        "Pénalités de retard : Trois fois le taux légal",
        "Prestation de services",
    ):
        assert bare(said) in page, said


def test_a_credit_note_says_whom_it_credits_and_which_invoice() -> None:
    found = read_bytes("a.xml", CREDIT_NOTE.encode()).invoice
    assert found is not None
    page = shown(found)
    for said in ("Avoir N° F-2026-001", "F-2025-900 du 01/12/2025", "Net à votre crédit"):
        assert bare(said) in page
    assert "Netàpayer" not in page and "Àrégler" not in page


def test_every_field_of_an_invoice_is_on_its_page() -> None:
    filling = Filling()
    filled = Invoice.model_validate(filling.fill(Invoice).model_dump())
    page = shown(filled)
    missing = set()
    for path, value in filling.values.items():
        if isinstance(value, Decimal):
            said = {french.number(value, 2), french.number(value)}
        else:
            said = {value if isinstance(value, str) else french.day(value)}
        if any(bare(each) in page for each in said):
            continue
        missing.add(path)
    assert missing == NOT_SHOWN


def test_every_text_of_the_sheet_is_on_the_page(invoice: Invoice) -> None:
    sheet = asdict(sheet_of(invoice))
    page = shown(invoice)
    for said in strings({key: each for key, each in sheet.items() if key != "author"}):
        assert bare(said).casefold() in page.casefold(), said


@settings(max_examples=examples(6), deadline=None, phases=[Phase.generate])
@given(invoice=odd_invoices)
def test_no_text_breaks_a_page(invoice: Invoice) -> None:
    page, issues = lay_out(invoice, WHEN)
    assert {issue.code for issue in issues} <= {"page_characters"}
    said = text_of(page)
    assert bare(invoice.number or "") in said
    assert bare(french.day(invoice.due_date)) in said
    if invoice.totals.payable is not None:
        assert bare(french.number(invoice.totals.payable, 2)) in said
    with pikepdf.open(io.BytesIO(page)) as pdf:
        assert pdf.Root.Metadata.read_bytes().count(b"<pdfaid:part>3</pdfaid:part>") == 1


def test_what_an_invoice_says_is_never_source(invoice: Invoice) -> None:
    texts = ['#panic("x")', '#read("data.json")', "*a* $b$ `c` <d> @e \\ [f] // g", "= titre"]
    seller = invoice.seller
    assert seller is not None
    for text in texts:
        odd = invoice.model_copy(
            update={
                "number": text,
                "seller": seller.model_copy(update={"name": text}),
                "lines": (Line(name=text, description=text),),
            }
        )
        assert shown(odd).count(bare(text)) >= 4


def test_no_font_lacks_a_character_in_silence(invoice: Invoice) -> None:
    page, issues = lay_out(invoice.model_copy(update={"payment_terms": "ok 日本 😀 fin"}), WHEN)
    (issue,) = issues
    assert issue.code == "page_characters" and "U+1F600" in issue.message
    assert bare("ok □□ □ fin") in text_of(page)
    written = render(
        invoice.model_copy(update={"payment_terms": "été Ωμέγα Жук ﬁ — « œ » €"}),
        XML,
        level="en16931",
        when=WHEN,
    )
    assert written.issues == ()
    assert bare("été Ωμέγα Жук") in text_of(written.pdf)


def test_a_mark_that_turns_the_direction_turns_no_amount(invoice: Invoice) -> None:
    seller = invoice.seller
    assert seller is not None
    turned = seller.model_copy(update={"name": "Atelier\u202e 00,0001"})
    assert bare("Atelier 00,0001") in shown(invoice.model_copy(update={"seller": turned}))


def test_lines_go_over_pages_under_the_same_head(invoice: Invoice) -> None:
    lines = tuple(
        Line(id=str(number), name=f"Article {number:04}", line_total=Decimal(number))
        for number in range(1, 91)
    )
    page, _ = lay_out(invoice.model_copy(update={"lines": lines}), WHEN)
    pages = [bare(each.extract_text()) for each in pypdf.PdfReader(io.BytesIO(page)).pages]
    assert len(pages) > 2
    for number, said in enumerate(pages, 1):
        assert f"Page{number}/{len(pages)}" in said
        assert ("Désignation" in said) == ("Article0" in said)
    whole = "".join(pages)
    assert all(f"Article{number:04}" in whole for number in range(1, 91))
    assert whole.count("Netàpayer") == whole.count("Àrégler") == 1


def test_instalments_are_told_one_by_one(invoice: Invoice) -> None:
    parts = (
        Instalment(due_date=date(2026, 12, 31), amount=Decimal("400")),
        Instalment(due_date=date(2027, 1, 31), amount=Decimal("600.5")),
    )
    page = shown(invoice.model_copy(update={"instalments": parts}))
    assert bare("31/12/2026 400,00 € 31/01/2027 600,50 €") in page
    assert "auplustard" not in page


def test_nothing_is_asked_for_where_nothing_is_due(invoice: Invoice) -> None:
    paid = invoice.model_copy(update={"totals": Totals(payable=Decimal(0))})
    assert "auplustard" not in shown(paid) and bare("Net à payer 0,00 €") in shown(paid)


def test_an_empty_invoice_has_a_page_too() -> None:
    assert "Facture" in shown(Invoice())


def test_the_same_invoice_and_time_make_the_same_bytes(invoice: Invoice) -> None:
    first = render(invoice, XML, level="en16931", when=WHEN)
    paris = WHEN.astimezone(ZoneInfo("Europe/Paris"))
    assert lay_out(invoice, paris) == lay_out(invoice, WHEN)
    assert render(invoice, XML, level="en16931", when=WHEN) == first
    later = render(invoice, XML, level="en16931", when=WHEN + timedelta(seconds=1))
    assert later.pdf != first.pdf
    with pytest.raises(ValueError, match="time zone"):
        render(invoice, XML, level="en16931", when=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_page_is_pdf_a_3b_as_far_as_can_be_checked(invoice: Invoice) -> None:
    odd = invoice.model_copy(update={"payment_terms": "مرحبا Ω 😀", "number": "W" * 90})
    for each in (invoice, odd):
        base, _ = lay_out(each, WHEN)
        written = render(invoice, XML, level="en16931", when=WHEN).pdf
        for data in (base, written):
            with pikepdf.open(io.BytesIO(data)) as pdf:
                report = pdfa.check(pdf, "3b")
            for finding in report.findings:
                assert (finding.rule, finding.kind) in NOT_CHECKED, finding
                if finding.kind == "violation":
                    assert any(f" {name}" in finding.message for name in NAMESPACES), finding


def test_the_oracle_sees_a_page_that_is_no_pdf_a(invoice: Invoice) -> None:
    with pikepdf.open(io.BytesIO(lay_out(invoice, WHEN)[0])) as pdf:
        del pdf.Root.OutputIntents
        for font in pdf.objects:
            if isinstance(font, pikepdf.Dictionary) and "/FontFile3" in font:
                del font["/FontFile3"]
        report = pdfa.check(pdf, "3b")
    assert {(each.rule, each.kind) for each in report.findings} - NOT_CHECKED


def test_a_page_never_contradicts_its_xml(invoice: Invoice) -> None:
    changes: dict[str, tuple[str, str]] = {
        "BT-1": ("<ram:ID>F-2026-001", "<ram:ID>F-2026-002"),
        "BT-3": ("<ram:TypeCode>380", "<ram:TypeCode>381"),
        "BT-9": (">20260214<", ">20260314<"),
        "BT-84": ("FR7630006000011234567890189", "FR7630006000011234567890188"),
        "BT-115": ("<ram:DuePayableAmount>1000.00", "<ram:DuePayableAmount>1000.01"),
        "BT-47": (
            "<ram:Name>Client Exemple</ram:Name>",
            "<ram:Name>Client Exemple</ram:Name><ram:SpecifiedLegalOrganization>"
            '<ram:ID schemeID="0002">987654324</ram:ID></ram:SpecifiedLegalOrganization>',
        ),
        "BG-25": ("<ram:LineTotalAmount>1000.00", "<ram:LineTotalAmount>999.00"),
    }
    for term, (old, new) in changes.items():
        assert old in CII
        with pytest.raises(Refused) as caught:
            render(invoice, CII.replace(old, new, 1).encode(), level="en16931", when=WHEN)
        assert (caught.value.code, caught.value.where) == ("page_differs", term)
    with pytest.raises(Refused) as caught:
        render(invoice, b"<a/>", level="en16931", when=WHEN)
    assert caught.value.code == "unknown_root"


def test_an_xml_may_say_less_than_the_page(invoice: Invoice) -> None:
    start = CII.index(" <ram:IncludedSupplyChainTradeLineItem>".strip())
    end = CII.index("<ram:ApplicableHeaderTradeAgreement>")
    less = (CII[:start] + CII[end:]).replace(LEVELS["en16931"].profile, LEVELS["basicwl"].profile)
    written = render(invoice, less.encode(), level="basicwl", when=WHEN)
    assert extract(written.pdf).data == less.encode()
    assert "Conseil" in text_of(written.pdf)


def test_an_invoice_too_long_for_a_page_is_refused(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LINES", 3)
    for update, code in (
        ({"lines": (Line(name="a"),) * 3}, None),
        ({"lines": (Line(name="a"),) * 4}, "page_too_long"),
        ({"payment_terms": "a " * (module.MAX_CHARACTERS // 2)}, "page_too_long"),
    ):
        long = invoice.model_copy(update=update)
        if code is None:
            assert lay_out(long, WHEN)[1] == ()
            continue
        with pytest.raises(Refused) as caught:
            lay_out(long, WHEN)
        assert caught.value.code == code


def test_without_typst_a_person_is_told_what_to_install(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    forget: Callable[[], None] = module._typst.cache_clear
    forget()
    try:
        with pytest.raises(Refused) as caught:
            lay_out(invoice, WHEN)
        assert caught.value.code == "page_not_available"
        assert "encaisse-einvoicing[page]" in caught.value.message_fr
    finally:
        forget()


def test_an_account_that_is_no_iban_is_left_as_it_is(invoice: Invoice) -> None:
    means = (PaymentMeans(account="40 12345 6"), PaymentMeans(account="FR76", bic="X"))
    page = shown(invoice.model_copy(update={"payment_means": means}))
    assert bare("Compte 40 12345 6") in page and bare("Compte FR76") in page


def test_an_invoice_before_is_named_with_its_kind(invoice: Invoice) -> None:
    before = (
        Preceding(number="A-1", issue_date=date(2026, 1, 2), type_code="386"),
        Preceding(number="A-2"),
    )
    page = shown(invoice.model_copy(update={"preceding": before}))
    assert bare("Factures d'origine Facture d'acompte A-1 du 02/01/2026 A-2") in page
