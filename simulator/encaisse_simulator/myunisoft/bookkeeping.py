"""What the accountant does in a dossier by hand, and what a proof reads there."""

from __future__ import annotations

from datetime import date, timedelta

from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.myunisoft import oracle
from encaisse_simulator.myunisoft.books import PARTNER
from encaisse_simulator.myunisoft.carrying import carry_forward
from encaisse_simulator.myunisoft.entering import Entering
from encaisse_simulator.myunisoft.entries import Document, Entry, plain
from encaisse_simulator.myunisoft.lettering import letter_by_itself, standing
from encaisse_simulator.myunisoft.opening import open_exercice


class Bookkeeping(Entering):
    """Keep one dossier's books: letter, validate, carry forward, lock; and tell what is owed."""

    def set_autolettering(self, on: bool) -> None:
        """Switch automatic lettering."""
        self._dossier.parameters.autolettering = on

    def unletter(self, customer: str, code: str) -> None:
        """Free the standing lines of a code: the accountant's right only, no call does it."""
        group = [
            (entry, line)
            for entry, line in standing(self._dossier)
            if line.account.number == customer and line.lettering == code
        ]
        self._books.letter(self._dossier, group, None, "user")

    def line_ids(self, customer: str, number: str) -> list[int]:
        """Find the lines that name an invoice in a customer's account, oldest first."""
        return [
            line.id
            for _, line in self._dossier.lines()
            if line.account.number == customer and plain(line.number) == plain(number)
        ]

    # Drafts.

    def drafts(self) -> list[str]:
        """List the partners' ids of entries awaiting validation, and of others their own id."""
        waiting = self._dossier.pending.values()
        return [each.origin.partner_id or str(each.id) for each in waiting]

    def draft(self, name: str) -> oracle.Move:
        """Tell what a draft would move on its customer's account."""
        return oracle.move(self._draft(name))

    def validate(self, partner_id: str, *, cents: int | None = None) -> int:
        """Post a draft, named by its partner's id or its own; give the new entry id.

        `cents` is the amount the accountant puts on both sides of it first.
        """
        draft = self._draft(partner_id)
        if cents is not None:
            for line in draft.lines:
                line.debit, line.credit = cents * bool(line.debit), cents * bool(line.credit)
        entry = self._books.validate(self._dossier, draft)
        letter_by_itself(self._books, self._dossier, entry)
        return entry.id

    def reject(self, partner_id: str) -> None:
        """Throw a draft away."""
        self._books.reject(self._dossier, self._draft(partner_id))

    # Periods, journals, accounts.

    def covers(self, day: date) -> bool:
        """Tell whether a day is in one of the dossier's exercices."""
        return self._dossier.exercice_of(day) is not None

    def open_exercice(self, start: date, end: date) -> int:
        """Open one more exercice; give its id."""
        return open_exercice(self._books, self._dossier, start, end).id

    def carry_forward(self, start: date, *, close: bool = True) -> int:
        """Carry the exercice of a day forward, and close it; give the id of the à-nouveaux."""
        exercice = self._dossier.exercice_of(start)
        if exercice is None:
            raise ValueError(f"aucun exercice ne contient le {start}")
        if self._dossier.after(exercice) is None:
            first = exercice.end + timedelta(days=1)
            open_exercice(
                self._books,
                self._dossier,
                first,
                date(first.year + 1, first.month, 1) - timedelta(1),
            )
        return carry_forward(self._books, self._dossier, exercice, close=close).id

    def lock_period(self, start: date, end: date) -> None:
        """Close days to entries."""
        self._dossier.parameters.locks.append((start, end))

    def unlock_periods(self) -> None:
        """Open every locked day again."""
        self._dossier.parameters.locks.clear()

    def lock_journal(self, code: str, locked: bool = True) -> None:
        """Close a journal to entries, or open it again."""
        for journal in self._dossier.journals.values():
            if journal.code == code:
                journal.locked = locked

    def close_account(self, number: str, closed: bool = True) -> None:
        """Close an account, or open it again."""
        self._account(number).closed = closed

    def go_inactive(self) -> None:
        """Put the dossier out of use."""
        self._dossier.active = False

    # What a proof reads.

    def open_items(self) -> list[oracle.OpenItem]:
        """List customer lines not fully lettered, each receivable once."""
        return oracle.open_items(self._dossier)

    def balance(self, customer: str | None = None) -> int:
        """Give what customers owe in all, or one of them, in cents."""
        return oracle.balance(self._dossier, customer)

    def balances(self) -> dict[str, int]:
        """Give what each customer owes, by account, in cents."""
        return oracle.balances(self._dossier)

    def awaiting(self) -> dict[str, int]:
        """Give what partners' drafts would move on each customer's account, in cents."""
        return oracle.awaiting(self._dossier)

    def moves(self) -> list[oracle.Move]:
        """List what each standing entry of partners moves on a customer, drafts included."""
        return oracle.moves(self._dossier)

    def open_cents(self, customer: str, number: str) -> int:
        """Give what is still owed on an invoice, in cents."""
        return oracle.open_cents(self._dossier, customer, number)

    def payments(self, number: str) -> list[LedgerEntry]:
        """Tell the payments and reversals that landed on an invoice, whatever each was called."""
        kinds = ("payment", "reversal")
        return [
            each
            for each in self._books.ledger
            if (each.partner, each.account_siren) == (PARTNER, self.siren)
            and each.kind in kinds
            and plain(each.invoice_number) == plain(number)
        ]

    def dropped(self) -> list[Document]:
        """List the invoices left for booking."""
        return list(self._dossier.dropped)

    def _draft(self, name: str) -> Entry:
        for each in self._dossier.pending.values():
            if name in (each.origin.partner_id, str(each.id)):
                return each
        raise KeyError(f"aucun brouillon {name}")
