"""Say who earns on a claim, and under which contract. Pure.

Each sighting keeps who had referred it when it was imported. A claim that several tools show has
several; `ATTRIBUTION` says which one earns. The contract in force on the day of that import gives
the rate: what was agreed when the invoice was brought, whatever was agreed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

PPM = 1_000_000

Basis = Literal["fee_excl_vat"]
ReferrerKind = Literal["editor", "information_company", "insurer", "cabinet", "other"]


class Earning(NamedTuple):
    """Say whether a kind of referrer earns freely or only with a legal opinion, and why."""

    needs_opinion: bool
    why: str


REFERRER_KINDS: dict[ReferrerKind, Earning] = {
    "editor": Earning(False, "software editor: commercial referral, free contract"),
    "information_company": Earning(False, "business information: commercial referral"),
    "insurer": Earning(False, "insurer or broker: commercial referral"),
    "cabinet": Earning(
        True,
        "experts-comptables are bound by ordonnance 45-2138 and the code of ethics of décret "
        "2012-432, which watch over independence and fees: an opinion must allow the commission",
    ),
    "other": Earning(True, "unknown trade: an opinion must say that it may be paid"),
}
"""Whether each kind of referrer may earn; without its opinion a kind that needs one earns 0."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Hold what was agreed with a referrer, from `starts_on` to `ends_on`, both days included.

    `rate_ppm` is its share of `basis` in parts per million; the only basis is the collector's fee
    excl. VAT as kept, so that no commission can exceed the fee. `terms` is the reference of the
    signed text, `legal_opinion` that of the opinion recorded with it, None where there is none.
    """

    id: str
    referrer_id: str
    kind: ReferrerKind
    starts_on: date
    ends_on: date | None
    rate_ppm: int
    terms: str = ""
    legal_opinion: str | None = None
    basis: Basis = "fee_excl_vat"

    def __post_init__(self) -> None:
        if not 0 <= self.rate_ppm <= PPM:
            raise ValueError(f"{self.id}: a share of the fee is between 0 and all of it")
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise ValueError(f"{self.id}: a contract does not end before it starts")

    @property
    def earns(self) -> bool:
        """Tell whether the referrer may be paid at all under it."""
        return bool(self.legal_opinion) or not REFERRER_KINDS[self.kind].needs_opinion

    def covers(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


def in_force(contracts: Iterable[Contract], referrer_id: str, on: date) -> Contract | None:
    """Find a referrer's contract of a day, or None; contracts of one referrer never overlap."""
    return next((c for c in contracts if c.referrer_id == referrer_id and c.covers(on)), None)


def overlapping(
    contracts: Iterable[Contract], starts_on: date, ends_on: date | None
) -> list[Contract]:
    """List the contracts a new one would share a day with."""
    return [
        contract
        for contract in contracts
        if (contract.ends_on is None or starts_on <= contract.ends_on)
        and (ends_on is None or contract.starts_on <= ends_on)
    ]


@dataclass(frozen=True, slots=True)
class Import:
    """Describe when a sighting was first imported, and who had referred its connection then.

    `sequence` is the connection's: two tools read in one night are imported in that order.
    """

    sighting_id: str
    at: datetime
    sequence: int
    referrer_id: str | None


class Attribution(NamedTuple):
    """Name a rule that says which import of a claim earns, and since when it is applied."""

    id: str
    since: date
    sentence_fr: str


ATTRIBUTION = Attribution(
    "first_import",
    date(2026, 1, 1),
    "La première source qui a montré la facture l'attribue : à son apporteur, ou à personne si "
    "elle n'en avait pas. Une source venue après ne la prend pas.",
)
"""An invoice the company had imported by itself was brought by nobody, whoever shows it later."""


def first_import(imports: Sequence[Import]) -> Import | None:
    """Find the import that decides who earns: the first, with or without a referrer."""
    return min(imports, key=lambda i: (i.at, i.sequence, i.sighting_id), default=None)
