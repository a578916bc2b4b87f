"""Load the code lists of the life cycle: statuses, reasons, roles, actions, kinds of data.

The three tables beside this file are the only place that knows a code; each names its source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Final

from encaisse_einvoicing.terms import TableBroken

COLLECTED: Final = "212"
INADMISSIBLE: Final = "501"
REFUSED_B2G: Final = "210B2G"
"""How `reasons.tsv` writes a refusal by the public sector, which has reasons of its own."""
SIREN: Final = "0002"
PLATFORM: Final = "0238"
PPF: Final = "0000"
CHORUS: Final = "9999"
PROFILE: Final = "urn.cpro.gouv.fr:1p0:CDV:invoice"
PROFILE_PPF: Final = "urn.cpro.gouv.fr:1p0:CDV:einvoicingF2"


class Signal(Enum):
    """Say what a status is for a claim: what collection must do about it."""

    NONE = "none"
    ACKNOWLEDGED = "acknowledged"
    """The buyer has it, or accepts it: a proof to keep."""
    DISPUTED = "disputed"
    """Contested or suspended: reminders pause."""
    STOPPED = "stopped"
    """Refused, rejected or cancelled: nothing is due on this invoice any more."""
    UNDELIVERED = "undelivered"
    """It never reached the buyer: nothing can be asked yet."""
    PAYMENT_SENT = "payment_sent"
    """A payment is on its way: wait, then look at the bank."""
    COLLECTED = "collected"
    REVERSED = "reversed"
    """A collection declared before is taken back."""
    CREDITOR_CHANGED = "creditor_changed"
    ACCOUNT_CHANGED = "account_changed"
    """A new IBAN: a person checks before it is used."""
    PERSON = "person"
    """Unknown, or not to be settled by a program."""


@dataclass(frozen=True, slots=True)
class Status:
    """Be one row of `statuses.tsv` (MDT-105)."""

    code: str
    label: str
    declared_by: tuple[str, ...]
    mandatory: bool
    type_code: str | None
    stage: str | None
    needs_reason: bool
    signal: Signal
    meaning: str
    source: str

    @property
    def of_an_invoice(self) -> bool:
        """Tell whether it is about an invoice, not only about what the PPF was sent."""
        return self.type_code is not None


@dataclass(frozen=True, slots=True)
class Reason:
    """Be one row of `reasons.tsv` (MDT-113)."""

    code: str
    label: str
    statuses: frozenset[str]
    listed: bool
    """In list CL-09: the rules let no other reason through."""


def _rows(name: str, columns: int) -> Iterator[list[str]]:
    text = files("encaisse_einvoicing.cdar").joinpath(name).read_text("utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != columns or not all(cells):
            raise TableBroken(f"{name}, line {number}: not {columns} full columns")
        yield cells


@cache
def statuses() -> Mapping[str, Status]:
    """Give each status by its code."""
    found: dict[str, Status] = {}
    for code, label, by, ppf, kind, stage, reason, signal, meaning, source in _rows(
        "statuses.tsv", 10
    ):
        found[code] = Status(
            code=code,
            label=label,
            declared_by=tuple(by.split("/")),
            mandatory=ppf == "yes",
            type_code=None if kind == "-" else kind,
            stage=None if stage == "-" else stage,
            needs_reason=reason == "yes",
            signal=Signal(signal),
            meaning=meaning,
            source=source,
        )
    return found


@cache
def reasons() -> Mapping[str, Reason]:
    """Give each reason by its code."""
    return {
        code: Reason(
            code,
            label,
            frozenset() if with_ == "-" else frozenset(with_.split(",")),
            source == "CL09",
        )
        for code, label, with_, source in _rows("reasons.tsv", 4)
    }


@cache
def reasons_of(status: str) -> frozenset[str]:
    """List the reasons of CL-09 a status is given for; empty where the rules name none."""
    return frozenset(
        each.code for each in reasons().values() if each.listed and status in each.statuses
    )


@cache
def labels(name: str) -> Mapping[str, str]:
    """Give one list of `codes.tsv`, code to French label."""
    return {code: label for which, code, label, _ in _rows("codes.tsv", 4) if which == name}
