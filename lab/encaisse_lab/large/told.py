"""Bring a large year down to figures, live it twice, and say it: in French, and for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Literal, TypedDict

from encaisse_lab import semantic, tally
from encaisse_lab.large import outage_steps, outages
from encaisse_lab.large.bills import TOOLS
from encaisse_lab.large.outages import OutageFigures
from encaisse_lab.large.run import Large, once_more_in_process, once_more_over_http, run
from encaisse_lab.large.verdict import judge

Way = Literal["process", "http"]
"""How one more night, after the last one, speaks to the partners."""

Job = tuple[int, int, int, Way | None]

PROCESSES = 2
COUNTED = ("procedure", "settlement", "payment", "payout", "voucher_line", "commission_line")
"""Tables whose rows a year's result counts."""

MOST = 3
"""Faults of one kind that are spelled out."""

Tell = Callable[[str], None]


class LargeFigures(TypedDict):
    """Be the JSON of `encaisse year --invoices`; the same seed gives the same bytes."""

    seed: int
    invoices: int
    nights: int
    connections: int
    stock: int
    issued: int
    deeds: dict[str, int]
    changes_a_night: float
    calls: int
    calls_struck: float
    struck: dict[str, int]
    unread: dict[str, int]
    procedures: int
    written_back: int
    happened: dict[str, int]
    """How many rows of each kind there are, and what was acknowledged elsewhere, by its kind."""
    answered: dict[str, int]
    wrong: dict[str, int]
    faults: list[str]
    questions: dict[str, int]
    export: str
    export_after: str | None


class Proved(TypedDict):
    """Hold both lives of each seed, and the outages."""

    years: list[LargeFigures]
    unequal: list[str]
    outages: OutageFigures | None


def figures(year: Large) -> LargeFigures:
    """Count and judge a finished year; its digest is that of the semantic export."""
    deeds = dict(sorted(year.people.done.items()))
    issued = deeds.pop("new", 0)
    put_off = sum(count for name, count in deeds.items() if ":" in name)
    struck = year.world.faults.counts
    verdict = judge(year)
    wrong = verdict.wrong()
    tools = year.tools
    unread: dict[str, int] = {}
    for night in year.nights:
        for connection in night.failures:
            unread[str(tools[connection])] = unread.get(str(tools[connection]), 0) + 1
    return LargeFigures(
        seed=year.seed,
        invoices=year.invoices,
        nights=len(year.nights),
        connections=len(TOOLS) + 1,
        stock=year.stock[-1],
        issued=issued,
        deeds=deeds,
        changes_a_night=round((issued + sum(deeds.values()) - put_off) / len(year.nights), 1),
        calls=year.world.calls,
        calls_struck=round(sum(struck.values()) / max(1, year.world.calls), 3),
        struck=dict(sorted(struck.items())),
        unread=dict(sorted(unread.items())),
        procedures=tally.rows(year.app, year.company_id, "procedure"),
        written_back=sum(tally.written_back(year.app, year.company_id).values()),
        happened=_happened(year),
        answered=dict(sorted(year.answered.items())),
        wrong={name: len(found) for name, found in wrong.items()},
        faults=[f"{name} : {each}" for name, found in wrong.items() for each in found[:MOST]],
        questions=tally.questions(year.app, year.company_id),
        export=semantic.digest(semantic.export(year.app, year.company_id)),
        export_after=None,
    )


def _happened(year: Large) -> dict[str, int]:
    counts = {name: tally.rows(year.app, year.company_id, name) for name in COUNTED}
    return counts | tally.carried_out(year.app, year.company_id)


def live(job: Job, tell: Tell = lambda _: None) -> LargeFigures:
    """Live one year, and one more night where it is asked for."""
    seed, invoices, nights, way = job
    with run(seed, invoices, nights, tell) as year:
        told = figures(year)
        if way is not None:
            (once_more_over_http if way == "http" else once_more_in_process)(year)
            told["export_after"] = semantic.digest(semantic.export(year.app, year.company_id))
        return told


