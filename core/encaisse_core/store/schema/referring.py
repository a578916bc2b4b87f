"""Referrers, what was agreed with them, what they earned and were told."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, String, Text, UniqueConstraint

from encaisse_core.store.schema.base import (
    Day,
    Ident,
    Moment,
    company_table,
    count,
    flag,
    money,
    to,
    words,
)

referrer = company_table(
    "referrer",
    Column("kind", String(24), nullable=False),  # editor|information_company|insurer|cabinet|other
    Column("name", Text, nullable=False),
    Column("siren", String(9)),
    words("vat_id"),
    Column("country", String(2), nullable=False, server_default="FR"),
    words("address"),
    Column("vat_regime", String(16)),  # standard | franchise | reverse_charge
    words("self_billing"),  # the mandate by which we invoice in its name; None: it invoices us
    Column("created_at", Moment, nullable=False),
)

referrer_contract = company_table(
    "referrer_contract",
    Column("referrer_id", Ident, nullable=False),
    Column("starts_on", Day, nullable=False),
    Column("ends_on", Day),  # the last day it is in force
    Column("rate_ppm", Integer, nullable=False),  # parts per million of the basis
    Column("basis", String(16), nullable=False),  # fee_excl_vat
    Column("terms", Text, nullable=False),
    words("legal_opinion"),
    flag("shows_numbers"),  # whether statements may show the invoice's number
    Column("created_at", Moment, nullable=False),
    to("referrer", "referrer_id"),
    UniqueConstraint("company_id", "referrer_id", "starts_on"),
    CheckConstraint("rate_ppm between 0 and 1000000", name="rate"),
    CheckConstraint("ends_on is null or ends_on >= starts_on", name="days"),
)

attribution = company_table(
    "attribution",
    Column("sighting_id", Ident, nullable=False),
    Column("referrer_id", Ident, nullable=False),
    Column("connection_id", Ident, nullable=False),
    Column("attributed_at", Moment, nullable=False),
    to("sighting", "sighting_id"),
    to("referrer", "referrer_id"),
    to("connection", "connection_id"),
    key=("sighting_id",),  # fixed at import, whatever claim the sighting joins
)

commission_line = company_table(
    "commission_line",
    Column("settlement_id", Ident, nullable=False),
    Column("referrer_id", Ident, nullable=False),
    Column("contract_id", Ident, nullable=False),
    Column("kind", String(12), nullable=False),  # accrual | payable | clawback
    Column("rule_version", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    money("basis"),
    money("amount"),  # negative for a clawback; the payable line moves, it adds nothing
    count("turn"),  # a settlement that was corrected accrues anew, once for each time
    Column("created_at", Moment, nullable=False),
    to("settlement", "settlement_id"),
    to("referrer", "referrer_id"),
    to("referrer_contract", "contract_id"),
    UniqueConstraint("company_id", "settlement_id", "kind", "turn"),
)

commission_entry = company_table(
    "commission_entry",
    Column("line_id", Ident, nullable=False),
    Column("position", Integer, nullable=False),
    Column("account", String(32), nullable=False),
    money("amount"),  # entries of one line sum to zero
    to("commission_line", "line_id"),
    key=("line_id", "position"),
)

commission_statement = company_table(
    "commission_statement",
    Column("referrer_id", Ident, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("period", String(7), nullable=False),  # YYYY-MM
    Column("sequence", Integer, nullable=False),  # continuous per referrer
    Column("number", String(40), nullable=False),
    Column("invoice_number", String(40)),  # of the invoice we draw up in its name, where we do
    money("carried"),  # what this month leaves to take off the next; never positive
    Column("document", Text, nullable=False),  # as issued, never written again
    Column("digest", String(64), nullable=False),  # sha256 of the document, also in the journal
    Column("issued_at", Moment, nullable=False),
    to("referrer", "referrer_id"),
    UniqueConstraint("company_id", "referrer_id", "currency", "period"),
    UniqueConstraint("company_id", "referrer_id", "sequence"),
    UniqueConstraint("company_id", "number"),
    UniqueConstraint("company_id", "invoice_number"),
    CheckConstraint("carried <= 0", name="carried"),
)

statement_line = company_table(
    "statement_line",
    Column("line_id", Ident, nullable=False),
    Column("statement_id", Ident, nullable=False),
    to("commission_line", "line_id"),
    to("commission_statement", "statement_id"),
    key=("line_id",),  # stated once
)
