"""Describe what Factomos sends, as its own names; everything it may add later is let through.

Names and values are those of the legacy documentation (README of
github.com/thefloatingstone/factomos, sections 9, 16 and 17). That REST v1 keeps them, with the
opaque `pid` of the vendor's own client in the place of `id`, is assumed.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from encaisse_factomos import spelling

Amount = Annotated[Decimal, BeforeValidator(spelling.amount)]
Term = Annotated[date | None, BeforeValidator(spelling.term)]
Day = Annotated[date, BeforeValidator(spelling.paris_day)]
Name = Annotated[str, BeforeValidator(spelling.name)]
Words = Annotated[str, BeforeValidator(spelling.words)]


class Row(BaseModel):
    """Be one object of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class InvoiceRow(Row):
    """Be one invoice, down payment or credit note."""

    pid: Name
    number: Name = Field(alias="invoice_formated_number")
    status: Name = Field(alias="invoice_status")
    kind: Name = Field(alias="invoice_type")
    client: Words = Field(default="", alias="client_id")
    client_name: Words = Field(default="", alias="client_company_name")
    document_key: bool | str | None = None
    total_without_vat: Amount = Field(alias="figures_total_withoutvat")
    total_vat: Amount = Field(alias="figures_total_vat")
    total: Amount = Field(alias="figures_total_withvat")
    paid: Amount = Field(alias="figures_paid")
    due: Amount = Field(alias="figures_due")
    due_date: Term = Field(default=None, alias="payment_term_fr")
    issued: Day = Field(alias="unix_timestamp")

    @property
    def document(self) -> str | None:
        """Name the document, None where the tool keeps none."""
        return self.pid if isinstance(self.document_key, str) and self.document_key else None


class LegacyInvoiceRow(InvoiceRow):
    """Be the same in the older dialect, which calls it `id`."""

    pid: Name = Field(alias="id")

    @property
    def document(self) -> str | None:
        """Name none: the key makes the address of a page for people, and no action gives a file."""
        return None


class ContactRow(Row):
    """Be one customer. Where two names stand, the first is the legacy one, the second assumed."""

    pid: Words = ""
    name: Words = Field(default="", alias="client_company_name")
    siret: Words = Field(default="", alias="number_siret")
    vat: Words = Field(default="", alias="number_tva")
    street: Words = Field(default="", alias="client_address")
    street_more: Words = Field(default="", alias="client_address_more")
    postcode: Words = Field(default="", alias="client_zipcode")
    city: Words = Field(default="", alias="client_city")
    country: Words = Field(default="", alias="client_country")
    email: Words = Field(default="", alias="client_email")
    phone: Words = Field(
        default="", validation_alias=AliasChoices("client_phonenumber", "client_phone")
    )
    first_name: Words = Field(
        default="", validation_alias=AliasChoices("client_contact_firstname", "client_firstname")
    )
    last_name: Words = Field(
        default="", validation_alias=AliasChoices("client_contact_lastname", "client_lastname")
    )
    language: Words = Field(default="", alias="client_lang")


class LegacyContactRow(ContactRow):
    """Be the same in the older dialect."""

    pid: Words = Field(default="", alias="client_id")


class MailRow(Row):
    """Be one e-mail the tool sent of an invoice (section 20); who it went to is not read."""

    invoice: Name = Field(alias="invoice_id")
    template: Words = Field(alias="template_type")
    at: Annotated[datetime, BeforeValidator(spelling.paris_instant)] = Field(alias="email_date")


class PaymentRow(Row):
    """Be one payment recorded on an invoice (assumed: no answer of the vendor lists any)."""

    id: Name = Field(alias="payment_id")
    amount: Amount = Field(alias="montant")
    reference: Words
    """Required even where it is empty, because a row without it could be ours."""
    paid_on: Annotated[date, BeforeValidator(spelling.iso_day)] = Field(alias="payment_date")
