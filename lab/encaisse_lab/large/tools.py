"""Let people enter invoices and money in every tool that keeps them, in the tool's own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from encaisse_lab.invented import Party
from encaisse_lab.large.bills import Bill, Tool
from encaisse_lab.papers import paper
from encaisse_lab.samples import Sample
from encaisse_simulator.factomos import Factomos
from encaisse_simulator.libeo import Libeo
from encaisse_simulator.myunisoft import Bookkeeping

PDF = b"%PDF-1.4\n% an invoice in name only\n%%EOF\n"


class Desk(Protocol):
    """Do in one tool what its user does there; cents are positive."""

    def enter(self, bill: Bill) -> str:
        """Enter an invoice; give what the tool, read by its connector, calls it."""
        ...

    def receive(self, bill: Bill, cents: int, on: date) -> None:
        """Record that the customer paid the company."""
        ...

    def give_back(self, bill: Bill, cents: int, on: date) -> None:
        """Record that money of the customer went back."""
        ...

    def credit(self, bill: Bill, cents: int, on: date) -> None:
        """Grant an avoir."""
        ...

    def remove(self, bill: Bill) -> None:
        """Delete what was entered in error."""
        ...


@dataclass
class FactomosDesk:
    """Keep invoices in one Factomos account, read by either of its interfaces."""

    tool: Factomos
    token: str
    legacy: bool
    cards: dict[str, str] = field(default_factory=dict[str, str])
    pids: dict[str, str] = field(default_factory=dict[str, str])

    def enter(self, bill: Bill) -> str:
        card = self._card(bill.customer)
        pid = self.tool.add_invoice(
            bill.number, card, bill.issued, bill.due, bill.cents, document=PDF
        )
        self.pids[bill.number] = pid
        return self.tool.serial(pid) if self.legacy else pid

    def receive(self, bill: Bill, cents: int, on: date) -> None:
        self.tool.customer_pays(self.pids[bill.number], cents, on, "VIR CLIENT")

    def give_back(self, bill: Bill, cents: int, on: date) -> None:
        self.tool.undo_payment(self.pids[bill.number], cents, on, "REJET")

    def credit(self, bill: Bill, cents: int, on: date) -> None:
        self.tool.credit_note(self.pids[bill.number], cents, on)

    def remove(self, bill: Bill) -> None:
        self.tool.delete_invoice(self.pids[bill.number])

    def _card(self, who: Party) -> str:
        if who.name not in self.cards:
            self.cards[who.name] = self.tool.add_contact(
                self.token,
                who.name,
                siret=who.siret or "",
                vat_number=who.vat_id or "",
                address=who.street,
                postcode=who.postcode,
                city=who.city,
                email=who.email,
            )
        return self.cards[who.name]


@dataclass
class LibeoDesk:
    """Keep invoices sent in Libeo."""

    tool: Libeo
    key: str

    def enter(self, bill: Bill) -> str:
        who = bill.customer
        return self.tool.add_receivable(
            self.key, bill.number, who.name, who.siren or "", bill.issued, bill.due, bill.cents
        )

    def receive(self, bill: Bill, cents: int, on: date) -> None:
        self.tool.customer_pays(bill.refs["libeo"], cents, on)

    def give_back(self, bill: Bill, cents: int, on: date) -> None:
        self.tool.undo_payment(bill.refs["libeo"], cents, on)

    def credit(self, bill: Bill, cents: int, on: date) -> None:
        self.tool.credit_note(bill.refs["libeo"], cents, on)

    def remove(self, bill: Bill) -> None:
        self.tool.delete_invoice(bill.refs["libeo"])


@dataclass
class MyUnisoftDesk:
    """Keep invoices in the accounting firm's books, each lettered with what settles it."""

    books: Bookkeeping
    accounts: dict[str, str] = field(default_factory=dict[str, str])

    def enter(self, bill: Bill) -> str:
        account = self._account(bill.customer)
        parts = (bill.due, bill.cents)
        self.books.issue(bill.number, account, bill.issued, parts, document=PDF)
        return f"{account}/{bill.issued.year}/{bill.number}"

    def receive(self, bill: Bill, cents: int, on: date) -> None:
        account = self._account(bill.customer)
        self.books.receive(account, on, cents, number=bill.number, lettered=True)

    def give_back(self, bill: Bill, cents: int, on: date) -> None:
        self.books.give_back(self._account(bill.customer), on, cents, number=bill.number)

    def credit(self, bill: Bill, cents: int, on: date) -> None:
        account, number = self._account(bill.customer), f"AV{bill.number}{cents}"
        self.books.credit(number, account, on, cents, of=bill.number, lettered=True)

    def remove(self, bill: Bill) -> None:
        raise ValueError(f"nothing is deleted from books: {bill.number}")

    def _account(self, who: Party) -> str:
        if who.name not in self.accounts:
            self.accounts[who.name] = self.books.add_customer(
                who.name,
                siren=who.siren or "",
                street=who.street,
                postcode=who.postcode,
                city=who.city,
            )
        return self.accounts[who.name]


@dataclass
class FolderDesk:
    """Keep e-invoices as files; nothing is noted on them, and what is settled is put away."""

    folder: Path
    seller: Party

    def enter(self, bill: Bill) -> str:
        sample = Sample(
            true_id=bill.number,
            number=bill.number,
            seller=self.seller,
            debtor=bill.customer,
            issued=bill.issued,
            due=bill.due,
            cents=bill.cents,
            fate=bill.fate,
            file="cii",
        )
        name, content = paper(sample)
        (self.folder / name).write_bytes(content)
        return name

    def receive(self, bill: Bill, cents: int, on: date) -> None:
        self._put_away(bill)

    def give_back(self, bill: Bill, cents: int, on: date) -> None:
        """Do nothing: no paper says it."""

    def credit(self, bill: Bill, cents: int, on: date) -> None:
        self._put_away(bill)

    def remove(self, bill: Bill) -> None:
        (self.folder / bill.refs["folder"]).unlink(missing_ok=True)

    def _put_away(self, bill: Bill) -> None:
        if bill.rest <= 0:
            self.remove(bill)


@dataclass
class Desks:
    """Do the same thing about an invoice in every tool that keeps it."""

    by_tool: dict[Tool, Desk]

    def enter(self, bill: Bill) -> None:
        """Enter an invoice everywhere it is kept."""
        for tool in bill.kept_in:
            bill.refs[tool] = self.by_tool[tool].enter(bill)

    def receive(self, bill: Bill, cents: int, on: date) -> None:
        """Take money in."""
        bill.rest -= cents
        for tool in bill.kept_in:
            self.by_tool[tool].receive(bill, cents, on)

    def give_back(self, bill: Bill, cents: int, on: date) -> None:
        """Let money go back."""
        bill.rest += cents
        for tool in bill.kept_in:
            self.by_tool[tool].give_back(bill, cents, on)

    def credit(self, bill: Bill, cents: int, on: date) -> None:
        """Credit part of it, or all."""
        bill.rest -= cents
        for tool in bill.kept_in:
            self.by_tool[tool].credit(bill, cents, on)

    def remove(self, bill: Bill) -> None:
        """Delete it everywhere."""
        bill.rest = 0
        for tool in bill.kept_in:
            self.by_tool[tool].remove(bill)
