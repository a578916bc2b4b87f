"""Factomos as a partner of the world, and what its users do in it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast

from encaisse_simulator.desk import Desk
from encaisse_simulator.factomos.account import (
    Account,
    Contact,
    Invoice,
    InvoiceKind,
    Mail,
    Payment,
)
from encaisse_simulator.factomos.calls import Call, Handler, routes
from encaisse_simulator.factomos.legacy import LegacyFactomos
from encaisse_simulator.factomos.refusals import Refused, refusal
from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.ledger import LedgerEntry, Via
from encaisse_simulator.paris import paris_date
from encaisse_simulator.partner import Clock
from encaisse_simulator.wire import Json, SimRequest, SimResponse, as_json

HOST = "api.factomos.com"

DAILY_CALLS = 500
"""Documented default quota [fac-legacy]."""


@dataclass(frozen=True, slots=True)
class Notification:
    """Hold one webhook, unsigned as documented [fac-legacy]; the simulator sends none itself."""

    account_siren: str
    body: bytes


class Factomos(Desk[Handler, Notification]):
    """Keep the books of several companies and answer REST v1 for each by its token."""

    host = HOST

    def __init__(self, clock: Clock, ids: OpaqueIds) -> None:
        self._clock = clock
        self._ids = ids
        self._accounts: dict[str, Account] = {}
        super().__init__(routes())
        self.legacy = LegacyFactomos(clock, self._add_payment)
        """The older interface over the same books; the world serves it as a partner of its own."""

    # What the world asks of a partner.

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        try:
            return self._answer(request)
        except Refused as refused:
            return refusal(refused.name)

    def tick(self) -> None:
        """Do nothing: statuses are worked out when they are read."""

    def unauthorized(self) -> SimResponse:
        """Refuse a token."""
        return refusal("bad_token")

    def too_many(self, retry_after: int) -> SimResponse:
        """Refuse for speed; the header is assumed."""
        return refusal("quota").with_headers({"retry-after": str(retry_after)})

    def cut(self, listing: Mapping[str, Json], *, honest_total: bool) -> Json:
        """Drop the second half of a list."""
        for name in ("invoices", "contacts", "payments"):
            rows = listing.get(name)
            if not isinstance(rows, list) or not rows:
                continue
            kept = rows[: len(rows) // 2]
            if honest_total:
                return {**listing, name: kept}
            if name == "payments":
                return {**listing, name: kept, "total_payments": len(kept)}
            pagination = cast("Mapping[str, int]", listing["pagination"])
            last = pagination["first_row"] + len(kept) - 1
            counts: dict[str, Json] = {"last_row": last, f"total_{name}": last + 1}
            return {**listing, name: kept, "pagination": {**pagination, **counts}}
        return None

    def _answer(self, request: SimRequest) -> SimResponse:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refused("no_token")
        account = self._accounts.get(token)
        if account is None:
            raise Refused("bad_token")
        if not account.spend_call(self._clock.now):
            raise Refused("quota")
        matched = self._routes.find(request.method, request.path)
        if matched is None:
            raise Refused("bad_method" if self.serves(request.path) else "unknown_action")

        def record(invoice: Invoice, payment: Payment) -> None:
            self._add_payment(account, invoice, payment)

        today = paris_date(self._clock.now)
        return matched.handler(Call(request, matched.values, account, today, self._ids, record))

    # What people do in the tool.

    def add_company(
        self,
        token: str,
        siren: str,
        name: str,
        *,
        daily_calls: int = DAILY_CALLS,
        apart: bool = False,
    ) -> None:
        """Open an account reached by a token; a second token may open the same SIREN's books.

        `apart` opens books of its own, as a second establishment of the company keeps.
        """
        held = () if apart else self._accounts.values()
        same = next((account for account in held if account.siren == siren), None)
        self._accounts[token] = same or Account(siren, name, daily_calls=daily_calls)

    def add_legacy_access(self, account: str, token: str, secret: str) -> None:
        """Give the account a token opens a pair of keys for the older interface."""
        self.legacy.open(token, secret, self._accounts[account])

    def add_contact(
        self,
        token: str,
        company_name: str,
        *,
        siret: str = "",
        vat_number: str = "",
        address: str = "",
        postcode: str = "",
        city: str = "",
        email: str = "",
        first_name: str = "",
        last_name: str = "",
        phone: str = "",
        category: Literal["client", "fournisseur", "prospect"] = "client",
    ) -> str:
        """Add a customer card; give its pid."""
        contact = Contact(
            pid=self._ids.draw("ctc"),
            company_name=company_name,
            siret=siret,
            vat_number=vat_number,
            address=address,
            postcode=postcode,
            city=city,
            email=email,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            category=category,
        )
        self._accounts[token].contacts[contact.pid] = contact
        self._accounts[token].enrol(contact.pid)
        return contact.pid

    def add_invoice(
        self,
        number: str,
        contact: str,
        issued: date,
        due: date | None,
        total_cents: int,
        *,
        kind: InvoiceKind = "invoice",
        recurring: bool = False,
        document: bytes | None = None,
        tags: tuple[str, ...] = (),
        title: str = "Prestation",
    ) -> str:
        """Issue an invoice to a contact's pid; give its own pid.

        A `credit` is a negative row without an origin, as users enter one by hand; for an avoir
        that answers an invoice see `credit_note`.
        """
        if (total_cents < 0) != (kind == "credit"):
            raise ValueError("a credit, and only a credit, has a negative total")
        account = next(held for held in self._accounts.values() if contact in held.contacts)
        pid = self._ids.draw("inv")
        account.invoices[pid] = Invoice(
            pid=pid,
            number=number,
            contact=account.contacts[contact],
            issued=issued,
            due=due,
            total_cents=total_cents,
            kind=kind,
            recurring=recurring,
            title=title,
            document=document,
            document_key=self._ids.token("document")[:24],
            tags=tags,
        )
        account.enrol(pid)
        account.moved()
        self._notify(account, "create_invoice", pid)
        return pid

    def send_mail(self, pid: str, template: str, at: datetime) -> None:
        """Let the tool write to the customer of an invoice, by a model such as `reminder1`."""
        account, invoice = self._owner(pid)
        invoice.mails.append(Mail(70 + len(invoice.mails), template, at))
        self._notify(account, "send_invoice", pid)

    def serial(self, pid: str) -> str:
        """Tell the number under which the older interface knows an invoice."""
        return self._owner(pid)[0].serial(pid)

    def customer_pays(self, pid: str, cents: int, on: date, reference: str = "") -> str:
        """Let the user record that the customer paid the company; give the payment's id."""
        account, invoice = self._owner(pid)
        if cents <= 0:
            raise ValueError("a payment is positive; undo one with undo_payment")
        payment = Payment(self._ids.draw("pay"), cents, "virement", reference, on, "user")
        self._add_payment(account, invoice, payment)
        return payment.payment_id

    def undo_payment(self, pid: str, cents: int, on: date, reference: str = "") -> str:
        """Let the user enter that money went back: a negative payment."""
        account, invoice = self._owner(pid)
        payment = Payment(self._ids.draw("pay"), -abs(cents), "virement", reference, on, "user")
        self._add_payment(account, invoice, payment)
        return payment.payment_id

    def credit_note(self, pid: str, cents: int, on: date, number: str = "") -> str:
        """Let the user credit an invoice; give the pid of the avoir."""
        account, invoice = self._owner(pid)
        if not 0 < cents <= invoice.due_cents:
            raise ValueError("an avoir credits at most what is due")
        avoir_pid = self._ids.draw("inv")
        account.invoices[avoir_pid] = Invoice(
            pid=avoir_pid,
            number=number or f"AV-{invoice.number}-{len(account.invoices)}",
            contact=invoice.contact,
            issued=on,
            due=None,
            total_cents=-cents,
            kind="credit",
            title=f"Avoir sur {invoice.number}",
            origin_pid=pid,
            is_avoir=True,
            # An avoir made from an invoice is used up by it: nothing of it stays open.
            credited_cents=-cents,
        )
        account.enrol(avoir_pid)
        invoice.credited_cents += cents
        account.moved()
        self._enter(account, invoice, cents, on, "credit_note", "user")
        self._notify(account, "create_avoir", avoir_pid)
        return avoir_pid

    def delete_invoice(self, pid: str) -> None:
        """Let the user delete an invoice: it leaves every list and answers 404."""
        account, _ = self._owner(pid)
        del account.invoices[pid]
        account.moved()
        self._notify(account, "delete_invoice", pid)

    def calls_today(self, token: str) -> int:
        """Tell how many calls a token's account has spent today in Paris."""
        return self._accounts[token].spent(self._clock.now)

    def payment_references(self, pid: str) -> list[str]:
        """Read back the references kept with an invoice's payments."""
        return [payment.reference for payment in self._owner(pid)[1].payments]

    def invoices(self, token: str) -> list[Invoice]:
        """List a company's invoices and credits, as its lists do."""
        return list(self._accounts[token].listed())

    def _owner(self, pid: str) -> tuple[Account, Invoice]:
        for account in self._accounts.values():
            if pid in account.invoices:
                return account, account.invoices[pid]
        raise KeyError(f"no invoice has pid {pid}")

    def _add_payment(self, account: Account, invoice: Invoice, payment: Payment) -> None:
        invoice.payments.append(payment)
        account.moved()
        kind = "payment" if payment.cents > 0 else "reversal"
        self._enter(account, invoice, payment.cents, payment.on, kind, payment.via)
        self._notify(account, "add_invoice_payment", invoice.pid)

    def _enter(
        self, account: Account, invoice: Invoice, cents: int, on: date, kind: str, via: Via
    ) -> None:
        self._ledger.append(
            LedgerEntry("factomos", account.siren, invoice.number, cents, on, kind, via)
        )

    def _notify(self, account: Account, kind: str, pid: str) -> None:
        body: Json = {
            "company_id": account.siren,
            "notification_type": kind,
            "result": {"id": pid, "error": {"code": 0, "message": "OK"}},
            "custom": "",
        }
        self._notifications.append(Notification(account.siren, as_json(body)))
