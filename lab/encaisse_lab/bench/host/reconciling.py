"""Measure reconciling many collected invoices beside raw SQL that writes the same rows.

Both begin with the same open invoices and the same settlements of a collector, and end with the
same payments, allocations, settlements, commissions with their postings, and invoices marked paid.
The peer asks nothing: no plain case is told from another, nothing is journalled, ids are made by
concatenation, and all of it is one transaction. Where the two do not end with as many rows, and as
much still open, nothing was measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, func, select, text

from encaisse_core import earnings, reconcile
from encaisse_core.store import schema
from encaisse_lab.bench.host.found import Bench, Finding, Spent, compared, swept
from encaisse_lab.bench.judging import Goal
from encaisse_lab.bench.stock import RATE_PPM, Stock, make, reopened

RECONCILE = Goal(
    "reconcile",
    0.5,
    "payments, settlements, commissions and paid marks of a night, part of raw SQL doing the same",
    "paiements, règlements, commissions et soldes d'une nuit, part de SQL brut qui fait de même",
)

RAW = (
    """insert into payment (company_id, id, claim_id, amount, currency, paid_on, origin,
         settlement_id, unallocated, created_at)
       select company_id, 'pay_' || substr(id, 5), claim_id, principal, currency, received_on,
         'collector', id, 0, updated_at from settlement where state = 'verified'""",
    """insert into payment_sighting (company_id, connection_id, remote_ref, payment_id, role,
         record, seen_at)
       select company_id, connection_id, remote_id, 'pay_' || substr(id, 5), 'origin', '{}',
         updated_at from settlement where state = 'verified'""",
    """insert into allocation
         (company_id, id, payment_id, claim_id, echeance_id, amount, created_at)
       select s.company_id, 'alc_' || substr(s.id, 5), 'pay_' || substr(s.id, 5), s.claim_id,
         e.id, s.principal, s.updated_at
       from settlement s join echeance e on e.company_id = s.company_id and e.claim_id = s.claim_id
       where s.state = 'verified'""",
    """update echeance set open = echeance.open - s.principal from settlement s
       where s.company_id = echeance.company_id and s.claim_id = echeance.claim_id
         and s.state = 'verified'""",
    """update claim set open = claim.open - p.amount,
         state = case when claim.open = p.amount then 'settled' else 'open' end
       from payment p where p.company_id = claim.company_id and p.claim_id = claim.id""",
    """update settlement set payment_id = 'pay_' || substr(id, 5), followed_state = state,
         followed_principal = principal, earned_state = state, earned_fee = fee
       where state = 'verified'""",
    """insert into commission_line (company_id, id, settlement_id, referrer_id, contract_id, kind,
         rule_version, currency, basis, amount, turn, created_at)
       select s.company_id, 'cml_' || substr(s.id, 5), s.id, c.referrer_id, c.id, 'accrual',
         'raw', s.currency, s.fee, (s.fee * {ppm} + 500000) / 1000000, 0, s.updated_at
       from settlement s join referrer_contract c on c.company_id = s.company_id
       where s.state = 'verified'""",
    """insert into commission_entry (company_id, line_id, position, account, amount)
       select company_id, id, 0, 'commission_expense', amount from commission_line""",
    """insert into commission_entry (company_id, line_id, position, account, amount)
       select company_id, id, 1, 'commission_accrued', -amount from commission_line""",
)
"""What the peer runs, in order, on both databases."""

COUNTED = ("payment", "allocation", "payment_sighting", "commission_line", "commission_entry")


SEED = 1
Ended = dict[str, int]


def measure(bench: Bench) -> Iterator[Finding]:
    """Alternate the raw peer and ours, each on a copy of one stock that took far longer to make."""
    taken: dict[str, list[Spent]] = {"raw": [], "ours": []}
    bench.tell(f"{bench.database.name}, rapprochement, factures et règlements")
    url = bench.database.fresh()
    stock = _collected(bench, url)
    for number in range(1, bench.rounds + 1):
        ended: dict[str, Ended] = {}
        for name, work in (("raw", raw), ("ours", ours)):
            bench.tell(f"{bench.database.name}, rapprochement {name}, {number}/{bench.rounds}")
            spent, ended[name] = _spent(bench, stock, url, number, work)
            taken[name].append(spent)
        if ended["raw"] != ended["ours"]:
            raise AssertionError(f"round {number}: the peer {ended['raw']}, ours {ended['ours']}")
    bench.database.drop(url)
    yield compared(bench, RECONCILE, bench.rows, ("ours", taken["ours"]), ("raw", taken["raw"]))


def _collected(bench: Bench, url: str) -> Stock:
    """Make the stock, let a night find nothing to do, and let the collector have told; close it."""
    stock = make(url, bench.folder / "home", bench.rows, seed=SEED, handed_over=True)
    try:
        bench.database.count(url)
        reconcile.reconcile(stock.host, stock.company_id)
        stock.collect()
        bench.database.count(url)
    finally:
        stock.app.close()
    return stock


def _spent(
    bench: Bench, stock: Stock, url: str, number: int, work: Callable[[Stock], None]
) -> tuple[Spent, Ended]:
    home = bench.folder / f"home-{work.__name__}-{number}"
    shutil.copytree(bench.folder / "home", home)
    copied = bench.database.fresh(like=url)
    there = reopened(stock, copied, home, turn=number)
    try:
        swept()
        started = bench.database.spent()
        work(there)
        spent = bench.database.spent() - started
        with there.host.store.begin() as tx:
            return spent, _left(tx)
    finally:
        there.app.close()
        bench.database.drop(copied)


def ours(stock: Stock) -> None:
    """Reconcile as a night does."""
    reconcile.reconcile(stock.host, stock.company_id)
    earnings.post_commissions(stock.host, stock.company_id)


def raw(stock: Stock) -> None:
    """Write the same rows by raw SQL."""
    with stock.host.store.begin() as tx:
        for statement in RAW:
            tx.execute(text(statement.format(ppm=RATE_PPM) if "{ppm}" in statement else statement))


def _left(tx: Connection) -> Ended:
    """Count what was written, and add up what is still open and what is earned."""
    found = {
        name: int(
            tx.execute(select(func.count()).select_from(schema.metadata.tables[name])).scalar_one()
        )
        for name in COUNTED
    }
    sums = {
        "open": schema.claim.c.open,
        "open_parts": schema.echeance.c.open,
        "earned": schema.commission_line.c.amount,
    }
    for name, column in sums.items():
        found[name] = int(tx.execute(select(func.coalesce(func.sum(column), 0))).scalar_one())
    return found
