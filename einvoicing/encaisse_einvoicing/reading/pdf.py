"""Take the invoice XML out of a PDF: identical bytes, under caps, never a silent choice.

Streams are read raw and inflated here with a cap, because a library asked for decoded bytes
inflates first and counts afterwards (a 3 kB file can hold gigabytes). What the PDF library
must still inflate itself (cross-reference and object streams) is capped through its own
limits, once per process.
"""

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import pikepdf
from pikepdf.settings import set_qpdf_limits

from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.reading import loader, memory

MAX_BYTES: Final = 50 * 1024 * 1024
MAX_ATTACHMENTS: Final = 1_000
MAX_TREE_NODES: Final = 10_000
MAX_OBJECTS: Final = 100_000
"""An invoice has hundreds; a damaged file with a million keeps qpdf busy for ten seconds."""
_ROOM: Final = MAX_OBJECTS * len(b"objobj")
"""Bytes in which so many bodies do not fit; a row of the table takes more than "obj" twice."""
MAX_TABLE: Final = 8 * 1024 * 1024
"""Bytes of one cross-reference or object stream once inflated: a million objects take seven."""
MAX_MEMORY: Final = 128 * 1024 * 1024
"""Bytes opening a PDF may take, the raw bytes of an attachment and the inflated ones included."""
MAX_INFLATED: Final = 2 * loader.MAX_BYTES
"""Bytes of all XML attachments together."""
MAX_CANDIDATES: Final = 20
"""XML attachments inflated and compared; a PDF with more is refused."""

NAMES: Final = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml")
"""Names the standards give the invoice, best first (Factur-X 1.0 §6.2, XRechnung, ZUGFeRD 2)."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Be the invoice found in a PDF: attachment name, its exact bytes, what to tell about it."""

    name: str
    data: bytes
    issues: tuple[Issue, ...] = ()


def extract(data: bytes) -> Embedded:
    """Find the one invoice a PDF carries; raise `Refused` when there is none, or no telling."""
    if len(data) > MAX_BYTES:
        raise Refused(
            "pdf_too_large",
            f"Le PDF pèse plus de {MAX_BYTES // 1024 // 1024} Mo : il n'est pas lu.",
        )
    # A shorter file has not the room, and counting takes a tenth of reading one.
    if len(data) > _ROOM and max(data.count(b"obj") // 2, data.count(b"00000 n")) > MAX_OBJECTS:
        raise Refused(
            "pdf_too_many_objects",
            f"Le PDF compte plus de {MAX_OBJECTS} objets : il n'est pas lu. Demandez au vendeur "
            "un fichier plus simple.",
        )
    limit_qpdf()
    try:
        with (
            memory.at_most(MAX_MEMORY),
            pikepdf.open(
                io.BytesIO(data),
                suppress_warnings=True,
                inherit_page_attributes=False,  # pages say nothing here, there may be thousands
            ) as pdf,
        ):
            repairs = Repairs(pdf)
            found = _choose(list(list_attachments(pdf, repairs)))
            return _mended(found) if repairs.made() else found
    except Refused:
        raise
    except MemoryError:
        raise _crowded() from None
    except pikepdf.PasswordError:
        raise Refused(
            "pdf_encrypted",
            "Le PDF est protégé par un mot de passe : demandez au vendeur le fichier d'origine.",
        ) from None
    except (pikepdf.PdfError, pikepdf.DataDecodingError, pikepdf.ForeignObjectError) as error:
        raise _damaged(str(error)) from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError) as error:
        # A damaged file makes pikepdf raise plain Python errors while its objects are followed.
        raise _damaged(type(error).__name__) from None


