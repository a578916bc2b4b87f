"""Every table, and beside each the constraint that carries its guarantee.

The tenant is the company: every table that holds its facts has `company_id` first in its key, and
references to other rows of a company are composite, so that a row can never point at another
company's. Amounts are integer minor units (cents); instants are UTC text in ISO 8601 with
microseconds, which sorts as it reads and is the same on both databases; dates are ISO text.
"""

from __future__ import annotations

from encaisse_core.store.schema.asking import difference, task
from encaisse_core.store.schema.base import metadata
from encaisse_core.store.schema.collecting import (
    effect,
    mandate,
    procedure,
    proposal,
    proposal_mandate,
    reservation,
)
from encaisse_core.store.schema.hearing import delivery
from encaisse_core.store.schema.money import (
    accounting_entry,
    allocation,
    exported_payment,
    payment,
    payment_sighting,
    payout,
    settlement,
    voucher_line,
)
from encaisse_core.store.schema.owed import (
    claim,
    claim_key,
    claim_merge,
    debtor,
    document,
    echeance,
    possible_duplicate,
    sighting,
    unreadable,
)
from encaisse_core.store.schema.proving import event, journal_head, personal_value, subscriber
from encaisse_core.store.schema.referring import (
    attribution,
    commission_entry,
    commission_line,
    commission_statement,
    referrer,
    referrer_contract,
    statement_line,
)
from encaisse_core.store.schema.running import (
    heartbeat,
    night,
    rate_bucket,
    refresh_lease,
    restoration,
    signing_key,
    virtual_clock,
)
from encaisse_core.store.schema.who import (
    access,
    access_grant,
    bridge,
    company,
    connection,
    credential,
    cursor,
    organisation,
    routing,
)

__all__ = [
    "access",
    "access_grant",
    "accounting_entry",
    "allocation",
    "attribution",
    "bridge",
    "claim",
    "claim_key",
    "claim_merge",
    "commission_entry",
    "commission_line",
    "commission_statement",
    "company",
    "connection",
    "credential",
    "cursor",
    "debtor",
    "delivery",
    "difference",
    "document",
    "echeance",
    "effect",
    "event",
    "exported_payment",
    "heartbeat",
    "journal_head",
    "mandate",
    "metadata",
    "night",
    "organisation",
    "payment",
    "payment_sighting",
    "payout",
    "personal_value",
    "possible_duplicate",
    "procedure",
    "proposal",
    "proposal_mandate",
    "rate_bucket",
    "referrer",
    "referrer_contract",
    "refresh_lease",
    "reservation",
    "restoration",
    "routing",
    "settlement",
    "sighting",
    "signing_key",
    "statement_line",
    "subscriber",
    "task",
    "unreadable",
    "virtual_clock",
    "voucher_line",
]
