"""Recognise French company numbers in what a document says about a party.

Keys of plain digits are checked here; python-stdnum knows the rest (La Poste's own rule for its
SIRETs, VAT keys with letters, digits of other scripts), and tests hold both to one answer.
A number with a wrong key is never taken: it stays as written, and an issue says so.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from stdnum.fr import siren as fr_siren
from stdnum.fr import siret as fr_siret
from stdnum.fr import tva as fr_tva

from encaisse_einvoicing.model import SirenSource

SIREN_SCHEME: Final = "0002"
SIRET_SCHEME: Final = "0009"
_SCHEMES: Final = (SIREN_SCHEME, SIRET_SCHEME)
_LETTERS: Final = ("F", "f")
"""A VAT number that starts otherwise is no French one, however it is spaced."""
_LA_POSTE: Final = "356000000"
"""Its SIRETs have a key of their own."""
_REMEMBERED: Final = 1024
"""Numbers whose keys are kept: a company's invoices name itself each time, its customers often."""
_TWICE: Final = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
"""A digit -> the sum of the digits of its double."""


class FrenchNumbers(NamedTuple):
    """Hold what was recognised, and what was wrong on the way: (code, French sentence)."""

    siren: str | None = None
    source: SirenSource | None = None
    siret: str | None = None
    wrong: tuple[tuple[str, str], ...] = ()


NO_NUMBERS: Final = FrenchNumbers()
"""Nothing recognised, and nothing wrong."""


def french_numbers(
    legal_id: str | None,
    legal_scheme: str | None,
    others: Sequence[tuple[str | None, str | None]],
    vat_id: str | None,
    country: str | None,
) -> FrenchNumbers:
    """Find the SIREN and SIRET of a party, best source first: legal id, SIRET, VAT number.

    `others` are its other identifiers as (value, scheme). A bare legal id without a scheme
    counts only for a party established in France (address or VAT number).
    """
    french = country == "FR" or (vat_id is not None and vat_id[:2].upper() == "FR")
    if not (french or others or legal_scheme in _SCHEMES or (vat_id or "").startswith(_LETTERS)):
        return NO_NUMBERS
    wrong: list[tuple[str, str]] = []
    vat_siren = _vat_siren(vat_id)
    siren, siret = _from_legal_id(_bare(legal_id), legal_scheme, french, wrong)
    source: SirenSource | None = "legal_id" if siren else None
    for value, scheme in others:
        number = _bare(value)
        if scheme != SIRET_SCHEME or not number:
            continue
        if not _has_siret_key(number):
            wrong.append(("siret_invalid", f"le SIRET « {value} » a une clé fausse"))
        elif siret is None:
            siret = number
    if siret is not None:
        if siren is None:
            siren, source = siret[:9], "siret"
        elif siret[:9] != siren:
            wrong.append(
                ("siret_conflict", f"le SIRET {siret} n'appartient pas au SIREN {siren} indiqué")
            )
            siret = None
    if vat_siren is not None:
        if siren is None:
            siren, source = vat_siren, "vat"
        elif vat_siren != siren:
            wrong.append(
                (
                    "siren_conflict",
                    f"le numéro de TVA {vat_id} désigne le SIREN {vat_siren}, l'identifiant "
                    f"légal le SIREN {siren} (retenu)",
                )
            )
    return FrenchNumbers(siren, source, siret, tuple(wrong))


def _from_legal_id(
    number: str, scheme: str | None, french: bool, wrong: list[tuple[str, str]]
) -> tuple[str | None, str | None]:
    """Return (siren, siret) as far as the legal identifier alone gives them."""
    if not number:
        return None, None
    if scheme == SIREN_SCHEME:
        if _is_siren(number):
            return number, None
        if _is_siret(number):
            wrong.append(("siren_invalid", f"« {number} » est un SIRET, indiqué comme SIREN"))
            return None, number
        wrong.append(
            ("siren_invalid", f"« {number} » n'est pas un SIREN (neuf chiffres dont une clé)")
        )
        return None, None
    if scheme == SIRET_SCHEME:
        if _is_siret(number):
            return None, number
        wrong.append(
            ("siret_invalid", f"« {number} » n'est pas un SIRET (quatorze chiffres dont une clé)")
        )
        return None, None
    if scheme or not french:
        return None, None
    if _is_siren(number):
        return number, None
    return None, number if _is_siret(number) else None


@lru_cache(maxsize=_REMEMBERED)
def _is_siren(number: str) -> bool:
    if len(number) != 9:
        return False
    return _luhn(number) if _is_plain(number) else fr_siren.is_valid(number)


def _is_siret(number: str) -> bool:
    return len(number) == 14 and _has_siret_key(number)


@lru_cache(maxsize=_REMEMBERED)
def _has_siret_key(number: str) -> bool:
    if _is_plain(number) and not number.startswith(_LA_POSTE):
        return len(number) == 14 and _luhn(number) and _luhn(number[:9])
    return fr_siret.is_valid(number)


def _is_plain(number: str) -> bool:
    """Tell digits alone, which need none of the tidying the library does before it counts."""
    return number.isascii() and number.isdigit()


def _luhn(digits: str) -> bool:
    """Check the key of ISO/IEC 7812-1: every other digit from the right counts double."""
    plain, doubled = digits[::-2], digits[-2::-2]
    return (sum(map(int, plain)) + sum(map(_TWICE.__getitem__, doubled))) % 10 == 0


@lru_cache(maxsize=_REMEMBERED)
def _vat_siren(vat_id: str | None) -> str | None:
    """Take the SIREN out of a French VAT number; Monaco's (FR..000) hold none."""
    if vat_id is None:
        return None
    number = _bare(vat_id).upper()
    if not (len(number) == 13 and number.startswith("FR") and _is_siren(number[4:])):
        return None
    if _is_plain(number[2:]):
        return number[4:] if int(number[2:4]) == int(f"{number[4:]}12") % 97 else None
    return number[4:] if fr_tva.is_valid(number) else None


def _bare(value: str | None) -> str:
    if value is None or value.isalnum():
        return value or ""
    return "".join(value.split())
