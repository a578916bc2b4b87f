"""Know the levels a Factur-X PDF can have, and hold an XML against the one it is said to have.

Source: Factur-X 1.0 (1.09), the table of profiles with their BT-24 and the values its XMP schema
allows for `fx:ConformanceLevel`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from encaisse_einvoicing.issues import Refused, shortened
from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.writing import levels

Level = Literal["minimum", "basicwl", "basic", "en16931", "extended"]


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """Say how one level is written in the XML (BT-24) and in the XMP of the PDF.

    `whole` is false where the XML is less than the invoice, so that the page alone is the invoice:
    the XML can then only be data beside it, never another form of it.
    """

    profile: str
    xmp: str
    whole: bool


LEVELS: Final[Mapping[Level, LevelFacts]] = {
    "minimum": LevelFacts(levels.LEVELS["minimum"].profile, "MINIMUM", whole=False),
    "basicwl": LevelFacts(levels.LEVELS["basicwl"].profile, "BASIC WL", whole=False),
    "basic": LevelFacts(levels.LEVELS["basic"].profile, "BASIC", whole=True),
    "en16931": LevelFacts(levels.LEVELS["en16931"].profile, "EN 16931", whole=True),
    "extended": LevelFacts(levels.LEVELS["extended"].profile, "EXTENDED", whole=True),
}

FRENCH: Final = levels.LEVELS["extended-ctc-fr"].profile
"""EXTENDED-CTC-FR: a profile of CII and UBL alone. A PDF that declares it is not taken for a
Factur-X (fnfempe/France_RFE, issue 66): the same invoice goes into a PDF as EXTENDED."""

_RAM: Final = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
_RSM: Final = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}"
_PROFILE: Final = (
    f"{_RSM}ExchangedDocumentContext/{_RAM}GuidelineSpecifiedDocumentContextParameter/{_RAM}ID"
)


def check_xml(xml: bytes, level: Level) -> None:
    """Refuse an XML that is no CII invoice or whose BT-24 is not the level's.

    The XMP says the level to whoever opens the PDF; one that contradicts BT-24 makes platforms
    reject the invoice.
    """
    reader, root = loader.parse(xml)
    if reader != "cii":
        raise Refused(
            "not_cii",
            "Un Factur-X porte un XML CII, et celui-ci est en UBL : écrivez d'abord la facture "
            "en CII.",
        )
    stated = {(each.text or "").strip() for each in root.iterfind(_PROFILE)}
    wanted = LEVELS[level].profile
    if stated == {wanted}:
        return
    if FRENCH in stated:
        raise Refused(
            "level_not_in_pdf",
            "Le profil EXTENDED-CTC-FR est celui d'un XML seul : dans un PDF, écrivez la facture "
            f"au niveau EXTENDED (BT-24 « {LEVELS['extended'].profile} »).",
            "BT-24",
        )
    said = ", ".join(f"« {shortened(each)} »" for each in sorted(stated)) or "aucun profil"
    raise Refused(
        "level_mismatch",
        f"Le XML annonce {said} (BT-24) et non « {wanted} », qui est le niveau "
        f"{LEVELS[level].xmp} demandé : changez le niveau ou récrivez le XML.",
        "BT-24",
    )
