"""Offer a deposit of e-invoices as a source: no network, no state.

What reads XML and PDF is imported when something is read (`reading.py`): every start of the host
loads this class, also where no company keeps invoices in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from encaisse_api.context import Context
from encaisse_api.dialect import Dialect
from encaisse_api.manifest import Manifest
from encaisse_api.source import Cursor, Document, Granted, Missing, Page, SourceInvoice
from encaisse_folder.dialect import DIALECT
from encaisse_folder.manifest import MANIFEST

if TYPE_CHECKING:
    from encaisse_folder.reading import Reader


class FolderConnector:
    """Offer the e-invoices of a file, a folder or an archive."""

    manifest: ClassVar[Manifest] = MANIFEST
    dialect: ClassVar[Dialect] = DIALECT

    def __init__(self, context: Context) -> None:
        self._context = context

    def probe(self) -> Granted:
        """Tell whether the deposit is there; raises `Denied` when it is not."""
        return self._reader().probe()

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Read every file; the last page ends the pass unless an archive broke off."""
        return self._reader().pull_invoices(since)

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        """Read these files again; a file that is gone is `Missing`."""
        return self._reader().read_invoices(refs)

    def fetch_document(self, ref: str) -> Document:
        """Give the file, or the member of the archive, byte for byte."""
        return self._reader().fetch_document(ref)

    def _reader(self) -> Reader:
        from encaisse_folder.reading import Reader

        return Reader(self._context)
