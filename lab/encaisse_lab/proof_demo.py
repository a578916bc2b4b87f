"""Prove the demo: each seed twice with the same figures, and each planted bug found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypedDict

from click.testing import CliRunner

from encaisse_core.errors import CHECK_FAILED
from encaisse_lab.broken_on_purpose import FIGURES, FOLLOWS, Break
from encaisse_lab.cast import ROLES
from encaisse_lab.demo import run
from encaisse_lab.summary import Summary, bad, sound, summary

NIGHTS = 10
LEAST_SEEN_TWICE = 30
"""Invoices two sources must show at once, or joining them proves little."""


class DemoFigures(TypedDict):
    """Hold what was run: a summary per seed, and by which exit code each planted bug was found."""

    summaries: list[Summary]
    found: dict[Break, bool]
    exits: dict[Break, int]


def prove(
    pool: Executor, seeds: Sequence[int], tell: Callable[[str], None]
) -> tuple[DemoFigures, list[str]]:
    """Run each seed twice and each planted bug once; give the figures and what does not hold."""
    told, faults = DemoFigures(summaries=[], found={}, exits={}), list[str]()
    broken: list[tuple[int, Break]] = [(seeds[0], each) for each in FIGURES]
    firsts, seconds = pool.map(_run, seeds), pool.map(_run, seeds)
    planted = pool.map(_run_broken, broken)
    for seed, first in zip(seeds, firsts, strict=True):
        told["summaries"].append(first)
        faults += _judged(seed, first)
        tell(f"Graine {seed} : {'tient' if sound(first) else 'NE TIENT PAS'}")
    for seed, first, second in zip(seeds, told["summaries"], seconds, strict=True):
        if _text(second) != _text(first):
            faults.append(f"graine {seed} : deux passages, deux résultats")
        tell(f"Graine {seed}, second passage")
    for (_, name), (figures, code) in zip(broken, planted, strict=True):
        told["exits"][name] = code
        told["found"][name] = is_found(name, figures, code)
        if not told["found"][name]:
            faults.append(f"défaut « {name} » introduit et pas trouvé")
        tell(f"Défaut « {name} » : {'trouvé' if told['found'][name] else 'PAS TROUVÉ'}")
    return told, faults


def is_found(name: Break, figures: Summary, code: int) -> bool:
    """Tell whether a planted bug failed the command by its own figure, and by no strange one."""
    found = bad(figures)
    return code == CHECK_FAILED and FIGURES[name] in found <= {FIGURES[name], *FOLLOWS[name]}


def _run(seed: int) -> Summary:
    with run(seed, NIGHTS) as told:
        return summary(told)


def _run_broken(job: tuple[int, Break]) -> tuple[Summary, int]:
    """Type the command a person would; give its figures and its exit code."""
    from encaisse_core.cli.main import cli

    seed, name = job
    asked = ["demo", "--seed", str(seed), "--nights", str(NIGHTS), "--json", "--break", name]
    result = CliRunner().invoke(cli, asked)
    figures: Summary = json.loads(result.stdout)
    return figures, result.exit_code


def _judged(seed: int, figures: Summary) -> list[str]:
    faults: list[str] = []
    if not sound(figures):
        what = "; ".join(figures["failures"][:3]) or "journal ou comptes"
        faults.append(f"graine {seed} : {what}")
    unplayed = sorted(set(ROLES) - set(figures["played"]))
    if unplayed:
        faults.append(f"graine {seed} : rôles non joués ({', '.join(unplayed)})")
    if figures["seen_twice"] < LEAST_SEEN_TWICE:
        faults.append(f"graine {seed} : {figures['seen_twice']} factures vues deux fois")
    for name, count in figures["faults"].items():
        if not count:
            faults.append(f"graine {seed} : aucune panne « {name} », rien n'est prouvé")
    return faults


def _text(figures: Summary) -> str:
    return json.dumps(figures, ensure_ascii=False, sort_keys=True)
