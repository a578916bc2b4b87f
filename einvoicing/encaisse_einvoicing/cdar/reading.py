"""Read a life-cycle message (CDAR D22B) into a `CdarMessage`, leniently and without a guess.

The walker is the invoices' own one, compiled from `message.tsv`: what cannot be read becomes an
issue that keeps the text, what has no field is listed in `unmapped`, an unknown code is kept.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Final

from encaisse_einvoicing.cdar.message import CdarMessage
from encaisse_einvoicing.cdar.rules import faults
from encaisse_einvoicing.cdar.table import COLUMN, message_table
from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.reading.loader import ROOTS, Element, parse_tree
from encaisse_einvoicing.reading.values import cii_date, decimal, flag
from encaisse_einvoicing.reading.walker import (
    MAX_ISSUES,
    Converted,
    Plan,
    Syntax,
    Walk,
    compile_plan,
)
from encaisse_einvoicing.terms import Kind

_UNECE: Final = "urn:un:unece:uncefact:data:standard:"
NAMESPACES: Final = {
    "rsm": f"{_UNECE}CrossDomainAcknowledgementAndResponse:100",
    "ram": f"{_UNECE}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_UNECE}UnqualifiedDataType:100",
    "qdt": f"{_UNECE}QualifiedDataType:100",
}
ROOT: Final = "CrossDomainAcknowledgementAndResponse"
ROOT_TAG: Final = f"{{{NAMESPACES['rsm']}}}{ROOT}"
_MOMENTS: Final = {"204": (re.compile(r"[0-9]{14}"), "%Y%m%d%H%M%S")}
_MOMENTS["203"] = (re.compile(r"[0-9]{12}"), "%Y%m%d%H%M")
"""UNTDID 2379 format -> its form and how it is parsed: to the second, to the minute."""


def moment(text: str, code: str) -> datetime | Converted:
    """Read a day with its time (UNTDID 2379, 204 or 203), whole or not at all.

    No zone is added: the format has none. A day alone gives no time, so it is not read as one.
    """
    code = code or "204"
    if code not in _MOMENTS:
        return Converted(
            None, "date_format", f"suit un format inattendu ({code}) ; la date n'a pas été lue"
        )
    form, layout = _MOMENTS[code]
    if form.fullmatch(text) is not None:
        try:
            return datetime.strptime(text, layout)  # noqa: DTZ007 - it has no zone
        except ValueError:
            pass
    return Converted(
        None, "date_invalid", "n'est pas une date avec son heure ; la valeur n'a pas été lue"
    )


SYNTAX: Final = Syntax(
    name="CDAR",
    column=COLUMN,
    root=f"rsm:{ROOT}",
    namespaces=NAMESPACES,
    converters={
        Kind.TAX_AMOUNT: decimal,
        Kind.NUMBER: decimal,
        Kind.FLAG: flag,
    },
    formatted={Kind.DATE: cii_date, Kind.MOMENT: moment},
    document="le message",
)


@cache
def _plan() -> Plan:
    return compile_plan(SYNTAX, message_table())


@dataclass(frozen=True, slots=True)
class CdarReading:
    """Be what became of one file: the message as far as read, and what to know about it.

    `unmapped` lists the paths the file has and the message has no field for.
    """

    message: CdarMessage | None
    issues: tuple[Issue, ...] = ()
    unmapped: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether it says of at least one invoice, and of each, its number and status."""
        documents = () if self.message is None else self.message.documents()
        return bool(documents) and all(each.number and each.process_code for each in documents)


def read_cdar(name: str, data: bytes) -> CdarReading:
    """Read one message; a refusal comes back as the only issue, it is never raised.

    `name` is only for messages. What the message has against the rules (`rules.py`) is told too.
    """
    try:
        return _read(data)
    except Refused as refused:
        return CdarReading(None, (refused.as_issue(name),))


def _read(data: bytes) -> CdarReading:
    if b"%PDF-" in data[:1024]:
        raise Refused(
            "other_document",
            "Ce document est un PDF, pas un message de cycle de vie : s'il contient une facture, "
            "lisez-le par « encaisse read ».",
        )
    root = _parsed(data)
    tag = str(root.tag)
    if tag in ROOTS:
        raise Refused(
            "other_document",
            "Ce document est une facture, pas un message de cycle de vie : lisez-le par "
            "« encaisse read ».",
        )
    if tag != ROOT_TAG:
        namespace, _, local = tag.rpartition("}")
        raise Refused(
            "unknown_root",
            f"Ce document XML commence par « {local} » (espace de noms « {namespace[1:]} ») : ce "
            "n'est pas un message de cycle de vie (CDAR D22B).",
        )
    walk = Walk(_plan())
    message = CdarMessage.model_validate(walk.read(root))
    for each in islice(faults(message), MAX_ISSUES + 1):  # those beyond would not be listed
        walk.report(each.code, each.message, each.where, each.term or "", each.raw or "")
    return CdarReading(message, tuple(walk.issues), tuple(walk.unmapped))


def _parsed(data: bytes) -> Element:
    """Parse under the loader's caps; what it tells to ask the seller is asked of the platform."""
    try:
        return parse_tree(data)
    except Refused as refused:
        said, asks, _ = refused.message_fr.partition(" Demandez au vendeur ")
        ask = " Demandez à votre plateforme de vous redonner ce message." if asks else ""
        raise Refused(refused.code, f"{said}{ask}", refused.where) from None
