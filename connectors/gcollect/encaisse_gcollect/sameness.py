"""Judge whether what stands under a key is the effect we would send: pure.

A key names one effect, so other content under it is a question for a person (`Conflict`), never
something to overwrite or to take for ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from encaisse_api import (
    Amendment,
    AnnexLine,
    ClaimFile,
    DirectPayment,
    Dispute,
    MandateDraft,
    Money,
    Pause,
    Withdrawal,
)
from encaisse_gcollect.mapping import annex_line
from encaisse_gcollect.wire import (
    ClaimedRow,
    DirectPaymentRow,
    DisputeRow,
    MandateRow,
    ProcedureRow,
    TimelineRow,
)

ENDED = frozenset({"withdrawn", "recovered", "paid_directly", "irrecoverable"})
"""States of an invoice in a procedure about which nothing more is said to the debtor."""


def same_mandate(row: MandateRow, draft: MandateDraft) -> bool:
    """Same quotes, same annex line by line, whatever the order."""
    annex = {line.claim_id: line for line in draft.annex}
    return set(row.quote_ids) == set(draft.quote_ids) and annex == _lines(row)


def same_procedure(row: ProcedureRow, file: ClaimFile) -> bool:
    """Every claim of the file stands there, for at least what the file now claims.

    The file is built again before each look-up and its amounts may only have gone down, a claim
    paid meanwhile even left out; so what landed first may claim more, never less.
    """
    standing = {each.external_id: each for each in row.invoices}
    return all(_at_least(standing.get(each.line.claim_id), each.line) for each in file.claims)


def _at_least(row: ClaimedRow | None, line: AnnexLine) -> bool:
    if row is None:
        return False
    identity = (row.number, row.issue_date, row.due_date)
    return identity == (line.invoice_number, line.issue_date, line.due_date) and all(
        there.money().currency == here.currency and there.money().minor >= here.minor
        for there, here in (
            (row.principal, line.principal),
            (row.interest, line.interest),
            (row.indemnity, line.indemnity),
        )
    )


def same_withdrawal(entry: TimelineRow, row: ProcedureRow, wanted: Withdrawal) -> bool:
    """Same reason, claims among those asked for, and none of those asked for still talked about.

    The entry names by invoice number what was still in procedure then; a claim that had ended
    before is asked for in vain and not named.
    """
    numbers = {each.external_id: each.number for each in row.invoices}
    asked = {numbers.get(claim_id) for claim_id in wanted.claim_ids}
    taken = set(entry.data.invoice_numbers)
    return entry.data.reason == wanted.reason and taken <= asked and withdrawn(row, wanted)


def withdrawn(row: ProcedureRow, wanted: Withdrawal) -> bool:
    """Tell whether nothing more is said about any of these claims."""
    states = {each.external_id: each.status for each in row.invoices}
    return all(states.get(claim_id) in ENDED for claim_id in wanted.claim_ids)


def same_pause(entry: TimelineRow, wanted: Pause) -> bool:
    """Same reason."""
    return entry.data.reason == wanted.reason


def same_amendment(entry: TimelineRow, wanted: Amendment) -> bool:
    """Exactly this invoice, lowered to exactly this principal."""
    lowered: Mapping[str, Money] = {
        each.number: each.principal.money() for each in entry.data.invoices
    }
    return lowered == {wanted.invoice_number: wanted.principal}


def amended(row: ProcedureRow, wanted: Amendment) -> bool:
    """Tell whether the procedure now claims this principal."""
    principals = {each.external_id: each.principal.money() for each in row.invoices}
    return principals.get(wanted.claim_id) == wanted.principal


def same_direct_payment(row: DirectPaymentRow, payment: DirectPayment) -> bool:
    """Same procedure, claim, invoice, amount, day, and the same word on whether it settles."""
    return (
        row.procedure_id,
        row.external_id,
        row.invoice_number,
        row.amount.money(),
        row.paid_on,
        row.settles,
    ) == (
        payment.procedure_ref,
        payment.claim_id,
        payment.invoice_number,
        payment.amount,
        payment.paid_on,
        payment.settles,
    )


def same_dispute(row: DisputeRow, contested: Dispute) -> bool:
    """Same procedure, claim and reason."""
    return (row.procedure_id, row.external_id, row.reason) == (
        contested.procedure_ref,
        contested.claim_id,
        contested.reason,
    )


def _lines(row: MandateRow) -> dict[str, AnnexLine]:
    return {line.external_id: annex_line(line) for line in row.invoices}
