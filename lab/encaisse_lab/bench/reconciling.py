"""Measure reconciling many collected invoices beside raw SQL that writes the same rows.

Both begin with the same open invoices and the same settlements of a collector, and end with the
same payments, allocations, settlements, commissions with their postings, and invoices marked paid.
The peer asks nothing: no plain case is told from another, nothing is journalled, ids are made by
concatenation, and all of it is one transaction.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from sqlalchemy import Connection, func, select, text

from encaisse_core import earnings, reconcile
from encaisse_core.store import schema
from encaisse_lab.bench.stock import RATE_PPM, Stock, make

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


@dataclass(frozen=True, slots=True)
class Reconciling:
    """Tell seconds of CPU and of the clock of both; `ratio` is the peer's by ours, by CPU."""

    database: str
    invoices: int
    seed: int
    ours_cpu: float
    ours_wall: float
    raw_cpu: float
    raw_wall: float
    most_mb: int

    @property
    def ratio(self) -> float:
        """Compare by CPU where all of it is this process's, by the clock where a server works."""
        if self.database == "sqlite":
            return self.raw_cpu / self.ours_cpu
        return self.raw_wall / self.ours_wall


def measured(url: Callable[[str], str], invoices: int, *, seed: int) -> Reconciling:
    """Reconcile one stock with the host and an equal one with raw SQL, the peer first.

    `url` gives the address of an empty database by a name. Raises where the two do not end with as
    many rows, and as much still open.
    """
    raw = _spent(url("raw"), invoices, seed, _raw)
    ours = _spent(url("ours"), invoices, seed, _ours)
    if raw[2] != ours[2]:
        raise AssertionError(f"seed {seed}: {raw[2]} of the peer, {ours[2]} of ours")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    kind = "sqlite" if url("ours").startswith("sqlite") else "postgresql"
    return Reconciling(kind, invoices, seed, ours[0], ours[1], raw[0], raw[1], most)


def _spent(
    url: str, invoices: int, seed: int, work: Callable[[Stock], None]
) -> tuple[float, float, dict[str, int]]:
    with tempfile.TemporaryDirectory(prefix="encaisse-banc-") as place:
        stock = make(url, Path(place), invoices, seed=seed, handed_over=True)
        try:
            reconcile.reconcile(stock.host, stock.company_id)  # nothing of it is measured
            stock.collect()
            cpu, wall = time.process_time(), time.monotonic()
            work(stock)
            spent = time.process_time() - cpu, time.monotonic() - wall
            with stock.host.store.begin() as tx:
                return round(spent[0], 3), round(spent[1], 3), _left(tx)
        finally:
            stock.app.close()


def _ours(stock: Stock) -> None:
    reconcile.reconcile(stock.host, stock.company_id)
    earnings.post_commissions(stock.host, stock.company_id)


def _raw(stock: Stock) -> None:
    with stock.host.store.begin() as tx:
        for statement in RAW:
            tx.execute(text(statement.format(ppm=RATE_PPM) if "{ppm}" in statement else statement))


def _left(tx: Connection) -> dict[str, int]:
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


@click.command()
@click.option("--invoices", type=click.IntRange(100), default=10_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--database", help="Adresse PostgreSQL où « %s » est le nom d'une base vide.")
def reconciling(invoices: int, seed: int, database: str | None) -> None:
    """Mesure le rapprochement à côté du SQL nu (graine affichée)."""
    with tempfile.TemporaryDirectory(prefix="encaisse-banc-") as place:

        def url(name: str) -> str:
            return database % name if database else f"sqlite:///{place}/{name}.db"

        found = measured(url, invoices, seed=seed)
    click.echo(json.dumps(asdict(found) | {"ratio": round(found.ratio, 3)}))


if __name__ == "__main__":
    reconciling()
