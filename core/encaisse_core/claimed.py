"""Say what principal a collector claims by now: it is told a lower one, and never a higher one.

Where more is owed than it claims, because what it was told of went back or was its own money, only
a person can have it claim more. Once that person says so, it claims what the question said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from encaisse_core import tasks
from encaisse_core.cents import euros
from encaisse_core.host import Host
from encaisse_core.retractions import GIVEN_BACK, GONE
from encaisse_core.store import schema

CLAIMS_ENOUGH = "le partenaire réclame de nouveau ce qui est dû"

IN_DOUBT = ("sending", "uncertain", "parked")
"""States of a lowering of which nobody knows whether the collector heard it."""

Row = Mapping[str, Any]


class Claimed(NamedTuple):
    """Be the principal a collector claims of a claim, and what lowerings in doubt may have left.

    It is `at_most` more than `surely` where a person called it: what that person asked for may have
    been less than it claimed by then. `doubtful` is by what caused them.
    """

    surely: int
    at_most: int
    doubtful: Mapping[str, int]

    def lowered_by(self, principal: int, cause: str) -> bool:
        """Tell whether a principal is lower than what it may claim, its own lowering left out."""
        others = [cents for each, cents in self.doubtful.items() if each != cause]
        return principal < min((self.at_most, *others))

    @property
    def least(self) -> int:
        """Give the least it may claim."""
        return min((self.surely, *self.doubtful.values()))


def claimed(tx: Connection, row: Row, *, apart_from: str = "") -> Claimed:
    """Read what a collector claims of a claim in its procedure (`reductions.live`).

    A lowering planned before a person called is what that person called about, whenever it is found
    to have arrived. One that was just looked up and does not stand there is left out: `apart_from`
    is its cause.
    """
    at_most = int(row["principal"])
    surely, since = at_most, ""
    called = _called(tx, row)
    if called is not None:
        surely, since = called
    e, before = schema.effect.c, f"{row['procedure_id']}:"
    query = (
        select(e.cause, e.state, e.payload, e.created_at)
        .where(
            e.company_id == row["company_id"],
            e.kind == "amend",
            e.subject == row["claim_id"],
            e.cause.like(f"{before}%"),
            e.state.in_(("done", *IN_DOUBT)),
        )
        .order_by(e.finished_at, e.id)
    )
    doubtful: dict[str, int] = {}
    for effect in tx.execute(query):
        principal = int(json.loads(effect.payload)["principal"])
        cause = effect.cause.removeprefix(before)
        if effect.created_at <= since or cause == apart_from:
            continue
        if effect.state == "done":
            surely = at_most = principal
        else:
            doubtful[cause] = principal
    return Claimed(surely, at_most, doubtful)


def _called(tx: Connection, row: Row) -> tuple[int, str] | None:
    """Tell what a person had the collector claim last, and when; None where nobody had to."""
    t = schema.task.c
    query = (
        select(t.about, t.done_at)
        .where(
            t.company_id == row["company_id"],
            t.kind == GONE,
            t.subject == row["claim_id"],
            t.done_at.is_not(None),
            t.about.is_not(None),
            t.answer.not_in((tasks.SAID_OTHERWISE, GIVEN_BACK, CLAIMS_ENOUGH)),
        )
        .order_by(t.done_at.desc(), t.id.desc())
    )
    for task in tx.execute(query):
        about = tasks.what(task.about)
        if about["procedure"] == row["procedure_id"]:
            return int(about["principal"]), str(task.done_at)
    return None


def ask_for_more(host: Host, tx: Connection, row: Row, there: Claimed, principal: int) -> None:
    """Let a person call a collector that claims less than is owed; ask no more once it does not."""
    company_id, claim_id = row["company_id"], row["claim_id"]
    if principal <= there.least or row["state"] != "open":
        tasks.close(tx, company_id, GONE, claim_id, CLAIMS_ENOUGH, at=host.clock.now())
        return
    less = "ne réclame plus que" if there.surely == there.least else "ne réclame peut-être plus que"
    tasks.ask_newest(
        tx,
        company_id,
        GONE,
        claim_id,
        f"Facture {row['number']} : le partenaire {less} {euros(there.least)} de principal, alors "
        f"que {euros(principal)} sont dus, ce qu'il a encaissé compris : un paiement qui lui avait "
        "été annoncé ne tient plus. Vérifiez avec lui, et demandez-lui de le réclamer de nouveau : "
        f"il doit réclamer {euros(principal)} de principal en tout, ni plus ni moins.",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        about={"procedure": row["procedure_id"], "claim": claim_id, "principal": principal},
        again=True,
    )
