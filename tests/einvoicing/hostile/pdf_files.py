"""Write PDFs that attack whoever looks for their invoice."""

from __future__ import annotations

from collections.abc import Iterator

from tests.einvoicing.hostile.cases import Case, case
from tests.einvoicing.hostile.pdf_raw import (
    deflated,
    holding,
    pdf,
    several,
    stream,
)
from tests.einvoicing.hostile.pdf_sizes import filters
from tests.einvoicing.hostile.pdf_structure import TREE, objects, tables, wholes

FLATE = b"/Filter /FlateDecode "


def cases(cii: str, ubl: str, canary: str) -> Iterator[Case]:
    """Give each file; `canary` is the path of a file not to be read."""
    xml = cii.encode()
    yield case("an honest one", pdf(holding(deflated(xml))), "ok")
    yield from filters(xml)
    yield from _trees(xml)
    yield from _fights(xml, ubl.encode())
    yield from objects(xml, canary)
    yield from tables(xml)
    yield from wholes(xml)


def _trees(xml: bytes) -> Iterator[Case]:
    body = deflated(xml)
    loops = {
        "a tree whose kid is itself": {3: b"<< /Kids [3 0 R] >>"},
        "two nodes that hold each other": {3: b"<< /Kids [6 0 R] >>", 6: b"<< /Kids [3 0 R] >>"},
        "a kid named twice": {3: b"<< /Kids [6 0 R 6 0 R] >>", 6: b"<< /Names [] >>"},
        "a kid that is the catalogue": {3: b"<< /Kids [1 0 R 3 0 R] >>"},
    }
    for name, looped in loops.items():
        yield case(name, pdf({**holding(body), 1: TREE, **looped}), "pdf_cyclic")
    wide = {6 + n: b"<< /Kids [%d 0 R %d 0 R] >>" % (7 + n, 7 + n) for n in range(60)}
    yield case(
        "two to the sixtieth leaves", pdf({**holding(body), 3: wide[6], **wide}), "pdf_cyclic"
    )
    for depth, due in ((5_000, "ok"), (20_000, "pdf_too_many_attachments")):
        chain = {6 + n: b"<< /Kids [%d 0 R] >>" % (7 + n) for n in range(depth)}
        chain[6 + depth] = b"<< /Names [(factur-x.xml) 4 0 R] >>"
        nodes = {**holding(body), 1: TREE, 3: b"<< /Kids [6 0 R] >>", **chain}
        yield case(f"a tree {depth} deep", pdf(nodes), due)
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
        "xml_encoding",
    )
    yield case(
        "a PDF inside the PDF",
        pdf(holding(deflated(inside), b"(facture.pdf)")),
        "pdf_without_invoice",
    )
    long = deflated(xml + (b"<!-- %b -->" % (b"x" * (1 << 20))) * 18)
    twenty = [(b"(f%d.xml)" % n, long) for n in range(20)]
    yield case("twenty invoices of 18 MB", pdf(several(twenty)), "pdf_bomb")
    yield case(
        "twenty-one XML files",
        pdf(several([(b"(f%d.xml)" % n, mine) for n in range(21)])),
        "pdf_too_many_attachments",
    )
