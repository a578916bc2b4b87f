"""Speak for the older interface: what the roles ask, as actions.

It lists no payment of an invoice, so nothing written there can be looked up: its one write is the
contract's blind one. It has no way to take back a single payment either, only all of an invoice,
the customer's own among them; so it reverses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from encaisse_api.context import Context
from encaisse_api.dialect import Dialect
from encaisse_api.errors import Drift, OutcomeUnknown
from encaisse_api.manifest import Manifest
from encaisse_api.source import Cursor, Granted, Missing, Page, Reminder, SourceInvoice
from encaisse_api.writing import PaymentEntry, Receipt
from encaisse_factomos import mapping, payments, spelling
from encaisse_factomos.answers import Fate, NotFound
from encaisse_factomos.contacts import Contacts
from encaisse_factomos.legacy.client import LegacyClient
from encaisse_factomos.legacy.dialect import DIALECT
from encaisse_factomos.legacy.manifest import MANIFEST
from encaisse_factomos.legacy.reminders import reminders_of
from encaisse_factomos.listing import Listing
from encaisse_factomos.passes import open_items
from encaisse_factomos.reading import Reader
from encaisse_factomos.rows import LegacyContactRow, LegacyInvoiceRow


class FactomosLegacyConnector:
    """Offer the invoices of one Factomos account, and the reminders it already sent."""

    manifest: ClassVar[Manifest] = MANIFEST
    dialect: ClassVar[Dialect] = DIALECT

    def __init__(self, context: Context) -> None:
        self._client = LegacyClient(context.http, context.now)
        self._reader = Reader(
            shape=LegacyInvoiceRow,
            contacts=Contacts(self._card, context.log, LegacyContactRow),
            seller=mapping.seller(context.settings.get("siren")),
            today=context.today,
        )

    def probe(self) -> Granted:
        """Read the late invoices: no action says who the keys belong to."""
        answer = self._invoices_after("later", 0)
        total = Listing("invoices", "Connexion à Factomos", answer).total()
        return Granted(
            note=f"{total} facture(s) en retard dans Factomos. L'outil ne dit pas à quelle "
            "entreprise appartiennent les clés : le SIREN est celui du réglage « siren »."
        )

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Read each status that may be open to its proven end, then say the pass is complete."""
        for rows, mark in open_items(self._invoices_after, since):
            yield self._reader.page(rows, mark)
        yield Page(end=True)

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        """Read these again. Only the vendor's own "not found" is `Missing`."""
        return [self._read(ref) for ref in refs]

    def reminders(self, ref: str) -> Sequence[Reminder]:
        """List the reminders the tool sent of one invoice."""
        subject = f"Relances de la facture {ref}"
        try:
            answer = self._client.read("getInvoiceMailHistory", subject=subject, invoice_id=ref)
        except NotFound as unknown:
            raise unknown.error from None
        return reminders_of(answer, ref, subject)

    def record_payment_blind(self, key: str, payment: PaymentEntry) -> Receipt:
        """Record it once. What comes back is no proof unless it names the payment (assumed)."""
        wanted = payments.payment(key, payment)
        answer = self._client.write(
            "createPayment",
            subject=wanted.subject,
            invoice_id=payment.invoice_ref,
            **wanted.body(),
        )
        try:
            return Receipt(remote_id=spelling.name(answer.get("payment_id")), amount=wanted.asked)
        except ValueError:
            raise OutcomeUnknown(
                f"{wanted.subject} : Factomos dit avoir réussi sans nommer le règlement. "
                f"Vérifiez-le dans Factomos, sous la référence {key}."
            ) from None

    def _read(self, ref: str) -> SourceInvoice | Missing:
        try:
            answer = self._client.read("getInvoice", subject=f"Facture {ref}", invoice_id=ref)
        except NotFound as unknown:
            if unknown.fate is Fate.INVOICE_UNKNOWN:
                return Missing(ref=ref)
            raise Drift(unknown.error.message) from None
        return self._reader.again(ref, answer.get("invoice"))

    def _card(self, pid: str) -> object:
        answer = self._client.read("getClient", subject=f"Client {pid}", client_id=pid)
        return answer.get("client")

    def _invoices_after(self, status: str, read: int) -> Mapping[str, object]:
        return self._client.read(
            "listInvoice",
            subject=f"Factures « {status} » de Factomos",
            invoice_status=status,
            page_index=str(read),
        )
