"""What people do in Libeo by hand: enter invoices, take them through the circuit, pay."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.ledger import Via
from encaisse_simulator.libeo.account import (
    BALANCE_TO_PAY,
    IN_VALIDATION,
    PAID,
    SCHEDULED,
    STATUSES,
    TO_PAY,
    Account,
    Direction,
    Invoice,
    Party,
)
from encaisse_simulator.paris import paris_date
from encaisse_simulator.partner import Clock


class People(ABC):
    """Hold the acts of users; each dates what it touches by the world's clock."""

    _clock: Clock
    _ids: OpaqueIds
    _accounts: dict[str, Account]
    _scheduled: dict[str, tuple[Account, Invoice]]
    """By id, what may move on by itself: few of many, and time is asked about often."""

    def add_company(
        self,
        api_key: str,
        siret: str,
        name: str,
        *,
        daily_calls: int = 1000,
        webhook_secret: str = "",
    ) -> None:
        """Open a company's account, reached by its key; a second key opens the same account."""
        if len(siret) != 14 or not siret.isdecimal():
            raise ValueError(f"a SIRET has 14 digits: {siret}")
        same = next((held for held in self._books() if held.siret == siret), None)
        self._accounts[api_key] = same or Account(
            siret, name, webhook_secret, daily_calls=daily_calls
        )

    def add_receivable(
        self,
        api_key: str,
        number: str,
        buyer: str,
        buyer_siren: str,
        issued: date,
        due: date | None,
        total_cents: int,
        *,
        status: str = TO_PAY,
        currency: str = "EUR",
        document: bytes | None = None,
    ) -> str:
        """Enter an invoice the company sent to a customer; give its id.

        A negative total is an avoir nobody applied yet. An empty SIREN is one the tool lacks.
        """
        account = self._accounts[api_key]
        parties = (account.party, Party(buyer, buyer_siren))
        return self._add(
            account, "receivable", number, parties, issued, due, total_cents, status, currency,
            document,
        )  # fmt: skip

    def add_payable(
        self,
        api_key: str,
        number: str,
        supplier: str,
        supplier_siren: str,
        issued: date,
        due: date | None,
        total_cents: int,
        *,
        status: str = IN_VALIDATION,
        currency: str = "EUR",
        document: bytes | None = None,
    ) -> str:
        """Enter an invoice the company received from a supplier; give its id."""
        account = self._accounts[api_key]
        parties = (Party(supplier, supplier_siren), account.party)
        return self._add(
            account, "payable", number, parties, issued, due, total_cents, status, currency,
            document,
        )  # fmt: skip

    def set_status(self, invoice_id: str, status: str) -> None:
        """Move an invoice in its circuit; a word beyond the ten is how a surprise is tested."""
        account, invoice = self._owner(invoice_id)
        invoice.status = status
        invoice.scheduled = None
        self._touch(account, invoice, "invoice.updated")

    def schedule_payment(self, invoice_id: str, on: date) -> None:
        """Schedule the transfer of what is owed; the clock then sends it and lets it arrive.

        The day must be after today, so that it is dated after everything already read.
        """
        account, invoice = self._owner(invoice_id)
        if on <= paris_date(self._clock.now) or invoice.balance_cents <= 0:
            raise ValueError("a transfer is scheduled for a later day, and for something owed")
        invoice.status, invoice.scheduled = SCHEDULED, on
        self._scheduled[invoice.id] = (account, invoice)
        self._touch(account, invoice, "payment.scheduled")

    def customer_pays(self, invoice_id: str, cents: int, on: date) -> None:
        """Let the user record that a customer paid an invoice the company sent."""
        account, invoice = self._owner(invoice_id)
        if cents <= 0 or invoice.direction != "receivable":
            raise ValueError("customers pay positive sums on invoices sent")
        self._paid(account, invoice, cents, on, "payment")

    def undo_payment(self, invoice_id: str, cents: int, on: date) -> None:
        """Let the user enter that a customer's money went back."""
        account, invoice = self._owner(invoice_id)
        if not 0 < cents <= invoice.paid_cents:
            raise ValueError("what goes back was paid before")
        self._paid(account, invoice, -cents, on, "reversal")

    def credit_note(self, invoice_id: str, cents: int, on: date, number: str = "") -> str:
        """Credit an invoice; give the id of the avoir, which is used up by it."""
        account, invoice = self._owner(invoice_id)
        if not 0 < cents <= invoice.balance_cents:
            raise ValueError("an avoir credits at most what is owed")
        invoice.credited_cents += cents
        self._settle(invoice)
        avoir = Invoice(
            id=self._ids.draw("inv"),
            number=number or f"AV-{invoice.number}-{len(account.invoices)}",
            direction=invoice.direction,
            supplier=invoice.supplier,
            buyer=invoice.buyer,
            issued=on,
            due=None,
            total_cents=-cents,
            status=PAID,
            updated_at=self._clock.now,
            credited_cents=-cents,
        )
        account.invoices[avoir.id] = avoir
        kind = "credit_note" if invoice.direction == "receivable" else "supplier_credit"
        self._enter(account, invoice, cents, on, kind, "user")
        self._touch(account, invoice, "invoice.updated")
        return avoir.id

    def export(self, invoice_id: str) -> None:
        """Stamp an invoice as taken over by the accounts."""
        account, invoice = self._owner(invoice_id)
        invoice.exported_at = self._clock.now
        self._touch(account, invoice, "invoice.updated")

    def delete_invoice(self, invoice_id: str) -> None:
        """Delete an invoice: it stays in the list of changes, and cannot be read any more."""
        account, invoice = self._owner(invoice_id)
        invoice.deleted_at = self._clock.now
        self._touch(account, invoice, "invoice.updated")

    def _add(
        self,
        account: Account,
        direction: Direction,
        number: str,
        parties: tuple[Party, Party],
        issued: date,
        due: date | None,
        total_cents: int,
        status: str,
        currency: str,
        document: bytes | None,
    ) -> str:
        if status not in STATUSES:
            raise ValueError(f"invoices are entered under one of the ten statuses, not {status}")
        invoice = Invoice(
            id=self._ids.draw("inv"),
            number=number,
            direction=direction,
            supplier=parties[0],
            buyer=parties[1],
            issued=issued,
            due=due,
            total_cents=total_cents,
            status=status,
            updated_at=self._clock.now,
            currency=currency,
            document=document,
        )
        account.invoices[invoice.id] = invoice
        self._notify(account, invoice, "invoice.updated", self._clock.now)
        return invoice.id

    def _paid(
        self,
        account: Account,
        invoice: Invoice,
        cents: int,
        on: date,
        kind: Literal["payment", "reversal"],
    ) -> None:
        invoice.paid_cents += cents
        self._settle(invoice)
        self._enter(account, invoice, cents, on, kind, "user")
        self._touch(account, invoice, "payment.executed" if cents > 0 else "invoice.updated")

    def _settle(self, invoice: Invoice) -> None:
        """Choose the status that goes with what is owed [assumed]."""
        invoice.scheduled = None
        if invoice.balance_cents <= 0:
            invoice.status, invoice.paid_at = PAID, self._clock.now
            return
        touched = invoice.balance_cents < invoice.total_cents
        invoice.status, invoice.paid_at = (BALANCE_TO_PAY if touched else TO_PAY), None

    def _touch(self, account: Account, invoice: Invoice, event: str) -> None:
        invoice.updated_at = self._clock.now
        self._notify(account, invoice, event, invoice.updated_at)

    def _books(self) -> Iterable[Account]:
        return {account.siret: account for account in self._accounts.values()}.values()

    def _owner(self, invoice_id: str) -> tuple[Account, Invoice]:
        for account in self._books():
            if invoice_id in account.invoices:
                return account, account.invoices[invoice_id]
        raise KeyError(f"no invoice has id {invoice_id}")

    @abstractmethod
    def _enter(
        self, account: Account, invoice: Invoice, cents: int, on: date, kind: str, via: Via
    ) -> None: ...

    @abstractmethod
    def _notify(self, account: Account, invoice: Invoice, event: str, at: datetime) -> None: ...
