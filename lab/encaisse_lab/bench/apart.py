"""Measure what row-level security costs: the same transactions by who is held, and who is not.

Two kinds, by turns in one run: a short one, a row by its key, as most of the host's are; and one
that reads all of a company's rows. Times are of the wall, the best of many: other work only adds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from encaisse_core.store import Store, open_store, schema
from encaisse_lab import faults_places, faults_workers
from encaisse_lab.invented import with_key

COMPANIES, ROWS, TIMES = 40, 5_000, 200
AT = "2026-02-02T00:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold milliseconds of one transaction, held and not."""

    short_held: float
    short_free: float
    whole_held: float
    whole_free: float

    def as_json(self) -> dict[str, float]:
        """Give it with the ratios."""
        return {
            "short_ms_held": round(self.short_held, 3),
            "short_ms_free": round(self.short_free, 3),
            "short_ratio": round(self.short_held / self.short_free, 3),
            "whole_ms_held": round(self.whole_held, 3),
            "whole_ms_free": round(self.whole_free, 3),
            "whole_ratio": round(self.whole_held / self.whole_free, 3),
        }


def cost(server: str) -> Cost:
    """Measure; `server` is the address of a PostgreSQL in which databases may be made."""
    place = faults_places.fresh(server)
    free = open_store(place.url or "")
    held = open_store(faults_workers.held(place.url or ""))
    try:
        _fill(free)
        best: dict[tuple[bool, bool], float] = {}
        for number in range(TIMES):
            company = f"cmp_{number % COMPANIES}"
            # The free one is named no company, so that its transactions say nothing.
            for is_held, store in ((True, held.of(company)), (False, free)):
                for whole, ask in ((False, _short(company)), (True, _whole(company))):
                    took = _timed(store, ask)
                    kept = best.get((is_held, whole), took)
                    best[is_held, whole] = min(kept, took)
    finally:
        free.close()
        held.close()
        place.drop()
    return Cost(best[True, False], best[False, False], best[True, True], best[False, True])


def _fill(store: Store) -> None:
    d = schema.debtor
    for number in range(COMPANIES):
        company = f"cmp_{number}"
        with store.begin() as tx:
            tx.execute(
                insert(schema.company).values(
                    id=company,
                    siren=with_key(f"9000{number:04d}"),
                    name=f"Société {number}",
                    environment="test",
                    created_at=AT,
                )
            )
            tx.execute(
                insert(d),
                [
                    {
                        "company_id": company,
                        "id": f"dbt_{each}",
                        "key": f"k{each}",
                        "kind": "company",
                        "name": "Client Exemple",
                        "detail": "{}",
                        "created_at": AT,
                    }
                    for each in range(ROWS)
                ],
            )
    with store.engine.connect() as connection:
        connection.exec_driver_sql("analyze debtor")
        connection.commit()


def _short(company: str) -> Callable[[Connection], object]:
    d = schema.debtor.c
    query = select(d.name).where(d.company_id == company, d.id == "dbt_7")
    return lambda tx: tx.execute(query).scalar_one()


def _whole(company: str) -> Callable[[Connection], object]:
    d = schema.debtor.c
    query = select(func.sum(func.length(d.detail))).where(d.company_id == company)
    return lambda tx: tx.execute(query).scalar_one()


def _timed(store: Store, ask: Callable[[Connection], object]) -> float:
    started = time.perf_counter()
    with store.begin() as tx:
        ask(tx)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    with faults_places.embedded_server() as server:
        print(json.dumps(cost(server).as_json(), indent=1))
