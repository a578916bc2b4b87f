"""Small invoices the tests write themselves, in each syntax, and PDFs that carry them."""
# ruff: noqa: E501 - XML is kept one element to a line

import io
from collections.abc import Callable, Mapping

import pikepdf
import pytest

from encaisse_einvoicing.reading import assemble

CII = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice
 xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <rsm:ExchangedDocumentContext>
  <ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>S1</ram:ID></ram:BusinessProcessSpecifiedDocumentContextParameter>
  <ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:cen.eu:en16931:2017</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter>
 </rsm:ExchangedDocumentContext>
 <rsm:ExchangedDocument>
  <ram:ID>F-2026-001</ram:ID><ram:TypeCode>380</ram:TypeCode>
  <ram:IssueDateTime><udt:DateTimeString format="102">20260115</udt:DateTimeString></ram:IssueDateTime>
  <ram:IncludedNote><ram:Content>Indemnité de 40 euros</ram:Content><ram:SubjectCode>PMT</ram:SubjectCode></ram:IncludedNote>
  <ram:IncludedNote><ram:Content>Trois fois le taux légal</ram:Content><ram:SubjectCode>PMD</ram:SubjectCode></ram:IncludedNote>
 </rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction>
  <ram:IncludedSupplyChainTradeLineItem>
   <ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID></ram:AssociatedDocumentLineDocument>
   <ram:SpecifiedTradeProduct><ram:Name>Conseil</ram:Name></ram:SpecifiedTradeProduct>
   <ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>100.00</ram:ChargeAmount></ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
   <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="HUR">10</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
   <ram:SpecifiedLineTradeSettlement>
    <ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>20</ram:RateApplicablePercent></ram:ApplicableTradeTax>
    <ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>1000.00</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
   </ram:SpecifiedLineTradeSettlement>
  </ram:IncludedSupplyChainTradeLineItem>
  <ram:ApplicableHeaderTradeAgreement>
   <ram:BuyerReference>SERVICE-7</ram:BuyerReference>
   <ram:SellerTradeParty>
    <ram:GlobalID schemeID="0009">12345678200002</ram:GlobalID>
    <ram:Name>Atelier Exemple</ram:Name>
    <ram:SpecifiedLegalOrganization><ram:ID schemeID="0002">123456782</ram:ID></ram:SpecifiedLegalOrganization>
    <ram:DefinedTradeContact><ram:PersonName>Comptabilité</ram:PersonName><ram:EmailURIUniversalCommunication><ram:URIID>compta@example.org</ram:URIID></ram:EmailURIUniversalCommunication></ram:DefinedTradeContact>
    <ram:PostalTradeAddress><ram:PostcodeCode>75001</ram:PostcodeCode><ram:LineOne>1 rue Exemple</ram:LineOne><ram:CityName>Paris</ram:CityName><ram:CountryID>FR</ram:CountryID></ram:PostalTradeAddress>
    <ram:URIUniversalCommunication><ram:URIID schemeID="0225">123456782</ram:URIID></ram:URIUniversalCommunication>
    <ram:SpecifiedTaxRegistration><ram:ID schemeID="FC">4411</ram:ID></ram:SpecifiedTaxRegistration>
    <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">FR11123456782</ram:ID></ram:SpecifiedTaxRegistration>
   </ram:SellerTradeParty>
   <ram:BuyerTradeParty>
    <ram:Name>Client Exemple</ram:Name>
    <ram:PostalTradeAddress><ram:CountryID>FR</ram:CountryID></ram:PostalTradeAddress>
    <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">FR14987654324</ram:ID></ram:SpecifiedTaxRegistration>
   </ram:BuyerTradeParty>
  </ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeDelivery/>
  <ram:ApplicableHeaderTradeSettlement>
   <ram:PaymentReference>F-2026-001</ram:PaymentReference>
   <ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
   <ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>30</ram:TypeCode><ram:PayeePartyCreditorFinancialAccount><ram:IBANID>FR7630006000011234567890189</ram:IBANID></ram:PayeePartyCreditorFinancialAccount></ram:SpecifiedTradeSettlementPaymentMeans>
   <ram:ApplicableTradeTax><ram:CalculatedAmount>200.00</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode><ram:BasisAmount>1000.00</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>20</ram:RateApplicablePercent></ram:ApplicableTradeTax>
   <ram:SpecifiedTradePaymentTerms><ram:Description>30 jours</ram:Description><ram:DueDateDateTime><udt:DateTimeString format="102">20260214</udt:DateTimeString></ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
   <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
    <ram:LineTotalAmount>1000.00</ram:LineTotalAmount><ram:TaxBasisTotalAmount>1000.00</ram:TaxBasisTotalAmount>
    <ram:TaxTotalAmount currencyID="EUR">200.00</ram:TaxTotalAmount><ram:GrandTotalAmount>1200.00</ram:GrandTotalAmount>
    <ram:TotalPrepaidAmount>200.00</ram:TotalPrepaidAmount><ram:DuePayableAmount>1000.00</ram:DuePayableAmount>
   </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
  </ram:ApplicableHeaderTradeSettlement>
 </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
