"""Find the files a person deposited: in a folder, its sub-folders and its archives.

A file is named by its path below the deposit, a member of an archive by `archive.zip!member.xml`.
Names are the only thing trusted to look a file up again, and only names the deposit itself gives:
a ref is compared with what stands there, never joined to a path.

Only regular files are opened: a pipe or a device may block for ever. A link is followed to a file
of the same deposit; one that leads out of it, to a folder or nowhere is set aside with its reason,
because a person chose this folder and what it holds, not what a link in it may point to.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from encaisse_einvoicing import Refused
from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.reading import archive
from encaisse_einvoicing.reading.documents import ARCHIVES, KINDS, shown

MAX_FILE_BYTES = archive.MAX_MEMBER_BYTES
"""Largest file read, in or out of an archive."""
ARCHIVE_MARK = "!"
_HOW = os.O_RDONLY | sum(getattr(os, n, 0) for n in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY"))
"""Open without waiting and through no link, as far as the system knows how."""


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
            for found in self._open(name, path):
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
                if self.root.exists():
                    raise OutOfReach(f"« {self.root} » n'est ni un fichier, ni un dossier")
                raise OutOfReach(f"« {self.root} » n'existe pas ou n'est plus accessible")
        except OSError as error:
            raise OutOfReach(f"« {self.root} » ne s'ouvre pas : {of_the_system(error)}") from None
        for place, folders, files in os.walk(self.root, onerror=_refuse):
            folders.sort()
            below = Path(place).relative_to(self.root)
            links = {folder for folder in folders if (Path(place) / folder).is_symlink()}
            for file in sorted((*files, *links)):
                if file in links or file.lower().endswith((*KINDS, *ARCHIVES)):
                    yield shown((below / file).as_posix()), Path(place) / file

    def _open(self, name: str, path: Path) -> Iterator[Deposited]:
        try:
            with os.fdopen(_regular(self._followed(path)), "rb") as file:
                yield from _contents(name, file)
        except Refused as refused:
            yield Deposited(name, refused, breaks=name.lower().endswith(ARCHIVES))
        except OSError as error:
            closed = Refused(
                "unreadable", f"Ce fichier ne s'ouvre pas ({of_the_system(error)}).", name
            )
            yield Deposited(name, closed, breaks=name.lower().endswith(ARCHIVES))

    def _followed(self, path: Path) -> Path:
        """Give the file a link of the deposit leads to; raises `Refused` where it leads elsewhere.

        The deposit itself may be a link: that one a person gave.
        """
        if path == self.root:
            return path.resolve()
        if not path.is_symlink():
            return path
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):
            raise Refused(
                "broken_link",
                "Ce lien ne mène à aucun fichier : déposez le fichier lui-même.",
                path.name,
            ) from None
        if not target.is_relative_to(self.root.resolve()):
            raise Refused(
                "link_outside",
                "Ce lien mène hors du dossier : déposez le fichier lui-même.",
                path.name,
            )
        if target.is_dir():
            raise Refused(
                "link_to_folder",
                "Ce lien mène à un dossier : il n'est pas suivi, déposez les fichiers eux-mêmes.",
                path.name,
            )
        return target


def _refuse(error: OSError) -> None:
    raise OutOfReach(f"le dossier « {error.filename} » ne s'ouvre pas : {of_the_system(error)}")


def _regular(path: Path) -> int:
    """Open a regular file, without ever waiting for one that is not; raises `Refused` for those."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise _not_a_file(path)
    opened = os.open(path, _HOW)
    if not stat.S_ISREG(os.fstat(opened).st_mode):  # replaced since it was looked at
        os.close(opened)
        raise _not_a_file(path)
    return opened


def _not_a_file(path: Path) -> Refused:
    return Refused(
        "not_a_file",
        "Ceci n'est pas un fichier ordinaire (tube, périphérique ou dossier) : il n'est pas lu.",
        path.name,
    )


def _contents(name: str, file: BinaryIO) -> Iterator[Deposited]:
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
