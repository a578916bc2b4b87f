"""Speak for Factomos: what the roles ask, in the order the vendor needs it asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from encaisse_api.context import Context
from encaisse_api.dialect import Dialect
from encaisse_api.errors import Drift, Transient
from encaisse_api.manifest import Manifest
from encaisse_api.money import in_french
from encaisse_api.source import (
    Cursor,
    Document,
    Granted,
    Missing,
    Page,
    SourceInvoice,
    Unreadable,
)
from encaisse_api.writing import Absent, PaymentEntry, Receipt, ReversalEntry
from encaisse_factomos import mapping, payments
from encaisse_factomos.answers import Fate, NotFound
from encaisse_factomos.client import FactomosClient, place
from encaisse_factomos.contacts import Contacts
from encaisse_factomos.dialect import DIALECT
from encaisse_factomos.listing import PER_PAGE, Listing, Pages, page_after
from encaisse_factomos.manifest import MANIFEST
from encaisse_factomos.passes import open_items
from encaisse_factomos.reading import Reader
from encaisse_factomos.rows import InvoiceRow, PaymentRow

LISTED_AT_MOST = 1000
"""Cards read by list, fifty a call; beyond, only those of overdue customers are asked for."""


class FactomosConnector:
    """Offer the invoices of one Factomos account, and record what was paid on them."""

    manifest: ClassVar[Manifest] = MANIFEST
    dialect: ClassVar[Dialect] = DIALECT

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = FactomosClient(context.http, context.now)
        self._contacts = Contacts(self._card, context.log)
        self._reader = Reader(
            shape=InvoiceRow,
            contacts=self._contacts,
            seller=mapping.seller(context.settings.get("siren")),
            today=context.today,
        )

    def probe(self) -> Granted:
        """Read one row: the vendor has no call that says who the token belongs to."""
        subject = "Connexion à Factomos"
        answer = self._get("/invoices", subject, {"per_page": "1"})
        total = Listing("invoices", subject, answer).total()
        return Granted(
            note=f"{total} facture(s) dans Factomos. L'outil ne dit pas à quelle entreprise "
            "appartient le jeton : le SIREN est celui du réglage « siren »."
        )

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Read each status that may be open to its proven end, then say the pass is complete."""
        self._list_cards()
        for rows, mark in open_items(self._invoices_after, since):
            yield self._reader.page(rows, mark)
        yield Page(end=True)

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        """Read these again. Only the vendor's own "not found" is `Missing`.

        Raises `Drift` naming the invoice when one can no longer be read: no answer is better than
        a guessed one right before an effect.
        """
        return [self._read(ref) for ref in refs]

    def fetch_document(self, ref: str) -> Document:
        """Fetch the PDF of an invoice."""
        content = self._client.pdf(place("invoices", ref, "pdf"), subject=f"PDF de {ref}")
        return Document(
            ref=ref, filename=f"{ref}.pdf", media_type="application/pdf", content=content
        )

    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        """Look for our reference among the payments of the invoice."""
        return self._find(payments.payment(key, payment), payment.invoice_ref)

    def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
        """Record it. The vendor tells two equal posts from nothing, so the host looks up first."""
        return self._write(payments.payment(key, payment), payment.invoice_ref)

    def find_reversal(self, key: str, reversal: ReversalEntry) -> Receipt | Absent:
        """Look for our reference among the payments of the invoice."""
        return self._find(payments.reversal(key, reversal), reversal.invoice_ref)

    def reverse_payment(self, key: str, reversal: ReversalEntry) -> Receipt:
        """Record the same amount below zero (assumed: the documented API only deletes them all)."""
        return self._write(payments.reversal(key, reversal), reversal.invoice_ref)

    def _list_cards(self) -> None:
        """Read the first cards by the page, fifty a call; the others only where they matter.

        A list that stops short or changes is no harm here: who is missing is asked for alone.
        """
        try:
            for rows, reached in Pages().read(
                "contacts", self._contacts_after, subject="Clients de Factomos"
            ):
                self._contacts.remember(rows)
                if reached.read >= LISTED_AT_MOST:
                    return
            self._contacts.know_all()
        except (Drift, Transient) as error:
            if isinstance(error, Transient) and error.retry_after is not None:
                raise  # the quota is used up: asking one by one would not help
            self._context.log.info("factomos: contact list incomplete, cards are read one by one")

    def _contacts_after(self, read: int) -> Mapping[str, object]:
        return self._listed("/contacts", {}, "Clients de Factomos", read)

    def _invoices_after(self, status: str, read: int) -> Mapping[str, object]:
        subject = f"Factures « {status} » de Factomos"
        return self._listed("/invoices", {"status": status}, subject, read)

    def _listed(
        self, path: str, query: Mapping[str, str], subject: str, read: int
    ) -> Mapping[str, object]:
        paged = {**query, "page": str(page_after(read)), "per_page": str(PER_PAGE)}
        return self._client.get(path, subject=subject, params=paged)

    def _card(self, pid: str) -> object:
        return self._client.get(place("contacts", pid), subject=f"Client {pid}").get("contact")

    def _read(self, ref: str) -> SourceInvoice | Missing:
        try:
            answer = self._client.get(place("invoices", ref), subject=f"Facture {ref}")
        except NotFound as unknown:
            if unknown.fate is Fate.INVOICE_UNKNOWN:
                return Missing(ref=ref)
            raise Drift(unknown.error.message) from None
        return self._reader.again(ref, answer.get("invoice"))

    def _find(self, wanted: payments.Wanted, invoice_ref: str) -> Receipt | Absent:
        path = place("invoices", invoice_ref, "payments")
        rows = payments.rows_of(self._get(path, wanted.subject), wanted.subject)
        found = payments.find(wanted, rows)
        if found is not None:
            return found
        self._check_whole(wanted.subject, invoice_ref, rows)
        return Absent(
            searched=f"règlements de {invoice_ref}, référence {wanted.key}", at=self._context.now
        )

    def _check_whole(self, subject: str, invoice_ref: str, rows: Sequence[PaymentRow]) -> None:
        """Compare the list with what the invoice says was paid, before calling anything absent.

        A list cut short with a count to match cannot be told from a whole one by itself.
        """
        answer = self._get(place("invoices", invoice_ref), subject)
        row = mapping.row_of(answer.get("invoice"))
        if isinstance(row, Unreadable):
            raise Drift(f"{subject} : {row.reason}", raw=row.raw)
        listed = sum((payment.amount for payment in rows), Decimal(0))
        if row.paid != listed:
            raise Transient(
                f"{subject} : les règlements listés font {in_french(listed)} € et la facture "
                f"{row.number} en dit {in_french(row.paid)} € ; la recherche n'est pas concluante, "
                "nouvel essai plus tard."
            )

    def _write(self, wanted: payments.Wanted, invoice_ref: str) -> Receipt:
        path = place("invoices", invoice_ref, "payments")
        answer = self._client.post(path, wanted.body(), subject=wanted.subject)
        return payments.written(wanted, answer)

    def _get(
        self, path: str, subject: str, params: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        """Read what must be there: the vendor's "not found" is a refusal here."""
        try:
            return self._client.get(path, subject=subject, params=params)
        except NotFound as unknown:
            raise unknown.error from None
