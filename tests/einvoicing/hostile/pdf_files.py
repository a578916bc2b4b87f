"""Write PDFs that attack whoever looks for their invoice."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Iterator

import pikepdf

from tests.einvoicing.hostile.cases import Case, case
from tests.einvoicing.hostile.pdf_raw import (
    bomb,
    deflated,
    holding,
    object_stream,
    pdf,
    several,
    stream,
    xref_stream,
)

FLATE = b"/Filter /FlateDecode "
TREE = b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 3 0 R >> >>"


def cases(cii: str, ubl: str, canary: str) -> Iterator[Case]:
    """Give each file; `canary` is the path of a file not to be read."""
    xml = cii.encode()
    yield case("an honest one", pdf(holding(deflated(xml))), "ok")
    yield from _filters(xml)
    yield from _trees(xml)
    yield from _fights(xml, ubl.encode())
    yield from _objects(xml, canary)
    yield from _tables(xml)
    yield from _wholes(xml)


def _filters(xml: bytes) -> Iterator[Case]:
    big = 1_500_000_000
    single = bomb(big)
    yield case("a bomb deflated once", pdf(holding(stream(single, FLATE))), "pdf_bomb")
    twice = stream(zlib.compress(single, 9), b"/Filter [/FlateDecode /FlateDecode]")
    yield case("a bomb deflated twice", pdf(holding(twice)), "pdf_filter")
    invoice = bomb(big, before=xml)
    yield case("a bomb that begins as an invoice", pdf(holding(stream(invoice, FLATE))), "pdf_bomb")
    packed = zlib.compress(xml)
    chains = {
        "ASCIIHex": (packed.hex().encode() + b">", b"/Filter [/ASCIIHexDecode /FlateDecode]"),
        "ASCII85": (b"zzz~>", b"/Filter [/ASCII85Decode /FlateDecode]"),
        "LZW": (packed, b"/Filter /LZWDecode"),
        "RunLength": (bytes([129, 32]) * 100_000 + b"\x80", b"/Filter /RunLengthDecode"),
        "ten times Flate": (packed, b"/Filter [%b]" % (b"/FlateDecode " * 10)),
        "a thousand times Flate": (packed, b"/Filter [%b]" % (b"/FlateDecode " * 1_000)),
        "Crypt": (packed, b"/Filter [/Crypt /FlateDecode]"),
        "JBIG2": (packed, b"/Filter /JBIG2Decode"),
        "an unknown one": (packed, b"/Filter /ZstdDecode"),
        "a number": (packed, b"/Filter 42"),
        "a dictionary": (packed, b"/Filter << /A /FlateDecode >>"),
        "another case": (packed, b"/Filter /flatedecode"),
    }
    for name, (data, filters) in chains.items():
        yield case(f"filter: {name}", pdf(holding(stream(data, filters))), "pdf_filter")
    predictors = {
        "PNG": b"/DecodeParms << /Predictor 12 /Columns 4 >>",
        "PNG, a thousand million columns": b"/DecodeParms << /Predictor 12 /Columns 1000000000 >>",
        "TIFF in an array": b"/DecodeParms [<< /Predictor 2 /Colors 4 >>]",
    }
    for name, parameters in predictors.items():
        body = stream(packed, FLATE + parameters)
        yield case(f"predictor: {name}", pdf(holding(body)), "pdf_filter")
    same = (
        b"/Filter [/FlateDecode]",
        b"/Filter [6 0 R]",
        b"/Filter 6 0 R",
        b"/Filter 7 0 R",
        FLATE + b"/DecodeParms [null]",
        FLATE + b"/DecodeParms << /Predictor 1 >>",
    )
    for filters in same:
        objects = holding(stream(packed, filters), o6=b"/FlateDecode", o7=b"[6 0 R]")
        yield case(f"the honest filter as {filters.decode()}", pdf(objects), "ok")
    loop = holding(stream(packed, b"/Filter 6 0 R"), o6=b"6 0 R")
    yield case("a filter that refers to itself", pdf(loop), "pdf_damaged", "unknown_kind")
    nested = holding(stream(packed, b"/Filter [[[/FlateDecode]]]"))
    yield case("filters in arrays of arrays", pdf(nested), "pdf_filter")
    plain = holding(stream(xml))
    yield case("not packed at all", pdf(plain), "ok")
    dictionary = zlib.compressobj(zdict=b"<rsm:CrossIndustryInvoice")
    preset = dictionary.compress(xml) + dictionary.flush()
    yield case("a preset dictionary", pdf(holding(stream(preset, FLATE))), "pdf_damaged")
    other = zlib.compress(xml.replace(b"F-2026-001", b"F-CACHE-01"))
    after = stream(packed + other, FLATE)
    yield case("a second invoice after the first", pdf(holding(after)), "ok", hides="F-CACHE-01")
    yield case(
        "garbage instead of deflated bytes",
        pdf(holding(stream(random.Random(1).randbytes(5_000), FLATE))),
        "pdf_damaged",
    )


def _trees(xml: bytes) -> Iterator[Case]:
    body = deflated(xml)
    loops = {
        "a tree whose kid is itself": {3: b"<< /Kids [3 0 R] >>"},
        "two nodes that hold each other": {3: b"<< /Kids [6 0 R] >>", 6: b"<< /Kids [3 0 R] >>"},
        "a kid named twice": {3: b"<< /Kids [6 0 R 6 0 R] >>", 6: b"<< /Names [] >>"},
        "a kid that is the catalogue": {3: b"<< /Kids [1 0 R 3 0 R] >>"},
    }
    for name, objects in loops.items():
        yield case(name, pdf({**holding(body), 1: TREE, **objects}), "pdf_cyclic")
    wide = {6 + n: b"<< /Kids [%d 0 R %d 0 R] >>" % (7 + n, 7 + n) for n in range(60)}
    yield case(
        "two to the sixtieth leaves", pdf({**holding(body), 3: wide[6], **wide}), "pdf_cyclic"
    )
    for depth, due in ((5_000, "ok"), (20_000, "pdf_too_many_attachments")):
        chain = {6 + n: b"<< /Kids [%d 0 R] >>" % (7 + n) for n in range(depth)}
        chain[6 + depth] = b"<< /Names [(factur-x.xml) 4 0 R] >>"
        objects = {**holding(body), 1: TREE, 3: b"<< /Kids [6 0 R] >>", **chain}
        yield case(f"a tree {depth} deep", pdf(objects), due)
    straight = b"<< /Kids [" * 50_000 + b"] >>" * 50_000
    yield case(
        "a tree 50,000 deep in one object",
        pdf({**holding(body), 1: TREE, 3: straight}),
        "pdf_damaged",
        "pdf_without_invoice",
    )
    odd = {
        "names without their value": b"<< /Names [(a) 4 0 R (b)] >>",
        "names in the wrong order": b"<< /Names [(z) 4 0 R (a) 4 0 R] >>",
        "limits that lie": b"<< /Limits [(a) (b)] /Names [(factur-x.xml) 4 0 R] >>",
        "a value that is null": b"<< /Names [(a) null (factur-x.xml) 4 0 R] >>",
        "a value that is a number": b"<< /Names [(a) 42 (factur-x.xml) 4 0 R] >>",
        "a value that does not exist": b"<< /Names [(a) 99 0 R (factur-x.xml) 4 0 R] >>",
        "kids that are no nodes": b"<< /Kids [42 null (x) /y] /Names [(factur-x.xml) 4 0 R] >>",
    }
    for name, tree in odd.items():
        yield case(name, pdf({**holding(body), 1: TREE, 3: tree}), "ok")
    only = b"<< /Type /Catalog /Pages 2 0 R /AF [4 0 R] >>"
    yield case("known by /AF alone", pdf(holding(body, o1=only)), "ok")
    direct = b"<< /Type /Catalog /Pages 2 0 R /AF 4 0 R >>"
    yield case("/AF that is no array", pdf(holding(body, o1=direct)), "pdf_without_invoice")
    many = b"<< /Type /Catalog /Pages 2 0 R /AF [%b] >>" % (b"4 0 R " * 50_000)
    yield case(
        "/AF with 50,000 times the same", pdf(holding(body, o1=many)), "pdf_too_many_attachments"
    )
    for name, tree in {"a number": b"42", "an array": b"[3 0 R]", "a stream": stream(b"x")}.items():
        yield case(
            f"a tree that is {name}",
            pdf({**holding(body), 1: TREE, 3: tree}),
            "pdf_without_invoice",
        )


def _fights(xml: bytes, ubl: bytes) -> Iterator[Case]:
    other = deflated(xml.replace(b"1000.00</ram:Due", b"9000.00</ram:Due"))
    mine = deflated(xml)
    told = {"issues": frozenset({"pdf_several_invoices"}), "shows": '"payable": "1000.00"'}
    for rival in (
        b"(FACTUR-X.XML)",
        b"(ZUGFeRD-invoice.xml)",
        b"(invoice.xml)",
        b"(xrechnung.xml)",
        b"(a.xml)",
    ):
        both = pdf(several([(rival, other), (b"(factur-x.xml)", mine)]))
        yield case(f"factur-x.xml against {rival.decode()}", both, "ok", **told)
    equal = (
        (b"(factur-x.xml)", b"(factur-x.xml)"),
        (b"(FACTUR-X.XML)", b"(Factur-X.xml)"),
        (b"(a.xml)", b"(b.xml)"),
        (b"(factur-x.xml)", b"(dossier/factur-x.xml)"),
        (b"(factur-x.xml)", b"(..\\\\factur-x.xml)"),
    )
    for first, second in equal:
        data = pdf(several([(first, other), (second, mine)]))
        yield case(f"{first.decode()} against {second.decode()}", data, "pdf_ambiguous")
    two = pdf(several([(b"(a.xml)", deflated(ubl)), (b"(b.xml)", mine)]))
    yield case("two syntaxes", two, "pdf_ambiguous")
    split = holding(
        mine,
        o4=b"<< /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 6 0 R /UF 5 0 R >> >>",
        o6=other,
    )
    yield case("two streams under one name", pdf(split), "pdf_ambiguous")
    twins = holding(
        mine, o4=b"<< /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 6 0 R /UF 5 0 R >> >>", o6=mine
    )
    yield case("two equal streams under one name", pdf(twins), "ok")
    names = holding(mine, o4=b"<< /F (factur-x.xml) /UF (photo.png) /EF << /F 5 0 R >> >>")
    yield case("two names for one file", pdf(names), "ok", "pdf_without_invoice")
    af = holding(
        mine,
        o1=TREE[:-2] + b"/AF [6 0 R] >>",
        o6=b"<< /F (factur-x.xml) /EF << /F 7 0 R >> >>",
        o7=other,
    )
    yield case("the tree against /AF", pdf(af), "pdf_ambiguous")
    spellings = {
        "in UTF-16": b"<%b>" % ("\ufefffactur-x.xml".encode("utf-16-be").hex().encode()),
        "in UTF-16, little end first": b"<%b>"
        % ("\ufefffactur-x.xml".encode("utf-16-le").hex().encode()),
        "in UTF-8": b"<%b>" % ("\ufefffactur-x.xml".encode().hex().encode()),
        "in octal": b"(\\146actur-x.xml)",
        "with a folder": b"(../../etc/factur-x.xml)",
        "with a NUL": b"(factur-x.xml\\000.pdf)",
        "with a letter that looks alike": b"<%b>"
        % ("\ufefff\u0430ctur-x.xml".encode("utf-16-be").hex().encode()),
        "that runs backwards": b"<%b>"
        % ("\ufeff\u202efactur-x.xml".encode("utf-16-be").hex().encode()),
        "that is empty": b"()",
        "of a megabyte": b"(%b.xml)" % (b"a" * 1_000_000),
        "that is half a character": b"<FEFFD800>",
        "that is a number": b"42",
    }
    for name, spelled in spellings.items():
        yield case(f"a name {name}", pdf(holding(mine, spelled)), "ok", "pdf_without_invoice")
    inside = pdf(holding(mine))
    yield case(
        "a PDF named as the invoice",
        pdf(holding(deflated(inside))),
        "unknown_kind",
        "xml_malformed",
    )
    yield case(
        "a PDF inside the PDF",
        pdf(holding(deflated(inside), b"(facture.pdf)")),
        "pdf_without_invoice",
    )
    twenty = [(b"(f%d.xml)" % n, deflated(xml + b" " * (18 << 20))) for n in range(20)]
    yield case("twenty invoices of 18 MB", pdf(several(twenty)), "pdf_too_large", "pdf_bomb")
    yield case(
        "twenty-one XML files",
        pdf(several([(b"(f%d.xml)" % n, mine) for n in range(21)])),
        "pdf_too_many_attachments",
    )


def _objects(xml: bytes, canary: str) -> Iterator[Case]:
    body = deflated(xml)
    external = stream(b"", b"/F (%b) /FFilter /FlateDecode" % canary.encode())
    yield case("a stream kept in another file", pdf(holding(external)), "empty", "pdf_damaged")
    action = (
        TREE[:-2]
        + b"/OpenAction << /S /Launch /F (%b) >> /AA << /WC << /S /URI /URI (http://127.0.0.1:9/) >> >> >>"
        % canary.encode()
    )
    yield case("actions to launch", pdf(holding(body, o1=action)), "ok")
    for size in (b"0", b"-1", b"99999999999999999999", b"(x)", b"5 0 R"):
        wrong = deflated(xml, b"/Params << /Size %b /CheckSum (x) >>" % size)
        yield case(f"a size said {size.decode()}", pdf(holding(wrong)), "ok")
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
    long = b"[%b]" % (b"0 " * 5_000_000)
    yield case(
        "an array of five million",
        pdf(holding(body, o1=TREE[:-2] + b"/X %b >>" % long)),
        "pdf_damaged",
        "pdf_without_invoice",
    )
    keys = b"<< %b >>" % b" ".join(b"/K%d 0" % n for n in range(500_000))
    yield case(
        "half a million keys",
        pdf(holding(body, o1=TREE[:-2] + b"/X %b >>" % keys)),
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


def _tables(xml: bytes) -> Iterator[Case]:
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
    table = b"2 0 obj\n<< /Type /XRef /Size 3 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
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
                6: b"<< /Type /ObjStm /N 4 /First 20 /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream"
                % (len(swollen), swollen),
            },
            inside,
        ),
        "the invoice's stream in an object stream": xref_stream(
            {6: object_stream({**held, 5: objects[5]})}, {**inside, 5: (2, 6, 4)}
        ),
    }
    for name, data in tricks.items():
        yield case(name, data, "ok", "pdf_damaged", "pdf_without_invoice")


def _wholes(xml: bytes) -> Iterator[Case]:
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
            with pikepdf.open(io.BytesIO(good)) as opened:
                out = io.BytesIO()
                opened.save(
                    out,
                    encryption=pikepdf.Encryption(
                        owner="proprio",
                        user=user,
                        R=bits,
                        allow=pikepdf.Permissions(extract=False),
                        aes=bits > 3,
                        metadata=bits > 3,
                    ),
                )
            name = "a password to open" if user else "the owner's password only"
            yield case(f"{name}, revision {bits}", out.getvalue(), due)
    strange = pdf(
        holding(deflated(xml)),
        trailer=b"/Encrypt << /Filter /Standard /V 99 /R 99 /O (x) /U (x) /P 0 >>",
    )
    yield case("an encryption nobody knows", strange, "pdf_damaged", "pdf_encrypted")
    looped = pdf(holding(deflated(xml), o6=b"6 0 R"), trailer=b"/Encrypt 6 0 R")
    yield case("an encryption that refers to itself", looped, "ok", "pdf_damaged", "pdf_encrypted")


def large(cii: str) -> Iterator[Case]:
    """Give what is large to write or read."""
    xml = cii.encode()
    many = several([(b"(f%d.csv)" % n, stream(b"x")) for n in range(100_000)])
    yield case("100,000 attachments", lambda: pdf(many), "pdf_too_many_attachments", "pdf_damaged")
    objects = holding(deflated(xml)) | {n: b"0" for n in range(6, 700_000)}
    yield case("700,000 objects", lambda: pdf(objects), "ok", "pdf_too_many_objects")
    plain = stream(xml + b" " * (19 << 20))
    yield case("an invoice of 19 MB, not packed", pdf(holding(plain)), "ok")
    plain = stream(xml + b" " * (45 << 20))
    yield case(
        "an attachment of 45 MB, not packed",
        pdf(holding(plain)),
        "pdf_too_large",
        "pdf_bomb",
        "xml_too_large",
    )

    def sparse(path: object) -> None:
        with open(str(path), "wb") as file:  # noqa: PTH123
            file.write(b"%PDF-1.7\n")
            file.truncate(300 << 20)

    yield Case("300 MB", sparse, frozenset({"pdf_too_large"}), kind="path")
    deep = b"(" * 20_000_000
    yield case(
        "a string never closed, of 20 MB",
        lambda: pdf(holding(deflated(xml), o1=deep)),
        "pdf_damaged",
    )
    garbage = b"%PDF-1.7\n" + b"1 0 obj\n<<>>\nendobj\n" * 1_000_000
    yield case(
        "a million objects and no table",
        garbage,
        "pdf_damaged",
        "pdf_too_many_objects",
        "pdf_without_invoice",
    )
    yield case(
        "30 MB of noise",
        lambda: b"%PDF-1.7\n" + random.Random(3).randbytes(30 << 20),
        "pdf_damaged",
    )