"""

_UBL_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<ROOT xmlns="urn:oasis:names:specification:ubl:schema:xsd:ROOT-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
 <cbc:ProfileID>S1</cbc:ProfileID>
 <cbc:ID>F-2026-001</cbc:ID>
 <cbc:IssueDate>2026-01-15</cbc:IssueDate>
"""
_UBL_PARTIES = """ <cbc:Note>#PMT#Indemnité de 40 euros</cbc:Note>
 <cbc:Note>#PMD#Trois fois le taux légal</cbc:Note>
 <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
 <cbc:BuyerReference>SERVICE-7</cbc:BuyerReference>
 <cac:AccountingSupplierParty><cac:Party>
  <cbc:EndpointID schemeID="0225">123456782</cbc:EndpointID>
  <cac:PartyIdentification><cbc:ID schemeID="0009">12345678200002</cbc:ID></cac:PartyIdentification>
  <cac:PostalAddress><cbc:StreetName>1 rue Exemple</cbc:StreetName><cbc:CityName>Paris</cbc:CityName><cbc:PostalZone>75001</cbc:PostalZone><cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
  <cac:PartyTaxScheme><cbc:CompanyID>4411</cbc:CompanyID><cac:TaxScheme><cbc:ID>LOC</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyTaxScheme><cbc:CompanyID>FR11123456782</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyLegalEntity><cbc:RegistrationName>Atelier Exemple</cbc:RegistrationName><cbc:CompanyID schemeID="0002">123456782</cbc:CompanyID></cac:PartyLegalEntity>
  <cac:Contact><cbc:Name>Comptabilité</cbc:Name><cbc:ElectronicMail>compta@example.org</cbc:ElectronicMail></cac:Contact>
 </cac:Party></cac:AccountingSupplierParty>
 <cac:AccountingCustomerParty><cac:Party>
  <cac:PostalAddress><cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
  <cac:PartyTaxScheme><cbc:CompanyID>FR14987654324</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyLegalEntity><cbc:RegistrationName>Client Exemple</cbc:RegistrationName></cac:PartyLegalEntity>
 </cac:Party></cac:AccountingCustomerParty>
"""
_UBL_TAIL = """ <cac:PaymentTerms><cbc:Note>30 jours</cbc:Note></cac:PaymentTerms>
 <cac:TaxTotal><cbc:TaxAmount currencyID="EUR">200.00</cbc:TaxAmount>
  <cac:TaxSubtotal><cbc:TaxableAmount currencyID="EUR">1000.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">200.00</cbc:TaxAmount><cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal>
 </cac:TaxTotal>
 <cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">1000.00</cbc:LineExtensionAmount><cbc:TaxExclusiveAmount currencyID="EUR">1000.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount currencyID="EUR">1200.00</cbc:TaxInclusiveAmount><cbc:PrepaidAmount currencyID="EUR">200.00</cbc:PrepaidAmount><cbc:PayableAmount currencyID="EUR">1000.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
 <cac:LINE><cbc:ID>1</cbc:ID><cbc:QUANTITY unitCode="HUR">10</cbc:QUANTITY><cbc:LineExtensionAmount currencyID="EUR">1000.00</cbc:LineExtensionAmount>
  <cac:Item><cbc:Name>Conseil</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
  <cac:Price><cbc:PriceAmount currencyID="EUR">100.00</cbc:PriceAmount></cac:Price></cac:LINE>
</ROOT>
"""
_MEANS = (
    "<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>{due}"
    "<cbc:PaymentID>F-2026-001</cbc:PaymentID><cac:PayeeFinancialAccount>"
    "<cbc:ID>FR7630006000011234567890189</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>\n"
)
UBL = (
    (
        _UBL_HEAD
        + " <cbc:DueDate>2026-02-14</cbc:DueDate>\n <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>\n"
        + _UBL_PARTIES
        + _MEANS.format(due="")
        + _UBL_TAIL
    )
    .replace("ROOT", "Invoice")
    .replace("LINE>", "InvoiceLine>")
    .replace("QUANTITY", "InvoicedQuantity")
)
CREDIT_NOTE = (
    (
        _UBL_HEAD
        + " <cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>\n"
        + _UBL_PARTIES.replace(
            " <cac:AccountingSupplierParty>",
            " <cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>F-2025-900</cbc:ID>"
            "<cbc:IssueDate>2025-12-01</cbc:IssueDate></cac:InvoiceDocumentReference>"
            "</cac:BillingReference>\n <cac:AccountingSupplierParty>",
        )
        + _MEANS.format(due="<cbc:PaymentDueDate>2026-02-14</cbc:PaymentDueDate>")
        + _UBL_TAIL
    )
    .replace("ROOT", "CreditNote")
    .replace("LINE>", "CreditNoteLine>")
    .replace("QUANTITY", "CreditedQuantity")
)


@pytest.fixture(scope="session", autouse=True)
def no_stray_field() -> None:
    """Refuse what the reader gathers and the invoice has no field for: it is forgotten by us."""
    assemble.STRAY = "forbid"


@pytest.fixture(scope="session")
def cii() -> str:
    """Give a small Factur-X invoice as text, to be changed by `replace`."""
    return CII


@pytest.fixture(scope="session")
def ubl() -> str:
    """Give the same invoice in UBL."""
    return UBL


@pytest.fixture(scope="session")
def credit_note() -> str:
    """Give a UBL credit note of the same parties."""
    return CREDIT_NOTE


MakePdf = Callable[[Mapping[str, bytes]], bytes]


@pytest.fixture(scope="session")
def make_pdf() -> MakePdf:
    """Give a function that writes a PDF with these attachments, also listed under /AF."""

    def make(attachments: Mapping[str, bytes]) -> bytes:
        pdf = pikepdf.new()
        pdf.add_blank_page()
        for name, content in attachments.items():
            spec = pikepdf.AttachedFileSpec(pdf, content, filename=name, mime_type="text/xml")
            pdf.attachments[name] = spec
        names = pdf.Root.get("/Names")
        if names is not None:
            pairs = pdf.Root.Names.EmbeddedFiles.get("/Names")
            if pairs is not None:
                pdf.Root.AF = pikepdf.Array(list(pairs.as_list())[1::2])
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def factur_x_pdf(make_pdf: MakePdf) -> bytes:
    """Give a PDF that carries the small Factur-X invoice."""
    return make_pdf({"factur-x.xml": CII.encode()})
