"""Write PDFs whose objects, tables or whole bytes are not what they should be."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Iterator, Mapping

import pikepdf
from tests.einvoicing.hostile.cases import Case, case
from tests.einvoicing.hostile.pdf_raw import (
    bomb,
    deflated,
    holding,
    object_stream,
    pdf,
    stream,
    xref_stream,
)

TREE = b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 3 0 R >> >>"
LOST = ("pdf_damaged", "pdf_without_invoice")
"""What may be said of a damaged PDF: qpdf repairs what it can, and an attachment may be gone."""


def objects(xml: bytes, canary: str) -> Iterator[Case]:
    """Give objects that lie; `canary` is the path of a file not to be read."""
    body = deflated(xml)
    external = stream(b"", b"/F (%b) /FFilter /FlateDecode" % canary.encode())
    yield case("a stream kept in another file", pdf(holding(external)), "empty", "pdf_damaged")
    launch = b"/OpenAction << /S /Launch /F (%b) >> " % canary.encode()
    call = b"/AA << /WC << /S /URI /URI (http://127.0.0.1:9/) >> >> >>"
    action = TREE[:-2] + launch + call
    yield case("actions to launch", pdf(holding(body, o1=action)), "ok")
    for size in (b"0", b"-1", b"99999999999999999999", b"(x)", b"5 0 R"):
        wrong = deflated(xml, b"/Params << /Size %b /CheckSum (x) >>" % size)
        yield case(f"a size said {size.decode()}", pdf(holding(wrong)), "ok", *LOST)
    for length in (b"0", b"-5", b"99999999", b"5 0 R", b"99 0 R", b"(x)"):
        wrong = body.replace(b"/Length %d" % len(zlib.compress(xml)), b"/Length " + length)
        yield case(
            f"a length said {length.decode()}",
            pdf(holding(wrong)),
            "ok",
            "pdf_damaged",
            "pdf_without_invoice",
            "empty",
        )
    for ef in (b"42", b"[5 0 R]", b"<< >>", b"<< /F 42 >>", b"<< /F 2 0 R >>", b"<< /F 4 0 R >>"):
        spec = b"<< /F (factur-x.xml) /EF %b >>" % ef
        yield case(f"/EF {ef.decode()}", pdf(holding(body, o4=spec)), "pdf_without_invoice")
    for root in (b"42", b"null", b"[1 0 R]", b"<< >>", b"1 0 R", stream(b"x")):
        yield case(
            f"a catalogue {root.decode()[:8]!r}",
            pdf(holding(body, o1=root)),
            "pdf_damaged",
            "pdf_without_invoice",
        )
    deep = b"[" * 200_000 + b"]" * 200_000
    yield case(
        "arrays 200,000 deep",
        pdf(holding(body, o1=TREE[:-2] + b"/X %b >>" % deep)),
        "pdf_damaged",
        "pdf_without_invoice",
    )
    numbers = TREE[:-2] + b"/X [99999999999999999999999 -1e999 1.%b +-3 0x1F] >>" % (b"0" * 100_000)
    yield case(
        "numbers that are none",
        pdf(holding(body, o1=numbers)),
        "ok",
        "pdf_damaged",
        "pdf_without_invoice",
    )


def tables(xml: bytes) -> Iterator[Case]:
    """Give cross-references that loop, lie or swell."""
    body = deflated(xml)
    objects = holding(body)
    good = pdf(objects)
    start = int(good.rsplit(b"startxref\n", 1)[1].split()[0])
    loops = {
        "a table before itself": pdf(objects, trailer=b"/Prev %d" % start),
        "a table far away": pdf(objects, trailer=b"/Prev 999999999999"),
        "a table below zero": pdf(objects, trailer=b"/Prev -1"),
        "a hybrid table that is itself": pdf(objects, trailer=b"/XRefStm %d" % start),
        "startxref past the end": good.replace(b"startxref\n%d" % start, b"startxref\n999999999"),
        "startxref at zero": good.replace(b"startxref\n%d" % start, b"startxref\n0"),
        "no startxref": good.replace(b"startxref", b"startxxxx"),
        "a size of two thousand million": good.replace(b"/Size 6", b"/Size 2147483647"),
        "a negative size": good.replace(b"/Size 6", b"/Size -6"),
        "a thousand million rows": good.replace(b"xref\n0 1\n", b"xref\n0 1000000000\n", 1),
        "rows that point to one another": good.replace(b"\n5 1\n", b"\n4 1\n", 1),
        "no trailer": good.replace(b"trailer", b"trailxr"),
    }
    for name, data in loops.items():
        yield case(name, data, "ok", "pdf_damaged", "pdf_without_invoice")
    rows = xref_stream(objects, {})
    yield case("a cross-reference stream", rows, "ok")
    for more in (
        b"/Prev START",
        b"/Index [0 2147483647]",
        b"/Index [-5 10]",
        b"/W [1 4 2] /W [8 8 8]",
    ):
        yield case(
            f"a cross-reference stream with {more.decode()}",
            xref_stream(objects, {}, more),
            "ok",
            "pdf_damaged",
            "pdf_without_invoice",
        )
    swollen = bomb(1_500_000_000)
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    table = (
        b"2 0 obj\n<< /Type /XRef /Size 3 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode "
        b"/Length %d >>\nstream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
    )
    yield case(
        "a cross-reference stream that is a bomb",
        head + table % (len(swollen), swollen, len(head)),
        "pdf_damaged",
    )
    held = {n: objects[n] for n in (1, 2, 3, 4)}
    packed = {5: objects[5], 6: object_stream(held)}
    inside = {n: (2, 6, rank) for rank, n in enumerate(held)}
    yield case("everything in an object stream", xref_stream(packed, inside), "ok")
    itself = {**inside, 6: (2, 6, 0)}
    tricks = {
        "an object stream inside itself": xref_stream(packed, itself),
        "an object stream that is not there": xref_stream({5: objects[5]}, inside),
        "an object stream that counts too many": xref_stream(
            {5: objects[5], 6: object_stream(held).replace(b"/N 4", b"/N 2147483647")}, inside
        ),
        "an object stream that begins past its end": xref_stream(
            {5: objects[5], 6: object_stream(held).replace(b"/First", b"/First 99999999 /X")},
            inside,
        ),
        "an object stream that extends itself": xref_stream(
            {5: objects[5], 6: object_stream(held, b"/Extends 6 0 R")}, inside
        ),
        "an object stream that is a bomb": xref_stream(
            {
                5: objects[5],
                6: stream(swollen, b"/Type /ObjStm /N 4 /First 20 /Filter /FlateDecode"),
            },
            inside,
        ),
        "the invoice's stream in an object stream": xref_stream(
            {6: object_stream({**held, 5: objects[5]})}, {**inside, 5: (2, 6, 4)}
        ),
    }
    for name, data in tricks.items():
        yield case(name, data, "ok", "pdf_damaged", "pdf_without_invoice")
    yield from _crowded(held, packed, inside)


def _crowded(
    held: Mapping[int, bytes],
    packed: Mapping[int, bytes],
    inside: Mapping[int, tuple[int, int, int]],
) -> Iterator[Case]:
    """Give arrays of millions of numbers, on each of which qpdf spends 140 bytes."""
    loaded = ("pdf_bomb", "pdf_damaged")

    def numbers(arrays: int) -> bytes:
        return b"[%b]" % (b"[%b]" % (b"0 " * 90_000) * arrays)

    plain = {**held, 1: TREE[:-2] + b"/X %b >>" % numbers(60), 5: packed[5]}
    yield case("5,400,000 numbers in the catalogue", lambda: pdf(plain), *loaded)
    one = {**held, 3: b"<< /X [%b] /Names [] >>" % (b"0 " * 10_000_000), 5: packed[5]}
    yield case("10,000,000 numbers in one array", lambda: pdf(one), *loaded)
    swollen = {**held, 1: TREE[:-2] + b"/X %b >>" % numbers(40)}
    tight = zlib.compress(
        object_stream(swollen).partition(b"stream\n")[2][: -len(b"\nendstream")], 9
    )
    first = object_stream(swollen).partition(b"/First ")[2].split()[0]
    hidden = stream(tight, b"/Type /ObjStm /N 4 /First %b /Filter /FlateDecode" % first)
    small = xref_stream({5: packed[5], 6: hidden}, inside)
    assert len(small) < 12_000
    yield case("3,600,000 numbers in twelve kilobytes", small, *loaded)
    kids = {
        **held,
        3: b"<< /Kids [%b] >>" % b" ".join(b"%d 0 R" % n for n in range(10, 70)),
        5: packed[5],
        **{n: b"<< /X %b /Names [] >>" % numbers(1) for n in range(10, 70)},
    }
    yield case("90,000 numbers in each of sixty leaves", lambda: pdf(kids), *loaded)


def wholes(xml: bytes) -> Iterator[Case]:
    """Give whole files cut, drowned or locked."""
    good = pdf(holding(deflated(xml)))
    for tenth in range(1, 10):
        cut = good[: len(good) * tenth // 10]
        yield case(f"cut at {tenth} tenths", cut, "ok", "pdf_damaged", "pdf_without_invoice")
    chance = random.Random(7)
    yield case("garbage after the header", b"%PDF-1.7\n" + chance.randbytes(200_000), "pdf_damaged")
    yield case("a header alone", b"%PDF-1.7\n", "pdf_damaged")
    yield case("a header late in the file", b"x" * 900 + good, "ok", "pdf_damaged")
    yield case("a header too late in the file", b"x" * 2_000 + good, "unknown_kind")
    for user, due in (("secret", "pdf_encrypted"), ("", "ok")):
        for bits in (3, 4, 6):
            name = "a password to open" if user else "the owner's password only"
            yield case(f"{name}, revision {bits}", locked(good, user, bits), due)
    strange = pdf(
        holding(deflated(xml)),
        trailer=b"/Encrypt << /Filter /Standard /V 99 /R 99 /O (x) /U (x) /P 0 >>",
    )
    yield case("an encryption nobody knows", strange, "pdf_damaged", "pdf_encrypted")
    looped = pdf(holding(deflated(xml), o6=b"6 0 R"), trailer=b"/Encrypt 6 0 R")
    yield case("an encryption that refers to itself", looped, "ok", "pdf_damaged", "pdf_encrypted")


def locked(data: bytes, user: str, revision: int) -> bytes:
    """Encrypt a PDF: RC4, AES-128 or AES-256 by the revision of the standard's handler."""
    modern = revision > 3
    nothing = pikepdf.Permissions(extract=False)
    how = pikepdf.Encryption(
        owner="proprio", user=user, R=revision, allow=nothing, aes=modern, metadata=modern
    )
    with pikepdf.open(io.BytesIO(data)) as opened:
        out = io.BytesIO()
        opened.save(out, encryption=how)
        return out.getvalue()
