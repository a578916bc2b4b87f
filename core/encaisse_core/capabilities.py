"""Write down what each installed connector can do, from what it declares. Pure.

Declarations are proven elsewhere: roles and guarantees by the exam (`ConnectorContract`), the
dialect by the kit (`NormaliserKit`), each in the tests of its connector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from encaisse_api import UNCALLED, Connector, Manifest, Quota, roles_of
from encaisse_api.dialect import DIFFERENCES, Dialect, family

READ, REFUSED, UNDECLARED = "read", "refused", "undeclared"
INTRO = """# Capabilities

Written by `encaisse capabilities --write docs/capabilities.md` (`make capabilities`) from what the
installed connectors declare; a test fails when it is stale. Roles, streams and guarantees are
examined by `ConnectorContract`, differences by `NormaliserKit`, in the tests of each connector. A
contract is *documented* where pages of the vendor describe it, *assumed* where nobody outside can
know: the connector's README says what rests on what.
"""


@dataclass(frozen=True, slots=True)
class Capable:
    """Hold what one connector declares; `differences` gives each its result and its reason."""

    manifest: Manifest
    roles: tuple[str, ...]
    differences: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, connector: type) -> Capable:
        """Read a connector's class; one without a `dialect` leaves each difference undeclared."""
        dialect = getattr(connector, "dialect", None)
        return cls(
            cast("type[Connector]", connector).manifest,
            roles_of(connector),
            {one: _result(dialect, one) for one in DIFFERENCES},
        )

    def as_json(self) -> dict[str, Any]:
        """Give the same as JSON values."""
        return {
            "slug": self.manifest.slug,
            "name": self.manifest.name,
            "contract": self.manifest.contract,
            "environments": [e for e in ("test", "live") if self.manifest.hosts(e)],
            "roles": [{"role": one, "called": one not in UNCALLED} for one in self.roles],
            "streams": {name: stream.mode for name, stream in self.manifest.streams.items()},
            "writes": {name: write.guarantee for name, write in self.manifest.writes.items()},
            "quotas": [quota(one) for one in self.manifest.quotas],
            "differences": {
                one: {"result": result, "reason": why}
                for one, (result, why) in self.differences.items()
            },
        }


def capable(connectors: Mapping[str, type]) -> list[Capable]:
    """Read all connectors, in the order of their names."""
    return [Capable.of(connector) for _, connector in sorted(connectors.items())]


def quota(declared: Quota) -> str:
    """Say a quota: how many calls, in what time, for whom."""
    spans = {timedelta(days=1): "day", timedelta(hours=1): "hour", timedelta(minutes=1): "minute"}
    seconds = f"{declared.period.total_seconds():g} s"
    route = f" {declared.route}" if declared.route else ""
    day = " in Paris" if declared.calendar_day else ""
    span = spans.get(declared.period, seconds)
    return f"{declared.limit} per {span}{day}, each {declared.scope}{route}"


def page(found: Sequence[Capable]) -> str:
    """Write the page: what each connector does, then how it takes each difference, then why not."""
    slugs = [f"`{one.manifest.slug}`" for one in found]
    does = _table(
        ("connector", "contract", "roles", "streams", "writes", "quotas"),
        [
            (
                f"`{one.manifest.slug}`",
                one.manifest.contract,
                ", ".join(f"{role}{'*' if role in UNCALLED else ''}" for role in one.roles),
                _each(f"{name}: {stream.mode}" for name, stream in one.manifest.streams.items()),
                _each(f"{name}: {write.guarantee}" for name, write in one.manifest.writes.items()),
                _each(quota(limit) for limit in one.manifest.quotas),
            )
            for one in found
        ],
    )
    notes: dict[str, int] = {}
    rows = [
        (f"`{one}`", said, *(_mark(each, one, notes) for each in found))
        for one, said in DIFFERENCES.items()
    ]
    differences = _table(("difference", "how it looks", *slugs), rows)
    reasons = "\n".join(f"{number}. {why}" for why, number in notes.items())
    return (
        f"{INTRO}\n## What each connector does\n\n{does}\n\\* examined, and called by no phase of "
        "the host yet. `key`: the partner drops a second write under one key; `lookup`: it is "
        "looked up before and after; `none`: sent once at most.\n\n## How each takes the "
        "differences between tools\n\n**read**: told as it is. refused: the row is set aside with "
        "the reason, never guessed. A number: it cannot arise there, for the reason below.\n\n"
        f"{differences}\n## Why some cannot arise\n\n{reasons}\n"
    )


def _result(dialect: object, difference: str) -> tuple[str, str]:
    if not isinstance(dialect, Dialect):
        return UNDECLARED, "the connector declares no dialect"
    if difference in dialect.reads:
        return READ, ""
    if difference in dialect.refuses:
        return REFUSED, ""
    return "not applicable", dialect.reason(difference) or ""


def _mark(one: Capable, difference: str, notes: dict[str, int]) -> str:
    result, why = one.differences[difference]
    if not why:
        return f"**{READ}**" if result == READ else result
    told = f"`{one.manifest.slug}`, {family(difference)}: {why}."
    return str(notes.setdefault(told, len(notes) + 1))


def _each(parts: Iterable[str]) -> str:
    return "; ".join(parts) or "none"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    escaped = ([cell.replace("|", r"\|") for cell in row] for row in lines)
    return "".join(f"| {' | '.join(row)} |\n" for row in escaped)
