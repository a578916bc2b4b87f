"""Plant one bug in a run, so that the figure meant to show it is seen to show it.

None of these exists outside of the lab: a proof that cannot fail proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, Literal, cast

from sqlalchemy import select

from encaisse_api import (
    Absent,
    Connector,
    Context,
    Cursor,
    Page,
    PaymentEntry,
    Receipt,
    RecordsPayments,
)
from encaisse_core import collector, cursors, deliver, outbox
from encaisse_core.app import App
from encaisse_core.host import Connectors, Host, Link
from encaisse_core.nightly import PHASES, Phase
from encaisse_core.outbox import Effect
from encaisse_core.store import schema

Break = Literal["lookup", "stop", "journal"]

FIGURES: Mapping[Break, str] = {
    "lookup": "remote_duplicates",
    "stop": "remote_missing",
    "journal": "journal_ok",
}
"""Which figure of the summary each planted bug must turn bad."""

FOLLOWS: Mapping[Break, frozenset[str]] = {
    "lookup": frozenset({"remote_missing"}),
    "stop": frozenset({"unstopped", "messages_after_payment"}),
    "journal": frozenset(),
}
"""What else it may turn bad: a double looks like a payment nobody knows, so its claim waits."""


Flaw = Literal["lookup", "fence", "cursor", "batch", "lane"]
"""Bugs planted in the host's own code, to be found by striking it or by exploring it."""

FLAWS: Mapping[Flaw, str] = {
    "lookup": "a look-up says absent without looking",
    "fence": "a worker sends without asking whether it still holds the effect, however late",
    "cursor": "a stream's cursor is saved before its page",
    "batch": "nothing says that an effect is under way until its result is committed",
    "lane": "a stop waits its turn behind what was planned before it",
}


@contextmanager
def planted(flaw: Flaw | None) -> Generator[None]:
    """Plant one bug in this process until the block ends."""
    replaced: list[tuple[ModuleType, str, object]] = []

    def put(module: ModuleType, name: str, value: object) -> None:
        replaced.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    match flaw:
        case "lookup":
            put(deliver, "_search", _absent)
        case "fence":
            put(outbox, "holds", _always)
            put(deliver, "LAST_START", -timedelta(days=1))
        case "cursor":
            put(collector, "_stream", _cursor_first(vars(collector)["_stream"]))
        case "batch":
            put(outbox, "claim_next", _unmarked(outbox.claim_next))
        case "lane":
            put(outbox, "LANES", dict.fromkeys(outbox.LANES, 0))
        case None:
            pass
    try:
        yield
    finally:
        for module, name, value in replaced:
            setattr(module, name, value)


def _always(host: Host, effect: Effect) -> bool:
    return True


def _absent(attempt: Any, find: object, argument: object) -> Absent:
    return Absent(searched="nulle part", at=attempt.host.clock.now())


def _cursor_first(stream: Callable[..., int]) -> Callable[..., int]:
    def broken(host: Host, link: Link, name: str, pull: Callable[..., Any], keep: object) -> int:
        def eager(since: Cursor | None) -> Iterator[Page[Any]]:
            for page in pull(since):
                if page.cursor is not None:
                    with host.store.begin() as tx:
                        cursors.write(tx, link, name, page.cursor, host.clock.now())
                yield page

        return stream(host, link, name, eager, keep)

    return broken


def _unmarked(claim: Callable[..., Effect | None]) -> Callable[..., Effect | None]:
    def broken(host: Host, *asked: Any, **named: Any) -> Effect | None:
        effect = claim(host, *asked, **named)
        if effect is None:
            return None
        e = schema.effect
        with host.store.begin() as tx:
            tx.execute(
                e.update()
                .where(e.c.company_id == effect.company_id, e.c.id == effect.id)
                .values(state="planned", attempts=effect.attempts - 1)
            )
        return effect

    return broken


class NeverLooking:
    """Offer the installed connectors, but for look-ups of payments, which always say absent."""

    def __init__(self, installed: Connectors) -> None:
        self._installed = installed

    def connector(self, slug: str) -> type[Connector]:
        """Find a connector; one that records payments no longer finds any."""
        kind = self._installed.connector(slug)
        return blind(kind) if hasattr(kind, "find_payment") else kind


def blind(kind: type[Connector]) -> type[Connector]:
    """Derive a connector that answers "absent" without looking."""

    def find_payment(self: object, key: str, payment: PaymentEntry) -> Receipt | Absent:
        at = cast("_Seated", self).seat.now
        return Absent(searched=f"nowhere, for {key}", at=at)

    def __init__(self: Connector, context: Context) -> None:
        kind.__init__(self, context)
        cast("_Seated", self).seat = context

    assert issubclass(kind, RecordsPayments)
    made = type(kind.__name__, (kind,), {"find_payment": find_payment, "__init__": __init__})
    return cast("type[Connector]", made)


class _Seated:
    seat: Context


def phases(broken: Break | None) -> tuple[tuple[str, Phase], ...]:
    """Give the night's phases; with the planted bug, without those that stop."""
    if broken != "stop":
        return PHASES
    return tuple((name, phase) for name, phase in PHASES if name not in ("retry_stops", "stop"))


def alter_one_byte(app: App, company_id: str, before: datetime) -> None:
    """Change one character of an event in the middle of the journal, behind everybody's back."""
    e = schema.event.c
    with app.host.store.begin() as tx:
        rows = tx.execute(
            select(e.sequence, e.body)
            .where(e.company_id == company_id, e.at < before.isoformat())
            .order_by(e.sequence)
        ).all()
        row = next(one for one in rows[len(rows) // 2 :] if any(c.isdigit() for c in one.body))
        place = next(i for i, c in enumerate(row.body) if c.isdigit())
        digit = str((int(row.body[place]) + 1) % 10)
        tx.execute(
            schema.event.update()
            .where(e.company_id == company_id, e.sequence == row.sequence)
            .values(body=row.body[:place] + digit + row.body[place + 1 :])
        )
