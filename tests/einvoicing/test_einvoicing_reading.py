"""The three syntaxes give one invoice, and what is wrong is told, never guessed."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from encaisse_einvoicing import Invoice, Reading, read_bytes
from encaisse_einvoicing.reading import assemble
from encaisse_einvoicing.reading.walker import Raw


def read(text: str) -> Reading:
    return read_bytes("facture.xml", text.encode())


def invoice_of(text: str) -> Invoice:
    reading = read(text)
    assert reading.invoice is not None, reading.issues
    return reading.invoice


def codes(reading: Reading) -> list[str]:
    return [issue.code for issue in reading.issues]


def test_a_factur_x_invoice_is_read_in_full(cii: str) -> None:
    reading = read(cii)
    invoice = reading.invoice
    assert invoice is not None
    assert (reading.ok, reading.issues, reading.unmapped) == (True, (), ())
    assert (invoice.number, invoice.issue_date, invoice.due_date) == (
        "F-2026-001",
        date(2026, 1, 15),
        date(2026, 2, 14),
    )
    assert (invoice.type_code, invoice.currency, invoice.process) == ("380", "EUR", "S1")
    assert invoice.buyer_reference == "SERVICE-7"
    assert [(note.subject_code, note.text) for note in invoice.notes] == [
        ("PMT", "Indemnité de 40 euros"),
        ("PMD", "Trois fois le taux légal"),
    ]
    seller, buyer = invoice.seller, invoice.buyer
    assert seller is not None and buyer is not None
    assert (seller.name, seller.legal_id, seller.legal_id_scheme) == (
        "Atelier Exemple",
        "123456782",
        "0002",
    )
    assert (seller.siren, seller.siren_source, seller.siret) == (
        "123456782",
        "legal_id",
        "12345678200002",
    )
    assert (seller.vat_id, seller.tax_id) == ("FR11123456782", "4411")
    assert (buyer.siren, buyer.siren_source, buyer.legal_id) == ("987654324", "vat", None)
    totals = invoice.totals
    assert (totals.tax_exclusive, totals.tax, totals.tax_inclusive, totals.prepaid) == (
        Decimal("1000.00"),
        Decimal("200.00"),
        Decimal("1200.00"),
        Decimal("200.00"),
    )
    assert totals.payable == Decimal("1000.00")
    assert invoice.payment_means[0].account == "FR7630006000011234567890189"
    assert (invoice.payment_terms, invoice.instalments) == ("30 jours", ())
    line = invoice.lines[0]
    assert (line.id, line.name, line.quantity, line.unit, line.net_price, line.line_total) == (
        "1",
        "Conseil",
        Decimal(10),
        "HUR",
        Decimal("100.00"),
        Decimal("1000.00"),
    )
    assert (line.vat_category, line.vat_rate) == ("S", Decimal(20))
    assert invoice.vat_breakdown[0].tax == Decimal("200.00")


def test_the_same_invoice_in_ubl_gives_the_same_invoice(cii: str, ubl: str) -> None:
    assert invoice_of(ubl) == invoice_of(cii)


def test_a_ubl_credit_note_differs_by_its_type_and_what_it_credits(
    ubl: str, credit_note: str
) -> None:
    credited, invoiced = invoice_of(credit_note), invoice_of(ubl)
    assert (credited.type_code, credited.due_date) == ("381", date(2026, 2, 14))
    assert credited.preceding[0].number == "F-2025-900"
    assert credited.preceding[0].issue_date == date(2025, 12, 1)
    same = {"type_code": "380", "preceding": ()}
    assert credited.model_copy(update=same) == invoiced


def test_an_invoice_is_frozen_and_refuses_unknown_fields(cii: str) -> None:
    invoice = invoice_of(cii)
    with pytest.raises(ValidationError):
        invoice.number = "F-2"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Invoice.model_validate({"numero": "F-2"})


@pytest.mark.parametrize(
    "written",
    ["20260231", "20260115XX", "2026011", "202601155", "15/01/2026", "20260115+01:00", "٢٠٢٦٠١١٥"],
)
def test_a_bad_cii_date_is_an_issue_with_its_text_and_no_value(cii: str, written: str) -> None:
    reading = read(cii.replace("20260115", written))
    assert reading.invoice is not None and reading.invoice.issue_date is None
    assert not reading.ok
    issue = reading.issues[0]
    assert (issue.code, issue.term, issue.raw) == ("date_invalid", "BT-2", written)
    assert "ligne" in issue.where and written in issue.message


def test_an_iso_day_under_format_102_is_read_and_told(cii: str) -> None:
    reading = read(cii.replace(">20260115<", ">2026-01-15<"))
    assert reading.invoice is not None and reading.invoice.issue_date == date(2026, 1, 15)
    assert codes(reading) == ["date_written_otherwise"] and reading.ok


def test_a_cii_date_with_a_time_keeps_the_day_and_an_unknown_format_keeps_nothing(
    cii: str,
) -> None:
    timed = read(cii.replace('format="102">20260115', 'format="203">202601151230'))
    assert timed.invoice is not None and timed.invoice.issue_date == date(2026, 1, 15)
    assert codes(timed) == ["date_with_time"]
    odd = read(cii.replace('format="102">20260115', 'format="616">202603'))
    assert odd.invoice is not None and odd.invoice.issue_date is None
    assert codes(odd) == ["date_format", "missing_issue_date"]


@pytest.mark.parametrize("written", ["2026-02-31", "2026-01-15T00:00:00", "20260115", "2026-1-15"])
def test_a_bad_ubl_date_is_an_issue(ubl: str, written: str) -> None:
    reading = read(ubl.replace("2026-01-15", written))
    assert reading.invoice is not None and reading.invoice.issue_date is None
    assert reading.issues[0].code == "date_invalid"


def test_a_ubl_date_with_a_time_zone_keeps_the_day_and_tells(ubl: str) -> None:
    reading = read(ubl.replace("2026-01-15", "2026-01-15+01:00"))
    assert reading.invoice is not None and reading.invoice.issue_date == date(2026, 1, 15)
    assert codes(reading) == ["date_with_zone"]


@pytest.mark.parametrize(
    "written", ["1200,00", "1 200.00", "1e3", "NaN", "Infinity", "1_200", "--1", "9" * 41, "١٢٠٠"]
)
def test_a_bad_amount_is_an_issue_with_its_text_and_no_value(cii: str, written: str) -> None:
    reading = read(cii.replace("1200.00", written))
    assert reading.invoice is not None and reading.invoice.totals.tax_inclusive is None
    assert reading.ok
    assert [(issue.code, issue.term) for issue in reading.issues] == [("amount_invalid", "BT-112")]


def test_a_comment_or_an_instruction_inside_a_value_does_not_split_it(cii: str) -> None:
    for inside in ("<!-- x -->", "<?php x ?>", "<![CDATA[]]>"):
        text = cii.replace("<ram:ID>F-2026-001<", f"<ram:ID>F-2026{inside}-001<")
        assert invoice_of(text).number == "F-2026-001"


def test_tags_inside_a_value_make_it_unread_and_told(cii: str) -> None:
    reading = read(cii.replace("<ram:ID>F-2026-001<", "<ram:ID>F-1<ram:X/>99<"))
    assert reading.invoice is not None and reading.invoice.number is None
    assert codes(reading) == ["mixed_content", "missing_number"]


def test_a_second_different_number_is_told_and_the_first_kept(cii: str) -> None:
    reading = read(cii.replace("F-2026-001</ram:ID>", "F-2026-001</ram:ID><ram:ID>F-2</ram:ID>", 1))
    assert reading.invoice is not None and reading.invoice.number == "F-2026-001"
    assert codes(reading) == ["repeated_term"]


def test_what_the_table_does_not_know_is_listed_as_unmapped(cii: str) -> None:
    text = cii.replace(
        "<ram:BuyerReference>",
        "<ram:ProductEndUserTradeParty><ram:Name>X</ram:Name></ram:ProductEndUserTradeParty>"
        '<ram:BuyerReference languageID="fr">',
    )
    reading = read(text)
    head = "/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction"
    assert reading.unmapped == (
        f"{head}/ram:ApplicableHeaderTradeAgreement/ram:ProductEndUserTradeParty",
        f"{head}/ram:ApplicableHeaderTradeAgreement/ram:BuyerReference/@languageID",
    )


def test_several_due_dates_are_instalments_and_the_last_is_the_due_date(cii: str) -> None:
    first = (
        "<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>"
        '<udt:DateTimeString format="102">20260131</udt:DateTimeString></ram:DueDateDateTime>'
        "<ram:PartialPaymentAmount>400.00</ram:PartialPaymentAmount></ram:SpecifiedTradePaymentTerms>"
    )
    reading = read(
        cii.replace("<ram:SpecifiedTradePaymentTerms>", f"{first}<ram:SpecifiedTradePaymentTerms>")
    )
    invoice = reading.invoice
    assert invoice is not None and invoice.due_date == date(2026, 2, 14)
    assert [(each.due_date, each.amount) for each in invoice.instalments] == [
        (date(2026, 1, 31), Decimal("400.00")),
        (date(2026, 2, 14), None),
    ]
    assert codes(reading) == ["several_due_dates"]


def test_the_total_of_vat_is_told_from_the_one_in_accounting_currency(cii: str) -> None:
    second = '<ram:TaxTotalAmount currencyID="GBP">170.00</ram:TaxTotalAmount>'
    text = cii.replace(
        "<ram:InvoiceCurrencyCode>",
        "<ram:TaxCurrencyCode>GBP</ram:TaxCurrencyCode><ram:InvoiceCurrencyCode>",
    ).replace("<ram:TaxTotalAmount", f"{second}<ram:TaxTotalAmount")
    totals = invoice_of(text).totals
    assert (totals.tax, totals.tax_accounting) == (Decimal("200.00"), Decimal("170.00"))


def test_an_amount_in_another_currency_is_kept_and_told(ubl: str) -> None:
    reading = read(
        ubl.replace('<cbc:PayableAmount currencyID="EUR">', '<cbc:PayableAmount currencyID="USD">')
    )
    assert reading.invoice is not None and reading.invoice.totals.payable == Decimal("1000.00")
    assert [(issue.code, issue.raw) for issue in reading.issues] == [("currency_mismatch", "USD")]


def test_the_essentials_decide_whether_a_reading_is_good(cii: str) -> None:
    for gone, code in (
        ("<ram:ID>F-2026-001</ram:ID>", "missing_number"),
        ("<ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>", "missing_currency"),
    ):
        reading = read(cii.replace(gone, ""))
        assert not reading.ok and codes(reading) == [code]
    start, end = cii.index("<ram:SellerTradeParty>"), cii.index("<ram:BuyerTradeParty>")
    reading = read(cii[:start] + cii[end:])
    assert not reading.ok and codes(reading) == ["missing_seller"]


def test_attachments_are_listed_and_decoded_only_when_asked(ubl: str) -> None:
    reference = (
        "<cac:AdditionalDocumentReference><cbc:ID>RIB</cbc:ID><cac:Attachment>"
        '<cbc:EmbeddedDocumentBinaryObject mimeCode="text/csv" filename="a.csv">{}'
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )
    objects = (
        '<cac:AdditionalDocumentReference><cbc:ID schemeID="AVE">PDL-7</cbc:ID>'
        "<cbc:DocumentTypeCode>130</cbc:DocumentTypeCode></cac:AdditionalDocumentReference>"
    )
    start = "<cac:AccountingSupplierParty>"
    invoice = invoice_of(ubl.replace(start, f"{reference.format('YTti')}{objects}{start}"))
    (attachment,) = invoice.attachments
    assert (attachment.id, attachment.filename, attachment.content()) == ("RIB", "a.csv", b"a;b")
    assert "YTti" not in repr(invoice) and "YTti" not in invoice.model_dump_json()
    assert invoice.invoiced_object is not None
    assert (invoice.invoiced_object.value, invoice.invoiced_object.scheme) == ("PDL-7", "AVE")
    broken = invoice_of(ubl.replace(start, f"{reference.format('Y!Q')}{start}"))
    with pytest.raises(Exception, match="mal encodée"):
        broken.attachments[0].content()


def test_a_huge_number_of_issues_ends_in_one_that_says_so(cii: str) -> None:
    line = cii[cii.index("<ram:IncludedSupplyChain") : cii.index("<ram:ApplicableHeaderTradeAgree")]
    reading = read(cii.replace(line, line.replace("1000.00", "x") * 600))
    assert reading.invoice is not None and len(reading.invoice.lines) == 600
    assert len(reading.issues) == 501 and reading.issues[-1].code == "too_many_issues"


def test_a_document_of_the_invoiced_object_s_type_that_names_nothing_is_no_object(cii: str) -> None:
    nothing = (
        "<ram:AdditionalReferencedDocument><ram:TypeCode>130</ram:TypeCode>"
        "</ram:AdditionalReferencedDocument>"
    )
    reading = read_bytes(
        "x", cii.replace("<ram:BuyerReference>", f"{nothing}<ram:BuyerReference>").encode()
    )
    assert reading.invoice is not None and reading.invoice.invoiced_object is None


def test_a_field_the_invoice_lacks_is_refused_here_so_that_nothing_gathered_is_forgotten(
    cii: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = assemble.parties

    def with_a_stray(raw: Raw) -> list[tuple[str, Raw]]:
        raw["forgotten"] = "x"
        return known(raw)

    monkeypatch.setattr(assemble, "parties", with_a_stray)
    with pytest.raises(ValidationError, match="forgotten"):
        read_bytes("f.xml", cii.encode())
