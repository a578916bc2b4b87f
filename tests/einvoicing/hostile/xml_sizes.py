"""Write XML that is too much of something: depth, text, tags, lines, lists. Slow to make."""

from __future__ import annotations

from collections.abc import Iterator

from tests.einvoicing.hostile.cases import Case, case

NUMBER = "<ram:ID>F-2026-001<"
LINE_FROM, LINE_TO = "<ram:IncludedSupplyChain", "<ram:ApplicableHeaderTradeAgree"
MAX_TAGS = 550_000
NAMES = (
    "depth 300",
    "depth 100000",
    "half a million tags never closed",
    "eleven megabytes of text",
    "nine megabytes of text",
    "twenty-four megabytes of lines",
    "twenty thousand lines",
    "too many lines",
    "as many tags as the cap lets through",
    "as many tags, each on its line",
    "too many tags",
    "a hundred thousand attributes",
    "more attributes than the cap",
    "many namespaces",
    "200,000 namespaces",
    "a thousand namespaces at each of 200 depths",
    "a huge attribute",
    "a huger attribute",
    "a long name",
    "half a million names",
    "a name repeated without end",
    "150,000 notes",
    "30,000 due dates",
    "7,500 due dates",
    "400,000 descriptions of one term",
    "100,000 currencies",
    "100,000 wrong SIRETs",
)
"""Of the cases below: making them takes a second, which listing the tests need not."""


def sizes(cii: str) -> Iterator[Case]:
    """Give each file."""
    line = cii[cii.index(LINE_FROM) : cii.index(LINE_TO)]
    short = (
        "<ram:IncludedSupplyChainTradeLineItem><ram:SpecifiedTradeProduct><ram:Name>x</ram:Name>"
        "</ram:SpecifiedTradeProduct></ram:IncludedSupplyChainTradeLineItem>"
    )
    context = "<rsm:ExchangedDocument>"
    for depth in (300, 100_000):
        deep = "<a>" * depth + "</a>" * depth
        yield case(
            f"depth {depth}", cii.replace(context, f"{deep}{context}").encode(), "xml_malformed"
        )
    unclosed = ("<a>" * 500_000).encode()
    yield case("half a million tags never closed", unclosed, "xml_malformed")
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
        cii.replace(context, f"{context}{'<a/>' * 549_500}").encode(),
        "ok",
    )
    lines = "<a/>\n" * 549_500
    yield case(
        "as many tags, each on its line",
        cii.replace(context, f"{context}{lines}").encode(),
        "ok",
    )
    yield case(
        "too many tags", cii.replace(context, "<a/>" * MAX_TAGS).encode(), "xml_too_many_tags"
    )
    attributes = " ".join(f'a{n}=""' for n in range(100_000))
    yield case(
        "a hundred thousand attributes",
        cii.replace(context, f"<rsm:ExchangedDocument {attributes}>").encode(),
        "ok",
    )
    more = " ".join(f'a{n}=""' for n in range(MAX_TAGS))
    yield case(
        "more attributes than the cap",
        f"<a {more}/>".encode(),
        "xml_too_many_tags",
    )
    spaces = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(20_000))
    yield case(
        "many namespaces",
        cii.replace(context, f"<rsm:ExchangedDocument {spaces}>").encode(),
        "ok",
        "xml_malformed",
    )
    spaces = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(200_000))
    yield case(
        "200,000 namespaces",
        cii.replace(context, f"<rsm:ExchangedDocument {spaces}>").encode(),
        *("ok", "xml_malformed"),
    )
    some = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(1_000))
    nested = "".join(f"<a {some}>" for _ in range(200)) + "</a>" * 200
    yield case(
        "a thousand namespaces at each of 200 depths",
        cii.replace(context, f"{context}{nested}").encode(),
        *("ok", "xml_malformed"),
    )
    huge = "x" * 9_000_000
    yield case(
        "a huge attribute",
        cii.replace("<ram:ID>F-2026-001", f'<ram:ID schemeID="{huge}">F-2026-001').encode(),
        "ok",
    )
    huge = "x" * 11_000_000
    yield case(
        "a huger attribute",
        cii.replace("<ram:ID>F-2026-001", f'<ram:ID schemeID="{huge}">F-2026-001').encode(),
        "xml_malformed",
    )
    name = "n" * 60_000
    yield case(
        "a long name", cii.replace(context, f"<{name}/>{context}").encode(), "ok", "xml_malformed"
    )
    names = "".join(f"<n{n}/>" for n in range(500_000))
    yield case("half a million names", cii.replace(context, f"{names}{context}").encode(), "ok")
    parties = "<ram:Name>Autre</ram:Name>" * 300_000
    yield case(
        "a name repeated without end",
        cii.replace(
            "<ram:Name>Atelier Exemple</ram:Name>", f"<ram:Name>Atelier Exemple</ram:Name>{parties}"
        ).encode(),
        "too_many_issues",
    )
    notes = "<ram:IncludedNote><ram:Content>x</ram:Content></ram:IncludedNote>" * 150_000
    yield case(
        "150,000 notes",
        cii.replace("<ram:IncludedNote>", f"{notes}<ram:IncludedNote>", 1).encode(),
        "too_many_items",
    )
    terms = "".join(
        "<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString>"
        f"{2000 + n // 336:04}{n // 28 % 12 + 1:02}{n % 28 + 1:02}</udt:DateTimeString>"
        "</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>"
        for n in range(30_000)
    )
    yield case(
        "30,000 due dates",
        cii.replace(
            "<ram:SpecifiedTradePaymentTerms>", f"{terms}<ram:SpecifiedTradePaymentTerms>", 1
        ).encode(),
        "too_many_items",
    )
    few = terms[: len(terms) // 4]
    yield case(
        "7,500 due dates",
        cii.replace(
            "<ram:SpecifiedTradePaymentTerms>", f"{few}<ram:SpecifiedTradePaymentTerms>", 1
        ).encode(),
        "ok",
        issues=frozenset({"several_due_dates"}),
    )
    said = "<ram:Description>x</ram:Description>" * 400_000
    yield case(
        "400,000 descriptions of one term",
        cii.replace("<ram:Description>", f"{said}<ram:Description>", 1).encode(),
        "too_many_issues",
    )
    currencies = "".join(
        f'<ram:TaxTotalAmount currencyID="C{n}">1.00</ram:TaxTotalAmount>' for n in range(100_000)
    )
    yield case(
        "100,000 currencies",
        cii.replace("<ram:TaxTotalAmount", f"{currencies}<ram:TaxTotalAmount", 1).encode(),
        "too_many_items",
    )
    ids = '<ram:GlobalID schemeID="0009">12345678200003</ram:GlobalID>' * 100_000
    yield case(
        "100,000 wrong SIRETs",
        cii.replace("<ram:GlobalID", f"{ids}<ram:GlobalID", 1).encode(),
        "too_many_items",
    )
