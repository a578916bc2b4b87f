"""Load a tool's rows as they come, checked by our contract, beside dlt's merge of the same rows.

dlt is given the same dictionaries and asked for a merge by reference, as its pages advise for rows
that change, and otherwise left as it comes: nested lists become rows of a second table. One that is
told to keep them whole (`max_table_nesting=0`) is printed beside and judged by nobody. Neither is
told anything of our rules, nor checks any.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any
from urllib.parse import quote

from sqlalchemy import make_url

from encaisse_api import SourceInvoice
from encaisse_lab.bench.host import house
from encaisse_lab.bench.host.found import Bench, Finding, Spent, compared, ratio
from encaisse_lab.bench.host.ingesting import once
from encaisse_lab.bench.host.invented import dicts
from encaisse_lab.bench.judging import Goal

FIRST = Goal(
    "dlt-first",
    2,
    "a tool's rows checked and stored for the first time, times dlt's merge",
    "lignes d'un outil vérifiées et gardées une première fois, fois le « merge » de dlt",
)
AGAIN = Goal(
    "dlt-again",
    2,
    "the same rows again, times dlt's merge",
    "les mêmes lignes de nouveau, fois le « merge » de dlt",
)

TURNS = ("first", "again")


def measure(bench: Bench) -> Iterator[Finding]:
    """Alternate ours and dlt on `peer_rows` rows, each into a database of its own."""
    dlt: Any = import_module("dlt")
    taken: dict[str, list[Spent]] = {}
    for number in range(1, bench.rounds + 1):
        bench.tell(f"{bench.database.name}, dlt, tour {number}/{bench.rounds}")
        for name, spent in (
            ("dlt", _dlt(bench, dlt, f"bench{number}")),
            ("whole", _dlt(bench, dlt, f"whole{number}", max_table_nesting=0)),
            ("ours", _ours(bench)),
        ):
            for turn, each in zip(TURNS, spent, strict=True):
                taken.setdefault(f"{name} {turn}", []).append(each)
    for goal, turn in zip((FIRST, AGAIN), TURNS, strict=True):
        ours, whole = taken[f"ours {turn}"], taken[f"whole {turn}"]
        peer = ("dlt", taken[f"dlt {turn}"])
        found = compared(bench, goal, bench.peer_rows, ("ours", ours), peer)
        beside = {
            "rows": float(bench.peer_rows),  # fewer than what the other measures take
            "times dlt keeping lists whole": ratio(whole, ours),
        }
        yield Finding(found.verdict, found.database, {**found.figures, **beside})


def _ours(bench: Bench) -> Iterator[Spent]:
    url = bench.database.fresh()
    supply = house.Supply(bench.database.spent, page=bench.page, aside=False)
    with house.opened(url, bench.folder / "home", {"benchtool": house.tool(supply)}) as opened:
        supply.make = partial(_checked, bench.peer_rows)
        for _ in range(2):
            yield once(bench, opened, supply)
    bench.database.drop(url)


def _checked(rows: int) -> Iterator[SourceInvoice]:
    return map(SourceInvoice.model_validate, dicts(rows))


def _dlt(bench: Bench, dlt: Any, name: str, **kept: int) -> Iterator[Spent]:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    logging.getLogger("dlt").setLevel(logging.CRITICAL)
    url = bench.database.fresh()
    if bench.database.sqlite:
        destination = dlt.destinations.sqlalchemy(url)
        strategy = "delete-insert"  # what its SQLite destination has of the two
    else:
        destination = dlt.destinations.postgres(_by_host(url))
        strategy = "upsert"
    pipeline = dlt.pipeline(
        pipeline_name=name,
        pipelines_dir=str(bench.folder / f"dlt-{bench.database.name}-{name}"),
        destination=destination,
        dataset_name="bench",
    )
    for _ in range(2):
        resource = dlt.resource(
            dicts(bench.peer_rows),
            name="invoice",
            primary_key="ref",
            write_disposition={"disposition": "merge", "strategy": strategy},
            **kept,
        )
        started = bench.database.spent()
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            pipeline.run(resource).raise_on_failed_jobs()
        yield bench.database.spent() - started
    bench.database.drop(url)


def _by_host(url: str) -> str:
    """Write the address of a server on a socket as dlt takes it: the folder as its host."""
    told = make_url(url)
    folder = quote(str(told.query["host"]), safe="")
    return f"postgresql://{told.username}:none@{folder}/{told.database}"
