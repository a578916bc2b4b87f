"""Read what a Schematron run says (SVRL, ISO/IEC 19757-3 annex D) into findings.

The sheets are official but the text in their answers is the document's, so the answer is parsed as
hardened as a document. An answer in which no rule met the document proves nothing.
"""

import io
import re
from collections.abc import Iterator
from typing import Final, cast

from lxml import etree

from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.validation.places import Places
from encaisse_einvoicing.validation.report import Finding, NotRun, Severity

_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
OUTPUT: Final = f"{_SVRL}schematron-output"
FIRED: Final = f"{_SVRL}fired-rule"
SAID: Final = (f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
"""Both say that something is wrong: the sheets of Factur-X report what must not be there."""
_TEXT: Final = f"{_SVRL}text"
_MILD: Final = frozenset({"warning", "warn", "information", "info"})
"""Values of `flag` or `role` that do not make a document invalid; none at all is fatal."""
_BRACKETED: Final = re.compile(r"^\s*\[([A-Z][A-Z0-9]*(?:-[A-Za-z0-9_]+)+)\]")
_SPACES: Final = re.compile(r"[ \t\r\n]+")
"""What XML counts as white space; the no-break spaces of a French sentence stay."""
_TERM: Final = re.compile(r"\b(B[TG]-\d{1,3})\b")
UNNUMBERED: Final = "unnumbered"
"""The rule of what a sheet reports under no identifier: an element that must not be there."""
_OWN: Final = re.compile(r"^(?:FX|ZF)-SCH-")
"""Identifiers that only number assertions: the rule people know stands in the text."""


def findings(answer: bytes, places: Places) -> list[Finding]:
    """Read an answer; raise `NotRun` when it is none, or when no rule met the document."""
    found: list[Finding] = []
    met = False
    root: Element | None = None
    events = etree.iterparse(
        io.BytesIO(answer),
        events=("end",),
        tag=(OUTPUT, FIRED, *SAID),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _, element in events:
            if element.tag == FIRED:
                met = True
            elif element.tag == OUTPUT:
                root = element
                continue
            else:
                found.append(_finding(element, places))
            element.clear()
            while (before := element.getprevious()) is not None:
                before.getparent().remove(before)  # a long document has a million of these
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        raise NotRun(
            "no_answer", "Les règles n'ont pas rendu de réponse lisible : rien n'est prouvé."
        )
    if not met:
        raise NotRun(
            "no_rule_met",
            "Aucune règle n'a trouvé dans ce document ce dont elle parle : rien n'est prouvé.",
        )
    return found


def _finding(said: Element, places: Places) -> Finding:
    text = " ".join(
        "".join(cast("Iterator[str]", node.itertext())) for node in said.iterchildren(_TEXT)
    )
    text = _SPACES.sub(" ", text).strip(" ")
    own = said.get("id") or ""
    bracketed = _BRACKETED.match(text)
    rule = bracketed[1] if bracketed and (not own or _OWN.match(own)) else own
    term = _TERM.search(own) or _TERM.search(text)
    location = said.get("location") or ""
    element, attribute = places.found(location)
    return Finding(
        rule=rule or UNNUMBERED,
        severity=_severity(said),
        text=text,
        term=None if term is None else term[1],
        where=location if element is None else places.shown(element) + attribute,
        line=None if element is None else element.sourceline,
        assertion=own if own and own != rule else None,
    )


def _severity(said: Element) -> Severity:
    told = {(said.get("flag") or "").lower(), (said.get("role") or "").lower()} - {""}
    return "warning" if told and told <= _MILD else "fatal"
