"""The file a backup is: a zip of JSON lines and documents, with the sum of each in its manifest.

    manifest.json            what is in it, and the SHA-256 of every other member
    tables/<table>.jsonl     first the names of the columns, then one row a line
    documents/<sha256>       bytes of documents, by their sum

It is the same for both databases, so that one can be restored into the other. Secrets are in it as
the store keeps them, encrypted; the key that opens them is not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from encaisse_core.errors import StoreError

FORMAT = "encaisse-backup/1"
MANIFEST = "manifest.json"
TABLES = "tables/"
DOCUMENTS = "documents/"

SHARED_ONLY = frozenset({"heartbeat", "rate_bucket", "refresh_lease", "virtual_clock"})
"""Tables that say what processes do now: nothing of them is worth bringing back."""

CHUNK = 1 << 20

Cell = str | int | bytes | None
Row = dict[str, Any]


def encoded(row: Sequence[Cell]) -> str:
    """Write one row as JSON; bytes as an object of their own, since no column holds one."""
    cells = [
        {"b64": base64.b64encode(cell).decode()} if isinstance(cell, bytes) else cell
        for cell in row
    ]
    return json.dumps(cells, ensure_ascii=False, separators=(",", ":"))


def decoded(text: str) -> list[Cell]:
    """Read one row back. Raises `ValueError` for what `encoded` never writes."""
    cells: object = json.loads(text)
    if not isinstance(cells, list):
        raise ValueError("a row is a list")
    return [_cell(cell) for cell in cast("list[object]", cells)]


def _cell(cell: object) -> Cell:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    if isinstance(cell, dict):
        held = cast("dict[str, object]", cell)
        if set(held) == {"b64"}:
            return base64.b64decode(str(held["b64"]), validate=True)
    raise ValueError("a cell is a text, an integer, bytes or nothing")


@dataclass(frozen=True, slots=True)
class Archive:
    """Hold an opened backup whose every byte matched its manifest. `digest` is the manifest's."""

    path: Path
    manifest: Mapping[str, Any]
    digest: str

    @property
    def revision(self) -> str:
        """Name the version of the tables it was made from."""
        return str(self.manifest["revision"])

    @property
    def taken_at(self) -> str:
        """Give the instant it shows the store at, as the store writes instants."""
        return str(self.manifest["taken_at"])

    @property
    def tables(self) -> tuple[str, ...]:
        """Name its tables."""
        return tuple(self.manifest["tables"])

    @property
    def documents(self) -> tuple[str, ...]:
        """Name its documents by their sums."""
        return tuple(self.manifest["documents"])

    def rows(self, table: str) -> Iterator[Row]:
        """Read a table's rows, one after the other. Raises `StoreError` where it is damaged."""
        try:
            with zipfile.ZipFile(self.path) as held, held.open(_member(table)) as lines:
                names = [str(name) for name in decoded(next(lines).decode())]
                for line in lines:
                    yield dict(zip(names, decoded(line.decode()), strict=True))
        except (*DAMAGE, OSError, StopIteration) as error:
            damaged(self.path, error)

    def document(self, digest: str) -> bytes:
        """Read a document's bytes. Raises `StoreError` where it is damaged."""
        try:
            with zipfile.ZipFile(self.path) as held:
                return held.read(f"{DOCUMENTS}{digest}")
        except (*DAMAGE, OSError) as error:
            damaged(self.path, error)


DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValueError,  # JSON and UTF-8 among them
    TypeError,
    NotImplementedError,
    RuntimeError,
    binascii.Error,
)
"""What reading a file that was cut, altered or never was a backup may raise."""


def damaged(path: Path, error: Exception | str) -> NoReturn:
    """Say that a backup cannot be trusted; nothing of what it holds is quoted."""
    why = error if isinstance(error, str) else type(error).__name__
    raise StoreError(
        f"La sauvegarde {path} est abîmée ou incomplète ({why}) : rien n'a été restauré. Prenez-en "
        "une autre copie."
    ) from None


def open_archive(path: Path) -> Archive:
    """Read a backup whole and compare each member with its sum, before anything is believed.

    Raises `StoreError` for a file that is missing, is no backup, or differs anywhere.
    """
    try:
        with zipfile.ZipFile(path) as held:
            raw = held.read(MANIFEST)
            manifest: object = json.loads(raw)
            if not isinstance(manifest, dict):
                damaged(path, "ce n'est pas une sauvegarde d'encaisse")
            found = cast("dict[str, Any]", manifest)
            if found.get("format") != FORMAT:
                damaged(path, "ce n'est pas une sauvegarde d'encaisse, ou d'un format inconnu")
            sums = _sums(found)
            if sorted(held.namelist()) != sorted([MANIFEST, *sums]):
                damaged(path, "des éléments manquent ou sont de trop")
            for name, due in sums.items():
                with held.open(name) as member:
                    if _sum(member) != due:
                        damaged(path, "un élément n'a pas la somme annoncée")
            digest = hashlib.sha256(raw).hexdigest()
            if held.comment.decode("ascii") != digest:
                damaged(path, "le sommaire a été modifié")
    except FileNotFoundError:
        raise StoreError(f"La sauvegarde {path} n'existe pas : vérifiez le chemin.") from None
    except OSError as error:
        from encaisse_einvoicing.complaints import of_the_system

        raise StoreError(f"La sauvegarde {path} ne se lit pas : {of_the_system(error)}.") from error
    except DAMAGE as error:
        damaged(path, error)
    return Archive(path, found, digest)


def _sums(manifest: Mapping[str, Any]) -> dict[str, str]:
    tables = {_member(name): str(said["sha256"]) for name, said in manifest["tables"].items()}
    return tables | {f"{DOCUMENTS}{digest}": str(digest) for digest in manifest["documents"]}


def _member(table: str) -> str:
    return f"{TABLES}{table}.jsonl"


def _sum(member: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := member.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
