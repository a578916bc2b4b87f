"""Measure, phase by phase, where a night over many open invoices spends its time.

`python -m encaisse_lab.bench.nights --invoices 10000 --seed 1`. CPU seconds are this process's: on
SQLite that is all of them, on PostgreSQL the server's are left out, so its wall time is told too.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Literal

import click

from encaisse_core import nightly
from encaisse_core.host import Host
from encaisse_core.nightly import Night, Phase
from encaisse_lab.bench.stock import Stock, make

Kind = Literal["unchanged", "some", "paid", "collected"]
KINDS: tuple[Kind, ...] = ("unchanged", "some", "paid", "collected")
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Tell what one night took: seconds of CPU and of the clock, and of CPU by phase."""

    kind: Kind
    invoices: int
    changed: int
    seed: int
    cpu: float
    wall: float
    phases: Mapping[str, float]


def night(stock: Stock, kind: Kind, changed: int) -> Spent:
    """Run one night and take each phase's CPU seconds."""
    spent: dict[str, float] = {}

    def timed(name: str, phase: Phase) -> Phase:
        def run(host: Host, of: Night) -> None:
            started = time.process_time()
            phase(host, of)
            spent[name] = round(time.process_time() - started, 3)

        return run

    phases = tuple((name, timed(name, phase)) for name, phase in nightly.PHASES)
    stock.clock.sleep(DAY)
    cpu, wall = time.process_time(), time.monotonic()
    nightly.run_night(stock.host, stock.company_id, stock.app.signer, phases=phases)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    stock.told.news = []
    return Spent(kind, stock.invoices, changed, stock.seed, round(cpu, 3), round(wall, 3), spent)


def lived(
    url: str, folder: Path, invoices: int, seed: int, kind: Kind, changed: int, tools: int = 1
) -> Spent:
    """Make a stock, let its first night settle it, and measure the night that is asked for."""
    stock = make(url, folder, invoices, seed=seed, handed_over=kind == "collected", tools=tools)
    try:
        night(stock, "unchanged", 0)
        if kind == "some":
            stock.pay(sorted(Random(seed).sample(range(invoices), changed)))
        elif kind == "paid":
            stock.pay(range(invoices))
        elif kind == "collected":
            stock.collect()
        return night(stock, kind, {"unchanged": 0, "some": changed}.get(kind, invoices))
    finally:
        stock.app.close()


@click.command()
@click.option("--invoices", type=click.IntRange(10), default=10_000, show_default=True)
@click.option("--changed", type=click.IntRange(1), help="Factures payées (1 % par défaut).")
@click.option("--tools", type=click.IntRange(1), default=1, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS)
def nights(
    invoices: int, changed: int | None, tools: int, seed: int, kinds: tuple[Kind, ...]
) -> None:
    """Mesure des nuits, phase par phase, sur SQLite."""
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="encaisse-banc-") as place:
            url = f"sqlite:///{place}/e.db"
            spent = lived(url, Path(place), invoices, seed, kind, changed or invoices // 100, tools)
        click.echo(json.dumps(asdict(spent)))


if __name__ == "__main__":
    nights()
