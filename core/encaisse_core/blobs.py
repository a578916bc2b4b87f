"""Documents by their content: a folder whose file names are SHA-256 sums."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from encaisse_core.errors import StoreError


@dataclass(frozen=True, slots=True)
class Blobs:
    """Keep bytes once, whole, and give back only what still matches its sum."""

    folder: Path

    def put(self, content: bytes) -> str:
        """Store bytes and give their SHA-256; the same bytes are kept once."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if path.exists():
            return digest
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".part")
            partial.write_bytes(content)
            partial.rename(path)
        except OSError as error:
            from encaisse_einvoicing.complaints import of_the_system

            raise StoreError(
                f"Un document n'a pas pu être enregistré : {of_the_system(error)}. "
                "Libérez de la place, puis relancez la commande."
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Read bytes back; altered bytes raise, because a wrong invoice must not leave."""
        try:
            content = self._path(digest).read_bytes()
        except OSError as error:
            raise StoreError(f"Le document {digest[:12]} manque dans le coffre.") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(f"Le document {digest[:12]} a été modifié dans le coffre.")
        return content

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest
