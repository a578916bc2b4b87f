"""Lay out the page of an invoice with typst, as a PDF/A-3b, and attach its XML.

typst comes with its own fonts and is given nothing else: the same invoice and time make the same
bytes on every machine, and nothing outside the page is read or fetched.
"""

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.writing_pdf.attaching import FacturX, attach
from encaisse_einvoicing.writing_pdf.files import Relationship
from encaisse_einvoicing.writing_pdf.levels import Level
from encaisse_einvoicing.writing_pdf.page.content import sheet_of
from encaisse_einvoicing.writing_pdf.page.same import check_same
from encaisse_einvoicing.writing_pdf.page.sheet import BLANK, as_json

if TYPE_CHECKING:
    import typst

MAX_LINES: Final = 2_000
MAX_CHARACTERS: Final = 600_000
"""What a page is laid out for: about a hundred pages, some seconds and 400 MB at the most. Longer
invoices come with a page of their own."""
_ROUNDS: Final = 4
_LATIN_END: Final = 0x180
_PUNCTUATION: Final = "\u00a0\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u202f\u20ac\u2212" + BLANK
_HERE: Final = Path(__file__).parent
_MISSING: Final = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")


def render(
    invoice: Invoice,
    xml: bytes,
    *,
    level: Level,
    when: datetime,
    relationship: Relationship | None = None,
) -> FacturX:
    """Write an invoice as a Factur-X: its page, with its XML attached; raise `Refused` if not.

    `xml` is the CII of the same invoice at this level: where the two differ in what makes an
    invoice (number, dates, parties, amounts), they are refused, for a page must never say another
    thing than its XML. An issue `page_characters` tells which characters the fonts lack.
    """
    if when.utcoffset() is None:
        raise ValueError("`when` needs a time zone")
    check_same(invoice, xml)
    page, issues = lay_out(invoice, when)
    written = attach(page, xml, level=level, when=when, relationship=relationship)
    return FacturX(written.pdf, (*issues, *written.issues))


def lay_out(invoice: Invoice, when: datetime) -> tuple[bytes, tuple[Issue, ...]]:
    """Lay out the page alone: a PDF/A-3b without attachment, and what it could not show."""
    lines = len(invoice.lines)
    data = "" if lines > MAX_LINES else as_json(sheet_of(invoice))
    if lines > MAX_LINES or len(data) > MAX_CHARACTERS:
        raise Refused(
            "page_too_long",
            f"La facture est trop longue pour que sa page soit composée ({lines} ligne(s) ; au "
            f"plus {MAX_LINES}, et {MAX_CHARACTERS} caractères en tout). Joignez le XML au PDF de "
            "votre logiciel.",
        )
    page, lost = _compile_shown(data, when)
    if not lost:
        return page, ()
    shown = ", ".join(f"U+{ord(char):04X}" for char in sorted(lost)[:20])
    issue = Issue(
        code="page_characters",
        message=f"La page ne peut pas montrer {len(lost)} caractère(s) ({shown}) : « {BLANK} » "
        "les remplace. Le XML les garde.",
        where="page",
    )
    return page, (issue,)


@cache
def _typst() -> ModuleType:
    """Load typst, an extra: without it, say what to install."""
    try:
        import typst
    except ImportError:
        raise Refused(
            "page_not_available",
            "La composition de la page demande typst : installez « encaisse-einvoicing[page] ».",
        ) from None
    return typst


def _compile_shown(data: str, when: datetime) -> tuple[bytes, set[str]]:
    """Compile, putting squares for the characters typst says it has no glyph for."""
    typst = _typst()
    lost: set[str] = set()
    for _ in range(_ROUNDS):
        try:
            return _compile(data, when), lost
        except typst.TypstError as error:
            told = f"{error.message}\n{error.diagnostic}"
            missing = {char for text in _MISSING.findall(told) for char in _unescaped(text)}
            missing = {char for char in missing & set(data) if not _is_plain(char)}
            if not missing:
                break
        lost |= missing
        data = data.translate(dict.fromkeys(map(ord, missing), BLANK))
    # What is left is a cluster no font can show though it has each character: keep plain text.
    odd = {char for char in data if not _is_plain(char)}
    try:
        return _compile(data.translate(dict.fromkeys(map(ord, odd), BLANK)), when), lost | odd
    except typst.TypstError as error:
        raise Refused(
            "page_failed",
            f"La page n'a pas pu être composée ({error.message[:200]}) : joignez le XML au PDF de "
            "votre logiciel, et transmettez cette phrase aux auteurs.",
        ) from None


def _compile(data: str, when: datetime) -> bytes:
    page: bytes = _typst().compile(
        {"main.typ": _template(), "data.json": data.encode("utf-8", "replace")},
        root=_HERE,  # so that not even the working folder can be read
        font_paths=_fonts(),
        ignore_system_fonts=True,
        pdf_standards="a-3b",
        timestamp=int(when.timestamp()),
    )
    return page


def _is_plain(char: str) -> bool:
    """Tell the characters all the fonts have: never replaced, whatever typst says of them."""
    return (ord(char) < _LATIN_END and char.isprintable()) or char in _PUNCTUATION


def _unescaped(text: str) -> str:
    """Read the text of a message of typst, which writes some characters as escapes."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)


@cache
def _template() -> bytes:
    return (_HERE / "template.typ").read_bytes()


@cache
def _fonts() -> "typst.Fonts":
    fonts: typst.Fonts = _typst().Fonts(include_system_fonts=False, include_embedded_fonts=True)
    return fonts
