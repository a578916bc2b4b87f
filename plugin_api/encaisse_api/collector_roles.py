"""What a collector, a register or a lender can do: the roles beyond those of tools.

The rules of writes and look-ups are those of `roles.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from encaisse_api.base import RemoteRef
from encaisse_api.collection import (
    Amendment,
    ClaimFile,
    DirectPayment,
    Dispute,
    Mandate,
    MandateDraft,
    MandateLink,
    Need,
    Offer,
    Pause,
    ProcedureState,
    Quote,
    QuoteRequest,
    SignedMandate,
    Standing,
    Withdrawal,
)
from encaisse_api.settling import Attestation, CollectedPayment, CollectorPayout
from encaisse_api.source import Cursor, Page
from encaisse_api.writing import Absent, Receipt


@runtime_checkable
class Quotes(Protocol):
    def quote(self, request: QuoteRequest) -> Quote:
        """Price claims without naming anybody and without any effect."""
        ...


@runtime_checkable
class TakesMandates(Protocol):
    def find_mandate(self, key: str, draft: MandateDraft) -> MandateLink | Absent:
        """Look a requested mandate up."""
        ...

    def request_mandate(self, key: str, draft: MandateDraft) -> MandateLink:
        """Ask for a mandate; a person signs it at the link."""
        ...

    def read_mandate(self, ref: RemoteRef) -> Mandate:
        """Read a mandate back."""
        ...


@runtime_checkable
class OpensProcedures(Protocol):
    def find_procedure(self, key: str, file: ClaimFile) -> Receipt | Absent:
        """Look a procedure up."""
        ...

    def open_procedure(self, key: str, file: ClaimFile, mandate: SignedMandate) -> Receipt:
        """Open a procedure under a signed mandate."""
        ...

    def find_withdrawal(self, key: str, withdrawal: Withdrawal) -> Receipt | Absent:
        """Look a withdrawal up."""
        ...

    def withdraw(self, key: str, withdrawal: Withdrawal) -> Receipt:
        """Take claims back: nothing more is said to the debtor about them."""
        ...

    def find_pause(self, key: str, pause: Pause) -> Receipt | Absent:
        """Look a pause up."""
        ...

    def pause(self, key: str, pause: Pause) -> Receipt:
        """Suspend the dialogue."""
        ...

    def find_amendment(self, key: str, amendment: Amendment) -> Receipt | Absent:
        """Look an amendment up."""
        ...

    def amend(self, key: str, amendment: Amendment) -> Receipt:
        """Lower what is claimed."""
        ...


@runtime_checkable
class ReportsProgress(Protocol):
    def pull_progress(self, since: Cursor | None) -> Iterator[Page[ProcedureState]]:
        """Yield where procedures stand."""
        ...


@runtime_checkable
class ReportsSettlements(Protocol):
    def pull_payments_collected(self, since: Cursor | None) -> Iterator[Page[CollectedPayment]]:
        """Yield payments the collector knows, reversals too."""
        ...

    def pull_payouts(self, since: Cursor | None) -> Iterator[Page[CollectorPayout]]:
        """Yield transfers to the creditor."""
        ...


@runtime_checkable
class AcceptsDirectPayments(Protocol):
    def find_direct_payment(self, key: str, payment: DirectPayment) -> Receipt | Absent:
        """Look a declaration up."""
        ...

    def declare_direct_payment(self, key: str, payment: DirectPayment) -> Receipt:
        """Declare that the debtor paid the creditor."""
        ...


@runtime_checkable
class AcceptsDisputes(Protocol):
    def find_dispute(self, key: str, dispute: Dispute) -> Receipt | Absent:
        """Look a dispute up."""
        ...

    def open_dispute(self, key: str, dispute: Dispute) -> Receipt:
        """Hand a contested claim to a person."""
        ...


@runtime_checkable
class IssuesAttestations(Protocol):
    def attestation(self, procedure_ref: RemoteRef) -> Attestation | None:
        """Read the attestation of non-recovery, None while there is none."""
        ...


@runtime_checkable
class ChecksDebtor(Protocol):
    def check_debtor(self, siren: str) -> Standing:
        """Tell a company's standing."""
        ...


@runtime_checkable
class OffersFinancing(Protocol):
    def find_financing(self, key: str, need: Need) -> Receipt | Absent:
        """Look a request up."""
        ...

    def request_financing(self, key: str, need: Need) -> Receipt:
        """Ask for financing."""
        ...

    def financing_offers(self, ref: RemoteRef) -> Sequence[Offer]:
        """List the offers received."""
        ...
