"""Draw up the accounting voucher of one payout, in the French plan comptable général.

The collector receives the debtor's money for the creditor, keeps its fee and transfers the net. So
467 (the collector as holder of our money) is debited with all it received and credited with its
fee invoice by offset; what is left on 467 is the transfer, which the bank feed posts as 512/467
when it arrives. Then 467 is zero: that is the proof of a closed payout. Posting the bank line here
as well would double it, so it is handed back as `expected_bank`.

Only principal touches 411: interest and the indemnity are income outside the scope of VAT
(CGI 256), owed beside the invoice. Accounts are those of the règlement ANC 2022-06, in force since
1 January 2025. Late interest is income of trade receivables (7631). The indemnity of 40 euros is a
penalty received on a sale (7581; many firms post it to 7631 as well: a company may map it). Costs a
debtor bears by a judge's decision come back as 758, since transfers of charges (791) were
abolished. 7588 is no longer a rest: the plan now keeps it for fiducies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from encaisse_core.cents import Cents

CUSTOMERS = "411"
COLLECTOR = "467"


@dataclass(frozen=True, slots=True)
class PaidOut:
    """Give one line of a payout, what the collected money paid apart; negative when taken back.

    `principal + interest + indemnity + costs` is the gross; `fee` (excl. VAT) and `fee_vat` are
    what the collector keeps of it.
    """

    payment_ref: str
    invoice_number: str
    principal: Cents
    interest: Cents = 0
    indemnity: Cents = 0
    costs: Cents = 0
    fee: Cents = 0
    fee_vat: Cents = 0

    @property
    def gross(self) -> Cents:
        """Add what the debtor paid."""
        return self.principal + self.interest + self.indemnity + self.costs

    @property
    def net(self) -> Cents:
        """Give what reaches the creditor."""
        return self.gross - self.fee - self.fee_vat


@dataclass(frozen=True, slots=True)
class Line:
    """Post one side of one account; exactly one of `debit` and `credit` is positive.

    `payment_ref` is the collected payment the line comes from, None for the fee's lines.
    """

    account: str
    label: str
    debit: Cents
    credit: Cents
    reference: str
    payment_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Voucher:
    """Hold the lines to post, and the bank line to expect; the latter is never posted from here."""

    lines: tuple[Line, ...]
    expected_bank: tuple[Line, ...]


class DoesNotAddUp(ValueError):
    """Say that a payout's lines do not make its transfer, so that nothing is posted."""


def voucher(reference: str, collector: str, paid: Sequence[PaidOut], net: Cents) -> Voucher:
    """Draw up the voucher of an executed payout.

    `reference` is the payout's id at the collector, `net` the transfer it announces. Raises
    `DoesNotAddUp` when the lines make another net.
    """
    if sum(line.net for line in paid) != net:
        raise DoesNotAddUp(
            f"Reversement {reference} de {collector} : ses lignes ne font pas le montant viré. "
            "Rien n'est comptabilisé ; demandez le détail au partenaire."
        )
    lines: list[Line] = []
    for each in paid:
        lines += _receipt(collector, each)
    lines += _fee(reference, collector, paid)
    bank = _entry(f"Virement {collector}", reference, [("512", net)], (COLLECTOR, -net))
    return Voucher(tuple(lines), tuple(bank))


def _receipt(collector: str, paid: PaidOut) -> list[Line]:
    """Post what one payment brought: the collector holds it, the debtor owes less."""
    parts = [
        (CUSTOMERS, -paid.principal),
        ("7631", -paid.interest),
        ("7581", -paid.indemnity),
        ("758", -paid.costs),
    ]
    label = f"Recouvrement {collector} facture {paid.invoice_number}"
    lines = _entry(label, paid.invoice_number, [(COLLECTOR, paid.gross)], *parts)
    return [replace(line, payment_ref=paid.payment_ref) for line in lines]


def _fee(reference: str, collector: str, paid: Sequence[PaidOut]) -> list[Line]:
    """Post the collector's fee invoice, and its payment out of the money it holds."""
    fee = sum(line.fee for line in paid)
    vat = sum(line.fee_vat for line in paid)
    invoice = _entry(
        f"Honoraires {collector}", reference, [("6226", fee), ("44566", vat)], ("401", -fee - vat)
    )
    offset = _entry(
        f"Compensation honoraires {collector}",
        reference,
        [("401", fee + vat)],
        (COLLECTOR, -fee - vat),
    )
    return invoice + offset


def _entry(
    label: str, reference: str, first: Sequence[tuple[str, Cents]], *rest: tuple[str, Cents]
) -> list[Line]:
    """Write signed amounts as debits and credits; a negative debit is a credit, zero nothing."""
    return [
        Line(account, label, max(0, cents), max(0, -cents), reference)
        for account, cents in (*first, *rest)
        if cents
    ]
