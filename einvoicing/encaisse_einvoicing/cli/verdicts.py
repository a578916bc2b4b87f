"""Print the verdicts on one document for a person: a table of layers, then what each rule says."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from encaisse_einvoicing.cli.printing import width
from encaisse_einvoicing.validation.report import (
    LAYERS,
    Artefact,
    Finding,
    Layer,
    LayerName,
    Outcome,
    Report,
)

NAMES: Final[dict[LayerName, str]] = {"xsd": "XSD", "rules": "Règles", "french": "France"}
WORDS: Final[dict[Outcome, str]] = {
    "valid": "valide",
    "invalid": "invalide",
    "not_run": "non vérifié",
    "not_applicable": "sans objet",
}
UNREAD: Final = "illisible"
"""What no rule was held against is not called invalid."""
WIDE: Final = 100
"""Columns of an answer that goes to no terminal."""
PLACES: Final = 3
"""Places named under one rule; the others are counted, and all are in the JSON."""
_FIRST: Final = max(map(len, NAMES.values()))
_SECOND: Final = max(map(len, WORDS.values()))


def told(report: Report, outcome: Outcome) -> Iterator[str]:
    """Give the lines about one document, printable whatever it holds, an empty line last."""
    wide = max(width() or WIDE, 40)
    what = ", ".join(filter(None, (report.level, report.syntax, report.attachment)))
    word = WORDS[outcome] if report.refused is None else UNREAD
    yield clean(f"{report.file} : {word}" + (f" ({what})" if what else ""))
    if report.refused is not None:
        yield from _folded(f"{report.refused.message} [{report.refused.code}]", wide, "  ")
        yield ""
        return
    for issue in report.issues:
        yield from _folded(f"{issue.message} [{issue.code}]", wide, "  ")
    for name in LAYERS:
        layer = report.layer(name)
        head = f"  {NAMES[name]:<{_FIRST}}  {WORDS[layer.outcome]:<{_SECOND}}  "
        by = " + ".join(map(_artefact, layer.artefacts))
        rest = " ; ".join(filter(None, (_counted(layer), by)))
        yield clean(f"{head}{rest}").rstrip()
        if layer.reason:
            yield from _folded(layer.reason, wide, " " * len(head))
    for name in LAYERS:
        yield from _findings(report.layer(name), wide)
    yield ""


def summed_up(met: Mapping[Outcome, int], unread: int) -> str:
    """Count the verdicts in one sentence; `unread` of the invalid could not be read."""
    valid, invalid, not_run = met["valid"], met["invalid"] - unread, met["not_run"]
    total = sum(met.values())
    parts = [f"{valid} valide{'s' if valid > 1 else ''}"]
    if invalid:
        parts.append(f"{invalid} invalide{'s' if invalid > 1 else ''}")
    if unread:
        parts.append(f"{unread} illisible{'s' if unread > 1 else ''}")
    if not_run:
        s = "s" if not_run > 1 else ""
        parts.append(f"{not_run} non vérifiée{s} jusqu'au bout")
    return f"{', '.join(parts)}, sur {total} fichier{'s' if total > 1 else ''}."


def clean(text: str) -> str:
    """Keep a document from writing control characters on a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _artefact(artefact: Artefact) -> str:
    return f"{artefact.name} {artefact.version or f'(sha256 {artefact.sha256[:12]})'}"


def _counted(layer: Layer) -> str:
    fatal = sum(each.severity == "fatal" for each in layer.findings)
    mild = len(layer.findings) - fatal
    parts: list[str] = []
    if fatal:
        parts.append(f"{fatal} erreur{'s' if fatal > 1 else ''}")
    if mild:
        parts.append(f"{mild} avertissement{'s' if mild > 1 else ''}")
    return ", ".join(parts)


def _findings(layer: Layer, wide: int) -> Iterator[str]:
    """Tell each rule once, errors first, with where it was broken."""
    same: dict[tuple[str, str, str], list[Finding]] = {}
    for each in sorted(layer.findings, key=lambda finding: finding.severity):
        same.setdefault((each.rule, each.severity, each.text), []).append(each)
    for (rule, severity, text), findings in same.items():
        word = "erreur" if severity == "fatal" else "avertissement"
        assertion = findings[0].assertion
        named = f"{rule} ({assertion})" if assertion else rule
        yield clean(f"  {named}, {word}")
        yield from _folded(text, wide, "    ")
        for each in findings[:PLACES]:
            at = (each.term, f"ligne {each.line}" if each.line else None, each.where or None)
            yield clean(f"    → {', '.join(filter(None, at)) or 'document entier'}")
        more = len(findings) - PLACES
        if more > 0:
            yield f"    → et {more} autre{'s' if more > 1 else ''} endroit{'s' if more > 1 else ''}"


def _folded(text: str, wide: int, indent: str) -> list[str]:
    return textwrap.wrap(
        clean(text),
        wide,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
