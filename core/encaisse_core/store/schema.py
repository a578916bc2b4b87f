"""Every table, and beside each the constraint that carries its guarantee.

The tenant is the company: every table that holds its facts has `company_id` first in its key, and
references to other rows of a company are composite, so that a row can never point at another
company's. Amounts are integer minor units (cents); instants are UTC text in ISO 8601 with
microseconds, which sorts as it reads and is the same on both databases; dates are ISO text.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Ident = String(64)
Moment = String(32)
Day = String(10)


def _money(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _text(name: str, *, nullable: bool = True, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=nullable, server_default=default)


def _flag(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _company_table(name: str, *items: SchemaItem, key: Sequence[str] = ("id",)) -> Table:
    """Make a table whose rows belong to a company and whose key starts with it."""
    own: list[SchemaItem] = [
        Column("company_id", Ident, ForeignKey("company.id"), nullable=False),
    ]
    if "id" in key:
        own.append(Column("id", Ident, nullable=False))
    return Table(name, metadata, *own, *items, PrimaryKeyConstraint("company_id", *key))


def _to(table: str, *columns: str) -> ForeignKeyConstraint:
    """Reference a row of the same company."""
    return ForeignKeyConstraint(
        ["company_id", *columns], [f"{table}.company_id", *[f"{table}.id" for _ in columns]]
    )


# --- who ---------------------------------------------------------------------------------------

organisation = Table(
    "organisation",
    metadata,
    Column("id", Ident, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # company | cabinet
    Column("created_at", Moment, nullable=False),
)

company = Table(
    "company",
    metadata,
    Column("id", Ident, primary_key=True),
    Column("siren", String(9), nullable=False),
    Column("name", Text, nullable=False),
    Column("environment", String(4), nullable=False),
    Column("settings", Text, nullable=False, server_default="{}"),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("siren", "environment"),
    CheckConstraint("environment in ('test', 'live')", name="environment"),
)

access = Table(
    "access",
    metadata,
    Column("organisation_id", Ident, ForeignKey("organisation.id"), nullable=False),
    Column("company_id", Ident, ForeignKey("company.id"), nullable=False),
    Column("role", String(16), nullable=False),  # prepare | sign
    Column("basis", Text, nullable=False),
    Column("starts_on", Day, nullable=False),
    Column("ends_on", Day),
    PrimaryKeyConstraint("organisation_id", "company_id", "role", "starts_on"),
)

access_grant = Table(
    "access_grant",
    metadata,
    Column("id", Ident, primary_key=True),
    Column("organisation_id", Ident, ForeignKey("organisation.id"), nullable=False),
    Column("connector", String(32), nullable=False),
    Column("environment", String(4), nullable=False),
    Column("state", String(16), nullable=False),  # active | denied | ended
    Column("reason", Text),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("environment in ('test', 'live')", name="environment"),
)

credential = Table(
    "credential",
    metadata,
    Column("grant_id", Ident, ForeignKey("access_grant.id"), nullable=False),
    Column("field", String(32), nullable=False),
    Column("kek_id", String(32), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),  # compare-and-swap of rotated tokens
    Column("expires_at", Moment),
    PrimaryKeyConstraint("grant_id", "field"),
)

connection = _company_table(
    "connection",
    Column("grant_id", Ident, ForeignKey("access_grant.id"), nullable=False),
    Column("connector", String(32), nullable=False),
    Column("account", Text, nullable=False, server_default=""),
    Column("state", String(16), nullable=False),  # active | paused | ended
    _text("reason"),
    Column("settings", Text, nullable=False, server_default="{}"),
    Column("sequence", Integer, nullable=False),
    Column("referrer_id", Ident),
    Column("pulled_at", Moment),
    Column("failed_at", Moment),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("company_id", "connector", "account", "grant_id"),
)

cursor = _company_table(
    "cursor",
    Column("connection_id", Ident, nullable=False),
    Column("stream", String(32), nullable=False),
    _text("value"),
    Column("seen", Text),  # records a snapshot showed before it was cut short, as JSON
    Column("updated_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    key=("connection_id", "stream"),
)

routing = _company_table(
    "routing",
    Column("kind", String(32), nullable=False),
    Column("connection_id", Ident),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    _text("among", nullable=False, default="[]"),  # ids it was chosen from: another one asks anew
    _to("connection", "connection_id"),
    key=("kind",),
)

bridge = _company_table(
    "bridge",
    Column("from_id", Ident, nullable=False),  # the tool whose entries are copied
    Column("to_id", Ident, nullable=False),  # the tool they are copied into
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    _to("connection", "from_id"),
    _to("connection", "to_id"),
    CheckConstraint("from_id <> to_id", name="ends"),
    key=("from_id", "to_id"),
)

# --- what is owed --------------------------------------------------------------------------------

debtor = _company_table(
    "debtor",
    Column("key", Text, nullable=False),  # siren:… or the tool's own customer: the merge is by key
    Column("siren", String(9)),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("source_id", Ident),  # the connection that told it
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("company_id", "key"),
)

claim = _company_table(
    "claim",
    Column("number", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("issue_date", Day, nullable=False),
    Column("currency", String(3), nullable=False),
    _money("total"),
    _money("open"),
    Column("state", String(20), nullable=False),  # open | settled | cancelled | unseen | merged
    Column("debtor_id", Ident),
    _text("hold"),  # a person must lift it: dispute, maybe_same, conflict
    Column("merged_into", Ident),  # the claim a person said it is: that one owes, this one nothing
    Column("created_at", Moment, nullable=False),
    _to("debtor", "debtor_id"),
    _to("claim", "merged_into"),
    CheckConstraint("(state = 'merged') = (merged_into is not null)", name="merged"),
    Index("ix_claim_open", "company_id", "state"),
)

echeance = _company_table(
    "echeance",
    Column("claim_id", Ident, nullable=False),
    Column("ref", Text, nullable=False),
    Column("due_date", Day),
    _flag("due_estimated"),
    _money("amount"),
    _money("open"),
    _to("claim", "claim_id"),
    UniqueConstraint("company_id", "claim_id", "ref"),
)

sighting = _company_table(
    "sighting",
    Column("connection_id", Ident, nullable=False),
    Column("remote_ref", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of `record`: unchanged means no write
    Column("record", Text, nullable=False),  # SourceInvoice as JSON
    Column("number", Text, nullable=False),
    Column("state", String(16), nullable=False),  # open | settled | cancelled | unknown
    Column("presence", String(16), nullable=False),  # live | vanished | removed
    _money("total"),
    _money("open"),
    _money("expected"),  # the open amount we can explain; a difference is news
    _money("credited"),  # part of total - open the tool explains by credit notes
    _money("expected_credited"),  # what of it we know already
    _count("untold"),  # payments other tools showed and this one does not show yet, in cents
    _count("written"),  # our entries that landed there: a page read before one is older than it
    Column("document_sha256", String(64)),
    Column("reminders", Text),  # sent by the tool, as JSON; null where nobody asked
    Column("claim_id", Ident),
    Column("rung", Integer),
    Column("changed_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    _to("claim", "claim_id"),
    UniqueConstraint("company_id", "connection_id", "remote_ref"),
    Index("ix_sighting_claim", "company_id", "claim_id"),
)

claim_key = _company_table(
    "claim_key",
    Column("rung", Integer, nullable=False),
    Column("value", Text, nullable=False),
    Column("claim_id", Ident, nullable=False),
    Column("sighting_id", Ident, nullable=False),
    _to("claim", "claim_id"),
    _to("sighting", "sighting_id"),
    key=("rung", "value", "sighting_id"),
)

claim_merge = _company_table(
    "claim_merge",
    Column("kept_id", Ident, nullable=False),
    Column("gone_id", Ident, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("moved", Text, nullable=False),  # what the merge changed, as JSON: enough to undo it
    Column("made_at", Moment, nullable=False),
    Column("undone_at", Moment),
    _text("undone_by"),
    _text("undone_reason"),
    _to("claim", "kept_id"),
    _to("claim", "gone_id"),
    CheckConstraint("kept_id <> gone_id", name="two_claims"),
    # A claim is part of one other claim at most.
    Index(
        "uq_claim_merge_standing",
        "company_id",
        "gone_id",
        unique=True,
        sqlite_where=text("undone_at is null"),
        postgresql_where=text("undone_at is null"),
    ),
)

possible_duplicate = _company_table(
    "possible_duplicate",
    Column("claim_a", Ident, nullable=False),
    Column("claim_b", Ident, nullable=False),
    Column("why", Text, nullable=False),
    Column("answer", String(16)),  # same | different
    Column("created_at", Moment, nullable=False),
    _to("claim", "claim_a"),
    _to("claim", "claim_b"),
    CheckConstraint("claim_a < claim_b", name="ordered"),
    key=("claim_a", "claim_b"),
)

unreadable = _company_table(
    "unreadable",
    Column("connection_id", Ident, nullable=False),
    Column("stream", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    _text("remote_ref"),
    Column("raw", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    UniqueConstraint("company_id", "connection_id", "stream", "digest"),
)

document = _company_table(
    "document",
    Column("sha256", String(64), nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("claim_id", Ident),
    Column("created_at", Moment, nullable=False),
    _to("claim", "claim_id"),
    key=("sha256",),
)

# --- collection ----------------------------------------------------------------------------------

proposal = _company_table(
    "proposal",
    Column("connection_id", Ident, nullable=False),
    Column("debtor_id", Ident, nullable=False),
    Column("state", String(20), nullable=False),  # proposed|approved|mandated|opened|dropped
    Column("annex", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    _text("approved_by"),
    Column("approved_at", Moment),
    Column("expires_at", Moment),
    _text("reason"),
    Column("created_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    _to("debtor", "debtor_id"),
)

mandate = _company_table(
    "mandate",
    Column("connection_id", Ident, nullable=False),
    Column("remote_id", Text),
    Column("state", String(16), nullable=False),
    Column("signing_url", Text),
    Column("annex", Text, nullable=False),
    Column("signed_at", Moment),
    Column("created_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
)

proposal_mandate = _company_table(
    "proposal_mandate",
    Column("proposal_id", Ident, nullable=False),
    Column("mandate_id", Ident, nullable=False),
    _to("proposal", "proposal_id"),
    _to("mandate", "mandate_id"),
    key=("proposal_id",),
)

procedure = _company_table(
    "procedure",
    Column("connection_id", Ident, nullable=False),
    Column("proposal_id", Ident, nullable=False),
    Column("mandate_id", Ident, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("state", String(16), nullable=False),  # active | paused | closed | unknown
    _text("phase"),
    _text("close_code"),
    _flag("disputed"),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    _to("proposal", "proposal_id"),
    _to("mandate", "mandate_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
)

reservation = _company_table(
    "reservation",
    Column("claim_id", Ident, nullable=False),
    Column("proposal_id", Ident, nullable=False),
    Column("procedure_id", Ident),
    _money("principal"),
    Column("handed_at", Moment),  # when the gate last let it pass: payments seen since are news
    Column("released_at", Moment),
    _to("claim", "claim_id"),
    _to("proposal", "proposal_id"),
    _to("procedure", "procedure_id"),
    # A claim is in at most one live proposal or procedure, over all collectors.
    Index(
        "uq_reservation_live",
        "company_id",
        "claim_id",
        unique=True,
        sqlite_where=text("released_at is null"),
        postgresql_where=text("released_at is null"),
    ),
    key=("claim_id", "proposal_id"),
)

effect = _company_table(
    "effect",
    Column("kind", String(32), nullable=False),
    Column("subject", Ident, nullable=False),  # the claim, or the proposal of a batch
    Column("cause", Text, nullable=False),
    Column("key", String(30), nullable=False),
    Column("connection_id", Ident, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("payload", Text, nullable=False),
    Column("payload_version", Integer, nullable=False),
    _text("token"),
    Column("ready_at", Moment, nullable=False),  # retry delay and lease expiry alike
    Column("attempts", Integer, nullable=False, server_default="0"),
    _text("remote_id"),
    _text("receipt"),
    _text("reason"),
    Column("fate", String(16)),  # of an entry in books: what its accountant made of it
    Column("awaited_at", Moment),  # when its tool last said that it still waits for him
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    _to("connection", "connection_id"),
    UniqueConstraint("company_id", "kind", "subject", "cause"),
    UniqueConstraint("company_id", "key"),
    CheckConstraint(
        "state in ('planned','sending','done','uncertain','refused','parked')", name="state"
    ),
    CheckConstraint("fate in ('pending','posted','altered','rejected')", name="fate"),
    Index(
        "ix_effect_ready",
        "lane",
        "ready_at",
        sqlite_where=text("state in ('planned','sending','uncertain')"),
        postgresql_where=text("state in ('planned','sending','uncertain')"),
    ),
    Index(
        "ix_effect_fate",
        "company_id",
        "fate",
        sqlite_where=text("fate in ('pending','posted')"),
        postgresql_where=text("fate in ('pending','posted')"),
    ),
)

# --- money ---------------------------------------------------------------------------------------

payment = _company_table(
    "payment",
    Column("claim_id", Ident, nullable=False),
    _money("amount"),  # negative when it reverses another
    Column("currency", String(3), nullable=False),
    Column("paid_on", Day, nullable=False),
    Column("origin", String(16), nullable=False),  # collector | source | credit
    Column("reverses", Ident),
    Column("settlement_id", Ident),  # what a collector's payment was made of
    Column("shown_by", Ident),  # the sighting whose tool showed it first, where a tool did
    _money("unallocated"),
    Column("created_at", Moment, nullable=False),
    _to("claim", "claim_id"),
    _to("payment", "reverses"),
    _to("sighting", "shown_by"),
    UniqueConstraint("company_id", "reverses"),
    CheckConstraint("amount <> 0", name="amount"),
)

payment_sighting = _company_table(
    "payment_sighting",
    Column("connection_id", Ident, nullable=False),
    Column("remote_ref", Text, nullable=False),
    Column("payment_id", Ident),
    Column("role", String(16), nullable=False),  # origin | echo | same | bridged
    Column("effect_id", Ident),
    Column("record", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    _to("payment", "payment_id"),
    _to("effect", "effect_id"),
    key=("connection_id", "remote_ref"),
)

allocation = _company_table(
    "allocation",
    Column("payment_id", Ident, nullable=False),
    Column("claim_id", Ident, nullable=False),
    Column("echeance_id", Ident, nullable=False),
    _money("amount"),
    Column("created_at", Moment, nullable=False),
    _to("payment", "payment_id"),
    _to("claim", "claim_id"),
    _to("echeance", "echeance_id"),
    UniqueConstraint("company_id", "payment_id", "claim_id", "echeance_id"),
    CheckConstraint("amount <> 0", name="amount"),
)

settlement = _company_table(
    "settlement",
    Column("connection_id", Ident, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("procedure_id", Ident, nullable=False),
    Column("claim_id", Ident, nullable=False),
    Column("payment_id", Ident),
    Column("state", String(16), nullable=False),  # pending | verified | rejected | reversed
    Column("currency", String(3), nullable=False),
    _money("principal"),
    _money("interest"),
    _money("indemnity"),
    _money("costs"),
    _money("fee", nullable=True),
    _money("fee_vat", nullable=True),
    Column("received_on", Day, nullable=False),
    Column("reversed_on", Day),
    Column("updated_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    _to("procedure", "procedure_id"),
    _to("claim", "claim_id"),
    _to("payment", "payment_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
)

payout = _company_table(
    "payout",
    Column("connection_id", Ident, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    _money("gross"),
    _money("fee"),
    _money("fee_vat"),
    _money("net"),
    Column("executed_on", Day),
    _text("bank_reference"),
    Column("record", Text, nullable=False),
    Column("updated_at", Moment, nullable=False),
    _to("connection", "connection_id"),
    UniqueConstraint("company_id", "connection_id", "remote_id"),
)

voucher_line = _company_table(
    "voucher_line",
    Column("payout_id", Ident, nullable=False),
    Column("position", Integer, nullable=False),
    Column("account", String(16), nullable=False),
    Column("label", Text, nullable=False),
    _money("debit"),
    _money("credit"),
    _text("reference"),
    _text("payment_ref"),  # the collected payment a line comes from; None for the fee's lines
    _to("payout", "payout_id"),
    CheckConstraint("debit >= 0 and credit >= 0 and (debit = 0) <> (credit = 0)", name="side"),
    key=("payout_id", "position"),
)

accounting_entry = _company_table(
    "accounting_entry",
    Column("payout_id", Ident, nullable=False),
    Column("number", Integer, nullable=False),  # EcritureNum, continuous
    Column("rows", Text, nullable=False),  # as handed over, written the same again
    Column("exported_at", Moment, nullable=False),
    _to("payout", "payout_id"),
    UniqueConstraint("company_id", "number"),
    key=("payout_id",),
)

exported_payment = _company_table(
    "exported_payment",
    Column("payment_id", Ident, nullable=False),
    Column("payout_id", Ident, nullable=False),
    _money("principal"),  # what the payout's voucher says of it
    _money("amount"),  # the part handed over, which is never written into a tool as well
    _to("payment", "payment_id"),
    _to("payout", "payout_id"),
    key=("payment_id", "payout_id"),
)

referrer = _company_table(
    "referrer",
    Column("kind", String(24), nullable=False),  # editor|information_company|insurer|cabinet|other
    Column("name", Text, nullable=False),
    Column("siren", String(9)),
    _text("vat_id"),
    Column("country", String(2), nullable=False, server_default="FR"),
    _text("address"),
    Column("vat_regime", String(16)),  # standard | franchise | reverse_charge
    _text("self_billing"),  # the mandate by which we invoice in its name; None: it invoices us
    Column("created_at", Moment, nullable=False),
)

referrer_contract = _company_table(
    "referrer_contract",
    Column("referrer_id", Ident, nullable=False),
    Column("starts_on", Day, nullable=False),
    Column("ends_on", Day),  # the last day it is in force
    Column("rate_ppm", Integer, nullable=False),  # parts per million of the basis
    Column("basis", String(16), nullable=False),  # fee_excl_vat
    Column("terms", Text, nullable=False),
    _text("legal_opinion"),
    _flag("shows_numbers"),  # whether statements may show the invoice's number
    Column("created_at", Moment, nullable=False),
    _to("referrer", "referrer_id"),
    UniqueConstraint("company_id", "referrer_id", "starts_on"),
    CheckConstraint("rate_ppm between 0 and 1000000", name="rate"),
    CheckConstraint("ends_on is null or ends_on >= starts_on", name="days"),
)

attribution = _company_table(
    "attribution",
    Column("sighting_id", Ident, nullable=False),
    Column("referrer_id", Ident, nullable=False),
    Column("connection_id", Ident, nullable=False),
    Column("attributed_at", Moment, nullable=False),
    _to("sighting", "sighting_id"),
    _to("referrer", "referrer_id"),
    _to("connection", "connection_id"),
    key=("sighting_id",),  # fixed at import, whatever claim the sighting joins
)

commission_line = _company_table(
    "commission_line",
    Column("settlement_id", Ident, nullable=False),
    Column("referrer_id", Ident, nullable=False),
    Column("contract_id", Ident, nullable=False),
    Column("kind", String(12), nullable=False),  # accrual | payable | clawback
    Column("rule_version", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    _money("basis"),
    _money("amount"),  # negative for a clawback; the payable line moves, it adds nothing
    _count("turn"),  # a settlement that was corrected accrues anew, once for each time
    Column("created_at", Moment, nullable=False),
    _to("settlement", "settlement_id"),
    _to("referrer", "referrer_id"),
    _to("referrer_contract", "contract_id"),
    UniqueConstraint("company_id", "settlement_id", "kind", "turn"),
)

commission_entry = _company_table(
    "commission_entry",
    Column("line_id", Ident, nullable=False),
    Column("position", Integer, nullable=False),
    Column("account", String(32), nullable=False),
    _money("amount"),  # entries of one line sum to zero
    _to("commission_line", "line_id"),
    key=("line_id", "position"),
)

commission_statement = _company_table(
    "commission_statement",
    Column("referrer_id", Ident, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("period", String(7), nullable=False),  # YYYY-MM
    Column("sequence", Integer, nullable=False),  # continuous per referrer
    Column("number", String(40), nullable=False),
    Column("invoice_number", String(40)),  # of the invoice we draw up in its name, where we do
    _money("carried"),  # what this month leaves to take off the next; never positive
    Column("document", Text, nullable=False),  # as issued, never written again
    Column("digest", String(64), nullable=False),  # sha256 of the document, also in the journal
    Column("issued_at", Moment, nullable=False),
    _to("referrer", "referrer_id"),
    UniqueConstraint("company_id", "referrer_id", "currency", "period"),
    UniqueConstraint("company_id", "referrer_id", "sequence"),
    UniqueConstraint("company_id", "number"),
    UniqueConstraint("company_id", "invoice_number"),
    CheckConstraint("carried <= 0", name="carried"),
)

statement_line = _company_table(
    "statement_line",
    Column("line_id", Ident, nullable=False),
    Column("statement_id", Ident, nullable=False),
    _to("commission_line", "line_id"),
    _to("commission_statement", "statement_id"),
    key=("line_id",),  # stated once
)

task = _company_table(
    "task",
    Column("kind", String(32), nullable=False),  # refund, maybe_same, double, conflict, dispute…
    Column("subject", Ident, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    _text("answer"),
    Index(
        "uq_task_open",
        "company_id",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("done_at is null"),
        postgresql_where=text("done_at is null"),
    ),
)

difference = _company_table(
    "difference",
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("claim_id", Ident),
    _text("one_tool"),
    _text("one_value"),
    _text("other_tool"),
    _text("other_value"),
    Column("sentence", Text, nullable=False),
    Column("advice", Text, nullable=False),  # what a person does about it
    Column("since", Moment, nullable=False),
    _to("claim", "claim_id"),
    key=("kind", "subject"),
)

# --- proof ---------------------------------------------------------------------------------------

event = _company_table(
    "event",
    Column("sequence", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("company_id", "hash"),
    key=("sequence",),
)

journal_head = _company_table(
    "journal_head",
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("sealed_at", Moment, nullable=False),
    key=("sequence",),
)

personal_value = _company_table(
    "personal_value",
    Column("digest", String(64), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    _text("value"),  # None once erased; the journal's hash still stands
    key=("digest",),
)

subscriber = _company_table(
    "subscriber",
    Column("name", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    key=("name",),
)

# --- running -------------------------------------------------------------------------------------

night = _company_table(
    "night",
    Column("night", Day, nullable=False),
    Column("phase", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # running | done
    Column("digest", Text, nullable=False, server_default="{}"),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    key=("night",),
)

rate_bucket = Table(
    "rate_bucket",
    metadata,
    Column("scope", String(160), primary_key=True),
    Column("window", Moment, nullable=False),
    Column("used", Integer, nullable=False),
    Column("tat", Moment, nullable=False),  # theoretical arrival time of the next call (GCRA)
)

refresh_lease = Table(
    "refresh_lease",
    metadata,
    Column("grant_id", Ident, ForeignKey("access_grant.id"), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("until", Moment, nullable=False),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("body", Text, nullable=False, server_default="{}"),
)

virtual_clock = Table(
    "virtual_clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("now", Moment, nullable=False),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kek_id", String(32), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("public_key", Text, nullable=False),
)
