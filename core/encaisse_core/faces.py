"""Show what joining looks at of one record, and under which keys it is found. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from encaisse_api.source import InvoiceKind
from encaisse_core.cents import Cents

SAME_DAYS = 3
"""Issue dates of one invoice may differ so much between tools (sent, validated, posted)."""

Stated: TypeAlias = tuple[str | None, str | None, str | None]
"""Where a tool got its record: (the other tool, its reference there, our own claim's id)."""

OwnRef: TypeAlias = tuple[str, str]
"""What a record is called by its own tool: (connector's slug, remote reference)."""


class Key(NamedTuple):
    """Find candidates: faces that share a rung and a value may be one invoice."""

    rung: int
    value: str


@dataclass(frozen=True, slots=True)
class Face:
    """Show what joining looks at of one sighting.

    `seller_siren` and `seller_vat` are None where the record does not say who issued it.
    `debtor_key` is the debtor's SIREN, None where unknown. `total` is in cents, negative on
    credits. `own_refs` are all references the record has or had in its own tool. `issued` marks a
    document as issued: a folder may hold copies of one, where a tool keeps one row an invoice.
    `direction` keeps what the company owes apart from what it is owed, however alike the two are.
    """

    sighting_id: str
    connection_id: str
    kind: InvoiceKind
    seller_siren: str | None
    number: str
    issue_date: date
    currency: str
    total: Cents
    due_dates: tuple[date, ...]
    debtor_key: str | None
    document_sha256: str | None
    lineage: Stated | None
    own_refs: tuple[OwnRef, ...]
    issued: bool = False
    direction: Literal["receivable", "payable"] = "receivable"
    seller_vat: str | None = None


def fold_number(text: str) -> str:
    """Write a number without what only typography adds: NFKC, trimmed, white space folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def normalise_number(text: str) -> str:
    """Write a number without case, separators and padding: `FA-0012` and `fa 12` become `FA12`.

    Separators go first, so a run of digits is what is left standing together, and it loses its
    leading zeros; a run of zeros keeps one.
    """
    upper = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper())
    kept = "".join(c for c in upper if c.isalnum())
    return re.sub(r"[0-9]+", lambda run: run[0].lstrip("0") or "0", kept)


def normalise_tool(text: str) -> str:
    """Write a tool's name as slugs are: `MyUnisoft` and `my-unisoft` are one tool."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def keys(face: Face) -> tuple[Key, ...]:
    """List the keys under which a face is stored and looked up, strongest rung first.

    A number without any digit ("SANS NUMERO") is a word, not a number, and gives no key. On rung 3
    a record has its own reference, the source it states, and `claim:<id>` when it states our claim:
    that one is looked up among claims, where no sighting stored it.
    """
    return tuple(dict.fromkeys(_keys(face)))


def _keys(face: Face) -> Iterable[Key]:
    number = fold_number(face.number)
    normal = normalise_number(face.number)
    if face.seller_siren and numbered(normal):
        yield Key(1, f"{face.seller_siren}|{number}|{face.issue_date.year}")
    if face.document_sha256:
        yield Key(2, face.document_sha256)
    for own in sorted(own_records(face)):
        yield Key(3, own)
    if (stated := stated_record(face)) is not None:
        yield Key(3, stated)
    if face.lineage is not None and face.lineage[2]:
        yield Key(3, f"claim:{face.lineage[2]}")
    if numbered(normal):
        yield Key(4, f"{normal}|{face.total}|{face.currency}")
    if face.debtor_key:
        for due in face.due_dates:
            yield Key(5, f"{face.debtor_key}|{face.total}|{face.currency}|{due.isoformat()}")


def numbered(normal: str) -> bool:
    """Tell a number from a word."""
    return any(c.isdigit() for c in normal)


def _record(tool: str, ref: str) -> str:
    return f"{normalise_tool(tool)}:{ref.strip()}"


def own_records(face: Face) -> set[str]:
    """List what a record is or was called in its own tool."""
    return {_record(tool, ref) for tool, ref in face.own_refs}


def stated_record(face: Face) -> str | None:
    """Name the record of another tool a record says it comes from."""
    tool, ref, _ = face.lineage or (None, None, None)
    return _record(tool, ref) if tool and ref else None


def sellers(face: Face, other: Face) -> Literal["same", "different", "doubt", "unknown"]:
    """Compare who issued two records: by SIREN, else by VAT number; a French one holds a SIREN."""
    (siren, vat), (its_siren, its_vat) = _seller(face), _seller(other)
    if siren and its_siren:
        return "same" if siren == its_siren else "different"
    if vat and its_vat:
        return "same" if vat == its_vat else "different"
    return "unknown" if not (siren or vat) or not (its_siren or its_vat) else "doubt"


def _seller(face: Face) -> tuple[str | None, str | None]:
    vat = "".join(c for c in (face.seller_vat or "").upper() if c.isalnum())
    french = re.fullmatch(r"FR[0-9A-Z]{2}([0-9]{9})", vat)
    return face.seller_siren or (french[1] if french else None), vat or None


def close(face: Face, other: Face) -> bool:
    """Tell whether two issue dates may be one invoice's."""
    return abs((face.issue_date - other.issue_date).days) <= SAME_DAYS
