"""Prove the demo, each seed twice and each planted bug found, and the year with MyUnisoft."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context

from click.testing import CliRunner

from encaisse_core.errors import CHECK_FAILED
from encaisse_lab import faults_proof, year_told
from encaisse_lab.broken_on_purpose import FIGURES, FOLLOWS, Break
from encaisse_lab.cast import ROLES
from encaisse_lab.demo import run
from encaisse_lab.faults_proof import Proven
from encaisse_lab.fuzz import run as run_fuzz
from encaisse_lab.fuzz.run import Figures, fuzz
from encaisse_lab.large import told as large
from encaisse_lab.summary import Summary, bad, sound, summary, zeros
from encaisse_lab.year_calendar import Calendar
from encaisse_lab.year_told import YearFigures

NIGHTS = 10
PROCESSES = 2
LEAST_SEEN_TWICE = 30
"""Invoices two sources must show at once, or joining them proves little."""


@dataclass
class Outcome:
    """Hold what was run and what did not hold; "not run" is never "holds"."""

    seeds: list[int]
    figures: dict[int, Summary] = field(default_factory=dict[int, Summary])
    found: dict[Break, bool] = field(default_factory=dict[Break, bool])
    exits: dict[Break, int] = field(default_factory=dict[Break, int])
    faults: list[str] = field(default_factory=list[str])
    years: list[YearFigures] = field(default_factory=list[YearFigures])
    fuzzed: Figures | None = None
    once: Proven | None = None
    large: large.Proved | None = None

    @property
    def holds(self) -> bool:
        """Tell whether every run was made and every figure is right."""
        all_run = len(self.figures) == len(self.seeds) > 0 and len(self.found) == len(FIGURES)
        fuzzed = self.fuzzed is not None and self.fuzzed["cases"] > 0
        rest = self.once is not None and self.large is not None
        return all_run and bool(self.years) and fuzzed and rest and not self.faults


def prove(
    seeds: Iterable[int],
    *,
    years: Sequence[int],
    calendar: Calendar,
    cases: int,
    short: bool,
    tell: Callable[[str], None],
) -> Outcome:
    """Run each seed twice, each planted bug and each year once, fuzz, in two processes; strike."""
    outcome = Outcome(list(seeds))
    broken: list[tuple[int, Break]] = [(outcome.seeds[0], each) for each in FIGURES]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        firsts = pool.map(_run, outcome.seeds)
        seconds = pool.map(_run, outcome.seeds)
        planted = pool.map(_run_broken, broken)
        for seed, first in zip(outcome.seeds, firsts, strict=True):
            _judge(outcome, seed, first)
            tell(f"Graine {seed} : {'tient' if sound(first) else 'NE TIENT PAS'}")
        for seed, second in zip(outcome.seeds, seconds, strict=True):
            if _text(second) != _text(outcome.figures[seed]):
                outcome.faults.append(f"graine {seed} : deux passages, deux résultats")
            tell(f"Graine {seed}, second passage")
        for (_, name), (figures, code) in zip(broken, planted, strict=True):
            outcome.exits[name] = code
            outcome.found[name] = is_found(name, figures, code)
            if not outcome.found[name]:
                outcome.faults.append(f"défaut « {name} » introduit et pas trouvé")
            tell(f"Défaut « {name} » : {'trouvé' if outcome.found[name] else 'PAS TROUVÉ'}")
        outcome.years = year_told.lived(pool, years, calendar, tell)
        outcome.faults += [
            f"année {year['seed']}, {year['lettering']} : {'; '.join(year['faults']) or 'journal'}"
            for year in outcome.years
            if not year_told.sound(year)
        ]
    outcome.fuzzed = fuzz(outcome.seeds[0], cases, tell=tell)
    outcome.faults += [
        f"{each['fault']} : {each['what']} ({each['repeat']})"
        for each in outcome.fuzzed["failures"]
    ]
    outcome.once = faults_proof.prove(short=short, tell=tell)
    outcome.faults += outcome.once.wrong
    outcome.large = large.prove(short=short, tell=tell)
    outcome.faults += large.wrong(outcome.large)
    return outcome


def is_found(name: Break, figures: Summary, code: int) -> bool:
    """Tell whether a planted bug failed the command by its own figure, and by no strange one."""
    found = bad(figures)
    return code == CHECK_FAILED and FIGURES[name] in found <= {FIGURES[name], *FOLLOWS[name]}


def as_json(outcome: Outcome) -> dict[str, object]:
    """Give the outcome as JSON shows it."""
    return {
        "seeds": outcome.seeds,
        "nights": NIGHTS,
        "holds": outcome.holds,
        "faults": outcome.faults,
        "breaks_found": outcome.found,
        "figures": list(outcome.figures.values()),
        "years": outcome.years,
        "fuzz": outcome.fuzzed,
        "large": outcome.large,
    }


def spoken(outcome: Outcome) -> str:
    """Say the outcome in a sentence or two, in French."""
    found = sum(outcome.found.values())
    lines = [
        f"{len(outcome.figures)} graines, deux passages chacune, {NIGHTS} nuits : "
        f"{'tout tient' if outcome.holds else 'tout ne tient pas'}.",
        f"Défauts introduits et trouvés : {found} sur {len(FIGURES)}.",
        *(f"Année, graine {year['seed']} : {year_told.sentence(year)}" for year in outcome.years),
    ]
    if outcome.fuzzed is not None:
        lines.append(run_fuzz.sentence(outcome.fuzzed))
    return "\n".join([*lines, *outcome.faults])


def page(outcome: Outcome, on: date, *, short: bool) -> str:
    """Write the page of figures, in English as the other docs are."""
    command = f"encaisse proof{' --slice' if short else ''}"
    total: Counter[str] = Counter()
    for figures in outcome.figures.values():
        total.update(zeros(figures))
    rows = [
        f"| {seed} | {f['collectible']} | {f['procedures_opened']} | {f['settlements']} "
        f"| {' '.join(f'{tool} {count}' for tool, count in f['written_back'].items())} "
        f"| {'no bridge' if f['copied'] is None else f['copied']} "
        f"| {f['stopped_by_direct_payment']} "
        f"| {' '.join(f'{n} {c}' for n, c in f['faults'].items())} "
        f"| {sum(zeros(f).values())} "
        f"| {'yes' if f['journal_ok'] and f['ledger_balanced'] else 'NO'} |"
        for seed, f in sorted(outcome.figures.items())
    ]
    planted = [
        f"- `--break {name}`: `{figure}` "
        + (f"turned bad, exit {outcome.exits[name]}" if outcome.found.get(name) else "NOT FOUND")
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
            "effect, against what the people of the demo did. Under an even seed Factomos sends "
            "its entries to MyUnisoft over a bridge: what is written comes back, and counts once.",
            "",
            "| Seed | Collectible | Procedures | Payments collected | Written back | Copied over "
            "| Closed by direct payment | Faults | Sum of the zeros | Journal and ledger |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Zeros over all seeds: " + ", ".join(f"`{n}` {c}" for n, c in total.items()) + ".",
            "",
            "Bugs planted on purpose, each of which must be found:",
            "",
            *planted,
            *_years(outcome.years),
            *_fuzzed(outcome.fuzzed),
            *([] if outcome.once is None else faults_proof.section(outcome.once)),
            *([] if outcome.large is None else large.section(outcome.large)),
            *_wrong(outcome),
            "",
        ]
    )


def _years(years: Sequence[YearFigures]) -> list[str]:
    """Write the table of the years lived."""
    if not years:
        return []
    rows = [
        f"| {y['seed']} | {y['lettering']} | {y['mode']} | {y['nights']} | {y['nights_unequal']} "
        f"| {y['lettered']} | {y['drafts']} | {y['to_letter']} | {y['with_a_person']} "
        f"| {y['doubled'] + y['lost'] + y['loose']} |"
        for y in years
    ]
    return [
        "",
        "Dossiers of MyUnisoft over two exercices: each night what the host holds open is compared "
        "with the dossier's own balances; in the end each payment the collector received stands "
        "once, lettered or awaiting its accountant, or is asked about.",
        "",
        "| Seed | Lettering | Entries | Nights | Unequal nights | Lettered | Drafts "
        "| To letter after closing | With a person | Doubled, lost or loose |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]


def _fuzzed(figures: Figures | None) -> list[str]:
    """Write what mutated documents did to the readers."""
    if figures is None:
        return []
    return [
        "",
        f"{figures['cases']} mutated invoices and ledgers (`encaisse fuzz --seed "
        f"{figures['seed']}`): {figures['crashes']} crashes, {figures['hangs']} hangs, "
        f"{figures['unequal']} read otherwise than the same document written otherwise.",
    ]


def _wrong(outcome: Outcome) -> list[str]:
    if not outcome.faults:
        return []
    return ["", "What does not hold:", "", *(f"- {fault}" for fault in outcome.faults)]


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
