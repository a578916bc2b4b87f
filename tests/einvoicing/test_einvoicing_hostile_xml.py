"""Hostile or damaged XML is refused with a code and a sentence, or read safely."""

import subprocess
import sys
from pathlib import Path

import pytest

from encaisse_einvoicing import Reading, read_bytes


def read(data: bytes) -> Reading:
    return read_bytes("facture.xml", data)


def refusal(data: bytes) -> str:
    reading = read(data)
    assert reading.invoice is None and len(reading.issues) == 1
    issue = reading.issues[0]
    assert issue.message.endswith(".") and issue.where
    return issue.code


def with_doctype(cii: str, doctype: str, number: str) -> bytes:
    declaration, _, rest = cii.partition("?>")
    return f"{declaration}?>{doctype}{rest}".replace("F-2026-001", number).encode()


def test_a_file_entity_is_refused_and_the_file_never_read(cii: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    doctype = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    reading = read(with_doctype(cii, doctype, "&e;"))
    assert [issue.code for issue in reading.issues] == ["xml_doctype"]
    assert "SECRET" not in repr(reading)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY e "INJECTE">]>',
        '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://example.org/p"> %p;]>',
        "<!-- avant --><?pi?> <!DOCTYPE x>",
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY e "&c;&c;&c;&c;&c;&c;&c;&c;">]>',
    ],
)
def test_any_doctype_is_refused(cii: str, doctype: str) -> None:
    assert refusal(with_doctype(cii, doctype, "&e;")) == "xml_doctype"


def test_a_doctype_hidden_in_utf_16_is_refused(cii: str) -> None:
    text = with_doctype(cii, '<!DOCTYPE x [<!ENTITY e "INJECTE">]>', "&e;").decode()
    for codec in ("utf-16", "utf-16-le", "utf-16-be"):
        assert refusal(text.replace("UTF-8", "UTF-16").encode(codec)) == "xml_doctype"


def test_an_undeclared_entity_is_refused(cii: str) -> None:
    assert refusal(cii.replace("F-2026-001", "&e;").encode()) == "xml_malformed"


def test_deep_nesting_is_refused(cii: str) -> None:
    deep = "<a>" * 5_000 + "</a>" * 5_000
    assert refusal(cii.replace("<ram:BuyerReference>", f"{deep}<x/>").encode()) == "xml_malformed"


def test_a_huge_text_is_refused_by_the_parser_and_a_long_one_by_the_reader(cii: str) -> None:
    assert refusal(cii.replace("F-2026-001", "9" * 11_000_000, 1).encode()) == "xml_malformed"
    reading = read(cii.replace("<ram:ID>F-2026-001<", f"<ram:ID>{'9' * 5_000}<").encode())
    assert reading.invoice is not None and reading.invoice.number is None
    issue = reading.issues[0]
    assert (issue.code, issue.term) == ("text_too_long", "BT-1")
    assert issue.raw is not None and len(issue.raw) < 300


def test_too_many_bytes_or_tags_are_refused_before_parsing(cii: str) -> None:
    assert refusal(cii.encode() + b" " * (20 * 1024 * 1024)) == "xml_too_large"
    many = "<a/>" * 1_600_000
    assert refusal(cii.replace("<rsm:ExchangedDocument>", many).encode()) == "xml_too_many_tags"
    attributes = " ".join(f'a{n}=""' for n in range(1_510_000))
    assert refusal(f"<a {attributes}/>".encode()) == "xml_too_many_tags"


def test_too_many_lines_are_refused(cii: str) -> None:
    line = cii[cii.index("<ram:IncludedSupplyChain") : cii.index("<ram:ApplicableHeaderTradeAgree")]
    short = (
        "<ram:IncludedSupplyChainTradeLineItem><ram:SpecifiedTradeProduct><ram:Name>x</ram:Name>"
        "</ram:SpecifiedTradeProduct></ram:IncludedSupplyChainTradeLineItem>"
    )
    assert refusal(cii.replace(line, short * 20_001).encode()) == "too_many_lines"
    reading = read(cii.replace(line, short * 20_000).encode())
    assert reading.invoice is not None and len(reading.invoice.lines) == 20_000


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
        ("ISO-8859-1", "iso-8859-1"),
        ("ISO-8859-15", "iso-8859-15"),
        ("windows-1252", "cp1252"),
    ],
)
def test_the_allowed_encodings_are_read_alike(cii: str, declared: str, codec: str) -> None:
    reading = read(cii.replace("UTF-8", declared).encode(codec))
    assert reading.invoice is not None and reading.invoice.notes[0].text == "Indemnité de 40 euros"
    assert reading == read(cii.encode())


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UTF-7", "utf-7"),
        ("UTF-8", "iso-8859-1"),  # mislabelled: read as is, a name would be wrong
        ("UTF-16", "utf-8"),
        ("UTF-8", "utf-16"),
        ("ISO-8859-1", "utf-8-sig"),
        ("UTF-32", "utf-32"),
        ("EBCDIC-CP-FR", "utf-8"),
        ("x-user-defined", "utf-8"),
    ],
)
def test_other_or_wrong_encodings_are_refused(cii: str, declared: str, codec: str) -> None:
    assert refusal(cii.replace("UTF-8", declared).encode(codec)) in ("xml_encoding", "unknown_kind")


def test_other_documents_say_what_they_are(cii: str) -> None:
    order = b'<x:Order xmlns:x="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>'
    assert refusal(order) == "other_document"
    old = cii.replace("CrossIndustryInvoice:100", "CrossIndustryInvoice:90").encode()
    assert refusal(old) == "unknown_root"
    assert refusal(b"<html/>") == "unknown_root"
    for nothing in (b"", b"   \n", b"\xef\xbb\xbf", b"\x00\x00"):
        assert refusal(nothing) in ("empty", "unknown_kind", "xml_malformed")
    assert refusal(b"PNG...") == "unknown_kind"


def test_wrong_namespaces_inside_are_unmapped_not_read(cii: str) -> None:
    reading = read(cii.replace("ReusableAggregateBusinessInformationEntity:100", "Fake:1").encode())
    assert reading.invoice is not None and reading.invoice.number is None and not reading.ok
    assert any("Fake" in path for path in reading.unmapped)


def test_the_worst_accepted_document_stays_within_memory(cii: str, tmp_path: Path) -> None:
    """Count in a process of its own: 549,000 tags and as many texts, what the caps let by."""
    worst = tmp_path / "worst.xml"
    worst.write_text(
        cii.replace("<rsm:ExchangedDocument>", "<rsm:ExchangedDocument>" + "<a/>\n" * 549_000)
    )
    script = (
        "import sys, pathlib\n"
        "from encaisse_einvoicing import read_bytes\n"
        "reading = read_bytes('x', pathlib.Path(sys.argv[1]).read_bytes())\n"
        "assert reading.ok, reading.issues\n"
        # not ru_maxrss, which remembers the size of the process that forked this one
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) // 1024)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(worst)], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) <= 200, f"{run.stdout} MiB"
