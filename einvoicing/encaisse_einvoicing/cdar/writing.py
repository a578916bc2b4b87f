"""Write a `CdarMessage` as CDAR D22B: along `message.tsv`, in the schema's order.

What the rules refuse is refused here (`rules.py`), and so is what would not come back as it went:
reading what was written gives the same message.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final, cast

from lxml import etree
from pydantic import BaseModel

from encaisse_einvoicing.cdar.codes import statuses
from encaisse_einvoicing.cdar.message import CdarMessage
from encaisse_einvoicing.cdar.reading import NAMESPACES, ROOT_TAG
from encaisse_einvoicing.cdar.rules import faults
from encaisse_einvoicing.cdar.table import COLUMN, message_table
from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.reading.plan import MAX_TEXT, MAX_TOKEN
from encaisse_einvoicing.terms import Group, Kind, Term

DAY: Final = "102"
MOMENT: Final = "204"
MAX_DIGITS: Final = 40
"""Characters of a number the reader takes (`reading/values.py`)."""


def write_cdar(message: CdarMessage) -> bytes:
    """Write one message about one invoice as UTF-8 XML.

    Raises `Refused` with the first rule it breaks, for a status only the administration gives, and
    for a value that XML cannot hold.
    """
    for issue in faults(message):
        raise Refused(issue.code, issue.message, issue.where)
    for document in message.documents():
        status = statuses()[str(document.process_code)]
        if not status.of_an_invoice:
            raise Refused(
                "status_of_the_ppf",
                f"Le statut {status.code} ({status.label}) est donné par l'administration : il ne "
                "peut pas être déclaré.",
                "MDT-105",
            )
    root = etree.Element(ROOT_TAG, nsmap=NAMESPACES)
    _group(message_table(), message, root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _group(group: Group, part: BaseModel, element: Element) -> None:
    for member in group.members:
        value: object = getattr(part, member.field)
        place = member.places[COLUMN][0]
        if value is None or value == ():
            continue
        if isinstance(member, Term):
            _term(member, value, element, place)
            continue
        parts = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        for each in parts:
            assert isinstance(each, BaseModel)
            below = _reach(element, place, fresh=True)
            _group(member, each, below)
            if len(below) == 0 and not below.text:
                raise Refused(
                    "empty_part",
                    f"« {member.label} » ne contient rien : retirez-le, ou remplissez-le.",
                    member.id or member.field,
                )


def _term(term: Term, value: object, element: Element, place: str) -> None:
    path, _, attribute = place.rpartition("@") if "@" in place else (place, "", "")
    text = _text(term, value)
    path = path.rstrip("/")
    if not attribute:
        holder = element if path == "." else _reach(element, path, fresh=True)
        if term.kind in (Kind.DATE, Kind.MOMENT):
            holder.set("format", DAY if term.kind is Kind.DATE else MOMENT)
        holder.text = text
        return
    holder = _reach(element, path, fresh=False) if path else element
    if not holder.text:
        raise Refused(
            "empty_part",
            f"« {term.label} » est donné sans la valeur à laquelle il se rapporte.",
            term.id or term.field,
        )
    holder.set(attribute, text)


def _reach(element: Element, path: str, *, fresh: bool) -> Element:
    """Go down a path, through the element written last where it is the same one.

    The last step is a new element when `fresh`, else the one just written (for its attribute).
    """
    steps = path.split("/")
    for number, step in enumerate(steps, 1):
        prefix, _, local = step.partition(":")
        tag = f"{{{NAMESPACES[prefix]}}}{local}"
        last = element[-1] if len(element) else None
        if last is None or last.tag != tag or (fresh and number == len(steps)):
            last = etree.SubElement(element, tag)
        element = last
    return element


def _text(term: Term, value: object) -> str:
    """Write a value so that reading gives it back, or refuse it."""
    where = term.id or term.field
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        number = f"{value:f}"
        if len(number) > MAX_DIGITS:
            raise Refused("number_too_long", f"« {term.label} » est trop long : {value}.", where)
        return number
    if isinstance(value, datetime):
        if value.tzinfo is not None or value.microsecond:
            raise Refused(
                "moment_not_plain",
                f"« {term.label} » doit être une heure française à la seconde, sans fuseau.",
                where,
            )
        return f"{value.year:04}{value:%m%d%H%M%S}"
    if isinstance(value, date):
        return f"{value.year:04}{value:%m%d}"
    text = str(value)
    limit = MAX_TEXT.get(term.kind, MAX_TOKEN)
    if not text or text != text.strip() or len(text) > limit or not _legal(text):
        raise Refused(
            "text_not_written",
            f"« {term.label} » est vide, commence ou finit par un blanc, dépasse {limit} "
            "caractères ou contient un caractère interdit en XML : corrigez-le.",
            where,
        )
    return text


def _legal(text: str) -> bool:
    """Tell whether XML 1.0 can hold every character."""
    return all(
        char in "\t\n\r"
        or " " <= char <= "\ud7ff"
        or "\ue000" <= char <= "\ufffd"
        or char > "\uffff"
        for char in text
    )