class Repairs:
    """Follow what qpdf had to repair while the objects of a PDF are read."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        """Start with what opening it took."""
        self._pdf = pdf
        self._made = False

    def made(self) -> bool:
        """Tell whether anything was repaired so far.

        Raises `Refused` where an object was given up for want of memory: what it held, another
        invoice perhaps, is not known.
        """
        warnings = self._pdf.get_warnings()  # those since the last time
        if any("bad_alloc" in str(each) for each in warnings):
            raise _crowded()
        self._made = self._made or bool(warnings)
        return self._made


def _mended(found: Embedded) -> Embedded:
    """Say that the PDF around an invoice was not whole: the XML inflates whole, or is refused."""
    issue = Issue(
        code="pdf_mended",
        message="Le PDF est abîmé ou incomplet : seule la facture XML qu'il joint a pu être lue en "
        "entier. Demandez le fichier d'origine avant de vous fier à ses pages.",
        where=found.name,
    )
    return replace(found, issues=(*found.issues, issue))


@cache
def limit_qpdf() -> None:
    """Cap what qpdf inflates by itself; process-wide, so set once and never loosened."""
    set_qpdf_limits(
        parser_max_nesting=100,
        max_stream_filters=2,
        flate_max_memory=MAX_TABLE,
        run_length_max_memory=MAX_TABLE,
        png_max_memory=MAX_TABLE,
        tiff_max_memory=MAX_TABLE,
    )


def _crowded() -> Refused:
    return Refused(
        "pdf_bomb",
        f"Le PDF demande plus de {MAX_MEMORY // 1024 // 1024} Mo de mémoire pour être ouvert : il "
        "est piégé ou abîmé, il n'est pas lu.",
    )


def _damaged(detail: str) -> Refused:
    return Refused(
        "pdf_damaged",
        f"Le PDF est abîmé ou incomplet ({told(detail)}) : demandez au vendeur de le renvoyer.",
    )


def told(detail: str) -> str:
    """Keep what qpdf says of the file, without the address of the buffer it read it from.

    An address changes at each run, and the same file must be refused in the same words.
    """
    return re.sub(r"stream <[^>]*>:? ?", "", detail)[:120]


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    stream: pikepdf.Object


def list_attachments(pdf: pikepdf.Pdf, repairs: Repairs | None = None) -> Iterator[Attachment]:
    """List the file attachments of the names tree, then of /AF, each stream once.

    With `repairs`, an object given up for want of memory ends it at once.
    """
    seen: set[tuple[int, int]] = set()
    known: set[tuple[int, int]] = set()
    count = 0
    for specification in _specifications(pdf, repairs):
        if not isinstance(specification, pikepdf.Dictionary):
            continue
        number = specification.objgen
        if number in known:
            continue  # /AF names what the tree names: nothing of it is looked up twice
        if number != (0, 0):
            known.add(number)
        files = specification.get("/EF")
        if not isinstance(files, pikepdf.Dictionary):
            continue
        for key in ("/UF", "/F"):  # readers differ on which they take: both must say the same
            stream = files.get(key)
            if not isinstance(stream, pikepdf.Stream) or stream.objgen in seen:
                continue
            seen.add(stream.objgen)
            count += 1
            if count > MAX_ATTACHMENTS:
                raise Refused("pdf_too_many_attachments", "Le PDF a trop de pièces jointes.")
            yield Attachment(_file_name(specification), stream)


def _file_name(specification: pikepdf.Dictionary) -> str:
    """Give the name of an attachment, the Unicode one first, without any folder."""
    for key in ("/UF", "/F"):
        name = specification.get(key)
        if isinstance(name, pikepdf.String):
            return str(name).replace("\\", "/").rpartition("/")[2]
    return ""


def _specifications(pdf: pikepdf.Pdf, repairs: Repairs | None) -> Iterator[pikepdf.Object]:
    root = pdf.Root
    names = root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        tree = names.get("/EmbeddedFiles")
        if isinstance(tree, pikepdf.Dictionary):
            yield from _leaves(tree, repairs)
    associated = root.get("/AF")
    if isinstance(associated, pikepdf.Array):
        if len(associated) > MAX_TREE_NODES:
            raise Refused("pdf_too_many_attachments", "Le PDF a trop de pièces jointes.")
        yield from _each(associated)


def _each(array: pikepdf.Array, step: slice = slice(None)) -> Iterator[pikepdf.Object]:
    """Give items one by one: a list of them would have qpdf load every object they name."""
    for number in range(len(array))[step]:
        yield array[number]


_END: Final = object()


def _leaves(tree: pikepdf.Dictionary, repairs: Repairs | None) -> Iterator[pikepdf.Object]:
    """Walk a name tree without recursion; a node seen twice means a tree that never ends."""
    waiting: list[Iterator[pikepdf.Object]] = [iter((tree,))]
    seen: set[tuple[int, int]] = set()
    nodes = 0
    while waiting:
        node = next(waiting[-1], _END)
        if node is _END:
            waiting.pop()
            continue
        nodes += 1
        if nodes > MAX_TREE_NODES:
            raise Refused("pdf_too_many_attachments", "L'arbre des pièces jointes est trop grand.")
        if not isinstance(node, pikepdf.Dictionary):
            if repairs is not None:
                repairs.made()
            continue
        if node.objgen != (0, 0):
            if node.objgen in seen:
                raise Refused(
                    "pdf_cyclic",
                    "L'arbre des pièces jointes du PDF tourne en rond : le fichier est piégé ou "
                    "abîmé, il n'est pas lu.",
                )
            seen.add(node.objgen)
        pairs = node.get("/Names")
        if isinstance(pairs, pikepdf.Array):
            yield from _each(pairs, slice(1, None, 2))
        kids = node.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            waiting.append(_each(kids))


def _choose(attachments: list[Attachment]) -> Embedded:
    """Pick by exact name, then by name in any case, then by content; compare all candidates."""
    named = [each for each in attachments if each.name.lower().endswith(".xml")]
    if len(named) > MAX_CANDIDATES:
        raise Refused(
            "pdf_too_many_attachments", f"Le PDF joint {len(named)} fichiers XML : il n'est pas lu."
        )
    ranked: list[tuple[int, str, bytes]] = []
    inflated = 0
    for each in named:
        rank = rank_of(each.name)
        content = inflate(each)
        inflated += len(content)
        if inflated > MAX_INFLATED:
            raise Refused(
                "pdf_bomb",
                f"Les fichiers XML joints au PDF dépassent {MAX_INFLATED // 1024 // 1024} Mo une "
                "fois ouverts : il n'est pas lu.",
                each.name,
            )
        if rank < len(NAMES) + 1 or loader.is_invoice(content):
            ranked.append((rank, each.name, content))
    if not ranked:
        held = "ne contient pas de facture XML"
        if attachments:
            several = len(attachments) > 1
            count = f"{len(attachments)} pièces jointes" if several else "une pièce jointe"
            held = f"contient {count}, mais pas de facture XML"
        raise Refused(
            "pdf_without_invoice",
            f"Le PDF {held} : ce n'est pas un Factur-X. Demandez au vendeur le Factur-X ou le XML.",
        )
    ranked.sort(key=lambda candidate: candidate[0])
    best, name, chosen = ranked[0]
    others = [other for other in ranked if other[2] != chosen]
    if any(rank == best for rank, _, _ in others):
        raise Refused(
            "pdf_ambiguous",
            f"Le PDF joint plusieurs factures différentes ({_names(ranked)}) : rien ne dit "
            "laquelle fait foi. Demandez au vendeur un fichier qui n'en porte qu'une.",
            name,
        )
    issues: list[Issue] = []
    if others:
        issues.append(
            Issue(
                code="pdf_several_invoices",
                message=f"Le PDF joint plusieurs factures différentes ({_names(ranked)}) : "
                f"« {name} » est lue, son nom étant celui de la norme. À vérifier.",
                where=name,
            )
        )
    elif best >= len(NAMES):
        issues.append(
            Issue(
                code="pdf_unusual_name",
                message=f"La facture jointe s'appelle « {name} » au lieu de « {NAMES[0]} ».",
                where=name,
            )
        )
    return Embedded(name, chosen, tuple(issues))


def rank_of(name: str) -> int:
    if name in NAMES:
        return NAMES.index(name)
    return len(NAMES) if name.lower() in NAMES else len(NAMES) + 1


def _names(ranked: list[tuple[int, str, bytes]]) -> str:
    return ", ".join(f"« {name} »" for _, name, _ in ranked)


def inflate(attachment: Attachment) -> bytes:
    """Give the bytes of one attachment, plain or deflated once, under the cap of XML."""
    stream = attachment.stream
    filters = stream.get("/Filter")
    if isinstance(filters, pikepdf.Array):
        chain = [str(each) for each in filters.as_list()]
    else:
        chain = [] if filters is None else [str(filters)]
    raw = stream.read_raw_bytes()
    if not chain:
        return raw
    parameters = stream.get("/DecodeParms")
    if chain != ["/FlateDecode"] or _predicts(parameters):
        raise Refused(
            "pdf_filter",
            f"La pièce jointe « {attachment.name} » est compressée d'une façon inhabituelle "
            f"({' '.join(chain)}) : elle n'est pas ouverte.",
            attachment.name,
        )
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(raw, loader.MAX_BYTES + 1)
    except zlib.error:
        raise _damaged(f"pièce jointe « {attachment.name} »") from None
    if len(content) > loader.MAX_BYTES:
        raise Refused(
            "pdf_bomb",
            f"La pièce jointe « {attachment.name} » dépasse "
            f"{loader.MAX_BYTES // 1024 // 1024} Mo une fois ouverte : elle n'est pas lue.",
            attachment.name,
        )
    if not inflater.eof and not loader.is_invoice(content):
        # A missing checksum alone is no loss: the closing tag proves the XML whole.
        raise _damaged(f"pièce jointe « {attachment.name} » tronquée")
    return content


def _predicts(parameters: pikepdf.Object | None) -> bool:
    """Tell whether a predictor would change the bytes: none does on an honest attachment."""
    if isinstance(parameters, pikepdf.Array):
        return any(_predicts(each) for each in parameters.as_list())
    if not isinstance(parameters, pikepdf.Dictionary):
        return False
    return str(parameters.get("/Predictor", 1)) != "1"
