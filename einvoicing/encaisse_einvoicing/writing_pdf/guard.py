"""Open a PDF that is going to be changed, or refuse it with the reason.

Stricter than reading: what qpdf had to repair, what a password protects and what somebody
signed is left as it is, because a changed copy would lose pages, the protection or the
signature without anybody having asked for it.
"""

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

import pikepdf

from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading import memory
from encaisse_einvoicing.reading import pdf as reading

MAX_MEMORY: Final = 512 * 1024 * 1024
"""Bytes opening a PDF to be changed may take: it is the company's own, and may be a large one."""
MAX_FIELDS: Final = 10_000
"""Form fields looked at for a signature; a form with more is refused."""
_APPEND_ONLY: Final = 2
"""SigFlags (ISO 32000-1, table 219): set when any change but an appended one breaks a signature."""


@contextmanager
def opened(data: bytes) -> Generator[pikepdf.Pdf]:
    """Open a PDF for changing; anything wrong with it, now or later, becomes `Refused`."""
    if len(data) > reading.MAX_BYTES:
        raise Refused(
            "pdf_too_large",
            f"Le PDF pèse plus de {reading.MAX_BYTES // 1024 // 1024} Mo : il n'est pas modifié. "
            "Réduisez ses images.",
        )
    reading.limit_qpdf()
    try:
        with memory.at_most(MAX_MEMORY):
            pdf = pikepdf.open(io.BytesIO(data), suppress_warnings=True)
        with pdf:
            with memory.at_most(MAX_MEMORY):
                _check(pdf)
            yield pdf
    except Refused:
        raise
    except MemoryError:
        raise damaged(
            f"il demande plus de {MAX_MEMORY // 1024 // 1024} Mo pour être ouvert"
        ) from None
    except pikepdf.PasswordError:
        raise _protected() from None
    except (pikepdf.PdfError, pikepdf.DataDecodingError, pikepdf.ForeignObjectError) as error:
        raise damaged(str(error)) from None
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        # A damaged file makes pikepdf raise plain Python errors while its objects are followed.
        raise damaged(type(error).__name__) from None


def damaged(detail: str) -> Refused:
    """Say that a PDF is not sound enough to be changed, with what qpdf says of it."""
    return Refused(
        "pdf_damaged",
        f"Le PDF est abîmé ou incomplet ({reading.told(detail)}) : il n'est pas modifié. "
        "Produisez-le à nouveau, ou imprimez-le dans un nouveau PDF.",
    )


def check_sound(pdf: pikepdf.Pdf) -> None:
    """Refuse what qpdf had to repair; to be called again once every object was written."""
    warnings = pdf.get_warnings()
    if warnings:
        raise damaged(str(warnings[0]))


def _check(pdf: pikepdf.Pdf) -> None:
    check_sound(pdf)
    if pdf.is_encrypted:
        raise _protected()
    if _is_signed(pdf):
        raise Refused(
            "pdf_signed",
            "Le PDF est signé : y ajouter le XML annulerait sa signature. Partez du PDF d'avant "
            "la signature, et signez le Factur-X.",
        )
    if len(pdf.pages) == 0:
        raise Refused("pdf_without_page", "Le PDF n'a aucune page : rien n'y est lisible.")


def _protected() -> Refused:
    return Refused(
        "pdf_encrypted",
        "Le PDF est protégé par un mot de passe, ce que Factur-X (PDF/A-3) interdit : produisez-le "
        "sans protection.",
    )


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    """Look for a signature: permissions it grants, an append-only form, a signed field."""
    root = pdf.Root
    permissions = root.get("/Perms")
    if isinstance(permissions, pikepdf.Dictionary) and len(permissions.keys()) > 0:
        return True
    form = root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return False
    flags = form.get("/SigFlags", 0)
    if isinstance(flags, int) and flags & _APPEND_ONLY:
        return True
    return any(kind == "/Sig" and field.get("/V") is not None for field, kind in _fields(form))


def _fields(form: pikepdf.Dictionary) -> Iterator[tuple[pikepdf.Dictionary, str]]:
    """Walk the fields of a form with the kind each has or inherits; refuse a form without end."""
    roots = form.get("/Fields")
    waiting: list[tuple[pikepdf.Object, str]] = []
    if isinstance(roots, pikepdf.Array):
        waiting.extend((each, "") for each in roots.as_list())
    count = 0
    while waiting:
        field, kind = waiting.pop()
        count += 1
        if count > MAX_FIELDS:
            raise Refused(
                "pdf_form_too_large",
                f"Le formulaire du PDF a plus de {MAX_FIELDS} champs ou tourne en rond : il n'est "
                "pas modifié. Imprimez-le dans un nouveau PDF.",
            )
        if not isinstance(field, pikepdf.Dictionary):
            continue
        own = field.get("/FT")
        kind = kind if own is None else str(own)
        yield field, kind
        kids = field.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            waiting.extend((each, kind) for each in kids.as_list())
