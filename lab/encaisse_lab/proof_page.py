"""Write the page of proofs from its pieces, in English as the other docs are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from encaisse_core import chaos
from encaisse_lab.broken_on_purpose import FIGURES
from encaisse_lab.faults_proof import DATABASES, Killed, Looked, Struck
from encaisse_lab.fuzz.run import Figures
from encaisse_lab.large import told as large
from encaisse_lab.proof import Plan, faults, unmade
from encaisse_lab.proof_demo import NIGHTS, DemoFigures
from encaisse_lab.proof_kept import PARTS, Part, Piece, commits_of
from encaisse_lab.summary import zeros
from encaisse_lab.year_told import YearFigures


def page(plan: Plan, pieces: Sequence[Piece], on: date) -> str:
    """Write the page; what was not run is said, and nothing then holds as a whole."""
    wrong = faults(plan, pieces)
    command = f"encaisse proof{' --slice' if plan.short else ''}"
    return "\n".join(
        [
            "# Proofs",
            "",
            f"Written by `{command}` on {on.isoformat()}. "
            f"Verdict: {'NOT everything holds' if wrong else 'everything holds'}.",
            *_made(pieces),
            *(line for piece in _of(pieces, "demo") for line in _demo(piece["figures"])),
            *(line for piece in _of(pieces, "year") for line in _years(piece["figures"])),
            *(line for piece in _of(pieces, "large") for line in large.section(piece["figures"])),
            *(line for piece in _of(pieces, "fuzz") for line in _fuzzed(piece["figures"])),
            *_once(plan, pieces),
            *(["", "What does not hold:", "", *(f"- {each}" for each in wrong)] if wrong else []),
            "",
        ]
    )


def _of(pieces: Sequence[Piece], part: Part) -> list[Piece]:
    return [piece for piece in pieces if piece["part"] == part]


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    if not rows:
        return []
    lines = [columns, ["---"] * len(columns), *rows]
    return ["", *("| " + " | ".join(map(str, line)) + " |" for line in lines)]


def _yes(held: bool) -> str:
    return "yes" if held else "NO"


def _made(pieces: Sequence[Piece]) -> list[str]:
    """Say of which commit each part is, when it was run, and how to run it again."""
    rows = [
        (
            part,
            len(made),
            ", ".join(f"`{each}`" for each in commits_of(made)),
            " to ".join(sorted({min(p["on"] for p in made), max(p["on"] for p in made)})),
            f"`{made[0]['repeat']}`",
        )
        for part in PARTS
        if (made := _of(pieces, part))
    ]
    told = ["", "The parts are of different commits."] if len(commits_of(pieces)) > 1 else []
    return told + _table(("Part", "Pieces", "Commit", "Run on", "Again"), rows)


def _demo(figures: DemoFigures) -> list[str]:
    total: Counter[str] = Counter()
    for each in figures["summaries"]:
        total.update(zeros(each))
    rows = [
        (
            f["seed"],
            f["collectible"],
            f["procedures_opened"],
            f["settlements"],
            " ".join(f"{tool} {count}" for tool, count in f["written_back"].items()),
            "no bridge" if f["copied"] is None else f["copied"],
            f["stopped_by_direct_payment"],
            " ".join(f"{name} {count}" for name, count in f["faults"].items()),
            sum(zeros(f).values()),
            _yes(f["journal_ok"] and f["ledger_balanced"]),
        )
        for f in figures["summaries"]
    ]
    columns = (
        *("Seed", "Collectible", "Procedures", "Payments collected", "Written back"),
        *("Copied over", "Closed by direct payment", "Faults", "Sum of the zeros"),
        "Journal and ledger",
    )
    planted = [
        f"- `--break {name}`: `{figure}` "
        + (
            f"turned bad, exit {figures['exits'][name]}"
            if figures["found"].get(name)
            else "NOT FOUND"
        )
        for name, figure in FIGURES.items()
    ]
    return [
        "",
        "## The demo",
        "",
        f"Each seed is run twice over {NIGHTS} nights, over real HTTP on the loopback, with "
        "lost replies, server errors, refusals for speed and malformed answers; both runs give "
        "the same figures. The zeros are counted in the partners' own ledgers, by business "
        "effect, against what the people of the demo did. Under an even seed Factomos sends "
        "its entries to MyUnisoft over a bridge: what is written comes back, and counts once.",
        *_table(columns, rows),
        "",
        "Zeros over all seeds: " + ", ".join(f"`{n}` {c}" for n, c in total.items()) + ".",
        "",
        "Bugs planted on purpose, each of which must be found:",
        "",
        *planted,
    ]


def _years(years: Sequence[YearFigures]) -> list[str]:
    """Write the table of the years lived."""
    rows = [
        (
            *(y["seed"], y["lettering"], y["mode"], y["nights"], y["nights_unequal"]),
            *(y["lettered"], y["drafts"], y["to_letter"], y["with_a_person"]),
            y["doubled"] + y["lost"] + y["loose"],
        )
        for y in years
    ]
    columns = (
        *("Seed", "Lettering", "Entries", "Nights", "Unequal nights", "Lettered", "Drafts"),
        *("To letter after closing", "With a person", "Doubled, lost or loose"),
    )
    return [
        "",
        "## Years of two dossiers",
        "",
        "Dossiers of MyUnisoft over two exercices: each night what the host holds open is compared "
        "with the dossier's own balances; in the end each payment the collector received stands "
        "once, lettered or awaiting its accountant, or is asked about.",
        *_table(columns, rows),
    ]


def _fuzzed(figures: Figures) -> list[str]:
    """Write what mutated documents did to the readers."""
    return [
        "",
        "## Spoilt documents",
        "",
        f"{figures['cases']} mutated invoices and ledgers (`encaisse fuzz --seed "
        f"{figures['seed']}`): {figures['crashes']} crashes, {figures['hangs']} hangs, "
        f"{figures['unequal']} read otherwise than the same document written otherwise.",
    ]


def _once(plan: Plan, pieces: Sequence[Piece]) -> list[str]:
    looked = [cast("Looked", piece["figures"]) for piece in _of(pieces, "explore")]
    struck = [cast("Struck", piece["figures"]) for piece in _of(pieces, "strikes")]
    killed = [cast("Killed", piece["figures"]) for piece in _of(pieces, "processes")]
    if not (looked or struck or killed):
        return []
    return [
        "",
        "## Exactly once",
        *_strikes(struck),
        *(line for each in looked for line in _looked(each)),
        *_processes(killed),
        *(["", f"Not run: {', '.join(left)}."] if (left := unmade(plan, pieces)) else []),
    ]


def _strikes(struck: Sequence[Struck]) -> list[str]:
    if not struck:
        return []
    rows: list[tuple[Any, ...]] = []
    for name in DATABASES:
        of = [each for each in struck if each["database"] == name]
        if of:
            points = {point for each in of for point in each["points"]}
            failing, cases = sum(bool(each["percent"]) for each in of), sum(e["cases"] for e in of)
            rows.append(
                (
                    name,
                    f"{len(points)} of {len(chaos.POINTS)}",
                    f"{len(of)} ({failing} with failing partners)",
                    cases,
                    sum(each["struck"] for each in of),
                    sum(each["duplicates"] for each in of),
                    sum(each["missing"] for each in of),
                    sum(each["holes"] for each in of),
                    sum(each["unbalanced"] for each in of),
                    _yes(all(each["journal_ok"] for each in of)),
                    f"{sum(each['cpu'] for each in of) / max(1, cases):.2f} s",
                )
            )
    columns = (
        *("Database", "Points", "Seeds", "Cases", "Struck", "Duplicates", "Missing"),
        *("Named doubles of the known hole", "Imbalance", "Journal", "CPU per case"),
    )
    return [
        "",
        "Strikes (`encaisse faults`): the process dies, sleeps past its leases or meets another at "
        "a commit or a call, is started again and lives to quiet. The partners' ledgers judge. In "
        "some seeds partners fail as well (`--faults`).",
        *_table(columns, rows),
        "",
        "The known hole: between the fence and the send nothing but the partner can tell two "
        "senders apart. A sleeper may then write twice at a partner that keeps no key; each such "
        "double is named to a person by the second look or by the next reconciliation.",
    ]


def _looked(told: Looked) -> list[str]:
    explored = [
        (
            *(line["what"], line["states"], line["histories"]),
            "all" if line["complete"] else "the first ones",
            *(line["real"], line["holes"], _yes(line["holds"])),
        )
        for line in told["explored"]
    ]
    wires = told["wires"]
    return [
        "",
        *(
            f"- planted `{flaw}`: {'found' if seen else 'NOT FOUND'} by a strike"
            for flaw, seen in told["found"].items()
        ),
        "",
        "Explorations: every order of the steps of two workers, on the host's own code.",
        *_table(
            ("World", "States", "Histories", "Followed", "Violations", "Known hole", "Holds"),
            explored,
        ),
        *(
            [
                "",
                f"A spoilt wire (TCP), {len(wires)} months: "
                f"{sum(each['faults'] for each in wires)} faults, "
                f"{sum(not each['sound'] for each in wires)} months wrong.",
            ]
            if wires
            else []
        ),
    ]


def _processes(killed: Sequence[Killed]) -> list[str]:
    if not killed:
        return []
    columns = (
        *("What", "Database", "Killed", "Frozen", "Side by side", "Payments", "Duplicates"),
        *("Missing", "Imbalance", "Journal", "Seconds"),
    )
    rows = [
        (
            *(each["what"], each["database"]),
            f"{each['kills']} ({each['killed_midway']} at work)",
            *(each["freezes"], each["pairs"], each["paid"], each["duplicates"]),
            *(each["missing"], each["unbalanced"], _yes(each["journal_ok"]), each["seconds"]),
        )
        for each in killed
    ]
    return ["", "Real processes, over real HTTP:", *_table(columns, rows)]
