"""Speak for Libeo: what the roles ask, of one company, and never a write.

Most of what Libeo holds are invoices a company received, so its user is as often the debtor as the
creditor. Each connection reads one company's own invoices with that company's own key; what one
company's payable says is told to no other company.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import ValidationError

from encaisse_api.context import Context
from encaisse_api.dialect import Dialect
from encaisse_api.errors import Drift, Rejected
from encaisse_api.manifest import Manifest
from encaisse_api.source import (
    Cursor,
    Delivery,
    Document,
    Granted,
    Hint,
    Missing,
    Page,
    SourceInvoice,
    Unreadable,
)
from encaisse_libeo import mapping, stream
from encaisse_libeo.client import LibeoClient, place, shaped
from encaisse_libeo.dialect import DIALECT
from encaisse_libeo.manifest import MANIFEST
from encaisse_libeo.rows import CompanyRow, Event

PDF, XML = "application/pdf", "application/xml"


class LibeoConnector:
    """Offer the invoices one company sent and received, as Libeo holds them."""

    manifest: ClassVar[Manifest] = MANIFEST
    dialect: ClassVar[Dialect] = DIALECT

    def __init__(self, context: Context) -> None:
        self._client = LibeoClient(context.http)
        self._siret = re.sub(r"\s", "", context.settings.get("siret", ""))

    def probe(self) -> Granted:
        """Read the company of the key: it must be the one the settings name."""
        subject = "Connexion à Libeo"
        if not re.fullmatch(r"[0-9]{14}", self._siret, re.ASCII):
            raise Rejected(
                f"{subject} : le réglage « siret » doit avoir 14 chiffres. Corrigez-le, puis "
                "reconnectez Libeo."
            )
        answer = self._client.get(place("companies", self._siret), subject=subject)
        company = shaped(answer, CompanyRow)
        if company.siret != self._siret:
            raise answer.drift(f"Libeo a répondu pour l'entreprise {company.siret}")
        return mapping.granted(company)

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Yield what changed of both directions, each invoice saying which it is."""
        yield from stream.changes(self._client, since)

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        """Read these again. Only the vendor's own "not found" is `Missing`.

        Raises `Drift` naming the invoice when one can no longer be read: no answer is better than
        a guessed one right before an effect.
        """
        return [self._read(ref) for ref in refs]

    def fetch_document(self, ref: str) -> Document:
        """Fetch the document of an invoice: a PDF, or the XML of an e-invoice.

        The address is built from the id. `document_url` only says that there is one: a link in an
        answer is not followed, since it could lead elsewhere with the key.
        """
        answer = self._client.get(
            place("invoices", ref, "document"), subject=f"Document de {ref}", accept="*/*"
        )
        answer.check()
        if answer.media_type == PDF and b"%PDF-" in answer.body[:1024]:
            return Document(ref=ref, filename=f"{ref}.pdf", media_type=PDF, content=answer.body)
        if answer.media_type == XML and answer.body.lstrip()[:1] == b"<":
            return Document(ref=ref, filename=f"{ref}.xml", media_type=XML, content=answer.body)
        raise answer.drift("ce n'est ni un PDF ni un XML")

    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        """Turn a verified delivery into a reason to read one invoice again."""
        try:
            event = Event.model_validate_json(delivery.body)
        except ValidationError as error:
            raise Drift(
                "Libeo : une notification n'a pas la forme attendue. Elle est mise de côté ; la "
                "prochaine lecture dira ce qui a changé.",
                raw=delivery.body.decode("utf-8", "replace"),
            ) from error
        return mapping.hints(event, self._siret)

    def _read(self, ref: str) -> SourceInvoice | Missing:
        subject = f"Facture {ref}"
        answer = self._client.get(place("invoices", ref), subject=subject)
        try:
            raw = answer.document()
        except Rejected as refused:
            if refused.code == "invoice_not_found":
                return Missing(ref=ref)
            raise
        found = mapping.read_again(ref, raw)
        if isinstance(found, Unreadable):
            raise Drift(f"{subject} : {found.reason}", raw=found.raw)
        if found.ref != ref:
            raise answer.drift(f"Libeo a répondu pour la facture {found.ref}")
        return found
