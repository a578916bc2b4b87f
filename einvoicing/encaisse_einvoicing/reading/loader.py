"""Parse untrusted XML bytes into a tree that holds nothing but elements, attributes and text.

Hardened on purpose beyond lxml's defaults: a DOCTYPE is refused before any parser sees it
(internal entities make parsers disagree about a value, external ones read files), comments and
processing instructions vanish (they split values), only what
is UTF-8 reaches libxml2, which is told so (a declared UTF-7 or a wrong label cannot smuggle
text), and bytes, tags, depth and text length are capped.
"""

import re
import threading
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from lxml import etree

from encaisse_einvoicing.complaints import of_the_parser
from encaisse_einvoicing.issues import Refused

Element: TypeAlias = etree._Element  # pyright: ignore[reportPrivateUsage]
"""The one name of lxml's element type, which lxml only publishes as private."""

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_TAGS: Final = 550_000
"""Opening tags and attributes together. Each may cost two nodes, itself and the text after it, of
about 130 bytes; honest XML spends 45 bytes on one, so it meets the cap on bytes first."""

_FEW: Final = 20_000
"""Signs found by leaps before counting all of them is the cheaper way."""

_HEAD: Final = 1024
"""Bytes in which an XML declaration is looked for."""
_STRICT: Final = etree.LIBXML_VERSION >= (2, 14)
"""Whether libxml2 itself refuses every byte that is no UTF-8, wherever it stands."""

