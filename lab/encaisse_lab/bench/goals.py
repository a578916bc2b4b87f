"""Hold each figure against the goal set for it; a figure that was not measured is never met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from encaisse_lab.bench.judging import Goal, Verdict
from encaisse_lab.bench.memory import Held
from encaisse_lab.bench.peers import BARE, EU_EINVOICE, FACTUR_X, FACTUREX, OURS
from encaisse_lab.bench.timing import Pair, Times, pair
from encaisse_lab.bench.xsd import Checked

SETS: Mapping[str, tuple[str, ...]] = {
    "CII": ("CII",),
    "UBL": ("UBL",),
    "XML": ("CII", "UBL"),
    "PDF": ("PDF",),
}
"""Name of a set of files -> their syntaxes."""


GOALS = (
    Goal("factur-x", 9, "XML to full model, times factur-x", "XML vers modèle, fois factur-x"),
    Goal("eu-einvoice", 4, "XML to full model, times eu-einvoice", "XML, fois eu-einvoice"),
    Goal("facturex", 0.8, "XML to full model, times facturex", "XML, fois facturex"),
    Goal("fields", 2, "distinct fields filled, times facturex", "champs remplis, fois facturex"),
    Goal(
        "bare",
        0.15,
        "share of the speed of bare lxml parsing (aim: 25 %)",
        "part de la vitesse de lxml seul (visée : 25 %)",
        percent=True,
    ),
    Goal("pdf", 5, "PDF to full model, times factur-x", "PDF vers modèle, fois factur-x"),
    Goal(
        "xsd",
        2,
        "cached XSD check, times a bare lxml validate",
        "contrôle XSD en cache, fois lxml seul",
        at_most=True,
    ),
    Goal(
        "memory",
        0.05,
        "growth of memory from a tenth of the files to all of them",
        "mémoire gagnée entre le dixième des fichiers et la fin",
        percent=True,
        at_most=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold what a run measured."""

    files: Mapping[str, str]
    """Name of each file -> its syntax."""
    times: Sequence[Times]
    held: Held | None
    xsd: Checked | str
    """The check against the schemas, or why it was not measured."""

    def of(self, name: str) -> Times:
        """Give the times of one library."""
        return next(each for each in self.times if each.peer.name == name)

    def names(self, which: str) -> list[str]:
        """List the files of a set."""
        return [name for name, syntax in self.files.items() if syntax in SETS[which]]

    def pair(self, name: str, which: str) -> Pair | None:
        """Compare ours with one library on a set."""
        return pair(self.of(OURS), self.of(name), self.names(which))


def verdicts(found: Measured) -> Iterator[Verdict]:
    """Judge every goal."""
    by_key = {goal.key: goal for goal in GOALS}
    for key, name in (
        ("factur-x", FACTUR_X),
        ("eu-einvoice", EU_EINVOICE),
        ("facturex", FACTUREX),
    ):
        yield _of(by_key[key], found.pair(name, "XML"))
    facturex = found.pair(FACTUREX, "XML")
    yield Verdict(by_key["fields"], None if facturex is None else facturex.richer, "no common file")
    yield _of(by_key["bare"], found.pair(BARE, "XML"))
    yield _of(by_key["pdf"], found.pair(FACTUR_X, "PDF"))
    if isinstance(found.xsd, str):
        yield Verdict(by_key["xsd"], None, found.xsd)
    else:
        yield Verdict(by_key["xsd"], found.xsd.times)
    held = found.held
    yield Verdict(by_key["memory"], None if held is None else held.growth, "asked for no file")


def _of(goal: Goal, pair_: Pair | None) -> Verdict:
    return Verdict(goal, None if pair_ is None else pair_.ratio, "no common file")


def unread(found: Measured) -> list[str]:
    """List the files a peer reads and ours does not: speed must not be bought by refusing."""
    ours = found.of(OURS).seconds
    others = {
        name for each in found.times if each.peer.name not in (OURS, BARE) for name in each.seconds
    }
    return sorted(name for name in others if name not in ours)
