"""Write a PDF object by object, so that each may be wrong in its own way."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache

SPACES = 1 << 24
"""Size of the block that bombs repeat."""


def pdf(objects: Mapping[int, bytes], *, trailer: bytes = b"", root: int = 1) -> bytes:
    """Write numbered objects with a table of where each stands."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places: dict[int, int] = {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    size = max(objects) + 1
    table = bytearray(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in sorted(places.items()):
        table += b"%d 1\n%010d 00000 n \n" % (number, place)
    start = len(out)
    out += table
    out += b"trailer\n<< /Size %d /Root %d 0 R %b >>\n" % (size, root, trailer)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def stream(data: bytes, more: bytes = b"") -> bytes:
    """Write one stream with its length."""
    return b"<< /Type /EmbeddedFile /Length %d %b >>\nstream\n%b\nendstream" % (
        len(data),
        more,
        data,
    )


def deflated(data: bytes, more: bytes = b"") -> bytes:
    """Write one stream packed once, as honest programs do."""
    return stream(zlib.compress(data), b"/Filter /FlateDecode " + more)


def holding(attached: bytes, name: bytes = b"(factur-x.xml)", **others: bytes) -> dict[int, bytes]:
    """Give the objects of a PDF with one attachment; `others` replace some, as `o4=...`."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 3 0 R >> /AF [4 0 R] >>",
        2: b"<< /Type /Pages /Kids [] /Count 0 >>",
        3: b"<< /Names [%b 4 0 R] >>" % name,
        4: b"<< /Type /Filespec /F %b /UF %b /EF << /F 5 0 R /UF 5 0 R >> >>" % (name, name),
        5: attached,
    }
    objects.update({int(key[1:]): body for key, body in others.items()})
    return objects


def several(files: list[tuple[bytes, bytes]]) -> dict[int, bytes]:
    """Give the objects of a PDF with these (name, stream) attachments in one flat tree."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 3 0 R >> >>",
        2: b"<< /Type /Pages /Kids [] /Count 0 >>",
    }
    pairs = []
    for n, (name, body) in enumerate(files):
        spec, content = 10 + 2 * n, 11 + 2 * n
        objects[spec] = b"<< /F %b /UF %b /EF << /F %d 0 R >> >>" % (name, name, content)
        objects[content] = body
        pairs.append(b"%b %d 0 R" % (name, spec))
    objects[3] = b"<< /Names [%b] >>" % b" ".join(pairs)
    return objects


@cache
def bomb(size: int, *, before: bytes = b"") -> bytes:
    """Deflate `before` and `size` spaces without ever holding them: one block, again and again."""
    packer = zlib.compressobj(9)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * SPACES) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (size // SPACES) + packer.flush()


def xref_stream(
    objects: Mapping[int, bytes], rows: Mapping[int, tuple[int, int, int]], more: bytes = b""
) -> bytes:
    """Write objects with a cross-reference stream; `rows` add to it or change it."""
    out = bytearray(b"%PDF-1.7\n")
    table: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}
    for number, body in objects.items():
        table[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table.update(rows)
    own = max(table) + 1
    table[own] = (1, len(out), 0)
    packed = b"".join(
        kind.to_bytes(1, "big") + place.to_bytes(4, "big") + rank.to_bytes(2, "big")
        for kind, place, rank in (table.get(n, (0, 0, 0)) for n in range(own + 1))
    )
    start = len(out)
    out += (
        b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 4 2] /Root 1 0 R /Length %d %b >>\nstream\n"
        % (own, own + 1, len(packed), more.replace(b"START", b"%d" % start))
    )
    out += packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def object_stream(held: Mapping[int, bytes], more: bytes = b"") -> bytes:
    """Pack objects into an object stream."""
    index, bodies = b"", b""
    for number, body in held.items():
        index += b"%d %d " % (number, len(bodies))
        bodies += body + b" "
    return b"<< /Type /ObjStm /N %d /First %d /Length %d %b >>\nstream\n%b\nendstream" % (
        *(len(held), len(index), len(index + bodies)),
        *(more, index + bodies),
    )
