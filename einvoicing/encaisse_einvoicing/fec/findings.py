"""Say what a FEC has against the rules, each rule once with the lines it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

SHOWN = 20
"""Lines kept by a finding; a mistake of the program that wrote the file is on every line."""


class Level(Enum):
    """Weigh a finding as the administration's checker does."""

    ERROR = "error"
    ALERT = "alert"
    INFO = "info"


RULES: dict[str, tuple[Level, str]] = {
    # Source: what the DGFiP's checker flags (Test Compta Demat), unless said otherwise.
    "name": (
        Level.ALERT,
        "le nom du fichier n'est pas SIRENFECAAAAMMJJ (date de clôture) : l'administration le "
        "refuse",
    ),
    "name_siren": (Level.ALERT, "le SIREN du nom du fichier n'existe pas : sa clé est fausse"),
    "encoding": (
        Level.ERROR,
        "le fichier n'est ni en UTF-8 ni en ISO 8859-15 : il a été lu en Windows-1252",
    ),
    "order": (Level.ERROR, "les colonnes ne sont pas dans l'ordre de la loi"),
    "extra_columns": (Level.INFO, "des colonnes s'ajoutent après celles de la loi"),
    "trailing_separator": (Level.INFO, "un séparateur de trop termine la ligne"),
    "field_count": (Level.ERROR, "le nombre de champs n'est pas celui de l'en-tête"),
    "empty_line": (Level.ERROR, "la ligne est vide"),
    "required": (Level.ERROR, "un champ obligatoire est vide"),
    "date_form": (Level.ERROR, "une date n'est pas écrite AAAAMMJJ"),
    "date_unreadable": (Level.ERROR, "une date est illisible"),
    "date_outside": (Level.ALERT, "une date d'écriture est hors de l'exercice"),
    "amount_form": (
        Level.ERROR,
        "un montant n'est pas écrit avec une virgule et sans séparateur de milliers",
    ),
    "amount_blank": (Level.ERROR, "un montant est vide : il a été lu comme zéro"),
    "amount_unreadable": (Level.ERROR, "un montant est illisible : la ligne n'a pas été lue"),
    "side_unreadable": (Level.ERROR, "le sens n'est ni D, ni C, ni +1, ni -1"),
    "account": (Level.ALERT, "un numéro de compte ne commence pas par trois chiffres"),
    "two_sides": (Level.ALERT, "une ligne est au débit et au crédit"),
    "no_side": (Level.ALERT, "une ligne n'est ni au débit ni au crédit"),
    "unbalanced": (Level.ALERT, "une écriture n'est pas équilibrée"),  # ours: double entry
}
"""Level and French sentence of each rule, by its code."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Report one rule: how often it is broken, and where first. `example` is raw, as written."""

    code: str
    level: Level
    message: str
    count: int
    lines: tuple[int, ...]
    example: str = ""


@dataclass
class Findings:
    """Gather findings while a file is read."""

    _lines: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _examples: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, code: str, line: int = 1, example: str = "") -> None:
        """Note that a line breaks a rule."""
        kept = self._lines.setdefault(code, [])
        self._counts[code] = self._counts.get(code, 0) + 1
        self._examples.setdefault(code, example)
        if len(kept) < SHOWN and (not kept or kept[-1] != line):
            kept.append(line)

    def all(self) -> Iterator[Finding]:
        """Give them in the order of the rules."""
        for code, (level, message) in RULES.items():
            if code in self._counts:
                yield Finding(
                    code,
                    level,
                    message,
                    self._counts[code],
                    tuple(self._lines[code]),
                    self._examples[code],
                )
