"""Look up the French words of a code; `words.tsv` beside this file has them with their sources."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files


@cache
def _lists() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    text = files(__package__ or "encaisse_einvoicing.writing_pdf.page").joinpath("words.tsv")
    for line in text.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, code, said, *plural = line.split("\t")
            found.setdefault(name, {})[code] = said
            if plural:
                found.setdefault(f"{name}s", {})[code] = plural[0]
    return found


def words(name: str, code: str | None) -> str | None:
    """Give the words of a code of one list; None where the list does not have it."""
    return None if code is None else _lists()[name].get(code)


def unit_words(code: str | None, quantity: Decimal | None) -> str:
    """Name a unit, in the plural from two on (1,5 jour, 2 jours), or give its code."""
    many = quantity is not None and abs(quantity) >= 2
    return (words("units", code) if many else None) or words("unit", code) or code or ""


def words_or_code(name: str, code: str | None) -> str | None:
    """Give the words of a code, or the code itself: a page drops nothing it cannot name."""
    return words(name, code) or code
