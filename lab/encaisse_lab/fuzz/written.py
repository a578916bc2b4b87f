"""Hold what writing promises of whatever was read: the same again, valid, or refused by name."""

from __future__ import annotations

from typing import Any, Final

from encaisse_einvoicing import (
    CannotWrite,
    Invoice,
    Reading,
    Refused,
    level_of,
    read_bytes,
    write_xml,
)
from encaisse_einvoicing.cdar import read_cdar, write_cdar
from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.validation.places import Places
from encaisse_einvoicing.validation.profiles import profile_of
from encaisse_einvoicing.validation.schemas import check, schema
from encaisse_einvoicing.writing.levels import LEVELS, SyntaxName
from encaisse_lab.fuzz.promises import Broken, told

SYNTAXES: Final[tuple[SyntaxName, ...]] = ("CII", "UBL")


def again(reading: Reading) -> None:
    """Write what was read in both syntaxes and read it back; raise `Broken` where it differs."""
    invoice = reading.invoice
    if invoice is None:
        return
    for syntax in SYNTAXES:
        level = level_of(invoice.profile) or "extended-ctc-fr"
        if syntax == "UBL" and LEVELS[level].ubl is None:
            level = "extended-ctc-fr"
        try:
            data = write_xml(invoice, syntax, level, keep_profile=True).data
        except CannotWrite as refused:
            if not refused.gaps or not all(str(gap).strip() for gap in refused.gaps):
                raise Broken(f"{syntax} refused without saying what is missing") from None
            continue
        reader, root = loader.parse(data)
        profile = profile_of(reader, LEVELS[level].profile)
        wrong = check(schema(profile.schema), root, Places(root))
        if wrong:
            raise Broken(f"{syntax} written against its XSD: {wrong[0].text}")
        back = read_bytes("fuzz", data).invoice
        if back is None or _said(invoice, invoice) != _said(back, invoice):
            raise Broken(f"{syntax} written and read back is another invoice")


def _said(invoice: Invoice, first: Invoice) -> dict[str, Any]:
    """Give what an invoice says, without what writing adds to one that does not say it."""
    said = invoice.model_dump()
    if first.profile is None:
        said["profile"] = None  # that of the level
    if first.totals.tax is None:  # the schemas want it, and the price below, worked out
        said["totals"]["tax"] = None
    for party in ("seller", "buyer", "payee"):
        if said[party] is not None:  # CII names those without a register first
            said[party]["ids"] = sorted(said[party]["ids"], key=repr)
    for line, of in zip(said["lines"], first.lines, strict=False):
        if of.gross_price is None:
            line["gross_price"] = None
        if of.price_discount is None:
            line["price_discount"] = None
    return said


def life_cycle(data: bytes) -> None:
    """Read a life-cycle message twice and write it again; raise `Broken` where it differs."""
    reading = read_cdar("fuzz", data)
    told(reading.issues)
    if reading.message is None and not reading.issues:
        raise Broken("no message and no word of why")
    if read_cdar("fuzz", data) != reading:
        raise Broken("read twice, read differently")
    if reading.message is None:
        return
    reading.message.model_dump_json()
    try:
        written = write_cdar(reading.message)
    except Refused as refused:
        told([refused.as_issue("fuzz")])
        return
    if read_cdar("fuzz", written).message != reading.message:
        raise Broken("written and read back is another message")
