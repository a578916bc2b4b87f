"""GCollect as a partner of the world, and what people and debtors do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from encaisse_simulator.gcollect.api import Api
from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.closing import close_without_recovery
from encaisse_simulator.gcollect.disputes import open_dispute, resolve_dispute
from encaisse_simulator.gcollect.entities import (
    ClaimedInvoice,
    Client,
    Creditor,
    Debtor,
    FiledDocument,
    Message,
    Parts,
    Procedure,
)
from encaisse_simulator.gcollect.feeds import REST_HEADER
from encaisse_simulator.gcollect.mandates import (
    refuse_mandate,
    revoke_mandate,
    sign_mandate,
    signing_url,
)
from encaisse_simulator.gcollect.payments import Method, receive, reverse
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.webhooks import WebhookDelivery
from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.partner import Clock
from encaisse_simulator.wire import Json, SimRequest, SimResponse

HOST = "api.gcollect.example"


@dataclass(frozen=True, slots=True)
class ProcedureLine:
    """Tell where one invoice stands in one procedure, by what anybody can see."""

    creditor_siren: str
    invoice_number: str
    issue_year: int
    status: str
    opened_at: datetime
    closed_at: datetime | None
    close_code: str | None


class GCollect:
    """Answer the assumed contract, and let tests act as signers, debtors and staff."""

    host = HOST

    def __init__(self, clock: Clock, ids: OpaqueIds) -> None:
        self._books = Books(clock, ids)
        self._api = Api(self._books)
        self._base_url = f"https://{HOST}"
        self._rows_after = 0

    # What the world asks of a partner.

    def serves(self, path: str) -> bool:
        """Tell whether a path is one of GCollect's."""
        return self._api.serves(path)

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        response = self._api.answer(request, self._base_url)
        headers = dict(response.headers)
        self._rows_after = int(headers.pop(REST_HEADER, "0"))
        return SimResponse(response.status, headers, response.body)

    def tick(self) -> None:
        """Verify, pay out, write to debtors, let mandates expire: whatever has fallen due."""
        self._books.catch_up()

    def published_at(self, base_url: str | None) -> None:
        """Give signing links under this address from now on."""
        self._base_url = base_url or f"https://{HOST}"

    def ledger(self) -> list[LedgerEntry]:
        """Tell every effect, oldest first."""
        return list(self._books.ledger)

    def unauthorized(self) -> SimResponse:
        """Refuse a token."""
        return self._api.refuse(Problem("unauthorized"))

    def too_many(self, retry_after: int) -> SimResponse:
        """Refuse for speed."""
        response = self._api.refuse(Problem("rate_limited"))
        return response.with_headers({"retry-after": str(retry_after)})

    def cut(self, listing: Mapping[str, Json], *, honest_total: bool) -> Json:
        """Drop the second half of a page and everything after it."""
        items = listing.get("items")
        if not isinstance(items, list) or not items:
            return None
        kept = items[: len(items) // 2]
        lost = len(items) - len(kept) + self._rows_after
        total = cast("int", listing["total"])
        return {
            "items": kept,
            "has_more": False,
            "next_cursor": None,
            "total": total if honest_total else total - lost,
        }

    # Settings of the simulation.

    @property
    def rate_limit(self) -> int | None:
        """Give the calls allowed per second and client; None, the default, limits nothing.

        A world's clock stands still between two moves, so a limit only makes sense for a client
        that waits on the world's clock.
        """
        return self._api.rate_limit

    @rate_limit.setter
    def rate_limit(self, per_second: int | None) -> None:
        self._api.rate_limit = per_second

    @property
    def coarse_clock(self) -> bool:
        """Tell whether changes are dated to the second, so that several share one date."""
        return self._books.coarse_clock

    @coarse_clock.setter
    def coarse_clock(self, coarse: bool) -> None:
        self._books.coarse_clock = coarse

    # Accounts.

    def register_creditor(
        self,
        siren: str,
        name: str,
        client_id: str,
        client_secret: str,
        *,
        webhook_secret: str | None = None,
    ) -> str:
        """Open a creditor's account and give its id; one client may open several creditors."""
        known = self._books.clients.setdefault(client_id, Client(client_id, client_secret))
        if known.secret != client_secret:
            raise ValueError(f"client {client_id} has another secret")
        creditor_id = self._books.ids.draw("cre")
        self._books.creditors[creditor_id] = Creditor(
            creditor_id, siren, name, client_id, webhook_secret
        )
        return creditor_id

    def disable_client(self, client_id: str) -> None:
        """Withdraw an access: its tokens and its secret are refused."""
        self._books.clients[client_id].enabled = False

    def mark_insolvent(self, siren: str) -> None:
        """Let a debtor enter insolvency proceedings."""
        self._books.insolvent.add(siren)

    # Mandates, by the same path as the page.

    def signing_url(self, mandate_id: str) -> str:
        """Give the address of a mandate's signing page."""
        return signing_url(self._books.mandates[mandate_id], self._base_url)

    def sign_mandate(self, mandate_id: str, *, name: str, email: str) -> None:
        """Let a person sign."""
        sign_mandate(self._books, self._books.mandates[mandate_id], name=name, email=email)

    def refuse_mandate(self, mandate_id: str) -> None:
        """Let a person refuse."""
        refuse_mandate(self._books, self._books.mandates[mandate_id])

    def revoke_mandate(self, mandate_id: str) -> None:
        """Let the creditor revoke a signed mandate."""
        revoke_mandate(self._books, self._books.mandates[mandate_id])

    # Debtors.

    def debtor_pays(
        self,
        procedure_id: str,
        invoice_number: str,
        cents: int,
        at: datetime | None = None,
        *,
        method: Method = "card",
        interest_cents: int = 0,
        indemnity_cents: int = 0,
        mode: str | None = None,
    ) -> str:
        """Let the debtor pay `cents`, some of it interest or indemnity; give the payment's id."""
        procedure, invoice = self._invoice(procedure_id, invoice_number)
        principal = cents - interest_cents - indemnity_cents
        parts = Parts(principal, interest_cents, indemnity_cents)
        when = at or self._books.now
        books = self._books
        return receive(books, procedure, invoice, parts, at=when, method=method, mode=mode).id

    def debtor_pays_instalment(
        self,
        procedure_id: str,
        invoice_number: str,
        cents: int,
        n: int,
        at: datetime | None = None,
        *,
        method: Method = "card",
    ) -> str:
        """Let the debtor pay the n-th instalment of a plan."""
        mode = f"instalment({n})"
        return self.debtor_pays(procedure_id, invoice_number, cents, at, method=method, mode=mode)

    def reverse_payment(self, payment_id: str, at: datetime | None = None) -> None:
        """Let a payment go back."""
        books = self._books
        reverse(books, books.payments[payment_id], at=at or books.now)

    def debtor_disputes(
        self, procedure_id: str, reason: str, invoice_number: str | None = None
    ) -> str:
        """Let the debtor contest an invoice, the first one when none is named; give the id."""
        procedure = self._books.procedures[procedure_id]
        if procedure.status == "closed":
            raise ValueError(f"procedure {procedure_id} is closed")
        number = invoice_number or procedure.invoices[0].line.number
        _, invoice = self._invoice(procedure_id, number)
        return open_dispute(self._books, procedure, invoice, reason, "debtor", None).id

    # Staff.

    def resolve_dispute(
        self, dispute_id: str, resolution: Literal["denied", "upheld", "withdrawn"]
    ) -> None:
        """Let a person decide a dispute."""
        resolve_dispute(self._books, self._books.disputes[dispute_id], resolution)

    def close_irrecoverable(
        self,
        procedure_id: str,
        code: Literal["irrecoverable", "debtor_insolvent", "time_barred"] = "irrecoverable",
        cause: str = "Débiteur sans solution de paiement",
    ) -> None:
        """Give a procedure up and issue the attestation."""
        close_without_recovery(self._books, self._books.procedures[procedure_id], code, cause)

    # What a proof reads.

    def outreach(self) -> list[Message]:
        """Tell every message sent to a debtor, oldest first."""
        return list(self._books.messages)

    def deliveries(self) -> list[WebhookDelivery]:
        """Take the signed webhooks waiting to be delivered."""
        waiting = list(self._books.deliveries)
        self._books.deliveries.clear()
        return waiting

    def procedures_ledger(self) -> list[ProcedureLine]:
        """Tell where each invoice of each procedure stands."""
        return [
            ProcedureLine(
                creditor_siren=self._books.creditors[procedure.creditor_id].siren,
                invoice_number=invoice.line.number,
                issue_year=invoice.line.issue_date.year,
                status=procedure.status,
                opened_at=procedure.opened_at,
                closed_at=procedure.closed_at,
                close_code=procedure.close_code,
            )
            for procedure in self._books.procedures.values()
            for invoice in procedure.invoices
        ]

    def received_file(self, procedure_id: str) -> tuple[Debtor, tuple[FiledDocument, ...]]:
        """Tell which personal data and documents a procedure was opened with."""
        procedure = self._books.procedures[procedure_id]
        return procedure.debtor, procedure.documents

    def procedure_ids(self, invoice_number: str, issue_year: int | None = None) -> list[str]:
        """Find the procedures an invoice is or was in."""
        return [
            procedure.id
            for procedure in self._books.procedures.values()
            for invoice in procedure.invoices
            if invoice.line.number == invoice_number
            and issue_year in (None, invoice.line.issue_date.year)
        ]

    def pending_mandates(self) -> list[str]:
        """List the mandates that wait for a signature."""
        mandates = self._books.mandates.values()
        return [each.id for each in mandates if each.status == "pending_signature"]

    def _invoice(self, procedure_id: str, number: str) -> tuple[Procedure, ClaimedInvoice]:
        procedure = self._books.procedures[procedure_id]
        invoice = procedure.invoice(number)
        if invoice is None:
            raise KeyError(f"invoice {number} is not in procedure {procedure_id}")
        return procedure, invoice
