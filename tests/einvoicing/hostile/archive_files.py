"""Write archives that swell, lie about their members, or point out of themselves."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.einvoicing.hostile.cases import Case, case

ZIP: dict[str, Any] = {"kind": "path"}
TAR = ZIP
PERHAPS: dict[str, Any] = {"kind": "path", "nothing": True}
EVERY: dict[str, Any] = {"kind": "path", "every": True}
BLOCK = 512


def cases(cii: str, canary: str) -> Iterator[Case]:
    """Give each file; `canary` is the path of a file not to be read."""
    xml = cii.encode()
    yield case("an honest zip", zipped({"a.xml": xml}), "ok", **ZIP)
    whole = member("a.xml", xml) + bytes(2 * BLOCK)
    yield case("an honest tar.gz", gzip.compress(whole), "ok", **TAR)
    yield from _zips(xml, canary)
    yield from _lies(xml)
    yield from _tars(xml, canary)


def zipped(
    files: Mapping[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None
) -> bytes:
    """Write a zip; `change` may alter how each member is described."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if change is not None:
                change(entry)
            made.writestr(entry, content)
    return out.getvalue()


def _zips(xml: bytes, canary: str) -> Iterator[Case]:
    good = {"a.xml": xml}
    bomb = zipped({**good, "bombe.xml": b" " * (40 << 20)})
    yield case("zip: a bomb beside an invoice", bomb, "ok", "archive_member_too_large", **EVERY)
    under = zipped({f"{n}.xml": bytes(1 << 20) for n in range(40)})
    yield case("zip: forty bombs just under the ratio's floor", under, "empty", **ZIP)
    once = zipped({"a.xml": xml})
    for _ in range(5):
        once = zipped({"b.zip": once, **good})
    yield case("zip: archives in archives", once, "ok", "nested_archive", **EVERY)
    slips = (
        "../../evade.xml",
        "/etc/absolu.xml",
        "C:\\windows\\x.xml",
        "..\\x.xml",
        "a/../../b.xml",
        "con.xml",
        "a\nb.xml",
        "\u202elmx.xml",
        "x" * 60_000 + ".xml",
    )
    yield case("zip: names that lead out", zipped(dict.fromkeys(slips, xml)), "ok", **ZIP)

    def link(entry: zipfile.ZipInfo) -> None:
        entry.create_system, entry.external_attr = 3, 0o120777 << 16

    linked = zipped({"lien.xml": canary.encode()}, link)
    yield case("zip: a link", linked, "archive_link", **ZIP)
    yield case(
        "zip: a link beside an invoice, by its text alone",
        zipped({"lien.xml": canary.encode()}),
        "unknown_kind",
        **ZIP,
    )
    many = zipped({f"{n}.xml": b"" for n in range(10_001)})
    yield case("zip: 10,001 members", many, "archive_too_large", **ZIP)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            made.writestr(zipfile.ZipInfo(f"{method}.xml"), xml, compress_type=method)
    yield case("zip: other methods", out.getvalue(), "archive_method", **ZIP)
    yield case(
        "zip: a comment of 64 kB",
        _with_comment(zipped(good), b"PK\x05\x06" * 16_000),
        "ok",
        "archive_damaged",
        **ZIP,
    )
    yield case("zip: a folder named as a file", zipped({"a.xml/": b"", "b.xml": xml}), "ok", **ZIP)
    yield case(
        "zip: a name with a NUL",
        zipped({"a.xml": xml}).replace(b"a.xml", b"a\0xml"),
        "archive_damaged",
        "ok",
        **PERHAPS,
    )


def _with_comment(data: bytes, comment: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as made:
        made.comment = comment[:65_535]
    return out.getvalue()


def _lies(xml: bytes) -> Iterator[Case]:
    two = zipped({"a.xml": xml, "z.xml": xml})
    first = two.index(b"PK\x01\x02")

    def directory(offset: int, layout: str, value: int) -> bytes:
        data = bytearray(two)
        struct.pack_into(layout, data, first + offset, value)
        return bytes(data)

    bad = ("archive_member_damaged", "archive_member_too_large", "archive_damaged")
    for name, offset, layout, value in (
        ("a size too small", 24, "<L", 10),
        ("a size too large", 24, "<L", 1_000_000),
        ("a size of four thousand million", 24, "<L", 0xFFFFFFFE),
        ("a size left to zip64 that is not there", 24, "<L", 0xFFFFFFFF),
        ("a packed size too small", 20, "<L", 10),
        ("a packed size past the end", 20, "<L", 0x7FFFFFFF),
        ("a place past the end", 42, "<L", 0x7FFFFFFF),
        ("a checksum that is wrong", 16, "<L", 1),
        ("a name's length too large", 28, "<H", 60_000),
        ("a version from the future", 6, "<H", 99),
        ("a method nobody knows", 10, "<H", 77),
    ):
        told = ("ok", *bad, "archive_method")
        yield case(f"zip: {name}", directory(offset, layout, value), *told, **PERHAPS)
    locked = bytearray(directory(8, "<H", 1))
    locked[6] |= 1
    yield case("zip: a member behind a password", bytes(locked), "ok", "archive_encrypted", **EVERY)
    numbers = {"a.xml": xml, "b.xml": xml.replace(b"F-2026-001", b"F-2026-002")}
    twice = zipped(numbers).replace(b"b.xml", b"a.xml")
    yield case("zip: one name twice", twice, "ok", shows="F-2026-002", **ZIP)
    yield case(
        "zip: members that share their bytes", _overlapping(xml, 2_000), "archive_damaged", **ZIP
    )
    for part in (0.2, 0.5, 0.9):
        yield case(f"zip: cut at {part}", two[: int(len(two) * part)], "archive_damaged", **ZIP)
    end = two.index(b"PK\x05\x06")
    counted = bytearray(two)
    struct.pack_into("<HH", counted, end + 8, 65_535, 65_535)
    yield case(
        "zip: more members said than there are", bytes(counted), "ok", "archive_damaged", **ZIP
    )
    swapped = two.replace(b"z.xml", b"y.xml", 1)
    yield case(
        "zip: another name inside than outside", swapped, "ok", "archive_member_damaged", **ZIP
    )
    extra = struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62)
    wide = io.BytesIO()
    with zipfile.ZipFile(wide, "w") as made:
        entry = zipfile.ZipInfo("a.xml")
        entry.extra = extra
        made.writestr(entry, xml)
    lying = wide.getvalue().replace(struct.pack("<L", len(xml)), b"\xff\xff\xff\xff")
    yield case("zip: sizes of zip64 that lie", lying, *bad, **ZIP)


