"""A bridge between two tools: every night it copies what Factomos holds into MyUnisoft.

Entries carry Factomos as the third party that sent them, which is all that MyUnisoft tells of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from encaisse_simulator.factomos import Factomos
from encaisse_simulator.myunisoft import Bookkeeping, plain
from encaisse_simulator.paris import paris_date
from encaisse_simulator.partner import Clock

TOOL = ("Factomos", "FACT")


@dataclass
class Bridge:
    """Copy one company's invoices and payments, each once, the night after they were entered.

    What is older than the books stays behind. `carries_payments` is False for a bridge that sends
    invoices only; `letter` is told of each invoice with a payment on it (customer, number, date).
    """

    clock: Clock
    factomos: Factomos
    token: str
    books: Bookkeeping
    carries_payments: bool = True
    letter: Callable[[str, str, date], None] | None = None
    customers: dict[str, str] = field(default_factory=dict[str, str])
    """Account in the books of each contact, by its pid."""
    payments: int = 0
    """How many payments were copied."""
    _day: date | None = None
    _copied: set[str] = field(default_factory=set[str])

    def tick(self) -> None:
        """Copy once a day, when the day in Paris turns."""
        today = paris_date(self.clock.now)
        if self._day is not None and today > self._day:
            self.copy()
        self._day = today

    def copy(self) -> None:
        """Copy what is not there yet."""
        for invoice in self.factomos.invoices(self.token):
            if invoice.kind == "credit" or not self.books.covers(invoice.issued):
                continue
            number = plain(invoice.number)
            customer = self._customer(
                invoice.contact.pid, invoice.contact.company_name, invoice.contact.siret[:9]
            )
            if invoice.pid not in self._copied:
                self._copied.add(invoice.pid)
                due = (invoice.due, invoice.total_cents)
                self.books.issue(number, customer, invoice.issued, due, tool=TOOL)
            for payment in invoice.payments if self.carries_payments else ():
                if payment.payment_id in self._copied:
                    continue
                self._copied.add(payment.payment_id)
                self.payments += 1
                if payment.cents > 0:
                    self.books.receive(
                        customer, payment.on, payment.cents, number=number, tool=TOOL
                    )
                else:
                    self.books.give_back(
                        customer, payment.on, -payment.cents, number=number, tool=TOOL
                    )
                if self.letter is None:
                    self.books.letter_invoice(customer, number)
                else:
                    self.letter(customer, number, invoice.issued)

    def _customer(self, pid: str, name: str, siren: str) -> str:
        if pid not in self.customers:
            self.customers[pid] = self.books.add_customer(name, siren=siren)
        return self.customers[pid]
