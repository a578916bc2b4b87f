"""Say what of a payout's voucher is still to be posted in the books. Pure.

Principal we wrote into the tool that keeps the books is posted there already, 467 against 411 (or
512 against 411, where that tool is told that no bank feed comes). Posted again from the voucher it
would count twice, so it is taken off both lines; what is left of the voucher still balances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from encaisse_core.cents import Cents
from encaisse_core.vouchers import COLLECTOR, CUSTOMERS, Line

ACCOUNTS: Mapping[str, str] = {
    CUSTOMERS: "Clients",
    COLLECTOR: "Autres comptes débiteurs ou créditeurs",
    "401": "Fournisseurs",
    "512": "Banques",
    "6226": "Honoraires",
    "44566": "TVA sur autres biens et services",
    "7631": "Revenus des créances commerciales",
    "7581": "Dédits et pénalités perçus sur achats et ventes",
    "758": "Produits divers de gestion courante",
}
"""Names of the accounts a voucher uses (plan comptable général, règlement ANC 2022-06)."""


@dataclass(frozen=True, slots=True)
class Collected:
    """Describe one payment a settlement was made of, and the entry that undid it, if any.

    `amount` is positive. A settlement that was corrected or came again has several, in order.
    """

    payment_id: str
    amount: Cents
    undone_by: str | None


def matched(
    principals: Sequence[Cents], history: Sequence[Collected], used: Mapping[str, Cents]
) -> list[str | None]:
    """Find the payment, or the undoing of one, behind each principal a settlement was paid out.

    `principals` are those of one settlement in the order of their payouts, negative where taken
    back; `used` is what earlier exports took of each payment. A payment may be paid out in parts,
    never beyond its amount. None where no payment has that much left: what is paid out is then not
    what is known, or not yet.
    """
    undone = [each for each in history if each.undone_by is not None]
    standing = [each for each in history if each.undone_by is None]
    left = {each.payment_id: each.amount for each in standing + undone}
    back = {each.undone_by: each.amount for each in undone if each.undone_by is not None}
    undoes = {each.undone_by: each.payment_id for each in undone}
    for payment_id, cents in used.items():
        pool = left if payment_id in left else back
        if payment_id in pool:
            pool[payment_id] -= cents

    def paid_out(one: str) -> Cents:
        """Tell how much is out of what one going back takes back."""
        return back[one] - left[undoes[one]]

    found: list[str | None] = []
    for cents in principals:
        pool = left if cents > 0 else back
        enough = [one for one in pool if pool[one] >= abs(cents)]
        if cents < 0:  # what was paid out is taken back, rather than what never was
            enough = [one for one in enough if paid_out(one) >= -cents] or enough
        exact = [one for one in enough if pool[one] == abs(cents)]
        chosen = next(iter(exact or enough), None)
        if chosen is not None:
            pool[chosen] -= abs(cents)
        found.append(chosen)
    return found


def remainder(
    lines: Sequence[Line], posted: Mapping[int, Cents], written_on: str
) -> tuple[Line, ...]:
    """Take off a voucher what the books have already.

    `posted` gives, by the position of a 411 line, how much of it stands there, never more than the
    line and never negative. `written_on` is the account those entries moved against 411: money that
    was put on 512 before it came is moved to 467, which the transfer then closes.
    """
    signed = [line.debit - line.credit for line in lines]
    moved = 0
    for position, cents in posted.items():
        line = lines[position]
        if line.account != CUSTOMERS or not 0 <= cents <= abs(signed[position]):
            raise ValueError(f"line {position}: {cents} of it cannot be posted already")
        taken = cents if signed[position] < 0 else -cents
        signed[position] += taken
        signed[_held(lines, position)] -= taken
        moved += taken
    kept = [
        replace(line, debit=max(0, cents), credit=max(0, -cents))
        for line, cents in zip(lines, signed, strict=True)
        if cents
    ]
    if moved and written_on != COLLECTOR:
        kept += _moved(moved, written_on, kept[0].reference if kept else lines[0].reference)
    return tuple(kept)


def _held(lines: Sequence[Line], position: int) -> int:
    """Find the line by which the collector holds what a 411 line settled: it stands before it."""
    payment_ref = lines[position].payment_ref
    for earlier in range(position - 1, -1, -1):
        if lines[earlier].account == COLLECTOR and lines[earlier].payment_ref == payment_ref:
            return earlier
    raise ValueError(f"line {position}: nobody holds its money")


def _moved(cents: Cents, account: str, reference: str) -> list[Line]:
    label = "Recouvrement déjà inscrit sur ce compte"
    return [
        Line(COLLECTOR, label, max(0, cents), max(0, -cents), reference),
        Line(account, label, max(0, -cents), max(0, cents), reference),
    ]
