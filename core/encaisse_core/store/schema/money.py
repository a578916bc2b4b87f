"""Payments and where they went; settlements, payouts and their vouchers."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
)

from encaisse_core.store.schema.base import (
    Day,
    Ident,
    Moment,
    company_table,
    flag,
    money,
    only,
    to,
    words,
)

UNFOLLOWED = "followed_state is null or followed_state <> state or followed_principal <> principal"
"""A settlement that says something its payment was not brought up to yet."""

UNEARNED = "earned_state is null or earned_state <> state or earned_fee <> coalesce(fee, -1)"
"""A settlement that says something its commission was not brought up to yet."""

UNNOTED = "state = 'executed' and noted = 0"
"""A payout whose settlements do not all know that it paid them out."""

AS_TOLD = ("company_id", "connection_id", "remote_id")
"""How settlements to look at are ordered: as their collector named them.

Its names rise with time, as do the places of the claims it was given; ids, which are digests, would
put each row of a set on another page.
"""

payment = company_table(
    "payment",
    Column("claim_id", Ident, nullable=False),
    money("amount"),  # negative when it reverses another
    Column("currency", String(3), nullable=False),
    Column("paid_on", Day, nullable=False),
    Column("origin", String(16), nullable=False),  # collector | source | credit
    Column("reverses", Ident),
    Column("settlement_id", Ident),  # what a collector's payment was made of
    Column("shown_by", Ident),  # the sighting whose tool showed it first, where a tool did
    money("unallocated"),
    Column("created_at", Moment, nullable=False),
    to("claim", "claim_id"),
    to("payment", "reverses"),
    to("sighting", "shown_by"),
    UniqueConstraint("company_id", "reverses"),
    CheckConstraint("amount <> 0", name="amount"),
    Index("ix_payment_claim", "company_id", "claim_id"),
)

payment_sighting = company_table(
    "payment_sighting",
    Column("connection_id", Ident, nullable=False),
    Column("remote_ref", Text, nullable=False),
    Column("payment_id", Ident),
    Column("role", String(16), nullable=False),  # origin | echo | same | bridged
    Column("effect_id", Ident),
    Column("record", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    to("connection", "connection_id"),
    to("payment", "payment_id"),
    to("effect", "effect_id"),
    key=("connection_id", "remote_ref"),
)

allocation = company_table(
    "allocation",
    Column("payment_id", Ident, nullable=False),
    Column("claim_id", Ident, nullable=False),
    Column("echeance_id", Ident, nullable=False),
    money("amount"),
    Column("created_at", Moment, nullable=False),
    to("payment", "payment_id"),
    to("claim", "claim_id"),
    to("echeance", "echeance_id"),
    UniqueConstraint("company_id", "payment_id", "claim_id", "echeance_id"),
    CheckConstraint("amount <> 0", name="amount"),
)

ALLOCATED = (
    select(func.sum(allocation.c.amount))
    .where(allocation.c.company_id == payment.c.company_id, allocation.c.payment_id == payment.c.id)
    .correlate(payment)
    .scalar_subquery()
)
"""What a payment settled; null where nothing. Asked of each: grouped, SQLite would read all that
was ever settled, or all of a tool's records for each payment.
"""

settlement = company_table(
    "settlement",
    Column("connection_id", Ident, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("procedure_id", Ident, nullable=False),
    Column("claim_id", Ident, nullable=False),
    Column("payment_id", Ident),
    Column("state", String(16), nullable=False),  # pending | verified | rejected | reversed
    Column("currency", String(3), nullable=False),
    money("principal"),
    money("interest"),
    money("indemnity"),
    money("costs"),
    money("fee", nullable=True),
    money("fee_vat", nullable=True),
    Column("received_on", Day, nullable=False),
    Column("reversed_on", Day),
    Column("updated_at", Moment, nullable=False),
    Column("followed_state", String(16)),  # as it was when its payment was last brought up to it
    money("followed_principal", nullable=True),
    Column("earned_state", String(16)),  # as it was when its commission was; see `earnings.py`
    money("earned_fee", nullable=True),  # -1 where the collector had not said it
    flag("paid_out"),  # an executed payout names it
    to("connection", "connection_id"),
    to("procedure", "procedure_id"),
    to("claim", "claim_id"),
    to("payment", "payment_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
    Index("ix_settlement_claim", "company_id", "claim_id"),
    only("ix_settlement_unfollowed", *AS_TOLD, where=UNFOLLOWED),
    only("ix_settlement_unearned", *AS_TOLD, where=UNEARNED),
)

payout = company_table(
    "payout",
    Column("connection_id", Ident, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    money("gross"),
    money("fee"),
    money("fee_vat"),
    money("net"),
    Column("executed_on", Day),
    words("bank_reference"),
    Column("record", Text, nullable=False),
    flag("noted"),  # once executed: every settlement it names knows that it is paid out
    Column("updated_at", Moment, nullable=False),
    to("connection", "connection_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
    only("ix_payout_unnoted", "company_id", "id", where=UNNOTED),
)

voucher_line = company_table(
    "voucher_line",
    Column("payout_id", Ident, nullable=False),
    Column("position", Integer, nullable=False),
    Column("account", String(16), nullable=False),
    Column("label", Text, nullable=False),
    money("debit"),
    money("credit"),
    words("reference"),
    words("payment_ref"),  # the collected payment a line comes from; None for the fee's lines
    to("payout", "payout_id"),
    CheckConstraint("debit >= 0 and credit >= 0 and (debit = 0) <> (credit = 0)", name="side"),
    key=("payout_id", "position"),
)

accounting_entry = company_table(
    "accounting_entry",
    Column("payout_id", Ident, nullable=False),
    Column("number", Integer, nullable=False),  # EcritureNum, continuous
    Column("rows", Text, nullable=False),  # as handed over, written the same again
    Column("exported_at", Moment, nullable=False),
    to("payout", "payout_id"),
    UniqueConstraint("company_id", "number"),
    key=("payout_id",),
)

exported_payment = company_table(
    "exported_payment",
    Column("payment_id", Ident, nullable=False),
    Column("payout_id", Ident, nullable=False),
    money("principal"),  # what the payout's voucher says of it
    money("amount"),  # the part handed over, which is never written into a tool as well
    to("payment", "payment_id"),
    to("payout", "payout_id"),
    key=("payment_id", "payout_id"),
)
