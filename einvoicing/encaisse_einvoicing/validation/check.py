"""Validate one document, layer by layer, and never call valid what was not checked."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from lxml import etree

from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.reading.contents import Found, each_file, invoice_xml
from encaisse_einvoicing.reading.loader import Element, Reader
from encaisse_einvoicing.validation import french, saxon, schemas, svrl
from encaisse_einvoicing.validation.artefacts import load_sheet
from encaisse_einvoicing.validation.places import Places
from encaisse_einvoicing.validation.profiles import Profile, profile_of
from encaisse_einvoicing.validation.report import Artefact, Finding, Layer, NotRun, Outcome, Report

SYNTAXES: Final[dict[Reader, str]] = {
    "cii": "CII",
    "ubl": "UBL Invoice",
    "credit_note": "UBL CreditNote",
}
FRENCH: Final[dict[Reader, str]] = {
    "cii": "br-fr-cii",
    "ubl": "br-fr-ubl",
    "credit_note": "br-fr-ubl",
}
Run = Callable[[str], tuple[Artefact, list[Finding]]]
"""Apply one sheet, by its id, to the document at hand; raises `NotRun`."""


def validate_bytes(
    name: str,
    data: bytes,
    *,
    rules_dir: Path | None = None,
    engine: saxon.Engine | None = None,
) -> Report:
    """Validate one XML or PDF against its XSD, the rules of its profile and the French ones.

    Never raises for what the file holds. `name` is only told back. `rules_dir` is a folder with the
    rules that are not installed (those of CEN for CII); `engine` is the worker to use, by default
    the one of this process, which ends with it.
    """
    try:
        found = invoice_xml(data)
    except Refused as refused:
        return refusal(name, refused)
    try:
        reader, root = loader.parse(found.xml)
    except Refused as refused:
        return refusal(name, found.placed(refused))
    return _report(name, found, reader, root, rules_dir, engine)


def validate_schema(xml: bytes) -> Layer:
    """Hold one XML against the XSD its profile calls for, and nothing else; no engine is started.

    Raises `Refused` for what the loader refuses.
    """
    reader, root = loader.parse(xml)
    written = next(iter(french.texts(root, reader, "profile")), None)
    return _xsd(profile_of(reader, written).schema, root, Places(root))


def validate_paths(
    paths: Iterable[Path],
    *,
    rules_dir: Path | None = None,
    engine: saxon.Engine | None = None,
) -> Iterator[Report]:
    """Validate files, folders and archives one by one; nothing of a document is kept after it.

    Never raises for what it meets: a broken file is one refused report and the next follows.
    """
    for name, content in each_file(paths):
        if isinstance(content, Refused):
            yield refusal(name, content)
            continue
        try:
            report = validate_bytes(name, content, rules_dir=rules_dir, engine=engine)
        except Exception as error:  # a fault of ours on one file must not hide the others
            fault = Refused(
                "internal_error",
                f"« {name} » a mis la validation en défaut ({type(error).__name__}) : transmettez "
                "ce fichier aux auteurs. Les autres fichiers sont validés.",
            )
            report = refusal(name, fault)
        yield report


def refusal(name: str, refused: Refused) -> Report:
    """Report a document that could not be read: no layer ran, and it counts as invalid."""
    layer = Layer(outcome="not_run", code=refused.code, reason=refused.message_fr)
    return Report(file=name, xsd=layer, rules=layer, french=layer, refused=refused.as_issue(name))


def _report(
    name: str,
    found: Found,
    reader: Reader,
    root: Element,
    rules_dir: Path | None,
    engine: saxon.Engine | None,
) -> Report:
    places = Places(root)
    written = next(iter(french.texts(root, reader, "profile")), None)
    profile = profile_of(reader, written)
    apply = (engine or saxon.shared()).runs(etree.tostring(root, encoding="utf-8"))

    def run(identifier: str) -> tuple[Artefact, list[Finding]]:
        sheet = load_sheet(identifier, rules_dir)
        return sheet.artefact, svrl.findings(apply(sheet), places)

    foreign = french.not_concerned(root, reader)
    return Report(
        file=name,
        xsd=_xsd(profile.schema, root, places),
        rules=_unsaid(_layer(run, profile.wanted), profile),
        french=_layer(run, (FRENCH[reader],))
        if foreign is None
        else Layer(outcome="not_applicable", reason=foreign),
        syntax=SYNTAXES[reader],
        profile=written,
        level=profile.name,
        attachment=found.attachment,
        issues=found.issues,
    )


def _xsd(identifier: str, root: Element, places: Places) -> Layer:
    try:
        known = schemas.schema(identifier)
    except NotRun as why:
        return Layer(outcome="not_run", code=why.code, reason=why.message_fr)
    found = schemas.check(known, root, places)
    return Layer(
        outcome="invalid" if found else "valid",
        findings=tuple(found),
        artefacts=(known.artefact,),
    )


def _layer(run: Run, wanted: tuple[str, ...]) -> Layer:
    """Run the sheets of a layer: valid only when each one ran and none found it invalid.

    A rule two sheets know is told once, by the first.
    """
    artefacts: list[Artefact] = []
    findings: list[Finding] = []
    stopped: tuple[str, str] | None = None  # code and sentence, not the error: it holds this frame
    for sheet in wanted:
        try:
            artefact, found = run(sheet)
        except NotRun as why:
            stopped = stopped or (why.code, why.message_fr)
            continue
        told = {each.rule for each in findings}
        artefacts.append(artefact)
        findings += [each for each in found if each.rule not in told]
    fatal = any(each.severity == "fatal" for each in findings)
    outcome: Outcome = "invalid" if fatal else "valid" if stopped is None else "not_run"
    return Layer(
        outcome=outcome,
        reason=None if stopped is None else stopped[1],
        code=None if stopped is None else stopped[0],
        findings=tuple(findings),
        artefacts=tuple(artefacts),
    )


def _unsaid(layer: Layer, profile: Profile) -> Layer:
    """Say what a clean answer leaves open: rules of the profile's own, or an unknown profile."""
    if layer.outcome != "valid" or profile.unsaid == "-":
        return layer
    if profile.unsaid == "own":
        sentence = (
            "Les règles EN 16931 sont respectées ; ce profil peut en avoir d'autres qui lui sont "
            "propres et qui ne sont pas vérifiées ici."
        )
        return layer.model_copy(update={"reason": sentence})
    sentence = (
        "Ce profil (BT-24) n'est pas connu : les règles EN 16931 sont respectées, mais rien ne dit "
        "que ce sont celles de ce document. Demandez au vendeur un profil de la norme."
    )
    return layer.model_copy(
        update={"outcome": "not_run", "code": "profile_unknown", "reason": sentence}
    )
