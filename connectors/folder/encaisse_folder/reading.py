"""Read a deposit of e-invoices as a source, each pass all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from encaisse_api.context import Context
from encaisse_api.errors import Denied, Drift, Rejected, Transient
from encaisse_api.source import (
    Cursor,
    Document,
    Granted,
    Missing,
    Page,
    SourceInvoice,
    Unreadable,
)
from encaisse_einvoicing import Refused, read_bytes
from encaisse_folder.deposit import Deposit, Deposited, OutOfReach
from encaisse_folder.mapping import Unusable, to_source

PAGE = 200
"""Files per page: one transaction of the host each."""
MAX_REF = 512
"""Longest ref the contract carries."""


class Reader:
    """Do what `FolderConnector` offers.

    The setting is read at each call, because the folder may be mounted late or moved.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def probe(self) -> Granted:
        """Tell whether the deposit is there; raises `Denied` when it is not."""
        try:
            files = sum(1 for _ in self._deposit().names())
        except OutOfReach as error:
            raise Denied(_told(error)) from None
        return Granted(note=f"{files} fichier(s) de facture trouvé(s)")

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Read every file; the last page ends the pass unless an archive broke off.

        What a broken archive still held is unknown, so a pass over one never says it was complete.
        """
        items: list[SourceInvoice] = []
        unreadable: list[Unreadable] = []
        broken = ""
        for found in self._files(self._deposit().walk()):
            if len(items) + len(unreadable) == PAGE:
                yield Page(items=tuple(items), unreadable=tuple(unreadable))
                items, unreadable = [], []
            outcome = self._read(found)
            if isinstance(outcome, SourceInvoice):
                items.append(outcome)
            else:
                unreadable.append(outcome)
                if found.breaks and not broken:
                    broken = f"{found.ref} : {outcome.reason}"
        yield Page(items=tuple(items), unreadable=tuple(unreadable), end=not broken)
        if broken:
            raise Drift(
                f"{broken} Ce que cette archive contenait de plus n'est pas connu : rien de ce "
                "dossier n'est confié avant qu'elle soit remplacée ou retirée."
            )

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        """Read these files again; a file that is gone is `Missing`.

        Raises `Drift` when one is still there but no longer readable, or may have been in an
        archive that broke off: its fate is then unknown, and it must not pass for gone.
        """
        answers: dict[str, SourceInvoice] = {}
        for found in self._files(self._deposit().find(frozenset(refs))):
            if found.ref in answers:
                continue
            outcome = self._read(found)
            if isinstance(outcome, Unreadable):
                raise Drift(f"{found.ref} : {outcome.reason}", raw=outcome.raw)
            answers[found.ref] = outcome
        return [answers.get(ref) or Missing(ref=ref) for ref in refs]

    def fetch_document(self, ref: str) -> Document:
        """Give the file, or the member of the archive, byte for byte."""
        for found in self._files(self._deposit().find(frozenset({ref}))):
            if isinstance(found.content, Refused):
                raise Rejected(f"{ref} : {found.content.message_fr}", code=found.content.code)
            return Document(
                ref=ref,
                filename=PurePosixPath(ref.rpartition("!")[2]).name,
                media_type=_media_type(found.content),
                content=found.content,
            )
        raise Rejected(f"{ref} : ce fichier n'est plus dans le dossier.", code="not_found")

    def _read(self, found: Deposited) -> SourceInvoice | Unreadable:
        if isinstance(found.content, Refused):
            return _set_aside(found, found.content.message_fr)
        if len(found.ref) > MAX_REF:
            return _set_aside(found, "Le chemin dépasse 512 caractères : raccourcissez-le.")
        reading = read_bytes(found.ref, found.content)
        if reading.invoice is None:
            return _set_aside(found, " ".join(issue.message for issue in reading.issues))
        try:
            return to_source(
                reading.invoice,
                ref=found.ref,
                sha256=found.sha256,
                today=self._context.today,
                issues=reading.issues,
            )
        except Unusable as reason:
            number = reading.invoice.number or "sans numéro"
            return _set_aside(found, f"Facture {number} : {reason}.")

    def _deposit(self) -> Deposit:
        return Deposit(Path(self._context.settings["path"]))

    def _files(self, found: Iterator[Deposited]) -> Iterator[Deposited]:
        """Pass files on; a folder out of reach is tried again, since a mount comes back by itself.

        Only `probe`, when a person connects it, takes it for an access refused.
        """
        try:
            yield from found
        except OutOfReach as error:
            raise Transient(f"{_told(error)} La lecture reprend dès qu'il revient.") from None


def _told(error: OutOfReach) -> str:
    return f"{error}. Vérifiez le réglage « path » et les droits de lecture."


def _set_aside(found: Deposited, reason: str) -> Unreadable:
    """Keep a name, a digest and a size: the file itself stays where it is."""
    known = {"name": found.ref, "sha256": found.sha256, "size": found.size}
    if found.size is None:
        known["sha256"] = None
    return Unreadable(
        ref=found.ref if len(found.ref) <= MAX_REF else None,
        raw=json.dumps(known, ensure_ascii=False),
        reason=(reason or "Ce fichier n'a pas pu être lu.")[:MAX_REF],
    )


def _media_type(content: bytes) -> str:
    return "application/pdf" if b"%PDF-" in content[:1024] else "application/xml"
