"""Turn raw rows of either dialect into pages of the contract: each read whole, or set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from encaisse_api.errors import Drift
from encaisse_api.remembered import Remembered
from encaisse_api.source import Cursor, Page, Seller, SourceInvoice, Unreadable
from encaisse_factomos import mapping
from encaisse_factomos.contacts import Contacts
from encaisse_factomos.rows import ContactRow, InvoiceRow


@dataclass(frozen=True, slots=True)
class _Read:
    """Be a row, and the invoice it makes for one seller with one customer's card."""

    row: InvoiceRow
    card: ContactRow | None
    seller: Seller
    invoice: SourceInvoice


READ: Remembered[_Read] = Remembered(8192)
"""Some kilobytes each: the open items of an account with some thousands of them."""


@dataclass(frozen=True)
class Reader:
    """Read rows of one account."""

    shape: type[InvoiceRow]
    contacts: Contacts
    seller: Seller
    today: date

    def page(self, rows: Sequence[object], cursor: Cursor | None) -> Page[SourceInvoice]:
        """Read a page of a pull; a customer's card is asked for only where it may matter."""
        outcomes = [self._outcome(raw, whole=False) for raw in rows]
        return Page(
            items=tuple(one for one in outcomes if isinstance(one, SourceInvoice)),
            unreadable=tuple(one for one in outcomes if isinstance(one, Unreadable)),
            cursor=cursor,
        )

    def again(self, ref: str, raw: object) -> SourceInvoice:
        """Read one invoice that was asked for by its id, with its customer's card."""
        outcome = self._outcome(raw, whole=True)
        if isinstance(outcome, Unreadable):
            raise Drift(f"Facture {ref} : {outcome.reason}", raw=outcome.raw)
        if outcome.ref != ref:
            raise Drift(f"Facture {ref} : Factomos a répondu pour la facture {outcome.ref}.")
        return outcome

    def _outcome(self, raw: object, *, whole: bool) -> SourceInvoice | Unreadable:
        """Read one row, or give what the same row made with the same card before.

        Most open invoices are listed night after night as they were. What is set aside is not
        remembered: it is rare, and read again until it can be used.
        """
        key = READ.key(raw, self.shape)
        known = READ.get(key)
        row = mapping.row_of(raw, self.shape) if known is None else known.row
        if isinstance(row, Unreadable):
            return row
        needed = whole or mapping.needs_card(row, self.today)
        try:
            card = self.contacts.card(row.client, needed=needed)
            if known is not None and known.card == card and known.seller == self.seller:
                return known.invoice
            made = mapping.invoice(row, mapping.debtor(row, card), self.seller)
        except mapping.Unusable as reason:
            return mapping.set_aside(raw, str(reason))
        except ValidationError as error:
            return mapping.set_aside(raw, f"valeur inutilisable ({error.errors()[0]['msg']})")
        READ.keep(key, _Read(row, card, self.seller, made))
        return made
