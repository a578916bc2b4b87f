"""Decide whether the French rules (BR-FR-Flux2) concern a document, from what it says itself.

They bind invoices between parties established in France (CGI 289 bis), and documents that claim a
French profile. A foreign invoice that breaks them is not wrong.
"""

from collections.abc import Iterator
from typing import Final, cast

from encaisse_einvoicing.reading.loader import Element, Reader
from encaisse_einvoicing.terms import Group, Term, table
from encaisse_einvoicing.validation.places import PREFIXES

PROFILE: Final = "urn.cpro.gouv.fr"
"""What the French profiles have in their BT-24 (EN16931-CTC-FR, EXTENDED-CTC-FR)."""
CADRES: Final = frozenset(
    "B1 S1 M1 B2 S2 M2 S3 B4 S4 M4 S5 S6 B7 S7 B8 S8 M8 B9 S9 M9".split()  # noqa: SIM905 - as listed
)
"""The French « cadres de facturation » of BT-23 (BR-FR-08)."""
SIREN: Final = "0002"
"""The scheme of a SIREN in BT-30 and BT-47 (ISO 6523)."""
_URIS: Final = {prefix: uri for uri, prefix in PREFIXES.items()}


def not_concerned(root: Element, reader: Reader) -> str | None:
    """Say in French why the rules do not apply; None when they do."""
    if PROFILE in _first(root, reader, "profile") or _first(root, reader, "process") in CADRES:
        return None
    foreign = [
        f"{name} ({_described(root, reader, party)})"
        for party, name in (("seller", "le vendeur"), ("buyer", "l'acheteur"))
        if not _is_french(root, reader, party)
    ]
    if not foreign:
        return None
    return (
        "Les règles françaises (BR-FR) valent entre deux parties établies en France ou sous un "
        f"profil français : rien ne dit ici que {' et '.join(foreign)} "
        f"{'le soit' if len(foreign) == 1 else 'le soient'}."
    )


def _is_french(root: Element, reader: Reader, party: str) -> bool:
    country = _first(root, reader, f"{party}.address.country")
    return country == "FR" or SIREN in texts(root, reader, f"{party}.legal_id_scheme")


def _described(root: Element, reader: Reader, party: str) -> str:
    country = _first(root, reader, f"{party}.address.country")
    return f"pays {country[:20]}" if country else "pays et SIREN absents"


def _first(root: Element, reader: Reader, field: str) -> str:
    return next(iter(texts(root, reader, field)), "")


def texts(root: Element, reader: Reader, field: str) -> list[str]:
    """Give what a document writes for a field of `terms.tsv` (`seller.address.country`)."""
    group: Group = table()
    here = [root]
    *owners, last = field.split(".")
    for owner in owners:
        group = next(g for g in group.members if isinstance(g, Group) and g.field == owner)
        here = [
            each
            for element in here
            for path in group.places[reader]
            for each in _below(element, path)
        ]
    term = next(t for t in group.members if isinstance(t, Term) and t.field == last)
    found: list[str] = []
    for element in here:
        for path in term.places[reader]:
            *steps, end = path.split("/")
            if not end.startswith("@"):
                found += [
                    "".join(cast("Iterator[str]", each.itertext()))
                    for each in _below(element, path)
                ]
                continue
            for each in _below(element, "/".join(steps) or "."):
                found.append(each.get(end[1:]) or "")
    return [text.strip() for text in found if text.strip()]


def _below(element: Element, path: str) -> Iterator[Element]:
    """Follow a path of the table: `.` or prefixed names."""
    if path == ".":
        yield element
        return
    tags = [step.partition(":")[::2] for step in path.split("/")]
    here = [element]
    for prefix, local in tags:
        tag = f"{{{_URIS[f'{prefix}:']}}}{local}"
        here = [child for each in here for child in each.iterchildren(tag)]
    yield from here
