"""Hold one invoice as EN 16931 means it, whichever syntax it was written in.

Every field is optional: a reader is lenient, and what a document does not say stays empty.
Field comments name the business term (BT) or group (BG) of EN 16931-1:2017. Amounts are
`Decimal` in `Invoice.currency`, exactly as written; dates are plain calendar dates.
"""

import base64
import binascii
from datetime import date
from decimal import Decimal
from typing import Final

from pydantic import Field

from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.parties import Address as Address
from encaisse_einvoicing.parties import Contact as Contact
from encaisse_einvoicing.parties import Identifier as Identifier
from encaisse_einvoicing.parties import Part as Part
from encaisse_einvoicing.parties import Party as Party
from encaisse_einvoicing.parties import SirenSource as SirenSource


class Note(Part):
    """Carry a free text with its subject (BG-1): PMT indemnity, PMD penalties, AAB discount."""

    subject_code: str | None = None  # BT-21, UNTDID 4451
    text: str | None = None  # BT-22


class Preceding(Part):
    """Point to an invoice that this one credits, corrects or completes (BG-3)."""

    number: str | None = None  # BT-25
    issue_date: date | None = None  # BT-26
    type_code: str | None = None  # EXT-FR-FE-02


class Period(Part):
    """Bound what is invoiced (BG-14, BG-26)."""

    start: date | None = None  # BT-73, BT-134
    end: date | None = None  # BT-74, BT-135


class Delivery(Part):
    """Tell where and when goods or services went (BG-13, BG-15)."""

    party_name: str | None = None  # BT-70
    location: Identifier | None = None  # BT-71
    delivered_on: date | None = None  # BT-72
    address: Address | None = None


class PaymentMeans(Part):
    """Tell one way to pay (BG-16 with BG-17, BG-18 or BG-19)."""

    code: str | None = None  # BT-81, UNTDID 4461
    text: str | None = None  # BT-82
    account: str | None = None  # BT-84, an IBAN as a rule
    account_name: str | None = None  # BT-85
    bic: str | None = None  # BT-86
    card_number: str | None = None  # BT-87, last digits only by the standard
    card_holder: str | None = None  # BT-88
    card_network: str | None = None  # required by the UBL schema, no term of its own
    debited_account: str | None = None  # BT-91


class Instalment(Part):
    """Be one échéance of an invoice payable in several times."""

    due_date: date | None = None
    amount: Decimal | None = None


class AllowanceCharge(Part):
    """Take off or add to an invoice (BG-20, BG-21) or to a line (BG-27, BG-28)."""

    is_charge: bool | None = None
    amount: Decimal | None = None  # BT-92, BT-99, BT-136, BT-141
    base_amount: Decimal | None = None
    percentage: Decimal | None = None
    vat_category: str | None = None
    vat_rate: Decimal | None = None
    vat_exemption_reason: str | None = None  # Factur-X EXTENDED
    vat_exemption_code: str | None = None
    reason: str | None = None
    reason_code: str | None = None


class Totals(Part):
    """Sum the document up (BG-22)."""

    line_total: Decimal | None = None  # BT-106
    allowances: Decimal | None = None  # BT-107
    charges: Decimal | None = None  # BT-108
    tax_exclusive: Decimal | None = None  # BT-109
    tax: Decimal | None = None  # BT-110
    tax_accounting: Decimal | None = None  # BT-111, in `Invoice.tax_currency`
    tax_inclusive: Decimal | None = None  # BT-112
    prepaid: Decimal | None = None  # BT-113
    rounding: Decimal | None = None  # BT-114
    payable: Decimal | None = None  # BT-115


class VatSubtotal(Part):
    """Give one category and rate of the VAT breakdown (BG-23)."""

    taxable: Decimal | None = None  # BT-116
    tax: Decimal | None = None  # BT-117
    category: str | None = None  # BT-118
    rate: Decimal | None = None  # BT-119
    exemption_reason: str | None = None  # BT-120
    exemption_code: str | None = None  # BT-121


