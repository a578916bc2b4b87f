"""Lay a run out: a table in French for the terminal, JSON, and the page of the docs."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from encaisse_lab.bench.goals import SETS, Measured, unread, verdicts
from encaisse_lab.bench.judging import due, figure, machine, word
from encaisse_lab.bench.peers import BARE, OURS
from encaisse_lab.bench.timing import Pair, Times

COMMAND = "make bench-einvoicing"


def as_json(found: Measured, what: str, rounds: int) -> dict[str, Any]:
    """Lay everything out as plain values."""
    return {
        "machine": machine(),
        "python": platform.python_version(),
        "set": what,
        "rounds": rounds,
        "libraries": [
            {
                "name": each.peer.name,
                "version": each.peer.version,
                "sets": {which: _numbers(found, each, which) for which in SETS},
            }
            for each in found.times
        ],
        "xsd": found.xsd if isinstance(found.xsd, str) else asdict(found.xsd),
        "memory": None if found.held is None else asdict(found.held),
        "unread_by_ours_alone": unread(found),
        "goals": [
            {
                "key": each.goal.key,
                "due": each.goal.due,
                "at_most": each.goal.at_most,
                "value": each.value,
                "met": None if each.value is None else each.met,
                "not_measured": each.why_not if each.value is None else None,
            }
            for each in verdicts(found)
        ],
    }


def _numbers(found: Measured, each: Times, which: str) -> dict[str, Any]:
    compared = found.pair(each.peer.name, which)
    return {
        "given": sum(each.given.get(syntax, 0) for syntax in SETS[which]),
        "read": sum(name in each.seconds for name in found.names(which)),
        "common": 0 if compared is None else compared.files,
        "per_second": None if compared is None else compared.files / compared.other,
        "ours_per_second": None if compared is None else compared.files / compared.ours,
        "ours_times": None if compared is None else compared.ratio,
        "values": None if compared is None else compared.other_values,
        "our_values": None if compared is None else compared.our_values,
        "fields": None if compared is None else compared.other_fields,
        "our_fields": None if compared is None else compared.our_fields,
    }


def spoken(found: Measured, what: str) -> Iterator[str]:
    """Say it in French, a line for each library and set, then the goals."""
    yield f"{machine()}, Python {platform.python_version()} ; fichiers : {_french(what)}"
    yield (
        f"{'':14}{'':5}{'lus/donnés':>12}{'communs':>9}{'inv/s':>8}{'nous':>8}{'rapport':>9}"
        f"{'valeurs':>9}{'nous':>8}{'champs':>8}{'nous':>6}"
    )
    for each in found.times:
        for which in SETS:
            if line := _row(found, each, which):
                yield line
    yield _xsd_french(found)
    held = found.held
    if held is not None:
        yield (
            f"Mémoire sur {held.files} fichiers : {held.start:.0f} Mio au départ, "
            f"{held.warm:.0f} après un dixième, {held.end:.0f} à la fin, {held.peak:.0f} au plus."
        )
    for name in unread(found):
        yield f"Lu par un pair et pas par nous : {name}"
    for verdict in verdicts(found):
        goal = verdict.goal
        yield f"{word(verdict, 'ATTEINT', 'NON ATTEINT', 'NON MESURÉ'):12} {goal.french} : " + (
            f"{figure(goal, verdict.value)} (but : {due(goal, 'au plus', 'au moins')})"
            if verdict.value is not None
            else "la ligne est laissée de côté, "
            + ("la validation n'est pas encore là" if goal.key == "xsd" else "aucun fichier commun")
        )


def _row(found: Measured, each: Times, which: str) -> str:
    compared = found.pair(each.peer.name, which)
    if compared is None:
        return ""
    read = sum(name in each.seconds for name in found.names(which))
    given = sum(each.given.get(syntax, 0) for syntax in SETS[which])
    values, fields = compared.other_values or "-", compared.other_fields or "-"
    return (
        f"{each.peer.name:14}{which:5}{f'{read}/{given}':>12}{compared.files:>9}"
        f"{compared.files / compared.other:>8.0f}{compared.files / compared.ours:>8.0f}"
        f"{compared.ratio:>8.2f}x{values:>9}{compared.our_values:>8}{fields:>8}"
        f"{compared.our_fields:>6}"
    )


def _xsd_french(found: Measured) -> str:
    if isinstance(found.xsd, str):
        return "Contrôle XSD : non mesuré, la validation n'est pas encore là."
    return (
        f"Contrôle XSD de {found.xsd.files} fichiers valides : "
        f"{found.xsd.ours / found.xsd.files * 1000:.3f} ms l'un, lxml seul "
        f"{found.xsd.bare / found.xsd.files * 1000:.3f} ms."
    )


def _french(what: str) -> str:
    return "corpus public" if "corpus of" in what else "factures inventées par le laboratoire"


def page(found: Measured, what: str, rounds: int, day: date) -> str:
    """Write the page of the docs, in English."""
    return "\n".join([*_head(found, what, rounds, day), *_goals(found), *_tables(found), ""])


def _head(found: Measured, what: str, rounds: int, day: date) -> Iterator[str]:
    versions = ", ".join(f"{each.peer.name} {each.peer.version}" for each in found.times)
    yield "# Benchmarks"
    yield ""
    yield (
        f"Written by `{COMMAND}` on {day.isoformat()}: {machine()}, Python "
        f"{platform.python_version()}. Files: {what}."
    )
    yield ""
    yield (
        f"Libraries, all in one virtual environment (`requirements-bench.txt`): {versions}. "
        "factur-x reads without its XSD check, drafthorse without its strict mode. Times are CPU "
        f"time of one process; each file's is the quickest of {rounds} rounds, and the rounds of "
        "the libraries alternate. A ratio counts only the files both libraries read, and a busy "
        "machine moves speeds much more than ratios."
    )
    yield ""
    yield (
        f"`{COMMAND}` measures again and writes this page; `.venv-bench/bin/python -m "
        "encaisse_lab.bench --check` (with `PYTHONPATH=lab`) exits with 1 where a goal is not met, "
        "`--json` prints every figure."
    )
    yield ""


def _goals(found: Measured) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield "| Goal | Due | Measured | |"
    yield "|---|---|---|---|"
    for each in verdicts(found):
        goal = each.goal
        told = each.why_not if each.value is None else figure(goal, each.value)
        stands = word(each, "met", "**not met**", "**not measured**")
        yield f"| {goal.english} | {due(goal, 'at most', 'at least')} | {told} | {stands} |"
    lost = unread(found)
    yield ""
    if lost:
        yield f"Read by a peer and not by ours: {', '.join(f'`{name}`' for name in lost)}."
    else:
        yield "No file that a peer reads is refused by ours."
    yield ""


def _tables(found: Measured) -> Iterator[str]:
    yield "## Beside each library"
    yield ""
    yield (
        "Invoices per second of each library and of ours on the files both read; values are the "
        "single values its own result holds over these files, fields the distinct fields they are "
        "in."
    )
    yield ""
    yield (
        "| Library | Files | Read | Of | Both read | Its inv/s | Ours | Ratio | Values | Ours "
        "| Fields | Ours |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for each in found.times:
        for which in SETS:
            compared = found.pair(each.peer.name, which)
            if compared is not None:
                yield _table_row(found, each, which, compared)
    yield ""
    yield "## Schemas and memory"
    yield ""
    if isinstance(found.xsd, str):
        yield f"The check against the schemas was not measured: {found.xsd}."
    else:
        yield (
            f"Our check of {found.xsd.files} valid documents against their compiled schemas takes "
            f"{found.xsd.ours / found.xsd.files * 1000:.3f} ms each, lxml's own validate "
            f"{found.xsd.bare / found.xsd.files * 1000:.3f} ms."
        )
    held = found.held
    if held is not None:
        yield ""
        yield (
            f"A fresh process that reads {held.files:,} files (XML and PDF) holds "
            f"{held.start:.0f} MiB before the first, {held.warm:.0f} MiB after a tenth of them, "
            f"{held.end:.0f} MiB after the last and never more than {held.peak:.0f} MiB."
        )


def _table_row(found: Measured, each: Times, which: str, compared: Pair) -> str:
    read = sum(name in each.seconds for name in found.names(which))
    given = sum(each.given.get(syntax, 0) for syntax in SETS[which])
    name = "ours" if each.peer.name == OURS else each.peer.name
    bare = each.peer.name == BARE
    values = "" if bare else f"{compared.other_values:,}"
    fields = "" if bare else f"{compared.other_fields}"
    return (
        f"| {name} | {which} | {read} | {given} | {compared.files} "
        f"| {compared.files / compared.other:,.0f} | {compared.files / compared.ours:,.0f} "
        f"| {compared.ratio:.2f} | {values} | {compared.our_values:,} "
        f"| {fields} | {compared.our_fields} |"
    )
