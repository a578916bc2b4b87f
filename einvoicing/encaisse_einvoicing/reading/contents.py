"""Find the invoices among files: in folders and archives, and the XML a PDF carries.

Reading and validating both start here, so that they speak of the same bytes under the same name.
"""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.reading import archive, pdf

KINDS: Final = (".xml", ".pdf")
"""File names read inside folders and archives; others are passed over there."""
ARCHIVES: Final = (".zip", ".tar", ".tar.gz", ".tgz")
LONGEST_NAME: Final = 1_000
"""Characters shown of a name; a tar may give one of megabytes."""
_PDF_HEAD: Final = 1024
"""A PDF may start this late (ISO 32000-1, implementation note 13)."""


@dataclass(frozen=True, slots=True)
class Found:
    """Be the XML of one document: its bytes, the attachment it was in, what to tell about that."""

    xml: bytes
    attachment: str | None = None
    issues: tuple[Issue, ...] = ()

    def placed(self, refused: Refused) -> Refused:
        """Place a refusal of the XML in the attachment it came from, if any."""
        if self.attachment is None:
            return refused
        where = " ".join(part for part in (self.attachment, refused.where) if part)
        return Refused(refused.code, refused.message_fr, where)


def invoice_xml(data: bytes) -> Found:
    """Give the XML of a document, taken out of its PDF; raise `Refused` for another kind of file.

    The bytes tell what they are, not their name.
    """
    if data.startswith(b"<") or _looks_like_xml(data):
        return Found(data)
    if b"%PDF-" in data[:_PDF_HEAD]:
        embedded = pdf.extract(data)
        return Found(embedded.data, embedded.name, embedded.issues)
    if archive.kind_of(data[:512]) is not None:
        raise Refused("archive", "Ceci est une archive : donnez son chemin, pas son contenu.")
    if data.strip(b" \t\r\n\x00"):
        raise Refused(
            "unknown_kind",
            "Ce fichier n'est ni un XML, ni un PDF, ni une archive zip ou tar : il n'est pas lu.",
        )
    return Found(data)


def _looks_like_xml(data: bytes) -> bool:
    head = data[:_PDF_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return head.startswith((b"<", b"\xff\xfe", b"\xfe\xff", b"\x00<"))


def each_file(paths: Iterable[Path]) -> Iterator[tuple[str, bytes | Refused]]:
    """Go through files, folders (with their sub-folders, in name order) and archives, one by one.

    Each comes under the name a person can find it by (`zip!folder/name.xml`), with its bytes or why
    there are none. A path that does not exist is refused under the code `not_found`.
    """
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for some paths, this does not
            yield from _in_folder(path)
        else:
            yield from _at_path(path)


def _in_folder(folder: Path) -> Iterator[tuple[str, bytes | Refused]]:
    """Go through a folder and what is under it; links to folders are not followed."""
    closed: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=closed.append):
        folders.sort()
        for file in sorted(files):
            if file.lower().endswith((*KINDS, *ARCHIVES)):
                yield from _at_path(Path(place) / file)
    for error in closed:
        name = shown(str(error.filename))
        yield name, _unreadable(name, error)


def _unreadable(name: str, error: OSError) -> Refused:
    return Refused("unreadable", f"« {name} » ne s'ouvre pas : {of_the_system(error)}.")


def _at_path(path: Path) -> Iterator[tuple[str, bytes | Refused]]:
    name = shown(str(path))
    try:
        if not path.exists():
            raise Refused("not_found", f"« {name} » n'existe pas : vérifiez le chemin.")
        if not path.is_file():
            raise Refused("not_a_file", f"« {name} » n'est pas un fichier ordinaire.")
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(0)
            kind = archive.kind_of(head)
            if kind is not None:
                yield from _in_archive(name, kind, file)
                return
            data = file.read(pdf.MAX_BYTES + 1)
    except Refused as refused:
        yield name, refused
    except OSError as error:
        yield name, _unreadable(name, error)
    else:
        yield name, data


def _in_archive(
    name: str, kind: archive.ArchiveKind, file: io.BufferedReader
) -> Iterator[tuple[str, bytes | Refused]]:
    try:
        for member in archive.members(kind, file, KINDS):
            yield f"{name}!{shown(member.name)}", member.content
    except Refused as refused:
        yield name, refused


def shown(name: str) -> str:
    """Make a file name safe to print: no control character, no broken byte, `/` between folders."""
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME // 2]}…{name[-LONGEST_NAME // 2 :]}"
    clean = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in clean)
