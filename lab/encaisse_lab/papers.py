"""Write a sample as the e-invoice a company would send: CII, UBL or a Factur-X PDF.

Content follows EN 16931 (one line, one VAT rate); no wall-clock value enters a file, so the same
seed writes the same bytes.
"""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import pikepdf

from encaisse_lab.invented import Party
from encaisse_lab.samples import Sample, Samples

FACTUR_X = "factur-x.xml"
"""Name the standard gives the attachment (Factur-X 1.0, §6.2)."""

TYPE_CODES = {"invoice": "380", "down_payment": "386", "credit_note": "381"}
"""BT-3 (UNTDID 1001)."""

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def fill_folder(known: Samples, folder: Path) -> dict[str, str]:
    """Write the folder's files; give the true id of each readable one by its name."""
    folder.mkdir(parents=True, exist_ok=True)
    truth: dict[str, str] = {}
    for sample in known.in_folder:
        name, content = paper(sample)
        (folder / name).write_bytes(content)
        truth[name] = sample.true_id
    for name, content in broken(known).items():
        (folder / name).write_bytes(content)
    return truth


def paper(sample: Sample) -> tuple[str, bytes]:
    """Write one file: its name and bytes."""
    stem = "".join(c if c.isalnum() else "-" for c in sample.written)
    match sample.file:
        case "ubl":
            return f"{stem}.xml", _ubl(sample).encode()
        case "cii":
            return f"{stem}.xml", _cii(sample).encode()
        case _:
            return f"{stem}.pdf", factur_x(sample)


