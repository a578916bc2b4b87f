"""What people enter in a dossier by hand: customers, terms, invoices, money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import Document, Entry, Line, Origin, plain
from encaisse_simulator.myunisoft.lettering import letter, letter_by_itself, next_code, standing
from encaisse_simulator.myunisoft.plan import Account, Company, Contact, Term

Side = tuple[str, int]
"""An account number, and cents: debit above zero, credit below."""

Tool = tuple[str, str]
"""Another tool that sends entries: its name and code."""


class Entering:
    """Enter customers, invoices and money; accounts go by their number, entries by their id."""

    def __init__(self, books: Books, dossier: Dossier) -> None:
        self._books = books
        self._dossier = dossier

    @property
    def society_id(self) -> int:
        """Give the id `society-id` carries."""
        return self._dossier.society_id

    @property
    def siren(self) -> str:
        """Give the company's SIREN, the ledger's account."""
        return self._dossier.siren

    # Customers and terms.

    def add_customer(
        self,
        name: str,
        *,
        number: str = "",
        siren: str = "",
        vat_number: str = "",
        address_number: str = "",
        street_type: str = "",
        street: str = "",
        postcode: str = "",
        city: str = "",
        country: str = "FRANCE",
        contacts: Sequence[Contact] = (),
        archived: bool = False,
        term: Term | None = None,
    ) -> str:
        """Open a customer's account; give its number, made of the name unless given."""
        made = number or self._free_number(name)
        company = Company(
            name,
            siren,
            vat_number=vat_number,
            address_number=address_number,
            street_type=street_type,
            street=street,
            postcode=postcode,
            city=city,
            country=country,
            contacts=tuple(contacts),
            archived=archived,
            term=term,
        )
        account = Account(self._books.numbers.draw("account"), made, name.upper()[:40], company)
        self._dossier.accounts[account.id] = account
        return made

    def term(self, days: int, *, end_of_month: bool = False, day: int | None = None) -> Term:
        """Make a payment term, for a customer or for the whole dossier."""
        label = f"{days} JOURS{' FIN DE MOIS' if end_of_month else ''}{f' LE {day}' if day else ''}"
        return Term(self._books.numbers.draw("term"), label, days, end_of_month, day)

    def set_terms(self, term: Term | None) -> None:
        """Set the dossier's own customer term."""
        self._dossier.parameters.customer_term = term

    # Invoices and money.

    def issue(
        self,
        number: str,
        customer: str,
        issued: date,
        *echeances: tuple[date | None, int],
        document: bytes | None = None,
        on_line: bool = False,
        draft: bool = False,
        vat_percent: int = 20,
        tool: Tool | None = None,
    ) -> int:
        """Book a sales invoice, one customer line per échéance; give the entry's id.

        A document is a PDF, named by the number, attached to the entry or to the first line. `tool`
        is the other tool the entry was sent by.
        """
        kept = self._pdf(number, document)
        lines = [
            self._line(customer, cents, number, due=due, label=f"FACT {number}")
            for due, cents in echeances
        ]
        lines += self._sales(-sum(cents for _, cents in echeances), number, vat_percent)
        if on_line:
            lines[0].documents = kept
        made = self._write(
            "VTE", issued, lines, draft=draft, documents=() if on_line else kept, tool=tool
        )
        return made.id

    def credit(
        self,
        number: str,
        customer: str,
        on: date,
        cents: int,
        *,
        of: str = "",
        lettered: bool = False,
    ) -> int:
        """Book an avoir of its own number, or under that of the invoice it credits; give its id."""
        named = of or number
        lines = [self._line(customer, -cents, named, piece=number, label=f"AVOIR {number}", due=on)]
        lines += self._sales(cents, named, 20)
        made = self._write("VTE", on, lines)
        if lettered:
            self.letter_invoice(customer, named)
        return made.id

    def receive(
        self,
        customer: str,
        on: date,
        cents: int,
        *,
        number: str = "",
        piece: str = "",
        way: str = "VIRT",
        bank_feed: bool = True,
        lettered: bool = False,
        tool: Tool | None = None,
    ) -> int:
        """Book a bank receipt; give its entry's id. `lettered` letters the invoice it names."""
        lines = [
            self._line("5120000000", cents, number, piece=piece, label="VIREMENT RECU", due=on),
            self._line(
                customer, -cents, number, piece=piece, label="REGLT CLIENT", way=way, due=on
            ),
        ]
        made = self._write("BQ", on, lines, source="IB" if bank_feed else "E", tool=tool)
        if lettered:
            self.letter_invoice(customer, number)
        return made.id

    def give_back(
        self,
        customer: str,
        on: date,
        cents: int,
        *,
        number: str = "",
        tool: Tool | None = None,
    ) -> int:
        """Book money that went back to the customer, or bounced; give its entry's id."""
        lines = [
            self._line(customer, cents, number, label="REJET REGLT", due=on),
            self._line("5120000000", -cents, number, label="REJET REGLT", due=on),
        ]
        return self._write("BQ", on, lines, tool=tool).id

    def enter(self, kind: str, on: date, *sides: Side, number: str = "") -> int:
        """Book any entry in the first journal of a type; give its id."""
        lines = [self._line(account, cents, number, label="OD", due=on) for account, cents in sides]
        return self._write(kind, on, lines).id

    def attach(self, entry_id: int, name: str, content: bytes) -> None:
        """Attach a PDF to an entry."""
        kept = self._books.keep(name, "application/pdf", content)
        self._dossier.posted[entry_id].documents.append(kept)

    # Lettering.

    def letter(self, *line_ids: int, partial: bool = False) -> str:
        """Letter lines of one account; give the code."""
        found = self._dossier.line(line_ids[0]) if line_ids else None
        if found is None:
            raise ValueError("aucune ligne ouverte à lettrer")
        code = next_code(self._dossier, found[1].account)
        self._dossier.partial_codes.discard((found[1].account.id, code))
        stored = f"*{code}" if partial else code
        return letter(self._books, self._dossier, stored, line_ids, "user")

    def letter_invoice(self, customer: str, *numbers: str) -> str:
        """Letter all open lines of these invoices, fully if they add up to zero."""
        wanted = {plain(each) for each in numbers}
        lines = [
            line
            for _, line in standing(self._dossier, customer)
            if line.state != "complete" and plain(line.number) in wanted
        ]
        partial = sum(line.signed for line in lines) != 0
        return self.letter(*(line.id for line in lines), partial=partial)

    # Within.

    def _write(
        self,
        kind: str,
        on: date,
        lines: list[Line],
        *,
        source: str = "E",
        draft: bool = False,
        documents: Sequence[Document] = (),
        tool: Tool | None = None,
    ) -> Entry:
        exercice = self._dossier.exercice_of(on)
        if exercice is None or exercice.closed_on is not None:
            raise ValueError(f"aucun exercice ouvert ne contient le {on}")
        journal = self._dossier.journal(kind)
        origin = Origin(source) if tool is None else Origin("API", third_party=tool)
        made = self._books.write(
            self._dossier, journal, on, lines, origin=origin, draft=draft, documents=documents
        )
        if not draft:
            letter_by_itself(self._books, self._dossier, made)
        return made

    def _line(
        self,
        account: str,
        cents: int,
        number: str,
        *,
        label: str,
        due: date | None = None,
        piece: str = "",
        way: str | None = None,
    ) -> Line:
        return Line(
            id=self._books.numbers.draw("line"),
            account=self._account(account),
            label=label[:50],
            debit=max(cents, 0),
            credit=max(-cents, 0),
            due=due,
            piece=piece,
            number=number,
            payment_type=self._dossier.payment_type(way) if way else None,
        )

    def _sales(self, cents: int, number: str, vat_percent: int) -> list[Line]:
        """Split a total into sales and VAT, to the nearest cent."""
        sign = -1 if cents < 0 else 1
        base = sign * ((abs(cents) * 200 + 100 + vat_percent) // (2 * (100 + vat_percent)))
        lines = [self._line("7060000000", base, number, label=f"VENTE {number}")]
        if cents != base:
            lines.append(self._line("4457100000", cents - base, number, label=f"TVA {number}"))
        return lines

    def _pdf(self, number: str, document: bytes | None) -> tuple[Document, ...]:
        if document is None:
            return ()
        return (self._books.keep(f"{plain(number)}.pdf", "application/pdf", document),)

    def _account(self, number: str) -> Account:
        account = self._dossier.account(number)
        if account is None:
            raise KeyError(f"aucun compte {number}")
        return account

    def _free_number(self, name: str) -> str:
        """Make a tiers number: the root, then the name, filled up with zeros."""
        length = self._dossier.parameters.tiers_length
        stem = f"411{plain(name)}"[:length].ljust(length, "0")
        place = 0
        while self._dossier.account(stem) is not None:
            place += 1
            stem = f"{stem[: length - len(str(place))]}{place}"
        return stem
