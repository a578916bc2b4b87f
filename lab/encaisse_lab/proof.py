"""Prove the demo: every seed twice with the same figures, and each planted bug found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context

from encaisse_lab.broken_on_purpose import FIGURES, Break
from encaisse_lab.cast import ROLES
from encaisse_lab.demo import run
from encaisse_lab.summary import Summary, sound, summary, zeros

NIGHTS = 10
PROCESSES = 2
LEAST_SEEN_TWICE = 30
"""Invoices two sources must show at once, or joining them proves little."""

Job = tuple[int, Break | None]


@dataclass
class Outcome:
    """Hold what was run and what did not hold; "not run" is never "holds"."""

    seeds: list[int]
    figures: dict[int, Summary] = field(default_factory=dict[int, Summary])
    found: dict[Break, bool] = field(default_factory=dict[Break, bool])
    faults: list[str] = field(default_factory=list[str])

    @property
    def holds(self) -> bool:
        """Tell whether every run was made and every figure is right."""
        all_run = len(self.figures) == len(self.seeds) > 0 and len(self.found) == len(FIGURES)
        return all_run and not self.faults


def prove(seeds: Iterable[int], *, tell: Callable[[str], None]) -> Outcome:
    """Run each seed twice and each planted bug once, in two processes."""
    outcome = Outcome(list(seeds))
    once: list[Job] = [(seed, None) for seed in outcome.seeds]
    broken: list[Job] = [(outcome.seeds[0], each) for each in FIGURES]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        firsts = pool.map(_run, once)
        seconds = pool.map(_run, once)
        planted = pool.map(_run, broken)
        for (seed, _), first in zip(once, firsts, strict=True):
            _judge(outcome, seed, first)
            tell(f"Graine {seed} : {'tient' if sound(first) else 'NE TIENT PAS'}")
        for (seed, _), second in zip(once, seconds, strict=True):
            if _text(second) != _text(outcome.figures[seed]):
                outcome.faults.append(f"graine {seed} : deux passages, deux résultats")
            tell(f"Graine {seed}, second passage")
        for (_, name), figures in zip(broken, planted, strict=True):
            assert name is not None
            outcome.found[name] = is_found(name, figures)
            if not outcome.found[name]:
                outcome.faults.append(f"défaut « {name} » introduit et pas trouvé")
            tell(f"Défaut « {name} » : {'trouvé' if outcome.found[name] else 'PAS TROUVÉ'}")
    return outcome


def is_found(name: Break, figures: Summary) -> bool:
    """Tell whether a planted bug turned its own figure bad."""
    if name == "journal":
        return not figures["journal_ok"]
    return figures["remote_duplicates" if name == "lookup" else "remote_missing"] > 0


def as_json(outcome: Outcome) -> dict[str, object]:
    """Give the outcome as JSON shows it."""
    return {
        "seeds": outcome.seeds,
        "nights": NIGHTS,
        "holds": outcome.holds,
        "faults": outcome.faults,
        "breaks_found": outcome.found,
        "figures": list(outcome.figures.values()),
    }


def spoken(outcome: Outcome) -> str:
    """Say the outcome in a sentence or two, in French."""
    found = sum(outcome.found.values())
    lines = [
        f"{len(outcome.figures)} graines, deux passages chacune, {NIGHTS} nuits : "
        f"{'tout tient' if outcome.holds else 'tout ne tient pas'}.",
        f"Défauts introduits et trouvés : {found} sur {len(FIGURES)}.",
    ]
    return "\n".join([*lines, *outcome.faults])


def page(outcome: Outcome, on: date, *, short: bool) -> str:
    """Write the page of figures, in English as the other docs are."""
    command = f"encaisse proof{' --slice' if short else ''}"
    total: Counter[str] = Counter()
    for figures in outcome.figures.values():
        total.update(zeros(figures))
    rows = [
        f"| {seed} | {f['collectible']} | {f['procedures_opened']} | {f['settlements']} "
        f"| {sum(f['written_back'].values())} | {f['stopped_by_direct_payment']} "
        f"| {' '.join(f'{n} {c}' for n, c in f['faults'].items())} "
        f"| {sum(zeros(f).values())} "
        f"| {'yes' if f['journal_ok'] and f['ledger_balanced'] else 'NO'} |"
        for seed, f in sorted(outcome.figures.items())
    ]
    planted = [
        f"- `--break {name}`: `{figure}` "
        f"{'turned bad, exit 6' if outcome.found.get(name) else 'NOT FOUND'}"
        for name, figure in FIGURES.items()
    ]
    return "\n".join(
        [
            "# Proofs",
            "",
            f"Written by `{command}` on {on.isoformat()}. "
            f"Verdict: {'everything holds' if outcome.holds else 'NOT everything holds'}.",
            "",
            f"Each seed is run twice over {NIGHTS} nights, over real HTTP on the loopback, with "
            "lost replies, server errors, refusals for speed and malformed answers; both runs give "
            "the same figures. The zeros are counted in the partners' own ledgers, by business "
            "effect, against what the people of the demo did.",
            "",
            "| Seed | Collectible | Procedures | Payments collected | Written back "
            "| Closed by direct payment | Faults | Sum of the zeros | Journal and ledger |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Zeros over all seeds: " + ", ".join(f"`{n}` {c}" for n, c in total.items()) + ".",
            "",
            "Bugs planted on purpose, each of which must be found:",
            "",
            *planted,
            *_wrong(outcome),
            "",
        ]
    )


def _wrong(outcome: Outcome) -> list[str]:
    if not outcome.faults:
        return []
    return ["", "What does not hold:", "", *(f"- {fault}" for fault in outcome.faults)]


def _run(job: Job) -> Summary:
    seed, broken = job
    with run(seed, NIGHTS, broken=broken) as told:
        return summary(told)


def _judge(outcome: Outcome, seed: int, figures: Summary) -> None:
    outcome.figures[seed] = figures
    if not sound(figures):
        what = "; ".join(figures["failures"][:3]) or "journal ou comptes"
        outcome.faults.append(f"graine {seed} : {what}")
    unplayed = sorted(set(ROLES) - set(figures["played"]))
    if unplayed:
        outcome.faults.append(f"graine {seed} : rôles non joués ({', '.join(unplayed)})")
    if figures["seen_twice"] < LEAST_SEEN_TWICE:
        outcome.faults.append(f"graine {seed} : {figures['seen_twice']} factures vues deux fois")
    for name, count in figures["faults"].items():
        if not count:
            outcome.faults.append(f"graine {seed} : aucune panne « {name} », rien n'est prouvé")


def _text(figures: Summary) -> str:
    return json.dumps(figures, ensure_ascii=False, sort_keys=True)
