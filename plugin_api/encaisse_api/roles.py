"""What a connector can do: small protocols; its capabilities are the ones its class has.

Every write takes its idempotency key first and has a twin that looks it up: `Receipt` when it
stands there, `Absent` when a complete search did not find it, an exception for every doubt (an
access refused, a server error, a page that is no list, a list that stops short). Which protection a
write really has is declared in the manifest (`key`, `lookup`, `none`) and examined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol, runtime_checkable

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
from encaisse_api.context import Context
from encaisse_api.manifest import Manifest
from encaisse_api.names import BLIND, WRITES
from encaisse_api.settling import Attestation, CollectedPayment, CollectorPayout
from encaisse_api.source import (
    Cursor,
    Delivery,
    Document,
    Granted,
    Hint,
    Missing,
    Page,
    RemoteAccount,
    SourceInvoice,
    SourcePayment,
)
from encaisse_api.writing import (
    Absent,
    FollowedUp,
    LetteringEntry,
    LifecycleStatus,
    PaymentEntry,
    Receipt,
    ReversalEntry,
)


class Connector(Protocol):
    """Be built from one context; keep nothing between two units of work."""

    manifest: ClassVar[Manifest]

    def __init__(self, context: Context) -> None: ...


@runtime_checkable
class Probes(Protocol):
    def probe(self) -> Granted:
        """Tell health, and what this grant may do today."""
        ...


@runtime_checkable
class ListsAccounts(Protocol):
    def accounts(self) -> Sequence[RemoteAccount]:
        """List every dossier the grant opens."""
        ...


@runtime_checkable
class PullsInvoices(Protocol):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Yield every open customer item, due or not, credit notes and credits too."""
        ...

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        """Read these again, one answer per ref, in order: the last look before an effect."""
        ...


@runtime_checkable
class PullsPayments(Protocol):
    def pull_payments(self, since: Cursor | None) -> Iterator[Page[SourcePayment]]:
        """Yield the payments the tool knows."""
        ...


@runtime_checkable
class FetchesDocuments(Protocol):
    def fetch_document(self, ref: str) -> Document:
        """Fetch one document as it is stored there."""
        ...


@runtime_checkable
class RecordsPayments(Protocol):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        """Look this payment up."""
        ...

    def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
        """Record it."""
        ...


@runtime_checkable
class RecordsPaymentsBlind(Protocol):
    def record_payment_blind(self, key: str, payment: PaymentEntry) -> Receipt:
        """Record a payment where nothing can be looked up: at most once, doubt goes to a person."""
        ...


@runtime_checkable
class ReversesPayments(Protocol):
    def find_reversal(self, key: str, reversal: ReversalEntry) -> Receipt | Absent:
        """Look this reversal up."""
        ...

    def reverse_payment(self, key: str, reversal: ReversalEntry) -> Receipt:
        """Undo a recorded payment by an entry of its own."""
        ...


@runtime_checkable
class LettersEntries(Protocol):
    def find_lettering(self, key: str, lettering: LetteringEntry) -> Receipt | Absent:
        """Look this lettering up."""
        ...

    def letter(self, key: str, lettering: LetteringEntry) -> Receipt:
        """Letter lines that balance."""
        ...


@runtime_checkable
class FollowsUp(Protocol):
    def follow_up(self, remote_ids: Sequence[str]) -> Sequence[FollowedUp]:
        """Tell what became of drafts."""
        ...


@runtime_checkable
class ReportsLifecycle(Protocol):
    def pull_statuses(self, since: Cursor | None) -> Iterator[Page[LifecycleStatus]]:
        """Yield life-cycle statuses."""
        ...

    def find_status(self, key: str, status: LifecycleStatus) -> Receipt | Absent:
        """Look this status up."""
        ...

    def send_status(self, key: str, status: LifecycleStatus) -> Receipt:
        """Send a status."""
        ...


@runtime_checkable
class ReceivesWebhooks(Protocol):
    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        """Turn a verified delivery into hints."""
        ...


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


ROLES: tuple[type, ...] = (
    Probes,
    ListsAccounts,
    PullsInvoices,
    PullsPayments,
    FetchesDocuments,
    RecordsPayments,
    RecordsPaymentsBlind,
    ReversesPayments,
    LettersEntries,
    FollowsUp,
    ReportsLifecycle,
    ReceivesWebhooks,
    Quotes,
    TakesMandates,
    OpensProcedures,
    ReportsProgress,
    ReportsSettlements,
    AcceptsDirectPayments,
    AcceptsDisputes,
    IssuesAttestations,
    ChecksDebtor,
    OffersFinancing,
)


def roles_of(connector: type) -> tuple[str, ...]:
    """Name the roles a connector class has, from its methods alone."""
    return tuple(role.__name__ for role in ROLES if issubclass(connector, role))


def writes_of(connector: type) -> tuple[str, ...]:
    """Name the writes a connector class can do; each needs a guarantee in its manifest."""
    names = [*WRITES, BLIND]
    wanted = {name for role in roles_of(connector) for name in _methods(role)}
    return tuple(name for name in names if name in wanted)


def _methods(role: str) -> set[str]:
    protocol = next(candidate for candidate in ROLES if candidate.__name__ == role)
    return {name for name in vars(protocol) if not name.startswith("_")}
