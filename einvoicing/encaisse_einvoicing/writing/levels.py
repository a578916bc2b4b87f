"""Name the levels an invoice can be written at, with their schema and their BT-24.

Sources: Factur-X 1.09 (profiles), EN 16931-1 (core), FNFE EXTENDED-CTC-FR (French extension).
"""

from typing import Final, Literal, NamedTuple

from encaisse_einvoicing.writing.order import Schema

SyntaxName = Literal["CII", "UBL"]
Level = Literal["minimum", "basicwl", "basic", "en16931", "extended", "extended-ctc-fr"]


class LevelRules(NamedTuple):
    """Hold what a level changes: its identifier, its schema per syntax, what it demands."""

    profile: str
    """BT-24 of a document at this level."""
    cii: Schema
    ubl: Schema | None
    """None: the level is one of Factur-X, which is CII."""
    extended: bool
    """Lines may be less than EN 16931 asks (groups, remarks), and extensions have a place."""
    bare: bool = False
    """Only what the schema asks is asked: the level is no invoice of EN 16931."""


_EN: Final = "urn:cen.eu:en16931:2017"
LEVELS: Final[dict[Level, LevelRules]] = {
    "minimum": LevelRules("urn:factur-x.eu:1p0:minimum", "minimum", None, False, bare=True),
    "basicwl": LevelRules("urn:factur-x.eu:1p0:basicwl", "basicwl", None, False),
    "basic": LevelRules(f"{_EN}#compliant#urn:factur-x.eu:1p0:basic", "basic", None, False),
    "en16931": LevelRules(_EN, "en16931", "ubl", False),
    "extended": LevelRules(
        f"{_EN}#conformant#urn:factur-x.eu:1p0:extended", "extended", None, True
    ),
    "extended-ctc-fr": LevelRules(
        f"{_EN}#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr", "extended-ctc-fr", "ubl", True
    ),
}
CREDIT_NOTES: Final = frozenset(
    ("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532")
)
"""UNTDID 1001 codes that UBL writes as a CreditNote (EN 16931 code list of BT-3, credit notes)."""


def level_of(profile: str | None) -> Level | None:
    """Tell the level a BT-24 announces; None for one that is not ours to write (XRechnung...)."""
    for level, rules in LEVELS.items():
        if rules.profile == profile:
            return level
    return None
