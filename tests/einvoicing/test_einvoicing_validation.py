"""Validation tells the truth: each layer by itself, and nothing valid that was not checked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.counts import examples
from tests.einvoicing.conftest import CII, UBL
from tests.einvoicing.official import CEN_CII, needs_cen_cii

from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.validation import (
    Engine,
    Finding,
    Layer,
    NotRun,
    Report,
    french,
    schemas,
    svrl,
    validate_bytes,
    validate_paths,
)
from encaisse_einvoicing.validation.artefacts import load_sheet, pins, sources
from encaisse_einvoicing.validation.places import Places
from encaisse_einvoicing.validation.profiles import profile_of

CORE = "urn:cen.eu:en16931:2017"
ABSENT = Engine(command=("/nonexistent",))
MINIMUM = "urn:factur-x.eu:1p0:minimum"


def rules(layer: Layer) -> list[str]:
    return [each.rule for each in layer.findings]


def outcomes(report: Report) -> tuple[str, str, str]:
    return report.xsd.outcome, report.rules.outcome, report.french.outcome


def test_each_layer_has_its_own_verdict_with_what_gave_it(ubl: str) -> None:
    report = validate_bytes("f.xml", ubl.encode())
    assert outcomes(report) == ("valid", "valid", "invalid")
    assert report.outcome() == "invalid"
    assert (report.syntax, report.profile, report.level) == ("UBL Invoice", CORE, "EN 16931")
    assert rules(report.french) == ["BR-FR-05_BT-22-3", "BR-FR-12_BT-49"]
    missing = report.french.findings[1]
    assert (missing.severity, missing.term, missing.where) == ("fatal", "BT-49", "/Invoice")
    named = [layer.artefact for layer in (report.xsd, report.rules, report.french)]
    assert [(each.name, each.version) for each in named if each] == [
        ("UBL 2.1 Invoice (OASIS)", "2.1"),
        ("EN 16931 UBL (CEN)", "1.3.16"),
        ("BR-FR-Flux2 UBL (FNFE-MPE)", None),  # that file states no version, and none is invented
    ]
    assert all(each is not None and len(each.sha256) == 64 for each in named)


def test_a_wrong_total_is_found_by_its_rule_where_it_stands(ubl: str) -> None:
    wrong = ubl.replace(
        '<cbc:PayableAmount currencyID="EUR">1000.00', '<cbc:PayableAmount currencyID="EUR">999.00'
    )
    report = validate_bytes("f.xml", wrong.encode())
    assert (report.xsd.outcome, rules(report.rules)) == ("valid", ["BR-CO-16"])
    (found,) = report.rules.findings
    assert (found.term, found.where) == ("BT-115", "/Invoice/cac:LegalMonetaryTotal")
    assert found.line is not None
    assert "LegalMonetaryTotal" in wrong.splitlines()[found.line - 1]


def test_a_credit_note_is_held_against_its_own_schema_and_the_rules_of_invoices(
    credit_note: str,
) -> None:
    report = validate_bytes("a.xml", credit_note.encode())
    assert outcomes(report)[:2] == ("valid", "valid")
    assert report.xsd.artefact is not None
    assert report.xsd.artefact.name == "UBL 2.1 CreditNote (OASIS)"


def test_the_schema_says_in_french_what_is_wrong_and_on_which_line(cii: str) -> None:
    wrong = cii.replace(">1200.00<", ">mille<").replace(
        "<ram:CityName>Paris</ram:CityName>", "<ram:Ville>Paris</ram:Ville>"
    )
    report = validate_bytes("f.xml", wrong.encode())
    assert report.xsd.outcome == "invalid"
    value, name = sorted(report.xsd.findings, key=lambda each: each.line or 0, reverse=True)
    assert value.text == (
        "« mille » n'est pas une valeur permise pour « ram:GrandTotalAmount » (type xs:decimal)."
    )
    assert value.where.endswith("HeaderMonetarySummation/ram:GrandTotalAmount")
    assert name.text.startswith("« ram:Ville » n'est pas attendu ici ; attendu : ram:LineTwo, ")
    for each in (value, name):
        assert each.line is not None
        assert ("mille" in wrong.splitlines()[each.line - 1]) == (each is value)


def test_rules_nobody_gave_leave_the_layer_not_run_and_say_what_to_get(cii: str) -> None:
    report = validate_bytes("f.xml", cii.encode())
    assert report.xsd.outcome == "valid"
    assert (report.rules.outcome, report.rules.code) == ("not_run", "rules_not_given")
    assert "EN16931-CII-validation.xslt" in (report.rules.reason or "")
    clean = report.model_copy(update={"french": Layer(outcome="not_applicable", reason="x")})
    assert clean.outcome() == "not_run"
    assert clean.outcome(frozenset({"rules"})) == "valid"
    assert clean.outcome(frozenset({"xsd"})) == "not_run"


@needs_cen_cii
def test_rules_of_another_content_are_never_run(cii: str, tmp_path: Path) -> None:
    name = "EN16931-CII-validation.xslt"
    (tmp_path / name).write_bytes((CEN_CII / name).read_bytes() + b"<!-- -->")
    report = validate_bytes("f.xml", cii.encode(), rules_dir=tmp_path)
    assert (report.rules.outcome, report.rules.code) == ("not_run", "rules_unknown")
    empty = tmp_path / "empty"
    empty.mkdir()
    report = validate_bytes("f.xml", cii.encode(), rules_dir=empty)
    assert (report.rules.outcome, report.rules.code) == ("not_run", "rules_not_found")


@needs_cen_cii
def test_the_known_rules_for_cii_run_and_name_themselves(cii: str) -> None:
    wrong = cii.replace("<ram:TypeCode>380<", "<ram:TypeCode>999<")
    report = validate_bytes("f.xml", wrong.encode(), rules_dir=CEN_CII)
    assert (report.rules.outcome, rules(report.rules)) == ("invalid", ["BR-CL-01"])
    assert report.rules.artefact is not None
    assert report.rules.artefact.version == "1.3.16"


def test_a_factur_x_level_looks_its_codes_up_with_every_file_closed(cii: str) -> None:
    minimum = cii.replace(CORE, MINIMUM)
    report = validate_bytes("f.xml", minimum.encode())
    assert report.level == "Factur-X MINIMUM"
    assert report.xsd.outcome == "invalid", "MINIMUM has no lines"
    assert "FX-SCH-A-000040" not in rules(report.rules)
    other = validate_bytes("f.xml", minimum.replace(">EUR<", ">ZZZ<").encode())
    assert "FX-SCH-A-000040" in rules(other.rules), "a currency outside the code list"


@needs_cen_cii
def test_a_basic_level_is_valid_only_where_the_rules_of_the_core_ran_too(
    cii: str, tmp_path: Path
) -> None:
    basic = cii.replace(CORE, f"{CORE}#compliant#urn:factur-x.eu:1p0:basic")
    for folder, code in ((None, "rules_not_given"), (tmp_path, "rules_not_found")):
        clean = validate_bytes("f.xml", basic.encode(), rules_dir=folder).rules
        assert (clean.outcome, clean.code) == ("not_run", code) and clean.reason
        assert [each.name for each in clean.artefacts] == ["Factur-X BASIC"], "its own rules ran"
    wrong = basic.replace("DuePayableAmount>1000.00<", "DuePayableAmount>999.00<").encode()
    alone = validate_bytes("f.xml", wrong)
    assert [each.name for each in alone.rules.artefacts] == ["Factur-X BASIC"]
    (found,) = [each for each in alone.rules.findings if each.rule == "BR-CO-16"]
    assert (found.assertion or "").startswith("FX-SCH-A-"), "known by the norm's name for it"
    both = validate_bytes("f.xml", wrong, rules_dir=CEN_CII)
    assert [each.name for each in both.rules.artefacts] == ["EN 16931 CII (CEN)", "Factur-X BASIC"]
    assert [each.assertion for each in both.rules.findings if each.rule == "BR-CO-16"] == [None]


def test_a_profile_nobody_knows_is_never_called_valid(ubl: str) -> None:
    report = validate_bytes("f.xml", ubl.replace(CORE, "urn:example:other").encode())
    assert (report.rules.outcome, report.rules.code) == ("not_run", "profile_unknown")
    none = validate_bytes("f.xml", without(ubl, "cbc:CustomizationID").encode())
    assert (none.profile, none.rules.outcome) == (None, "invalid")
    assert "BR-01" in rules(none.rules)


def without(text: str, tag: str) -> str:
    before, _, rest = text.partition(f"<{tag}>")
    return before + rest.partition(f"</{tag}>")[2]


def test_a_profile_with_rules_of_its_own_says_what_was_not_looked_at(ubl: str) -> None:
    cius = f"{CORE}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
    report = validate_bytes("f.xml", ubl.replace(f">{CORE}<", f">{cius}<").encode())
    assert report.rules.outcome == "valid"
    assert "ne sont pas vérifiées" in (report.rules.reason or "")


@pytest.mark.parametrize(
    ("changes", "applies"),
    [
        ({}, True),
        ({">FR<": ">DE<", ">S1<": ">X<"}, False),
        ({">FR<": ">DE<"}, True),  # the cadre S1 is French
        ({">FR<": ">DE<", ">S1<": ">X<", CORE: f"{CORE}#compliant#urn.cpro.gouv.fr:1p0:x"}, True),
        ({">S1<": ">X<"}, True),
    ],
)
def test_french_rules_concern_french_parties_and_profiles(
    ubl: str, cii: str, changes: dict[str, str], applies: bool
) -> None:
    for text in (ubl, cii):
        for old, new in changes.items():
            text = text.replace(old, new)
        reader, root = loader.parse(text.encode())
        why = french.not_concerned(root, reader)
        assert (why is None) == applies
        assert why is None or "l'acheteur (pays DE)" in why


def test_a_pdf_is_validated_by_the_xml_it_carries(factur_x_pdf: bytes, cii: str) -> None:
    report = validate_bytes("f.pdf", factur_x_pdf)
    assert report.attachment == "factur-x.xml"
    assert report.xsd == validate_bytes("f.xml", cii.encode()).xsd


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"<a>", "xml_malformed"),
        (b"<a/>", "unknown_root"),
        (b"%PDF-1.7 nothing", "pdf_damaged"),
        (b"<!DOCTYPE a><a/>", "xml_doctype"),
        (b"<a>" + b" " * loader.MAX_BYTES, "xml_too_large"),
        (b"PK\x03\x04", "archive"),
        (b"\x89PNG", "unknown_kind"),
    ],
)
def test_what_cannot_be_read_runs_no_layer_and_counts_as_invalid(data: bytes, code: str) -> None:
    report = validate_bytes("f", data)
    assert outcomes(report) == ("not_run",) * 3
    assert report.refused is not None
    assert report.refused.code == code == report.xsd.code
    assert report.outcome(frozenset({"xsd", "rules", "french"})) == "invalid"


def test_a_folder_is_validated_file_by_file(ubl: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(ubl)
    (tmp_path / "b.xml").write_text("<a>")
    first, second = validate_paths([tmp_path])
    assert (first.file, second.file) == (str(tmp_path / "a.xml"), str(tmp_path / "b.xml"))
    assert (first.rules.outcome, second.outcome()) == ("valid", "invalid")


@settings(max_examples=examples(60), deadline=None, database=None)
@given(
    st.binary(max_size=60), st.integers(0, 6_000), st.integers(0, 200), st.sampled_from([CII, UBL])
)
def test_whatever_is_done_to_the_bytes_there_is_a_whole_report(
    inserted: bytes, at: int, cut: int, text: str
) -> None:
    data = text.encode()
    report = validate_bytes("f", data[:at] + inserted + data[at + cut :], engine=ABSENT)
    assert report.rules.outcome == "not_run"
    assert report.outcome() != "valid"
    for layer in (report.xsd, report.rules, report.french):
        assert layer.reason or layer.outcome in ("valid", "invalid")
        assert (layer.outcome == "invalid") == (layer.findings != ())
    assert Report.model_validate_json(report.model_dump_json()) == report


# --- the parts -----------------------------------------------------------------------------------

SVRL = '<s:schematron-output xmlns:s="http://purl.oclc.org/dsdl/svrl">{}</s:schematron-output>'


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("", "fatal"),
        ('flag="fatal"', "fatal"),
        ('flag="warning"', "warning"),
        ('role="warning"', "warning"),
        ('role="information" flag="fatal"', "fatal"),
        ('flag="odd"', "fatal"),
    ],
)
def test_only_what_is_flagged_mild_is_mild(said: str, severity: str) -> None:
    text = "<s:text>\n  «\u00a0x\u00a0»\n\tici </s:text>"
    body = f'<s:fired-rule/><s:failed-assert id="BR-1" {said}>{text}</s:failed-assert>'
    places = Places(etree.fromstring("<a/>"))
    (found,) = svrl.findings(SVRL.format(body).encode(), places)
    assert (found.rule, found.severity) == ("BR-1", severity)
    assert found.text == "«\u00a0x\u00a0» ici"


@pytest.mark.parametrize(
    "answer",
    ["", "<a/>", SVRL.format(""), SVRL.format("<s:fired-rule/>")[:-5], "plain text"],
)
def test_an_answer_that_proves_nothing_is_no_answer(answer: str) -> None:
    with pytest.raises(NotRun):
        svrl.findings(answer.encode(), Places(etree.fromstring("<a/>")))


def grown(parts: list[tuple[str, loader.Element]]) -> loader.Element:
    root = etree.Element("{urn:x}root")
    for tag, child in parts:
        child.tag = tag
        root.append(child)
    return root


trees = st.recursive(
    st.builds(lambda: etree.Element("{urn:x}leaf")),
    lambda children: st.lists(
        st.tuples(st.sampled_from(["{urn:x}a", "{urn:y}a", "plain"]), children), max_size=4
    ).map(grown),
    max_leaves=12,
)


def location(element: loader.Element, quoted: Callable[[str, str], str]) -> str:
    """Write the location of an element as the compilers of Schematron do."""
    parent = element.getparent()
    name = etree.QName(element)
    nth = 1 if parent is None else [*parent.iterchildren(element.tag)].index(element) + 1
    step = f"/{quoted(name.namespace or '', name.localname)}[{nth}]"
    return (location(parent, quoted) if parent is not None else "") + step


@settings(max_examples=examples(50), deadline=None, database=None)
@given(trees)
def test_every_element_is_found_from_a_location_and_shown_apart(root: loader.Element) -> None:
    places = Places(root)
    shown = [places.shown(element) for element in root.iter()]
    for element in root.iter():
        for quoted in (
            lambda uri, local: f"*:{local}[namespace-uri()='{uri}']",
            lambda uri, local: f"Q{{{uri}}}{local}",
        ):
            found, attribute = places.found(location(element, quoted) + "/@unit")
            assert (found, attribute) == (element, "/@unit")
    if not any(str(each.tag).startswith("{urn:y}") for each in root.iter()):
        assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("where", ["", "/", "//x", "/*:root", "root", "/Q{urn:x}other[1]"])
def test_a_location_of_another_form_points_at_nothing(where: str) -> None:
    assert Places(etree.fromstring('<root xmlns="urn:x"/>')).found(where) == (None, "")


def test_every_row_of_the_tables_leads_to_an_official_file() -> None:
    for identifier, source in sources().items():
        if source.file.endswith(".xsd"):
            assert schemas.schema(identifier).artefact.version is not None
        elif source.carrier == "rules":
            assert any(file == source.file for file, _ in pins())
        else:
            assert load_sheet(identifier, None).stylesheet


@given(st.sampled_from(["cii", "ubl", "credit_note"]), st.none() | st.text(max_size=60))
@settings(max_examples=examples(60), deadline=None, database=None)
def test_whatever_the_profile_says_there_are_a_schema_and_rules(
    reader: loader.Reader, written: str | None
) -> None:
    profile = profile_of(reader, written)
    assert {profile.schema, *profile.wanted} <= set(sources())
    assert profile.unsaid == "unknown" or (written or "").startswith("urn:")


def test_a_sentence_of_the_schema_nobody_met_is_kept() -> None:
    assert schemas.in_french("Something new in '{urn:z}x'.") == "Something new in 'x'."
    assert Finding(rule="r", severity="fatal", text="t").term is None