Codec = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "iso-8859-15", "cp1252"]
_CODECS: Final[dict[str, Codec]] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
"""Declared encoding, lower case -> codec. Anything else is refused."""
_UTF_32: Final = (b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\x00<", b"<\x00\x00\x00")
_DECLARED: Final = re.compile(
    rb"""<\?xml[ \t\r\n][^>]{0,200}?encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z0-9._\-]+)["']"""
)
_BEFORE_ROOT: Final = re.compile(rb"(?:[ \t\r\n]++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
"""Possessive: a million comments leave nothing to come back to, so cost no memory."""
_DECLARATION: Final = re.compile(r"\s*<\?xml[\s].*?\?>", re.DOTALL)


class _Own(threading.local):
    """Keep one parser to a thread: making one costs a tenth of a small invoice.

    Not one for all threads, which lxml would make wait for each other.
    """

    def __init__(self) -> None:
        self.parser: Final = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            remove_blank_text=True,  # indents between tags, which nothing asks for
            recover=False,
            collect_ids=False,  # nothing is looked up by xml:id, and listing them takes time
        )


_OWN: Final = _Own()

Reader = Literal["cii", "ubl", "credit_note"]

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_UNECE = "urn:un:unece:uncefact:data:"
ROOTS: Final[dict[str, Reader]] = {
    f"{{{_UNECE}standard:CrossIndustryInvoice:100}}CrossIndustryInvoice": "cii",
    f"{{{_UBL}Invoice-2}}Invoice": "ubl",
    f"{{{_UBL}CreditNote-2}}CreditNote": "credit_note",
}
"""Root element -> reader."""
OTHER_ROOTS: Final[dict[str, str]] = {
    "{urn:ferd:CrossIndustryDocument:invoice:1p0}CrossIndustryDocument": (
        "une facture ZUGFeRD 1, format abandonné en 2019 ; demandez du Factur-X"
    ),
    f"{{{_UNECE}SCRDMCCBDACIOMessageStructure:100}}SCRDMCCBDACIOMessageStructure": (
        "une commande (Order-X), pas une facture"
    ),
    f"{{{_UNECE}standard:CrossDomainAcknowledgementAndResponse:100}}"
    "CrossDomainAcknowledgementAndResponse": (
        "un message de cycle de vie (CDAR), pas une facture ; lisez-le par « encaisse cdar »"
    ),
    f"{{{_UBL}ApplicationResponse-2}}ApplicationResponse": "un accusé UBL, pas une facture",
    f"{{{_UBL}Order-2}}Order": "une commande UBL, pas une facture",
    "{http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2}FatturaElettronica": (
        "une facture italienne (FatturaPA), format non lu"
    ),
}
"""Root elements met in practice that are not read -> what the document is, in French."""


def parse(data: bytes) -> tuple[Reader, Element]:
    """Parse one invoice and say which reader its root calls for; raise `Refused` otherwise."""
    root = parse_tree(data)
    tag = str(root.tag)
    reader = ROOTS.get(tag)
    if reader is not None:
        return reader, root
    what = OTHER_ROOTS.get(tag)
    if what is not None:
        raise Refused("other_document", f"Ce document est {what}.")
    namespace, _, local = tag.rpartition("}")
    raise Refused(
        "unknown_root",
        f"Ce document XML commence par « {local} » (espace de noms « {namespace[1:]} ») : ce "
        "n'est ni une facture CII D16B/D22B, ni une facture ou un avoir UBL 2.1.",
    )


def is_invoice(data: bytes) -> bool:
    """Tell whether these bytes parse and have the root of an invoice."""
    try:
        parse(data)
    except Refused:
        return False
    return True


def parse_tree(data: bytes) -> Element:
    """Parse any XML under the caps; raise `Refused` with a code and a French sentence."""
    if len(data) > MAX_BYTES:
        raise Refused(
            "xml_too_large",
            f"Le XML pèse plus de {MAX_BYTES // 1024 // 1024} Mo : il n'est pas lu.",
        )
    clean = _as_utf8(data)
    # A document of fewer bytes than that need not be counted, nor one whose signs are few.
    if len(clean) > MAX_TAGS and not _sparse(clean) and _opened(clean) > MAX_TAGS:
        raise Refused(
            "xml_too_many_tags", "Le XML compte trop de balises ou d'attributs : il n'est pas lu."
        )
    before = _BEFORE_ROOT.match(clean)
    if before is not None and clean.startswith(b"<!DOCTYPE", before.end()):
        raise Refused(
            "xml_doctype",
            "Le XML contient un DOCTYPE, interdit dans une facture électronique : il n'est pas "
            "lu. Demandez au vendeur un fichier sans DOCTYPE.",
        )
    try:
        root = etree.fromstring(clean, _OWN.parser)
    except etree.XMLSyntaxError as error:
        wrong = _not_utf8(clean)
        if wrong is not None:
            raise _other_encoding("utf-8", wrong) from None
        code: int = getattr(error, "code", 0)  # the published types do not know it
        raise Refused(
            "xml_malformed",
            f"Le XML est mal formé (ligne {error.lineno}) : {of_the_parser(code)}. "
            "Demandez au vendeur de renvoyer le fichier.",
            f"ligne {error.lineno}",
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused("xml_doctype", "Le XML contient un DOCTYPE : il n'est pas lu.")
    return root


def _sparse(clean: bytes) -> bool:
    """Tell whether tags and attributes are few: one leap for each, however long what is between.

    An invoice is large by what is attached to it, and counting looks at every byte of that.
    """
    left = _FEW
    for sign in (b"<", b"="):
        at = clean.find(sign)
        while at >= 0:
            left -= 1
            if not left:
                return False
            at = clean.find(sign, at + 1)
    return True


def _opened(clean: bytes) -> int:
    """Count opening tags and attributes, or more; a closing tag costs no memory."""
    return clean.count(b"<") - clean.count(b"</") + clean.count(b"=")


def _as_utf8(data: bytes) -> bytes:
    """Decode by the one encoding the document may have, and encode as UTF-8 without a BOM."""
    if not data.startswith(b"<") and not data.strip(b" \t\r\n\x00"):
        raise Refused("empty", "Le fichier est vide.")
    if data.startswith(_UTF_32):
        raise Refused("xml_encoding", "Le XML est en UTF-32, encodage non accepté.")
    end = data.find(b"?>", 0, _HEAD)
    codec = _codec(data[: _HEAD if end < 0 else end])
    if codec == "utf-8":
        data = data.removeprefix(b"\xef\xbb\xbf")
        wrong = None if _STRICT else _not_utf8(data)
        if wrong is None:
            return data
        raise _other_encoding(codec, wrong)
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise _other_encoding(codec, error.start) from None
    return _DECLARATION.sub("", text.removeprefix("\ufeff"), count=1).encode("utf-8")


def _other_encoding(codec: Codec, byte: int) -> Refused:
    return Refused(
        "xml_encoding",
        f"Le XML se dit en {codec.upper()} et ne l'est pas (octet {byte}) : il n'est pas lu, "
        "pour ne pas fausser un nom. Demandez au vendeur de renvoyer le fichier.",
    )


def _not_utf8(data: bytes) -> int | None:
    """Find the first byte that is no UTF-8; None where all of it is."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


@lru_cache(maxsize=256)
def _codec(head: bytes) -> Codec:
    """Choose the codec from the byte order mark, the first bytes, then the declaration.

    `head` is what comes before the end of the declaration, which is the same in most invoices.
    """
    wide: Codec | None = None
    if head.startswith((b"\xff\xfe", b"<\x00")):
        wide = "utf-16-le"
    elif head.startswith((b"\xfe\xff", b"\x00<")):
        wide = "utf-16-be"
    start = head
    if wide is not None:
        text = head[: len(head) // 2 * 2].decode(wide, "replace")
        head = text.removeprefix("\ufeff").encode("ascii", "replace")
    declared = _DECLARED.match(head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n"))
    if declared is None:
        return wide or "utf-8"
    label = declared[1].decode("ascii").lower()
    codec = _CODECS.get(label)
    fits = codec in ("utf-16", wide) if wide else codec is not None and "utf-16" not in codec
    if codec is None or not fits or (codec != "utf-8" and start.startswith(b"\xef\xbb\xbf")):
        raise Refused(
            "xml_encoding",
            f"Le XML se déclare en « {label} », encodage non accepté ou contraire à ses octets. "
            "Encodages lus : UTF-8, UTF-16, ISO-8859-1, ISO-8859-15, Windows-1252.",
        )
    return wide or codec
