"""Play the table of outages, each case in a process of its own from one common evening."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypedDict

from encaisse_lab.large import run as large
from encaisse_lab.large.bills import TOOLS
from encaisse_lab.large.outage import Found, Town, settle_in, tonight
from encaisse_lab.large.outage_steps import UNDETECTABLE, Case
from encaisse_simulator.transport import SimTransport

PROCESSES = 2
MOST = 5
"""Faults that are spelled out."""


class OutageFigures(TypedDict):
    """Be the JSON of `encaisse year --outage`; the same seed gives the same bytes."""

    seed: int
    cases: int
    opened_on_paid: int
    undetectable_cases: int
    undetectable_openings: int
    met: int
    opened_once_back: int
    to_open: int
    by_kind: dict[str, int]
    faults: list[str]


def play(cases: Sequence[Case], tell: Callable[[str], None] = lambda _: None) -> OutageFigures:
    """Play cases of one seed on two processors, tool by tool."""
    chosen = [[case for case in cases if case.tool == tool] for tool in TOOLS]
    found: list[tuple[Case, Found]] = []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for batch, told in zip(chosen, pool.map(play_batch, chosen), strict=True):
            found += zip(batch, told, strict=True)
            if batch:
                tell(f"Panne de {batch[0].tool} : {len(batch)} cas")
    return figures(cases[0].seed, found)


def figures(seed: int, found: Sequence[tuple[Case, Found]]) -> OutageFigures:
    """Count what opened, apart where nobody could have known."""
    sure = [(case, told) for case, told in found if case.kind not in UNDETECTABLE]
    blind = [(case, told) for case, told in found if case.kind in UNDETECTABLE]
    wrong = [(case, told) for case, told in sure if told.opened_on_paid]
    return OutageFigures(
        seed=seed,
        cases=len(sure),
        opened_on_paid=sum(len(told.opened_on_paid) for _, told in sure),
        undetectable_cases=len(blind),
        undetectable_openings=sum(len(told.opened_on_paid) for _, told in blind),
        met=sum(told.met for _, told in sure),
        opened_once_back=sum(told.opened_unpaid for _, told in sure),
        to_open=sum(told.unpaid for _, told in sure),
        by_kind=dict(sorted(Counter(case.kind for case, _ in found).items())),
        faults=[f"{', '.join(told.opened_on_paid)} ({case.repeat})" for case, told in wrong[:MOST]],
    )


def sound(told: OutageFigures) -> bool:
    """Tell whether nothing opened on a paid claim, tools were really out, and the rest did open."""
    return not told["opened_on_paid"] and told["met"] > 0 and told["opened_once_back"] > 0


def sentence(told: OutageFigures) -> str:
    """Say it in French."""
    return (
        f"Une source en panne, figée ou tronquée à chaque étape : {told['cases']} cas dont "
        f"{told['met']} où elle a manqué, {told['opened_on_paid']} ouverture sur une créance payée "
        f"chez elle ; une fois revenue, {told['opened_once_back']} des {told['to_open']} créances "
        f"dues sont ouvertes. À part, ce que personne ne peut savoir (réponses d'hier données pour "
        f"celles du jour) : {told['undetectable_openings']} ouvertures en "
        f"{told['undetectable_cases']} cas."
    )


def play_batch(cases: Sequence[Case]) -> list[Found]:
    """Live through the common evening once, then play each case in a copy of this process."""
    if not cases:
        return []
    with tempfile.TemporaryDirectory(prefix="encaisse-pannes-") as place:
        home, kept = Path(place) / "ici", Path(place) / "soir"
        town = settle_in(cases[0].seed, home)
        town.clock.on_advance.remove(town.app.host.store.set_virtual_now)
        town.app.close()
        shutil.copytree(home, kept)
        found: list[Found] = []
        for case in cases:
            found.append(_apart(case, town, home))
            shutil.rmtree(home)
            shutil.copytree(kept, home)
        return found


def _apart(case: Case, town: Town, home: Path) -> Found:
    """Play one case in a fork: partners are in memory, and each case spoils its own."""
    context = get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(case, town, home, there))
    child.start()
    there.close()
    try:
        told: Found = here.recv()
    except EOFError:
        child.join()
        raise RuntimeError(f"le cas s'est arrêté : {case.repeat}") from None
    child.join()
    return told


def _child(case: Case, town: Town, home: Path, there: Connection) -> None:
    town.app = large.opened(home, town.clock, case.seed + 1, SimTransport(town.world))
    try:
        there.send(tonight(case, town))
    finally:
        town.app.close()
