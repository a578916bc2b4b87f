"""Prove the promise "exactly once": strikes, explorations, real processes, a spoilt wire.

Each layer is also given a bug it claims to find, and must find it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from encaisse_core import chaos
from encaisse_lab import (
    explorations,
    faults,
    faults_places,
    faults_processes,
    faults_report,
    faults_wire,
)
from encaisse_lab.broken_on_purpose import Flaw, planted
from encaisse_lab.explorations import Line
from encaisse_lab.faults_processes import Processes
from encaisse_lab.faults_report import Report, Wanted
from encaisse_lab.faults_wire import Lived

SEEDS = 20
KILLS, FREEZES, PAIRS = 100, 6, 3
"""On each database: 200 kills and 12 freezes in all."""

FIRST_STRUCK: tuple[Wanted, ...] = (
    Wanted(1, "proposals.approve.after_commit", "crash"),
    Wanted(1, "open_procedure.send.after_reply", "crash"),
    Wanted(1, "reverse_payment.send.after_reply", "crash"),
    Wanted(1, "record_payment.done.after_commit", "rival"),
    Wanted(1, "collector.payments.before_commit", "crash", "night 2"),
    Wanted(1, "statements.issue.after_commit", "crash"),
)
"""Cases of the bounded part."""

FOUND_BY_STRIKES: Mapping[Flaw, Wanted] = {
    "lookup": Wanted(1, "reverse_payment.send.after_reply", "crash"),
    "fence": Wanted(1, "reverse_payment.prepare.before_send", "zombie"),
    "cursor": Wanted(1, "collector.payments.before_commit", "crash", "night 2"),
}
"""Planted bugs a strike finds, and which."""


@dataclass
class Proven:
    """Hold what was run, and say what does not hold; what was not run is in no list."""

    strikes: dict[str, Report] = field(default_factory=dict[str, Report])
    found: dict[Flaw, bool] = field(default_factory=dict[Flaw, bool])
    explored: list[Line] = field(default_factory=list[Line])
    processes: list[Processes] = field(default_factory=list[Processes])
    wires: list[Lived] = field(default_factory=list[Lived])

    @property
    def wrong(self) -> list[str]:
        """Say in French what does not hold."""
        said = [
            f"frappes sur {name} : {sum(not each.sound for each in report.outcomes)} cas en défaut"
            for name, report in self.strikes.items()
            if not faults_report.sound(report)
        ]
        said += [
            f"défaut « {flaw} » introduit, aucune frappe ne le trouve"
            for flaw, seen in self.found.items()
            if not seen
        ]
        said += [f"exploration {line.what}" for line in self.explored if not line.holds]
        said += [f"processus sur {each.database}" for each in self.processes if not each.sound]
        said += [f"fil, graine {each.seed}" for each in self.wires if not each.sound]
        if not (self.strikes and self.explored):
            said.append("pannes : rien n'a été joué")
        return said


def prove(*, short: bool, tell: Callable[[str], None]) -> Proven:
    """Run every layer; `short` takes a part of each that fits in a minute of two idle cores."""
    proven = Proven()
    proven.explored = explorations.lines(short=short, tell=tell)
    if short:
        proven.strikes["sqlite"] = faults.run(FIRST_STRUCK, tell=tell)
        proven.found["cursor"] = _found("cursor")
        return proven
    for flaw in FOUND_BY_STRIKES:
        proven.found[flaw] = _found(flaw)
    asked = faults.wanted(1, SEEDS * len(chaos.POINTS))
    for name in ("sqlite", "postgresql"):
        server = faults_places.embedded_server() if name == "postgresql" else nullcontext(None)
        with server as database:
            proven.strikes[name] = faults.run(asked, database=database, processes=2, tell=tell)
            done = faults_processes.run(
                1, kills=KILLS, freezes=FREEZES, pairs=PAIRS, database=database
            )
            proven.processes.append(done)
            tell(f"Processus sur {name} : {'tient' if done.sound else 'NE TIENT PAS'}")
    for seed in range(len(faults_wire.WIRE_FAULTS)):
        proven.wires.append(faults_wire.live(seed))
        tell(f"Fil, graine {seed}")
    return proven


def _found(flaw: Flaw) -> bool:
    """Tell whether a strike finds a planted bug: by what stands twice or is missing."""
    with planted(flaw):
        report = faults.run([FOUND_BY_STRIKES[flaw]])
    return not report.broken and any(
        each.struck and (each.findings.duplicates or each.findings.missing) and not each.hole
        for each in report.outcomes
    )


def section(proven: Proven) -> list[str]:
    """Write the section of the page of proofs, in English as the page is."""
    rows = [
        f"| {name} | {told['cases']} | {told['chaos_points']} | {told['duplicates']} "
        f"| {told['missing']} | {told['holes']} | {told['ledger_imbalance']} "
        f"| {'yes' if told['journal_ok'] else 'NO'} |"
        for name, report in proven.strikes.items()
        for told in [faults_report.as_json(report, seed=1, database=None, percent=0)]
    ]
    explored = [
        f"| {line.what} | {line.found.states} | {line.found.histories} "
        f"| {'all' if line.found.complete else 'the first ones'} "
        f"| {len(line.found.violations) - line.found.holes} | {line.found.holes} "
        f"| {'yes' if line.holds else 'NO'} |"
        for line in proven.explored
    ]
    killed = [
        f"| {each.database} | {each.kills} ({each.killed_midway} at work) | {each.freezes} "
        f"| {each.pairs} | {each.paid} | {len(each.duplicates)} | {len(each.missing)} |"
        for each in proven.processes
    ]
    return [
        "",
        "## Exactly once",
        "",
        "Strikes (`encaisse faults`): the process dies, sleeps past its leases or meets another at "
        "a commit or a call, is started again and lives to quiet. The partners' ledgers judge.",
        "",
        "| Database | Cases | Points | Doubled | Missing | Named doubles of the known hole "
        "| Unbalanced | Journal |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        *(
            f"- planted `{flaw}`: {'found' if seen else 'NOT FOUND'} by a strike"
            for flaw, seen in proven.found.items()
        ),
        "",
        "Explorations: every order of the steps of two workers, on the host's own code.",
        "",
        "| World | States | Histories | Followed | Violations | Known hole | Holds |",
        "|---|---|---|---|---|---|---|",
        *explored,
        *_table(
            "| Database | Killed | Frozen | Side by side | Payments | Doubled | Missing |", killed
        ),
        *(
            [
                "",
                f"A spoilt wire (TCP), {len(proven.wires)} months: "
                f"{sum(sum(each.struck.values()) for each in proven.wires)} faults, "
                f"{sum(not each.sound for each in proven.wires)} months wrong.",
            ]
            if proven.wires
            else []
        ),
    ]


def _table(head: str, rows: Sequence[str]) -> list[str]:
    if not rows:
        return []
    return [
        "",
        "Real processes, over real HTTP:",
        "",
        head,
        "|---" * (head.count("|") - 1) + "|",
        *rows,
    ]
