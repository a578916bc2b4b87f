"""Convert one document into another syntax, whole or not at all.

Reading, writing, laying out and checking each have their own room; what joins them is the promise
of this one: what the source says and the result does not is named, and stops the conversion unless
a person accepts it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast

from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading.documents import Reading, read_bytes
from encaisse_einvoicing.validation.check import validate_schema
from encaisse_einvoicing.writing import levels
from encaisse_einvoicing.writing.gaps import Gap
from encaisse_einvoicing.writing.xml import Written, write_xml
from encaisse_einvoicing.writing_pdf import FacturX, attach, render
from encaisse_einvoicing.writing_pdf import levels as pdf_levels

Target = Literal["cii", "ubl", "facturx"]
TARGETS: Final[tuple[Target, ...]] = ("cii", "ubl", "facturx")
SUFFIXES: Final[dict[Target, str]] = {"cii": ".xml", "ubl": ".xml", "facturx": ".pdf"}

LOSES: Final = frozenset(
    {
        "amount_invalid",
        "date_format",
        "date_invalid",
        "flag_invalid",
        "mixed_content",
        "repeated_group",
        "repeated_term",
        "text_too_long",
        "too_many_issues",
        "unexpected_value",
    }
)
"""Codes of reading that mean a value stands in the source and not in the invoice."""
SHOWN: Final = 5
"""Lost things named in a refusal; all of them are in the result once they are accepted."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Be a converted document.

    `left_out` are terms the level has no place for, `lost` what reading did not carry over (issues
    and paths), both accepted beforehand; `issues` is the rest a person should know.
    """

    data: bytes
    syntax: str
    level: levels.Level
    left_out: tuple[Gap, ...] = ()
    lost: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()


def convert(
    name: str,
    data: bytes,
    target: Target,
    *,
    when: datetime,
    level: levels.Level | None = None,
    lossy: bool = False,
) -> Conversion:
    """Convert an XML or a PDF; raise `Refused` rather than lose, or write what would be invalid.

    `level` is by default the one the invoice announces (BT-24) where the target has it, else
    EN 16931. A PDF that becomes a Factur-X keeps its page, another document gets one laid out,
    dated `when` (aware). The XML is held against its official schema before it is given.
    """
    reading = read_bytes(name, data)
    invoice = reading.invoice
    if invoice is None:
        issue = reading.issues[0]
        raise Refused(issue.code, issue.message, issue.where)
    lost = _lost(reading)
    if lost and not lossy:
        listed = " ; ".join(each.rstrip(".") for each in lost[:SHOWN])
        beyond = len(lost) - SHOWN
        more = f" ; et {beyond} autre{'s' if beyond > 1 else ''}" if beyond > 0 else ""
        raise Refused(
            "conversion_loses",
            f"La facture dit plus que ce qui serait écrit : {listed}{more}. Acceptez cette perte "
            "(--lossy), ou demandez au vendeur un document corrigé.",
            name,
        )
    chosen = level or _level(invoice, target)
    written = write_xml(invoice, "UBL" if target == "ubl" else "CII", chosen, lossy=lossy)
    _hold(name, written)
    issues = tuple(issue for issue in reading.issues if issue.code not in LOSES)
    profile = levels.LEVELS[chosen].profile
    if invoice.profile != profile:
        issues = (*issues, _other_profile(invoice.profile, profile))
    if target != "facturx":
        return Conversion(written.data, written.syntax, chosen, written.left_out, lost, issues)
    page = _page(data, reading, invoice, written, when)
    return Conversion(page.pdf, "Factur-X", chosen, written.left_out, lost, (*issues, *page.issues))


def _lost(reading: Reading) -> tuple[str, ...]:
    values = [issue.message for issue in reading.issues if issue.code in LOSES]
    return (*values, *(f"« {path} » n'a pas de champ" for path in reading.unmapped))


def _level(invoice: Invoice, target: Target) -> levels.Level:
    """Keep the level the invoice announces where the target can have it."""
    announced = levels.level_of(invoice.profile) or "en16931"
    extended = levels.LEVELS[announced].extended
    if target == "facturx":
        return "extended" if extended else announced
    if target == "ubl" and levels.LEVELS[announced].ubl is None:
        return "extended-ctc-fr" if extended else "en16931"
    return announced


def _other_profile(before: str | None, after: str) -> Issue:
    """Say that the profile is another, for who asked for the first may refuse the second."""
    told = f"« {before} »" if before else "aucun"
    return Issue(
        code="profile_changed",
        message=f"Le profil de la facture (BT-24) était {told} ; celui du document écrit est "
        f"« {after} ».",
        where="BT-24",
        term="BT-24",
    )


def _hold(name: str, written: Written) -> None:
    """Hold what was written against its schema: a fault of ours must not leave the house."""
    layer = validate_schema(written.data)
    if layer.outcome == "valid":
        return
    said = layer.reason or "; ".join(finding.text for finding in layer.findings[:SHOWN])
    raise Refused(
        "written_invalid",
        f"La facture convertie n'a pas passé son schéma officiel ({said}) : elle n'est pas "
        "donnée. Transmettez la facture aux auteurs.",
        name,
    )


def _page(
    data: bytes, reading: Reading, invoice: Invoice, written: Written, when: datetime
) -> FacturX:
    if written.level not in pdf_levels.LEVELS:
        raise Refused(
            "level_not_in_pdf",
            f"Le niveau {written.level} n'existe pas dans un PDF : choisissez extended.",
        )
    level = cast("pdf_levels.Level", written.level)
    if reading.attachment is not None:
        return attach(data, written.data, level=level, when=when, replace=True)
    return render(invoice, written.data, level=level, when=when)