def broken(known: Samples) -> dict[str, bytes]:
    """Write files that must be refused one by one: cut short, with entities, empty."""
    cut, entities, empty = known.broken
    whole = factur_x(known.in_books[0])
    xml = _cii(known.in_books[1])
    doctype = '<!DOCTYPE x [<!ENTITY a "b">]>\n'
    return {
        cut: whole[: len(whole) // 3],
        entities: xml.replace("<rsm:Cross", doctype + "<rsm:Cross", 1).encode(),
        empty: b"",
    }


def factur_x(sample: Sample) -> bytes:
    """Write a one-page PDF that carries its CII as an associated alternative."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Helvetica,
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.obj.Contents = pdf.make_stream(_shown(sample))
    attached = pikepdf.AttachedFileSpec(
        pdf,
        _cii(sample).encode(),
        filename=FACTUR_X,
        mime_type="text/xml",
        description="Facture",
        relationship=pikepdf.Name.Alternative,
    )
    pdf.attachments[FACTUR_X] = attached
    pdf.Root.AF = pikepdf.Array([attached.obj])
    metadata = pdf.make_stream(XMP.encode())
    metadata.Type, metadata.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
    pdf.Root.Metadata = metadata
    out = io.BytesIO()
    pdf.save(out, deterministic_id=True)
    return out.getvalue()


def _shown(sample: Sample) -> bytes:
    lines = (
        f"Facture {sample.written}",
        sample.seller.name,
        f"Client : {sample.debtor.name}",
        f"Total TTC : {_amount(sample.cents)} {sample.currency}",
    )
    shown = b"BT /F1 14 Tf 60 780 Td 22 TL\n"
    for line in lines:
        text = line.encode("cp1252", "replace").replace(b"\\", b"\\\\")
        shown += b"(" + text.replace(b"(", b"\\(").replace(b")", b"\\)") + b") Tj T*\n"
    return shown + b"ET"


def _amount(cents: int) -> str:
    return str((Decimal(cents) / 100).quantize(Decimal("0.01")))


def _parts(sample: Sample) -> tuple[str, str, str, str, str]:
    """Give net, VAT, total, prepaid and payable; a credit note is written positive."""
    total = abs(sample.cents)
    net = total * 5 // 6
    prepaid = sample.paid if sample.process == "S2" else 0
    return (
        _amount(net),
        _amount(total - net),
        _amount(total),
        _amount(prepaid),
        _amount(total - prepaid),
    )


def _cii_party(tag: str, party: Party) -> str:
    legal = ""
    if party.siren:
        legal = (
            "<ram:SpecifiedLegalOrganization>"
            f'<ram:ID schemeID="0002">{party.siren}</ram:ID></ram:SpecifiedLegalOrganization>'
        )
    tax = ""
    if party.vat_id:
        tax = (
            "<ram:SpecifiedTaxRegistration>"
            f'<ram:ID schemeID="VA">{party.vat_id}</ram:ID></ram:SpecifiedTaxRegistration>'
        )
    return (
        f"<ram:{tag}><ram:Name>{escape(party.name)}</ram:Name>{legal}"
        f"<ram:PostalTradeAddress><ram:PostcodeCode>{party.postcode}</ram:PostcodeCode>"
        f"<ram:LineOne>{escape(party.street)}</ram:LineOne>"
        f"<ram:CityName>{escape(party.city)}</ram:CityName>"
        f"<ram:CountryID>{party.country}</ram:CountryID></ram:PostalTradeAddress>"
        f"{tax}</ram:{tag}>"
    )


def _cii(sample: Sample) -> str:
    net, vat, total, prepaid, payable = _parts(sample)
    issued = f"{sample.issued:%Y%m%d}"
    terms = ""
    if sample.due:
        terms = (
            "<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>"
            f'<udt:DateTimeString format="102">{sample.due:%Y%m%d}</udt:DateTimeString>'
            "</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>"
        )
    paid = f"<ram:TotalPrepaidAmount>{prepaid}</ram:TotalPrepaidAmount>" if sample.paid else ""
    currency = sample.currency
    uncefact = "urn:un:unece:uncefact:data:standard:"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="{uncefact}CrossIndustryInvoice:100"
 xmlns:ram="{uncefact}ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="{uncefact}UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext>
<ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>{sample.process}</ram:ID></ram:BusinessProcessSpecifiedDocumentContextParameter>
<ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:cen.eu:en16931:2017</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter>
</rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>{escape(sample.written)}</ram:ID>
<ram:TypeCode>{TYPE_CODES[sample.kind]}</ram:TypeCode>
<ram:IssueDateTime>
<udt:DateTimeString format="102">{issued}</udt:DateTimeString></ram:IssueDateTime>
</rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>
<ram:IncludedSupplyChainTradeLineItem>
<ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID></ram:AssociatedDocumentLineDocument>
<ram:SpecifiedTradeProduct><ram:Name>Prestation</ram:Name></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>{net}</ram:ChargeAmount></ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery>
<ram:BilledQuantity unitCode="C62">1</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement>
<ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>20</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>{net}</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
</ram:SpecifiedLineTradeSettlement>
</ram:IncludedSupplyChainTradeLineItem>
<ram:ApplicableHeaderTradeAgreement>
{_cii_party("SellerTradeParty", sample.seller)}
{_cii_party("BuyerTradeParty", sample.debtor)}
</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery/>
<ram:ApplicableHeaderTradeSettlement>
<ram:InvoiceCurrencyCode>{currency}</ram:InvoiceCurrencyCode>
<ram:ApplicableTradeTax><ram:CalculatedAmount>{vat}</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode><ram:BasisAmount>{net}</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>20</ram:RateApplicablePercent></ram:ApplicableTradeTax>
{terms}
<ram:SpecifiedTradeSettlementHeaderMonetarySummation>
<ram:LineTotalAmount>{net}</ram:LineTotalAmount><ram:TaxBasisTotalAmount>{net}</ram:TaxBasisTotalAmount>
<ram:TaxTotalAmount currencyID="{currency}">{vat}</ram:TaxTotalAmount>
<ram:GrandTotalAmount>{total}</ram:GrandTotalAmount>
{paid}<ram:DuePayableAmount>{payable}</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation>
</ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
"""


def _ubl_party(tag: str, party: Party) -> str:
    tax = ""
    if party.vat_id:
        tax = (
            f"<cac:PartyTaxScheme><cbc:CompanyID>{party.vat_id}</cbc:CompanyID>"
            "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"
        )
    legal = f'<cbc:CompanyID schemeID="0002">{party.siren}</cbc:CompanyID>' if party.siren else ""
    return (
        f"<cac:{tag}><cac:Party><cac:PostalAddress>"
        f"<cbc:StreetName>{escape(party.street)}</cbc:StreetName>"
        f"<cbc:CityName>{escape(party.city)}</cbc:CityName>"
        f"<cbc:PostalZone>{party.postcode}</cbc:PostalZone>"
        f"<cac:Country><cbc:IdentificationCode>{party.country}</cbc:IdentificationCode>"
        f"</cac:Country></cac:PostalAddress>{tax}<cac:PartyLegalEntity>"
        f"<cbc:RegistrationName>{escape(party.name)}</cbc:RegistrationName>{legal}"
        f"</cac:PartyLegalEntity></cac:Party></cac:{tag}>"
    )


def _ubl(sample: Sample) -> str:
    net, vat, total, prepaid, payable = _parts(sample)
    credit = sample.kind == "credit_note"
    root, line = ("CreditNote", "CreditNote") if credit else ("Invoice", "Invoice")
    quantity = "CreditedQuantity" if credit else "InvoicedQuantity"
    due = f"<cbc:DueDate>{sample.due}</cbc:DueDate>" if sample.due and not credit else ""
    before = ""
    if sample.credits:
        before = (
            "<cac:BillingReference><cac:InvoiceDocumentReference>"
            f"<cbc:ID>{escape(sample.credits)}</cbc:ID>"
            "</cac:InvoiceDocumentReference></cac:BillingReference>"
        )
    money = f'currencyID="{sample.currency}"'
    paid = f"<cbc:PrepaidAmount {money}>{prepaid}</cbc:PrepaidAmount>" if sample.paid else ""
    category = (
        "<cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent>"
        "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    )
    oasis = "urn:oasis:names:specification:ubl:schema:xsd:"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{root} xmlns="{oasis}{root}-2" xmlns:cac="{oasis}CommonAggregateComponents-2"
 xmlns:cbc="{oasis}CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ProfileID>{sample.process}</cbc:ProfileID>
<cbc:ID>{escape(sample.written)}</cbc:ID><cbc:IssueDate>{sample.issued}</cbc:IssueDate>{due}
<cbc:{root}TypeCode>{TYPE_CODES[sample.kind]}</cbc:{root}TypeCode>
<cbc:DocumentCurrencyCode>{sample.currency}</cbc:DocumentCurrencyCode>
{before}
{_ubl_party("AccountingSupplierParty", sample.seller)}
{_ubl_party("AccountingCustomerParty", sample.debtor)}
<cac:TaxTotal><cbc:TaxAmount {money}>{vat}</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount {money}>{net}</cbc:TaxableAmount><cbc:TaxAmount {money}>{vat}</cbc:TaxAmount>
<cac:TaxCategory>{category}</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount {money}>{net}</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount {money}>{net}</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount {money}>{total}</cbc:TaxInclusiveAmount>
{paid}<cbc:PayableAmount {money}>{payable}</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:{line}Line><cbc:ID>1</cbc:ID><cbc:{quantity} unitCode="C62">1</cbc:{quantity}>
<cbc:LineExtensionAmount {money}>{net}</cbc:LineExtensionAmount>
<cac:Item><cbc:Name>Prestation</cbc:Name>
<cac:ClassifiedTaxCategory>{category}</cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount {money}>{net}</cbc:PriceAmount></cac:Price></cac:{line}Line>
</{root}>
"""
