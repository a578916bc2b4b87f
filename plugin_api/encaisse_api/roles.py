"""What a connector can do: small protocols; its capabilities are the ones its class has.

Every write takes its idempotency key first and has a twin that looks it up: `Receipt` when it
stands there, `Absent` when a complete search did not find it, an exception for every doubt (an
access refused, a server error, a page that is no list, a list that stops short). Which protection a
write really has is declared in the manifest (`key`, `lookup`, `none`) and examined. Some roles are
examined and not called yet: `UNCALLED`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from encaisse_api.collector_roles import (
    AcceptsDirectPayments,
    AcceptsDisputes,
    ChecksDebtor,
    IssuesAttestations,
    OffersFinancing,
    OpensProcedures,
    Quotes,
    ReportsProgress,
    ReportsSettlements,
    TakesMandates,
)
from encaisse_api.context import Context
from encaisse_api.manifest import Manifest
from encaisse_api.names import BLIND, WRITES
from encaisse_api.source import (
    Cursor,
    Delivery,
    Document,
    Granted,
    Hint,
    Missing,
    Page,
    Reminder,
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
class TellsReminders(Protocol):
    def reminders(self, ref: str) -> Sequence[Reminder]:
        """List the reminders the tool sent of one invoice, oldest first."""
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


ROLES: tuple[type, ...] = (
    Probes,
    ListsAccounts,
    PullsInvoices,
    PullsPayments,
    FetchesDocuments,
    TellsReminders,
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


UNCALLED: frozenset[str] = frozenset(
    {
        "PullsPayments",
        "RecordsPaymentsBlind",
        "ReportsLifecycle",
        "AcceptsDisputes",
        "IssuesAttestations",
        "ChecksDebtor",
        "OffersFinancing",
    }
)
"""Roles no phase of the host calls yet: examined like the others, and without effect until then."""


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