class Attachment(Part):
    """List a supporting document (BG-24) without decoding it."""

    id: str | None = None  # BT-122
    description: str | None = None  # BT-123
    uri: str | None = None  # BT-124
    filename: str | None = None
    mime: str | None = None
    encoded: str | None = Field(default=None, repr=False, exclude=True)  # BT-125, base64

    def content(self) -> bytes | None:
        """Decode the embedded document now; None where there is only a link.

        Raises `Refused` when the base64 is broken, so that no half file is ever handed on.
        """
        if self.encoded is None:
            return None
        try:
            return base64.b64decode("".join(self.encoded.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Refused(
                "attachment_damaged",
                f"La pièce jointe « {self.filename or self.id} » est mal encodée (base64) : "
                "demandez-la à nouveau au vendeur.",
                self.filename or self.id or "",
            ) from None


class ItemProperty(Part):
    """Describe an item by one named property (BG-32)."""

    name: str | None = None  # BT-160
    value: str | None = None  # BT-161
    code: str | None = None  # EXT-FR-FE-159
    measure: Decimal | None = None  # EXT-FR-FE-160
    measure_unit: str | None = None  # EXT-FR-FE-161


class ItemClass(Part):
    """Classify an item (BT-158)."""

    code: str | None = None
    scheme: str | None = None  # BT-158-1, UNTDID 7143
    version: str | None = None


class LineObject(Part):
    """Name what a line invoices: a meter, a contract, a phone number (BT-128)."""

    value: str | None = None
    scheme: str | None = None  # UNTDID 1153
    type_code: str | None = None  # UNTDID 1001; extensions allow others than 130


class TaxTotal(Part):
    """Sum the VAT of a line up in one currency (EXT-FR-FE-181, EXT-FR-FE-182)."""

    amount: Decimal | None = None
    currency: str | None = None


class LinePreceding(Part):
    """Point from a line to an earlier invoice, or to a line of it (EXT-FR-FE-136 to 139)."""

    number: str | None = None  # EXT-FR-FE-136
    issue_date: date | None = None  # EXT-FR-FE-138
    type_code: str | None = None  # EXT-FR-FE-137
    line: str | None = None  # EXT-FR-FE-139


class LineExtensions(Part):
    """Hold what the French and Factur-X extended profiles add to a line."""

    notes: tuple[Note, ...] = ()  # those with a subject, EXT-FR-FE-183
    parent_line: str | None = None  # EXT-FR-FE-162
    subtype: str | None = None  # EXT-FR-FE-163: DETAIL, GROUP, INFORMATION
    order_reference: str | None = None  # EXT-FR-FE-135
    order_date: date | None = None  # EXT-FR-FE-200
    sales_order_reference: str | None = None  # EXT-FR-FE-144
    sales_order_line: str | None = None  # EXT-FR-FE-145
    despatch_advice: str | None = None  # EXT-FR-FE-140
    despatch_advice_line: str | None = None  # EXT-FR-FE-141
    delivery_terms: str | None = None  # EXT-FR-FE-193, an Incoterm
    delivery_terms_place: str | None = None  # EXT-FR-FE-194
    price_discount_reason: str | None = None  # EXT-FR-FE-195
    price_discount_code: str | None = None  # EXT-FR-FE-196
    vat_exemption_reason: str | None = None  # EXT-FR-FE-178
    vat_exemption_code: str | None = None  # EXT-FR-FE-179
    delivery: Delivery | None = None  # EXT-FR-FE-BG-10, EXT-FR-FE-158
    item_seller: Party | None = None  # EXT-FR-FE-BG-12
    preceding: tuple[LinePreceding, ...] = ()
    tax_totals: tuple[TaxTotal, ...] = ()
    tax_inclusive: Decimal | None = None  # EXT-FR-FE-184


class Extensions(Part):
    """Hold what the French and Factur-X extended profiles add to a document."""

    project_name: str | None = None  # beside BT-11 in CII
    contract_type: str | None = None  # EXT-FR-FE-01, UNTDID 1153
    contract_date: date | None = None  # EXT-FR-FE-199
    order_date: date | None = None  # EXT-FR-FE-197
    despatch_date: date | None = None  # EXT-FR-FE-198
    delivery_terms: str | None = None  # EXT-FR-FE-185, an Incoterm
    delivery_terms_place: str | None = None  # EXT-FR-FE-186
    buyer_agent: Party | None = None  # EXT-FR-FE-BG-01
    payer: Party | None = None  # EXT-FR-FE-BG-02
    sales_agent: Party | None = None  # EXT-FR-FE-BG-03
    invoicee: Party | None = None  # EXT-FR-FE-BG-04
    invoicer: Party | None = None  # EXT-FR-FE-BG-05


NO_EXTENSIONS: Final = Extensions()
NO_LINE_EXTENSIONS: Final = LineExtensions()


class Line(Part):
    """Be one line of an invoice (BG-25 to BG-32)."""

    id: str | None = None  # BT-126
    note: str | None = None  # BT-127
    objects: tuple[LineObject, ...] = ()  # BT-128 is the one of type 130 or of none
    quantity: Decimal | None = None  # BT-129
    unit: str | None = None  # BT-130, UN/ECE Rec 20
    line_total: Decimal | None = None  # BT-131
    order_line: str | None = None  # BT-132
    accounting_reference: str | None = None  # BT-133
    period: Period | None = None
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    net_price: Decimal | None = None  # BT-146
    price_discount: Decimal | None = None  # BT-147
    gross_price: Decimal | None = None  # BT-148
    base_quantity: Decimal | None = None  # BT-149
    base_quantity_unit: str | None = None  # BT-150
    gross_base_quantity: Decimal | None = None  # CII only, where it differs from BT-149
    gross_base_quantity_unit: str | None = None
    vat_category: str | None = None  # BT-151
    vat_rate: Decimal | None = None  # BT-152
    name: str | None = None  # BT-153
    description: str | None = None  # BT-154
    seller_item_id: str | None = None  # BT-155
    buyer_item_id: str | None = None  # BT-156
    standard_item_id: str | None = None  # BT-157
    standard_item_id_scheme: str | None = None
    classes: tuple[ItemClass, ...] = ()
    origin_country: str | None = None  # BT-159
    properties: tuple[ItemProperty, ...] = ()
    extensions: LineExtensions = NO_LINE_EXTENSIONS


class Invoice(Part):
    """Be a whole invoice or credit note, as read."""

    number: str | None = None  # BT-1
    issue_date: date | None = None  # BT-2
    type_code: str | None = None  # BT-3, UNTDID 1001
    currency: str | None = None  # BT-5, ISO 4217
    tax_currency: str | None = None  # BT-6
    tax_point_date: date | None = None  # BT-7
    tax_point_code: str | None = None  # BT-8, as UNTDID 2005: 3, 35 or 432
    due_date: date | None = None  # BT-9; the last one when there are several
    buyer_reference: str | None = None  # BT-10
    project_reference: str | None = None  # BT-11
    contract_reference: str | None = None  # BT-12
    order_reference: str | None = None  # BT-13
    sales_order_reference: str | None = None  # BT-14
    receiving_advice: str | None = None  # BT-15
    despatch_advice: str | None = None  # BT-16
    tender_reference: str | None = None  # BT-17
    invoiced_object: Identifier | None = None  # BT-18
    buyer_accounting_reference: str | None = None  # BT-19
    payment_terms: str | None = None  # BT-20
    notes: tuple[Note, ...] = ()
    process: str | None = None  # BT-23, the French cadre de facturation
    profile: str | None = None  # BT-24
    preceding: tuple[Preceding, ...] = ()
    seller: Party | None = None
    buyer: Party | None = None
    payee: Party | None = None
    tax_representative: Party | None = None
    delivery: Delivery | None = None
    period: Period | None = None
    payment_means: tuple[PaymentMeans, ...] = ()
    remittance_information: str | None = None  # BT-83
    mandate_reference: str | None = None  # BT-89
    creditor_id: str | None = None  # BT-90
    instalments: tuple[Instalment, ...] = ()  # empty when `due_date` says it all
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    totals: Totals = Totals()
    vat_breakdown: tuple[VatSubtotal, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    lines: tuple[Line, ...] = ()
    extensions: Extensions = NO_EXTENSIONS
