"""Find the files a person deposited: in a folder, its sub-folders and its archives.

A file is named by its path below the deposit, a member of an archive by `archive.zip!member.xml`.
Names are the only thing trusted to look a file up again, and only names the deposit itself gives:
a ref is compared with what stands there, never joined to a path.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from encaisse_einvoicing import Refused, archive
from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.read import ARCHIVES, KINDS, shown

MAX_FILE_BYTES = archive.MAX_MEMBER_BYTES
"""Largest file read, in or out of an archive."""
ARCHIVE_MARK = "!"


class OutOfReach(Exception):
    """Say in French that the deposit itself cannot be walked."""


@dataclass(frozen=True, slots=True)
class Deposited:
    """Hold one file found: its bytes, or why it cannot be read.

    `breaks` marks an archive that ends before its end: what else it held is unknown.
    """

    ref: str
    content: bytes | Refused
    breaks: bool = False

    @property
    def sha256(self) -> str:
        """Give the digest of the bytes, in hexadecimal; of nothing when there are none."""
        return hashlib.sha256(self.content if isinstance(self.content, bytes) else b"").hexdigest()

    @property
    def size(self) -> int | None:
        """Give the number of bytes, None when they could not be read."""
        return len(self.content) if isinstance(self.content, bytes) else None


@dataclass(frozen=True, slots=True)
class Deposit:
    """Walk one file, folder or archive, in name order so that two passes agree."""

    root: Path

    def walk(self, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[Deposited]:
        """Yield every file, or those whose outer name is `wanted`, reading only these.

        Raises `OutOfReach` when the deposit or one of its folders does not open: a folder passed
        over would make every invoice in it look deleted.
        """
        seen: set[str] = set()
        for name, path in self.names():
            if not wanted(name):
                continue
            for found in _open(name, path):
                yield _second(found) if found.ref in seen else found
                seen.add(found.ref)

    def find(self, refs: frozenset[str]) -> Iterator[Deposited]:
        """Yield what stands under these refs, and any broken archive that may have held one."""
        outer = refs | {
            ref[: mark.start()] for ref in refs for mark in re.finditer(ARCHIVE_MARK, ref)
        }
        for found in self.walk(outer.__contains__):
            if found.ref in refs or found.breaks:
                yield found

    def names(self) -> Iterator[tuple[str, Path]]:
        """List the files of the deposit without opening them, name and place."""
        try:
            if self.root.is_file():
                yield shown(self.root.name), self.root
                return
            if not self.root.is_dir():
                raise OutOfReach(f"« {self.root} » n'existe pas ou n'est plus accessible")
        except OSError as error:
            raise OutOfReach(f"« {self.root} » ne s'ouvre pas : {of_the_system(error)}") from None
        for place, folders, files in os.walk(self.root, onerror=_refuse):
            folders.sort()
            below = Path(place).relative_to(self.root)
            for file in sorted(files):
                if file.lower().endswith((*KINDS, *ARCHIVES)):
                    yield shown((below / file).as_posix()), Path(place) / file


def _refuse(error: OSError) -> None:
    raise OutOfReach(f"le dossier « {error.filename} » ne s'ouvre pas : {of_the_system(error)}")


def _open(name: str, path: Path) -> Iterator[Deposited]:
    try:
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(0)
            kind = archive.kind_of(head)
            if kind is None:
                yield Deposited(name, _sized(file.read(MAX_FILE_BYTES + 1)))
                return
            try:
                for member in archive.members(kind, file, KINDS):
                    yield Deposited(f"{name}{ARCHIVE_MARK}{shown(member.name)}", member.content)
            except Refused as refused:
                yield Deposited(name, refused, breaks=True)
    except OSError as error:
        closed = Refused("unreadable", f"Ce fichier ne s'ouvre pas ({of_the_system(error)}).", name)
        yield Deposited(name, closed, breaks=name.lower().endswith(ARCHIVES))


def _sized(content: bytes) -> bytes | Refused:
    if len(content) <= MAX_FILE_BYTES:
        return content
    limit = MAX_FILE_BYTES // 1024 // 1024
    return Refused("too_large", f"Ce fichier dépasse {limit} Mo : il n'est pas lu.")


def _second(found: Deposited) -> Deposited:
    return Deposited(
        f"{found.ref} (second)",
        Refused(
            "same_name",
            "L'archive contient deux fichiers de ce nom : seul le premier est lu. "
            "Renommez le second.",
            found.ref,
        ),
    )