def _overlapping(xml: bytes, count: int) -> bytes:
    """Name one packed member again and again, as bombs do that no ratio gives away."""
    one = zipped({"a.xml": xml + b" " * 900_000})
    start = one.index(b"PK\x01\x02")
    entry = one[start : one.index(b"PK\x05\x06")]
    names = b"".join(entry for _ in range(count))
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, count, count, len(names), start, 0)
    return one[:start] + names + end


def member(name: str, content: bytes, **more: object) -> bytes:
    """Write one tar member, with whatever its header should say instead."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for key, value in more.items():
        setattr(entry, key, value)
    padding = bytes(-len(content) % BLOCK)
    return entry.tobuf(tarfile.GNU_FORMAT) + content + padding


def _tars(xml: bytes, canary: str) -> Iterator[Case]:
    good, end = member("a.xml", xml), bytes(2 * BLOCK)
    special = {
        "a symbolic link": (tarfile.SYMTYPE, canary),
        "a hard link": (tarfile.LNKTYPE, canary),
        "a device": (tarfile.CHRTYPE, ""),
        "a block device": (tarfile.BLKTYPE, ""),
        "a pipe": (tarfile.FIFOTYPE, ""),
    }
    for name, (kind, target) in special.items():
        data = member("lien.xml", b"", type=kind, linkname=target, devmajor=1, devminor=5)
        yield case(f"tar: {name}", data + good + end, "archive_link", "ok", **EVERY)
    for name in ("../../evade.xml", "/etc/absolu.xml", "a\nb.xml"):
        yield case(f"tar: {name!r}", member(name, xml) + end, "ok", **TAR)
    inside = member("b.zip", zipped({"a.xml": xml}))
    yield case("tar: an archive inside", inside + good + end, "nested_archive", "ok", **EVERY)
    for size in (1 << 33, 1 << 60, len(xml) + 1_000_000, 0):
        lying = member("a.xml", xml, size=size)
        yield case(
            f"tar: a size said {size}",
            lying + end,
            "archive_damaged",
            "archive_member_too_large",
            "empty",
            **TAR,
        )
    negative = bytearray(good)
    negative[124:136] = b"\xff" * 12
    negative[148:156] = b"%06o\0 " % (sum(negative[:148]) + sum(negative[156:512]) + 8 * 32)
    yield case("tar: a negative size", bytes(negative) + end, "archive_damaged", **TAR)
    long = member("././@LongLink", b"x" * 40_000_000 + b".xml", type=tarfile.GNUTYPE_LONGNAME)
    yield case(
        "tar: a name of forty megabytes",
        lambda: long + good + end,
        "archive_damaged",
        "archive_too_large",
        "ok",
        **TAR,
    )
    pax = member("pax", b"30 size=99999999999999999999\n".ljust(30), type=tarfile.XHDTYPE)
    yield case(
        "tar: a size in an extended header",
        pax + good + end,
        "archive_damaged",
        "archive_member_too_large",
        "ok",
        **TAR,
    )
    many = b"".join(member(f"{n}.txt", b"") for n in range(10_001))
    yield case("tar: 10,001 members", lambda: many + end, "archive_too_large", **TAR)
    links = b"".join(
        member("././@LongLink", b"a", type=tarfile.GNUTYPE_LONGNAME) for _ in range(5_000)
    )
    yield case(
        "tar: a thousand names for one member", links + good + end, "archive_damaged", "ok", **TAR
    )
    yield case("tar.gz: cut", gzip.compress(good + end)[:-200], "ok", "archive_damaged", **TAR)
    yield case("tar.gz: no tar inside", gzip.compress(xml), "archive_damaged", **TAR)
    yield case("tar.gz: garbage after the head", b"\x1f\x8b\x08" + xml, "archive_damaged", **TAR)


def swollen(size: int) -> bytes:
    """Pack a tar whose one member is `size` zeros, without holding them."""
    packer = zlib.compressobj(9, wbits=31)
    entry = tarfile.TarInfo("notes.txt")
    entry.size = size
    head = packer.compress(entry.tobuf(tarfile.GNU_FORMAT)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (size >> 24) + packer.flush()


def large(cii: str) -> Iterator[Case]:
    """Give what takes long to read because much comes out of it."""
    yield case("tar.gz: 1.5 GB of zeros", lambda: swollen(3 << 29), "archive_too_large", **TAR)
    members = {f"{n}.xml": cii.encode() + b" " * 900_000 for n in range(40)}
    yield case("zip: forty invoices of a megabyte of blanks", lambda: zipped(members), "ok", **ZIP)
