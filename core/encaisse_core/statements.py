"""Draw up what a referrer is owed for a month, with what its invoice must say. Pure.

A statement is made of ledger lines and adds nothing to them: what became payable in the month, less
what was taken back of it. Below zero nothing is invoiced, and what is owed back comes off the next
statement. VAT is computed once, on the total (EN 16931, BR-CO-17), since the payable lines are one
supply at one rate.

Either the referrer invoices (UNTDID 1001: 380), or we do in its name under a prior written mandate
(389: CGI 289 I-2, annexe II art. 242 nonies). Mentions are those of annexe II art. 242 nonies A, I.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from encaisse_core.cents import Cents, half_up
from encaisse_core.commissions import PAYABLE, CommissionLine, balance, statement

Regime = Literal["standard", "franchise", "reverse_charge"]


class VatRegime(NamedTuple):
    """Describe how a referrer's commission is taxed: EN 16931 category, rate, what is printed."""

    category: str
    percent: int
    exemption_code: str | None
    mention_fr: str | None
    source: str
    french: bool


REGIMES: Mapping[Regime, VatRegime] = {
    "standard": VatRegime("S", 20, None, None, "CGI 278", True),
    "franchise": VatRegime(
        "E",
        0,
        "VATEX-FR-FRANCHISE",
        "TVA non applicable, article 293 B du CGI",
        "CGI 293 B ; annexe II art. 242 nonies A, I-12°",
        True,
    ),
    "reverse_charge": VatRegime(
        "AE",
        0,
        "VATEX-EU-AE",
        "Autoliquidation",
        "CGI 259-1° et 283-2 ; directive 2006/112/CE art. 44 et 196 ; annexe II art. 242 nonies A, "
        "I-13°",
        False,
    ),
}
"""The rate of CGI 278 has stood since 1 January 2014; a new one is a new row with its date."""

SELF_BILLING = "Autofacturation"
"""Annexe II art. 242 nonies A, I-14°."""


@dataclass(frozen=True, slots=True)
class Party:
    """Name one side of the invoice. `vat_derived` says that we worked its number out ourselves."""

    name: str
    siren: str | None
    vat_id: str | None
    country: str
    address: str | None = None
    vat_derived: bool = False


@dataclass(frozen=True, slots=True)
class Billing:
    """Say how a referrer is billed: its regime, and the mandate by which we invoice, if any."""

    regime: Regime | None
    mandate: str | None


@dataclass(frozen=True, slots=True)
class Stated:
    """Show one ledger line to a referrer.

    `number` is the invoice's, None where the contract does not let it be shown: the referrer then
    tells the line by `reference`, and never learns who the customer is. `corrects` names the
    statement in which what is taken back was payable.
    """

    line: CommissionLine
    reference: str
    number: str | None
    rate_ppm: int
    corrects: str | None = None

    @property
    def payable(self) -> Cents:
        """Give what the line makes payable, or takes back of it."""
        return -balance([self.line]).get(PAYABLE, 0)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Add up a month. `brought` and `carried` are owed back, never positive; VAT may be unknown."""

    earned: Cents
    payable: Cents
    brought: Cents
    excl_vat: Cents
    vat: Cents | None
    carried: Cents

    @property
    def incl_vat(self) -> Cents | None:
        """Give what is paid."""
        return None if self.vat is None else self.excl_vat + self.vat


def reckon(
    lines: Sequence[CommissionLine], period: str, brought: Cents, regime: Regime | None
) -> Reckoning:
    """Reckon a month of one referrer, after what the statement before left to take off.

    Raises ValueError for lines of several referrers or currencies, or of another month: nothing
    may be stated that the month does not hold, and nothing left out.
    """
    if brought > 0:
        raise ValueError("only what is owed back is carried over")
    month = statement(lines, period)
    if len(month.lines) != len(lines):
        raise ValueError(f"a line is not of {period}")
    due = month.payable + brought
    excl_vat = max(due, 0)
    vat = None if regime is None else half_up(Fraction(excl_vat * REGIMES[regime].percent, 100))
    return Reckoning(month.total, month.payable, brought, excl_vat, vat, min(due, 0))


def missing(seller: Party, billing: Billing) -> list[str]:
    """Say in French what must be known of the referrer before a statement can be issued."""
    wanted = [
        ("son régime de TVA (--vat-regime)", billing.regime is None),
        ("son SIREN (--siren)", seller.country == "FR" and not seller.siren),
        (
            "son numéro de TVA (--vat-number)",
            not seller.vat_id and (billing.regime == "standard" or seller.country != "FR"),
        ),
        ("son adresse (--address)", billing.mandate is not None and not seller.address),
    ]
    return [what for what, lacks in wanted if lacks]


def numbered(prefix: str, seller: Party, year: int, sequence: int, series: str = "") -> str:
    """Number a document in its referrer's own series, continuous from one year to the next.

    A series per seller: the numbers of an invoice follow each other without a gap (annexe II
    art. 242 nonies A, I-7°), and each referrer is the seller of its own. `series` names the
    restoration before: the same article lets numbers stand in distinct series.
    """
    parts = (prefix, seller.siren or seller.vat_id or "", str(year), series, f"{sequence:04d}")
    return "-".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Heading:
    """Hold what stands above a statement's lines. `number` and `issued_on` are None in a draft."""

    period: str
    currency: str
    seller: Party
    buyer: Party
    billing: Billing
    number: str | None = None
    invoice_number: str | None = None
    issued_on: date | None = None


def document(heading: Heading, lines: Sequence[Stated], sums: Reckoning) -> dict[str, Any]:
    """Write a statement as data, amounts in cents: what is frozen once it is issued."""
    billing = heading.billing
    regime = None if billing.regime is None else REGIMES[billing.regime]
    mode = "referrer_invoices" if billing.mandate is None else "self_billed"
    if sums.excl_vat == 0:
        mode = "nothing_to_invoice"
    mentions = [SELF_BILLING] if mode == "self_billed" else []
    if regime is not None and regime.mention_fr and mode != "nothing_to_invoice":
        mentions.append(regime.mention_fr)
    return {
        "number": heading.number,
        "period": heading.period,
        "currency": heading.currency,
        "issued_on": heading.issued_on and heading.issued_on.isoformat(),
        "invoice": {
            "mode": mode,
            "type_code": {"self_billed": "389", "referrer_invoices": "380"}.get(mode),
            "number": heading.invoice_number,
            "mandate": billing.mandate if mode == "self_billed" else None,
            "mentions": mentions,
        },
        "seller": asdict(heading.seller),
        "buyer": asdict(heading.buyer),
        "vat": {
            "regime": billing.regime,
            "category": regime and regime.category,
            "percent": regime and regime.percent,
            "exemption_code": regime and regime.exemption_code,
            "source": regime and regime.source,
        },
        "lines": [_shown(each) for each in lines],
        "sums": {**asdict(sums), "incl_vat": sums.incl_vat},
        "missing": missing(heading.seller, billing),
    }


def _shown(each: Stated) -> dict[str, Any]:
    line = each.line
    return {
        "reference": each.reference,
        "invoice_number": each.number,
        "kind": line.kind,
        "on": line.on.isoformat(),
        "contract": line.contract_id,
        "rate_ppm": each.rate_ppm,
        "basis": line.basis,
        "amount": line.amount,
        "payable": each.payable,
        "corrects": each.corrects,
        "rule_version": line.rule_version,
    }
