"""Read the members of zip, tar and tar.gz archives in memory, under caps.

Nothing is written to disk, so a member called ../../etc/passwd is only an odd name. A member
that breaks a rule is told by itself; an archive that breaks its own format or the caps ends
there, after the members already read.
"""

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final, Literal

from encaisse_einvoicing.issues import Refused

ArchiveKind = Literal["zip", "tar", "tar.gz"]

MAX_MEMBERS: Final = 10_000
MAX_MEMBER_BYTES: Final = 50 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 1024 * 1024 * 1024
MAX_RATIO: Final = 200
"""Inflated over deflated bytes of one member; XML packs about 30 to 1, a bomb 1000 to 1."""
RATIO_FROM: Final = 1024 * 1024
"""Inflated size under which the ratio does not matter."""
TAR_RATIO: Final = 500
"""The same for a whole tar.gz, whose files share what they have in common; zeros pack 1000 to 1."""
TAR_RATIO_FROM: Final = 64 * 1024 * 1024
MAX_IDLE: Final = 10
"""Reads past the end: a tar that announces a member of 2^60 bytes would be skipped for ever."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NESTED: Final = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """Be one file of an archive: its bytes, or why it is refused."""

    name: str
    content: bytes | Refused


def kind_of(head: bytes) -> ArchiveKind | None:
    """Recognise an archive by its first 512 bytes."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "tar.gz"
    return "tar" if head[257:262] == b"ustar" else None


def members(kind: ArchiveKind, file: IO[bytes], wanted: tuple[str, ...]) -> Iterator[Member]:
    """Yield the members whose name ends in one of `wanted`, in name order for a zip.

    Nested archives are yielded as refused. Raises `Refused` for the archive itself.
    """
    found = _zip(file, wanted) if kind == "zip" else _tar(file, kind == "tar.gz", wanted)
    try:
        yield from found
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise _broken(error) from None
    except (ValueError, NotImplementedError, RuntimeError, OverflowError) as error:
        # zipfile and tarfile let some damage through as plain errors (names, sizes, versions).
        raise _broken(error) from None


def _broken(error: Exception) -> Refused:
    return Refused(
        "archive_damaged",
        "L'archive est abîmée ou incomplète : demandez-la à nouveau. "
        "Les fichiers lus avant l'incident sont gardés.",
    )


def _nested(name: str) -> Member:
    return Member(
        name,
        Refused(
            "nested_archive",
            "Une archive dans une archive n'est pas ouverte : déposez-la à part.",
            name,
        ),
    )


def _too_large(name: str) -> Member:
    return Member(
        name,
        Refused(
            "archive_member_too_large",
            f"Ce fichier dépasse {MAX_MEMBER_BYTES // 1024 // 1024} Mo une fois ouvert, ou gonfle "
            "plus que ne le fait une facture : il n'est pas lu.",
            name,
        ),
    )


def _too_much() -> Refused:
    return Refused(
        "archive_too_large",
        f"L'archive dépasse {MAX_MEMBERS} fichiers ou {MAX_TOTAL_BYTES // 1024**3} Go une fois "
        "ouverte : la suite n'est pas lue. Déposez-la en plusieurs fois.",
    )


def _zip(file: IO[bytes], wanted: tuple[str, ...]) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
        if len(entries) > MAX_MEMBERS:
            raise _too_much()
        _apart(entries)
        total = 0
        for entry in entries:
            name = entry.filename.lower()
            if entry.is_dir():
                continue
            if name.endswith(_NESTED):
                yield _nested(entry.filename)
                continue
            if not name.endswith(wanted):
                continue
            member = _zip_member(archive, entry)
            if isinstance(member.content, bytes):
                total += len(member.content)
                if total > MAX_TOTAL_BYTES:
                    raise _too_much()
            yield member


def _apart(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes: a few megabytes named ten thousand times are a bomb."""
    end = 0
    for start, size in sorted((entry.header_offset, entry.compress_size) for entry in entries):
        if start < end:
            raise zipfile.BadZipFile("members overlap")
        end = start + size


def _link(name: str) -> Member:
    return Member(
        name,
        Refused(
            "archive_link",
            "Cette entrée est un lien ou un fichier spécial : elle n'est pas suivie.",
            name,
        ),
    )


def _zip_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    name = entry.filename
    if stat.S_ISLNK(entry.external_attr >> 16):
        return _link(name)
    if entry.flag_bits & 0x1:
        return Member(
            name, Refused("archive_encrypted", "Ce fichier est protégé par un mot de passe.", name)
        )
    if entry.compress_type not in _METHODS:
        return Member(
            name,
            Refused(
                "archive_method",
                "Ce fichier est compressé autrement que par « deflate » : il n'est pas ouvert.",
                name,
            ),
        )
    swollen = entry.file_size > max(RATIO_FROM, MAX_RATIO * entry.compress_size)
    if swollen or entry.file_size > MAX_MEMBER_BYTES:
        return _too_large(name)
    try:
        with archive.open(entry) as stream:
            # The size in the directory may lie: what counts is what comes out.
            content = _read(stream, min(MAX_MEMBER_BYTES, max(entry.file_size, RATIO_FROM)))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
        return Member(
            name,
            Refused(
                "archive_member_damaged",
                "Ce fichier de l'archive est abîmé : demandez-le à nouveau.",
                name,
            ),
        )
    return _too_large(name) if content is None else Member(name, content)


def _read(stream: IO[bytes], cap: int) -> bytes | None:
    """Read at most `cap` bytes; None when there are more."""
    parts = io.BytesIO()
    while chunk := stream.read(_CHUNK):
        parts.write(chunk)
        if parts.tell() > cap:
            return None
    return parts.getvalue()


class _Capped(io.RawIOBase):
    """Stop a stream that gives more than the whole archive may, or is asked too much at once."""

    def __init__(self, inner: IO[bytes], packed: IO[bytes]) -> None:
        self._inner: Final = inner
        self._packed: Final = packed
        self._left = MAX_TOTAL_BYTES
        self._idle = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size < 0 or size > MAX_MEMBER_BYTES + 1:
            raise _too_much()
        data = self._inner.read(size)
        self._left -= len(data)
        self._idle = 0 if data else self._idle + 1
        if self._idle > MAX_IDLE:
            raise EOFError
        given = MAX_TOTAL_BYTES - self._left
        swollen = given > TAR_RATIO_FROM and given > TAR_RATIO * self._packed.tell()
        if self._left < 0 or swollen:
            raise _too_much()
        return data


def _tar(file: IO[bytes], zipped: bool, wanted: tuple[str, ...]) -> Iterator[Member]:
    inner: IO[bytes] = gzip.GzipFile(fileobj=file) if zipped else file  # type: ignore[assignment]
    with tarfile.open(fileobj=_Capped(inner, file), mode="r|") as archive:
        for number, entry in enumerate(archive):
            if number >= MAX_MEMBERS:
                raise _too_much()
            name = entry.name.lower()
            if name.endswith(_NESTED) and entry.isreg():
                yield _nested(entry.name)
            elif not name.endswith(wanted) or entry.isdir():
                continue
            elif not entry.isreg() or entry.issparse():
                yield _link(entry.name)
            elif entry.size > MAX_MEMBER_BYTES:
                yield _too_large(entry.name)
            else:
                stream = archive.extractfile(entry)
                content = None if stream is None else _read(stream, MAX_MEMBER_BYTES)
                if content is None or len(content) != entry.size:
                    raise tarfile.ReadError("truncated")
                yield Member(entry.name, content)
