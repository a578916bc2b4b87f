"""Check the host's own books: every entry balances, no claim receives more than it was owed."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, select

from encaisse_core import journal
from encaisse_core.app import App
from encaisse_core.cents import euros
from encaisse_core.store import schema
from encaisse_simulator.ledger import LedgerEntry

HELD_BY_COLLECTOR = "467"


def unbalanced(app: App, company_id: str, ledger: list[LedgerEntry]) -> list[str]:
    """Say in French what does not balance; an empty list is right."""
    return [
        *_commission_lines(app, company_id),
        *_vouchers(app, company_id, ledger),
        *_allocations(app, company_id),
    ]


def _commission_lines(app: App, company_id: str) -> list[str]:
    e = schema.commission_entry.c
    query = (
        select(e.line_id, func.sum(e.amount).label("left"))
        .where(e.company_id == company_id)
        .group_by(e.line_id)
    )
    with app.host.store.begin() as tx:
        return [
            f"Commission {r.line_id} : ses écritures laissent {_sum(r.left)}."
            for r in tx.execute(query)
            if r.left != 0
        ]


def _vouchers(app: App, company_id: str, ledger: list[LedgerEntry]) -> list[str]:
    """Close 467 for each payout with the transfer it announced, and meet the partner's own total.

    What a voucher leaves on 467 is what the bank is about to show; the partner's ledger says what
    it really transferred.
    """
    v, o = schema.voucher_line.c, schema.payout.c
    found: list[str] = []
    with app.host.store.begin() as tx:
        paid = {
            r.id: r.net
            for r in tx.execute(
                select(o.id, o.net).where(o.company_id == company_id, o.state == "executed")
            )
        }
        lines = tx.execute(
            select(v.payout_id, v.account, v.debit, v.credit).where(v.company_id == company_id)
        ).all()
    held: dict[str, int] = defaultdict(int)
    whole: dict[str, int] = defaultdict(int)
    for line in lines:
        whole[line.payout_id] += line.debit - line.credit
        if line.account.startswith(HELD_BY_COLLECTOR):
            held[line.payout_id] += line.debit - line.credit
    for payout_id, net in paid.items():
        if payout_id not in held:
            found.append(f"Reversement {payout_id} : il n'a pas de pièce.")
        elif held[payout_id] != net or whole[payout_id] != 0:
            found.append(
                f"Reversement {payout_id} : le 467 porte {_sum(held[payout_id])} pour {_sum(net)}."
            )
    sent = sum(e.amount_cents for e in ledger if e.partner == "gcollect" and e.kind == "payout")
    if sent != sum(paid.values()):
        found.append(
            f"GCollect a viré {_sum(sent)}, {_sum(sum(paid.values()))} sont comptabilisés."
        )
    return found


def _allocations(app: App, company_id: str) -> list[str]:
    a, p, c, e = (
        schema.allocation.c,
        schema.payment.c,
        schema.claim.c,
        schema.echeance.c,
    )
    found: list[str] = []
    with app.host.store.begin() as tx:
        by_claim = {
            r.claim_id: int(r.cents)
            for r in tx.execute(
                select(a.claim_id, func.sum(a.amount).label("cents"))
                .where(a.company_id == company_id)
                .group_by(a.claim_id)
            )
        }
        totals = {
            r.id: (r.total, r.open)
            for r in tx.execute(select(c.id, c.total, c.open).where(c.company_id == company_id))
        }
        by_payment = {
            r.payment_id: int(r.cents)
            for r in tx.execute(
                select(a.payment_id, func.sum(a.amount).label("cents"))
                .where(a.company_id == company_id)
                .group_by(a.payment_id)
            )
        }
        payments = tx.execute(
            select(p.id, p.amount, p.unallocated).where(p.company_id == company_id)
        ).all()
        # A source may itself say that a customer paid too much; an allocation of ours never does.
        below = tx.execute(
            select(e.claim_id)
            .join(schema.allocation, (a.company_id == e.company_id) & (a.echeance_id == e.id))
            .where(e.company_id == company_id, e.open < 0, a.amount > 0)
            .distinct()
            .order_by(e.claim_id)
        ).scalars()
        found += [f"Créance {claim} : une échéance est descendue sous zéro." for claim in below]
    for claim_id, cents in by_claim.items():
        total, left = totals[claim_id]
        if not 0 <= cents <= total - left:
            found.append(
                f"Créance {claim_id} : {_sum(cents)} imputés sur {_sum(total)}, il reste "
                f"{_sum(left)}."
            )
    for row in payments:
        if by_payment.get(row.id, 0) + row.unallocated != row.amount:
            found.append(f"Paiement {row.id} : ses {_sum(row.amount)} ne sont pas tous imputés.")
    return found


def _sum(cents: int) -> str:
    return f"{euros(cents)} €"


def journal_holds(app: App, company_id: str, anchor: str | None) -> bool:
    """Export the journal and verify it against a head noted nights ago."""
    with app.host.store.begin() as tx:
        return journal.verify(journal.export(tx, company_id), anchor).ok