def twice(seed: int, invoices: int, nights: int, tell: Tell) -> list[LargeFigures]:
    """Live a year twice, in two processes; the second speaks HTTP in one more night."""
    jobs: list[Job] = [(seed, invoices, nights, way) for way in ("process", "http")]
    found: list[LargeFigures] = []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for told in pool.map(live, jobs):
            found.append(told)
            tell(sentence(told))
    return found


def unequal(both: Sequence[LargeFigures]) -> list[str]:
    """Say where two lives of one seed differ."""
    first, second = both
    said: list[str] = []
    if first["export"] != second["export"]:
        said.append(f"graine {first['seed']} : deux passages, deux exports")
    if first["export_after"] != second["export_after"]:
        said.append(f"graine {first['seed']} : une nuit de plus diffère par HTTP")
    return said


def sound(told: LargeFigures) -> bool:
    """Tell whether nothing is wrong."""
    return not any(told["wrong"].values())


def sentence(told: LargeFigures) -> str:
    """Say one year in a sentence, in French."""
    wrong = ", ".join(f"{name} {count}" for name, count in told["wrong"].items() if count)
    return (
        f"{told['nights']} nuits, {told['issued']} factures émises dans {told['connections']} "
        f"connexions, {told['stock']} ouvertes à la fin, {told['changes_a_night']} changements par "
        f"nuit, {told['calls']} appels dont {told['calls_struck']:.1%} en panne ; "
        f"{told['procedures']} procédures, {told['written_back']} écritures ; "
        f"{f'NE TIENT PAS ({wrong})' if wrong else 'tout tient'} ; export {told['export'][:12]}."
    )


def prove(*, short: bool, tell: Tell) -> Proved:
    """Live a year twice and play the table of outages; a slice of both where time is short."""
    invoices, nights, every = (1_000, 30, 61) if short else (10_000, 365, 1)
    both = twice(1, invoices, nights, tell)
    cases = outage_steps.slice_of(1, every)
    out = outages.play(cases, tell)
    return Proved(years=both, unequal=unequal(both), outages=out)


def wrong(proved: Proved) -> list[str]:
    """Say what does not hold."""
    said = [*proved["unequal"]]
    said += [f"grande année, {fault}" for year in proved["years"] for fault in year["faults"]]
    out = proved["outages"]
    if out is None or not outages.sound(out):
        said += ["pannes : " + "; ".join(out["faults"] if out else ["non jouées"])]
    return said


def section(proved: Proved) -> list[str]:
    """Write the part of the page of proofs, in English as the other docs are."""
    rows = [
        f"| {y['seed']} | {y['nights']} | {y['issued']} | {y['stock']} | {y['changes_a_night']} "
        f"| {y['calls']} | {y['calls_struck']:.1%} | {y['procedures']} | {y['written_back']} "
        f"| {sum(y['wrong'].values())} | {y['export'][:12]} | {(y['export_after'] or '')[:12]} |"
        for y in proved["years"]
    ]
    out = proved["outages"]
    lines = [
        "",
        "A year of one company in six connections, lived twice from one seed, one call in five "
        "failing: what stands at the partners is compared with what people did, by business "
        "effect. The second life speaks HTTP on the loopback in one more night.",
        "",
        "| Seed | Nights | Issued | Open at the end | Changes a night | Calls | Failing "
        "| Procedures | Written back | Sum of the zeros | Export | After one more night |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    if out is not None:
        lines += [
            "",
            f"A source down, frozen or truncated at each step of the night: {out['cases']} cases, "
            f"{out['met']} in which the host met it, {out['opened_on_paid']} openings on claims "
            f"paid there. Apart, answers of the day before that claim to be today's, which nobody "
            f"can tell: {out['undetectable_openings']} openings in {out['undetectable_cases']} "
            "cases.",
        ]
    return lines
