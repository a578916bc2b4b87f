"""Keep the ledger of what referrers earn: accrued on a fee, payable once paid out, clawed back.

A commission is a share of the collector's fee, so it can never exceed it, and no fee means no
commission (success only). Lines are never changed: what was wrong is undone by a negative line.
Each line carries its double entry, and every line's postings sum to zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal, NamedTuple

from encaisse_core.cents import Cents, half_up
from encaisse_core.contracts import PPM, Contract

RULE_VERSION = "2026-2"
"""Stored with each line: change it whenever the way to compute changes.

2026-2: the first import attributes, and the contract in force that day gives the rate.
"""

EXPENSE = "commission_expense"
ACCRUED = "commission_accrued"
PAYABLE = "commission_payable"

LineKind = Literal["accrual", "payable", "clawback"]


@dataclass(frozen=True, slots=True)
class SettlementFacts:
    """Give what a commission looks at of one settlement.

    `fee` is the collector's fee excl. VAT as kept, in cents; None while it has not said so.
    `received_on` is when the debtor's money came.
    """

    settlement_id: str
    state: Literal["pending", "verified", "rejected", "reversed"]
    currency: str
    received_on: date
    fee: Cents | None


class Posting(NamedTuple):
    """Post `cents` on one account of the ledger: debit positive, credit negative."""

    account: str
    cents: Cents


@dataclass(frozen=True, slots=True)
class CommissionLine:
    """Write one line of the ledger.

    `amount` is positive on an accrual and on the payable that moves it, negative on a clawback.
    """

    settlement_id: str
    referrer_id: str
    contract_id: str
    kind: LineKind
    on: date
    currency: str
    basis: Cents
    amount: Cents
    postings: tuple[Posting, ...]
    rule_version: str = RULE_VERSION

    def __post_init__(self) -> None:
        if sum(posting.cents for posting in self.postings):
            raise ValueError(f"{self.settlement_id}: postings do not balance")


def accrue(
    settlement: SettlementFacts,
    contract: Contract,
    mandate_signed_on: date | None,
    *,
    on: date,
) -> CommissionLine | None:
    """Accrue a referrer's share of the fee kept on one verified payment, or None.

    None where there is no signed mandate, no fee, nothing to earn, or the money is dated before
    the mandate's signature: nobody earned that by collecting. `contract` is the one in force when
    the invoice was imported; `on` dates the line. One settlement earns one referrer at a time: the
    store's unique key refuses a second accrual of the same turn.
    """
    if settlement.state != "verified" or not contract.earns or mandate_signed_on is None:
        return None
    if settlement.fee is None or settlement.received_on < mandate_signed_on:
        return None
    if settlement.fee < 0:
        raise ValueError(f"{settlement.settlement_id}: a fee kept is not negative")
    amount = half_up(Fraction(settlement.fee * contract.rate_ppm, PPM))
    if amount == 0:
        return None
    return CommissionLine(
        settlement_id=settlement.settlement_id,
        referrer_id=contract.referrer_id,
        contract_id=contract.id,
        kind="accrual",
        on=on,
        currency=settlement.currency,
        basis=settlement.fee,
        amount=amount,
        postings=(Posting(EXPENSE, amount), Posting(ACCRUED, -amount)),
    )


def payable(line: CommissionLine, *, on: date) -> CommissionLine:
    """Make an accrued commission payable, once the payout that kept the fee was executed.

    It moves the debt and adds nothing. Raises ValueError for a line that is not an accrual.
    """
    if line.kind != "accrual":
        raise ValueError(f"{line.settlement_id}: only an accrual becomes payable")
    return CommissionLine(
        settlement_id=line.settlement_id,
        referrer_id=line.referrer_id,
        contract_id=line.contract_id,
        kind="payable",
        on=on,
        currency=line.currency,
        basis=line.basis,
        amount=line.amount,
        postings=(Posting(ACCRUED, line.amount), Posting(PAYABLE, -line.amount)),
        rule_version=line.rule_version,
    )


def claw_back(lines: Sequence[CommissionLine], *, on: date) -> CommissionLine | None:
    """Undo what one settlement earned one referrer; None where nothing of it stands.

    `lines` are all the lines of that settlement and referrer, the oldest first: whatever they left
    on each account is posted back, so that an accrual, payable or not, ends at zero. Raises
    ValueError when the lines are not of one settlement and one referrer.
    """
    if len({(line.settlement_id, line.referrer_id, line.currency) for line in lines}) > 1:
        raise ValueError("a clawback undoes one settlement of one referrer")
    balances = balance(lines)
    standing = balances.get(EXPENSE, 0)
    if standing == 0:
        return None
    last = next(line for line in reversed(lines) if line.kind == "accrual")
    return CommissionLine(
        settlement_id=last.settlement_id,
        referrer_id=last.referrer_id,
        contract_id=last.contract_id,
        kind="clawback",
        on=on,
        currency=last.currency,
        basis=-last.basis,
        amount=-standing,
        postings=tuple(Posting(a, -cents) for a, cents in balances.items() if cents),
        rule_version=last.rule_version,
    )


def balance(lines: Sequence[CommissionLine]) -> dict[str, Cents]:
    """Add the postings of each account."""
    balances: dict[str, Cents] = {}
    for line in lines:
        for posting in line.postings:
            balances[posting.account] = balances.get(posting.account, 0) + posting.cents
    return balances


@dataclass(frozen=True, slots=True)
class Statement:
    """State one month of one referrer: its lines, and their sums.

    `total` is what was earned (accruals less clawbacks); `payable` is what became payable less
    what was clawed back of it: the amount the referrer invoices, or owes back where negative.
    """

    period: str
    lines: tuple[CommissionLine, ...]
    total: Cents
    payable: Cents


def statement(lines: Sequence[CommissionLine], period: str) -> Statement:
    """Draw up a month (`YYYY-MM`) from ledger lines; sums are of cent-rounded lines, never redone.

    Raises ValueError when the lines are of several referrers or currencies.
    """
    if len({(line.referrer_id, line.currency) for line in lines}) > 1:
        raise ValueError("a statement is one referrer's, in one currency")
    month = tuple(line for line in lines if f"{line.on:%Y-%m}" == period)
    return Statement(
        period=period,
        lines=month,
        total=sum(line.amount for line in month if line.kind != "payable"),
        payable=-balance(month).get(PAYABLE, 0),
    )
