"""Say how cases ended: what counts as harm, what repeats a case, the figures of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from encaisse_core import chaos
from encaisse_core.errors import CheckFailed
from encaisse_lab.faults_case import Action, Strike
from encaisse_lab.faults_check import Findings
from encaisse_lab.faults_host import STAGES

LOOKED_UP = tuple(f"{kind}.send" for kind in chaos.IN_BOOKS)
"""Sends to partners that keep no key: a sleeper there may double, and that must be named."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ask for one case."""

    seed: int
    point: str
    action: Action | None = None
    stage: str | None = None
    """The stage to strike in; drawn where none is named."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tell how one case ended."""

    wanted: Wanted
    strike: Strike | None
    struck: bool = False
    converged: bool = False
    findings: Findings = field(default_factory=Findings)
    incidents: tuple[str, ...] = ()
    cpu: float = 0.0

    @property
    def hole(self) -> bool:
        """Tell whether this is the documented hole, and only it: a named double after a sleep.

        Between the fence and the send nothing but the partner can tell two senders apart. A rival
        waits until the lease of who stands still is over: that one has slept past it too.
        """
        strike, found = self.strike, self.findings
        return (
            strike is not None
            and strike.action in ("zombie", "rival")
            and strike.point.endswith(".before_send")
            and strike.point.removesuffix(".before_send") in LOOKED_UP
            and bool(found.duplicates)
            and all(any(number in told for number in found.named) for told in found.duplicates)
            and found.journal_ok
            and not found.unbalanced
        )

    @property
    def sound(self) -> bool:
        """Tell whether the strike came and did no harm."""
        return self.struck and not self.incidents and (self.findings.sound or self.hole)


@dataclass
class Report:
    """Hold the cases of a run, and what each baseline passed."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    passed: Counter[str] = field(default_factory=Counter[str])
    broken: list[str] = field(default_factory=list[str])


def as_json(
    report: Report, *, seed: int, database: str | None, percent: int
) -> Mapping[str, object]:
    """Give the figures as JSON shows them; each failure with the command that repeats it."""
    outcomes = report.outcomes
    by_point: dict[str, dict[str, int]] = {}
    for each in outcomes:
        told = by_point.setdefault(each.wanted.point, {"cases": 0, "struck": 0, "bad": 0})
        told["cases"] += 1
        told["struck"] += each.struck
        told["bad"] += not each.sound
    counted = [each for each in outcomes if not each.hole]
    return {
        "seed": seed,
        "database": "sqlite" if database is None else "postgresql",
        "faults": percent,
        "cases": len(outcomes),
        "chaos_points": sum(1 for told in by_point.values() if told["struck"]),
        "actions": dict(
            sorted(Counter(each.strike.action for each in outcomes if each.strike).items())
        ),
        "converged": sum(each.converged for each in outcomes),
        "duplicates": sum(len(each.findings.duplicates) for each in counted),
        "missing": sum(len(each.findings.missing) for each in counted),
        "holes": sum(each.hole for each in outcomes),
        "ledger_imbalance": sum(len(each.findings.unbalanced) for each in outcomes),
        "journal_ok": bool(outcomes) and all(each.findings.journal_ok for each in outcomes),
        "unreached": sorted(name for name, told in by_point.items() if not told["struck"]),
        "cpu_per_case": round(sum(each.cpu for each in outcomes) / max(1, len(outcomes)), 3),
        "by_point": dict(sorted(by_point.items())),
        "broken": report.broken,
        "failures": [failure(each, database, percent) for each in outcomes if not each.sound],
    }


def failure(each: Outcome, database: str | None, percent: int) -> Mapping[str, object]:
    """Say of one case what is wrong and how to see it again."""
    found, strike = each.findings, each.strike
    more = f" --database {database}" if database else ""
    more += f" --faults {percent}" if percent else ""
    if each.wanted.action:
        more += f" --action {each.wanted.action}"
    if each.wanted.stage:
        more += f" --stage '{each.wanted.stage}'"
    return {
        "repeat": f"encaisse faults --seed {each.wanted.seed} --point {each.wanted.point} "
        f"--cases 1{more}",
        "action": strike.action if strike else None,
        "stage": STAGES[strike.stage].name if strike else None,
        "nth": strike.nth if strike else None,
        "struck": each.struck,
        "duplicates": list(found.duplicates),
        "missing": list(found.missing),
        "unbalanced": list(found.unbalanced),
        "journal_ok": found.journal_ok,
        "incidents": list(each.incidents),
    }


def spoken(report: Report) -> str:
    """Say the outcome in French: the figures, then each failure with what repeats it."""
    bad = [each for each in report.outcomes if not each.sound]
    holes = sum(each.hole for each in report.outcomes)
    lines = [
        f"{len(report.outcomes)} cas, "
        f"{len({each.wanted.point for each in report.outcomes if each.struck})} points frappés, "
        f"{len(bad)} en défaut.",
    ]
    if holes:
        lines.append(f"{holes} double(s) du trou documenté, chacun signalé à une personne.")
    lines += report.broken
    for each in bad:
        told = failure(each, None, 0)
        lines.append(f"{told['repeat']} : {json.dumps(told, ensure_ascii=False)}")
    return "\n".join(lines)


def sound(report: Report) -> bool:
    """Tell whether something was run and nothing is wrong."""
    return bool(report.outcomes) and not report.broken and all(e.sound for e in report.outcomes)


def check(report: Report) -> None:
    """Raise `CheckFailed` with the first failures."""
    if sound(report):
        return
    bad = [each for each in report.outcomes if not each.sound]
    told = [*report.broken, *(f"{each.wanted.point} (graine {each.wanted.seed})" for each in bad)]
    raise CheckFailed(
        f"{len(bad)} cas de panne en défaut. {'; '.join(told[:3]) or 'Aucun cas joué.'}"
    )
