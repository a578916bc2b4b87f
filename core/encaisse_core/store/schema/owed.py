"""What tools show, and the claims made of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)

from encaisse_core.store.schema.base import (
    Day,
    Ident,
    Moment,
    company_table,
    count,
    flag,
    money,
    only,
    to,
    words,
)

DIFFERENT = "open <> expected"
"""A record whose open amount is not what we can explain."""

UNFOLLOWED = "rung = 0 and (followed is null or followed <> fingerprint)"
"""A claim's first record that says something its claim was not brought up to yet."""

ODD = "presence <> 'live' or state = 'cancelled'"
"""A record that left its tool or was cancelled there: what makes a claim's state another."""

STALE = "(state = 'open' and open = 0) or (state = 'settled' and open <> 0)"
"""A claim whose state contradicts what is owed of it."""

debtor = company_table(
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

claim = company_table(
    "claim",
    Column("number", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("issue_date", Day, nullable=False),
    Column("currency", String(3), nullable=False),
    money("total"),
    money("open"),
    Column("state", String(20), nullable=False),  # open | settled | cancelled | unseen | merged
    Column("debtor_id", Ident),
    words("hold"),  # a person must lift it: dispute, maybe_same, conflict
    Column("merged_into", Ident),  # the claim a person said it is: that one owes, this one nothing
    Column("created_at", Moment, nullable=False),
    to("debtor", "debtor_id"),
    to("claim", "merged_into"),
    CheckConstraint("(state = 'merged') = (merged_into is not null)", name="merged"),
    Index("ix_claim_open", "company_id", "state"),
    only("ix_claim_stale", "company_id", where=STALE),
)

echeance = company_table(
    "echeance",
    Column("claim_id", Ident, nullable=False),
    Column("ref", Text, nullable=False),
    Column("due_date", Day),
    flag("due_estimated"),
    money("amount"),
    money("open"),
    to("claim", "claim_id"),
    UniqueConstraint("company_id", "claim_id", "ref"),
)

sighting = company_table(
    "sighting",
    Column("connection_id", Ident, nullable=False),
    Column("remote_ref", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of `record`: unchanged means no write
    Column("record", Text, nullable=False),  # SourceInvoice as JSON
    Column("number", Text, nullable=False),
    Column("state", String(16), nullable=False),  # open | settled | cancelled | unknown
    Column("presence", String(16), nullable=False),  # live | vanished | removed
    money("total"),
    money("open"),
    money("expected"),  # the open amount we can explain; a difference is news
    money("credited"),  # part of total - open the tool explains by credit notes
    money("expected_credited"),  # what of it we know already
    count("untold"),  # payments other tools showed and this one does not show yet, in cents
    count("written"),  # our entries that landed there: a page read before one is older than it
    Column("document_sha256", String(64)),
    Column("reminders", Text),  # sent by the tool, as JSON; null where nobody asked
    Column("claim_id", Ident),
    Column("rung", Integer),
    Column("followed", String(64)),  # fingerprint of the record its claim was last brought up to
    Column("changed_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    to("connection", "connection_id"),
    to("claim", "claim_id"),
    UniqueConstraint("company_id", "connection_id", "remote_ref"),
    Index("ix_sighting_claim", "company_id", "claim_id"),
    only("ix_sighting_written", "company_id", "connection_id", where="written > 0"),
    only("ix_sighting_different", "company_id", "connection_id", "remote_ref", where=DIFFERENT),
    only("ix_sighting_unfollowed", "company_id", "changed_at", where=UNFOLLOWED),
    only("ix_sighting_odd", "company_id", "claim_id", where=ODD),
)

claim_key = company_table(
    "claim_key",
    Column("rung", Integer, nullable=False),
    Column("value", Text, nullable=False),
    Column("claim_id", Ident, nullable=False),
    Column("sighting_id", Ident, nullable=False),
    to("claim", "claim_id"),
    to("sighting", "sighting_id"),
    key=("rung", "value", "sighting_id"),
)

claim_merge = company_table(
    "claim_merge",
    Column("kept_id", Ident, nullable=False),
    Column("gone_id", Ident, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("moved", Text, nullable=False),  # what the merge changed, as JSON: enough to undo it
    Column("made_at", Moment, nullable=False),
    Column("undone_at", Moment),
    words("undone_by"),
    words("undone_reason"),
    to("claim", "kept_id"),
    to("claim", "gone_id"),
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

possible_duplicate = company_table(
    "possible_duplicate",
    Column("claim_a", Ident, nullable=False),
    Column("claim_b", Ident, nullable=False),
    Column("why", Text, nullable=False),
    Column("answer", String(16)),  # same | different
    Column("created_at", Moment, nullable=False),
    to("claim", "claim_a"),
    to("claim", "claim_b"),
    CheckConstraint("claim_a < claim_b", name="ordered"),
    key=("claim_a", "claim_b"),
)

unreadable = company_table(
    "unreadable",
    Column("connection_id", Ident, nullable=False),
    Column("stream", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    words("remote_ref"),
    Column("raw", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    to("connection", "connection_id"),
    UniqueConstraint("company_id", "connection_id", "stream", "digest"),
)

document = company_table(
    "document",
    Column("sha256", String(64), nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("claim_id", Ident),
    Column("created_at", Moment, nullable=False),
    to("claim", "claim_id"),
    key=("sha256",),
)
