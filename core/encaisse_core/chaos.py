"""Name every place where a process may die: each commit, and each call to a partner.

In production nothing hangs here: a point is a look at a name that is None. The harness of the lab
hangs a hook on it, which may kill the process there (`Killed`), let it sleep past its leases, or
run another worker at that very instant. A name is `place.phase`: a transaction has `before_commit`
(nothing of it stands) and `after_commit` (all of it does), a call has `before_send` (the partner
heard nothing) and `after_reply` (the partner did what it does, we have not written it down).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

COMMIT = ("before_commit", "after_commit")
CALL = ("before_send", "after_reply")

KINDS: Mapping[str, str] = {
    "request_mandate": "a mandate is asked for",
    "open_procedure": "a procedure is opened",
    "declare_direct_payment": "a direct payment is declared",
    "withdraw": "a claim is withdrawn",
    "pause": "a procedure is paused",
    "amend": "a claim is lowered",
    "record_payment": "a payment is written into the books",
    "reverse_payment": "a payment is undone in the books",
    "letter": "an invoice is lettered with its payment",
}
"""Kinds of effect, and what each does at the partner."""

IN_BOOKS = ("record_payment", "reverse_payment", "letter")
"""Kinds our connectors declare `lookup`: looked up before a send, and once more after it."""

READ_BACK = IN_BOOKS[:2]
"""Kinds after which the invoice is read again at once."""

COMMITS: Mapping[str, str] = {
    "night.begin": "the night is written down as running",
    "night.progress": "a phase of the night is over",
    "night.seal": "the journal's head is signed and the night's digest kept",
    "ingest.page": "one page of a tool lands with its cursor and its event",
    "ingest.vanished_read": "what a complete list no longer shows was read again",
    "ingest.vanished": "what the tool cannot find again becomes unseen",
    "ingest.result": "a connection answered whole, or why it did not",
    "collector.progress": "one page of procedures' states lands with its cursor",
    "collector.payments": "one page of collected payments lands with its cursor",
    "collector.payouts": "one page of transfers lands with its cursor",
    "collector.mandate": "a mandate was read back as decided",
    "follow_up.fate": "what an accountant made of an entry is taken over",
    "join.place": "one sighting is given its claim",
    "reconcile.money": "money that became visible becomes payments",
    "stops.plan": "stops the facts ask for are planned",
    "writeback.plan": "entries of collected principal are planned",
    "lettering.plan": "letterings of standing entries are planned",
    "payouts.post": "vouchers of executed transfers are drawn up",
    "commissions.post": "commissions are accrued, made payable, clawed back",
    "statements.issue": "a month's statement of commissions is issued",
    "proposals.propose": "claims are quoted, grouped and reserved",
    "proposals.approve": "a person approves, and the mandate is planned",
    "opening.plan": "openings under a signed mandate are planned",
    "opening.reserve": "exactly what is handed over is reserved",
    "gate.confirm": "the last look at a source is kept",
    "documents.keep": "a fetched document is recorded",
    "compare.keep": "the list of differences is brought up to tonight",
    "outbox.claim": "an effect is leased to a worker under a new token",
    "outbox.renew": "a worker that reads on keeps the effect it holds",
    "outbox.fence": "a worker makes sure it still holds the effect",
    "outbox.postpone": "an attempt that must wait gives its lease back",
    "outbox.ask": "an effect is refused or parked, and a person asked",
    "hooks.keep": "a partner's delivery is kept as a reason to look",
    "hooks.raw": "a delivery nobody can read is set aside as it came",
    "hooks.looked": "what was told is marked as looked at, or to be looked at again",
    "token.lease": "the right to renew an access is taken",
    "token.keep": "a renewed token set is kept before it is used",
    "token.drop": "the right to renew is given back",
    "quota.reserve": "a call takes its place in the partner's quotas",
    **{f"{kind}.done": f"the proof that {what} is kept" for kind, what in KINDS.items()},
}
"""Transactions by place: what is true once each stands."""

CALLS: Mapping[str, str] = {
    "pull.invoices": "a tool lists its invoices",
    "pull.vanished": "a tool is asked about what its list no longer shows",
    "pull.mandate": "a mandate is read back",
    "pull.progress": "a collector lists procedures",
    "pull.payments": "a collector lists payments",
    "pull.payouts": "a collector lists transfers",
    "follow_up.read": "a tool is asked what became of our entries",
    "quote.ask": "a price is asked, without a name or a document",
    "documents.fetch": "a document is fetched for a file",
    "gate.look": "a tool confirms an invoice just before an opening",
    "token.request": "an access is renewed",
    **{f"{kind}.find": f"a look-up asks whether {what} already" for kind, what in KINDS.items()},
    **{f"{kind}.send": f"the call by which {what}" for kind, what in KINDS.items()},
    **{
        f"{kind}.prepare": f"what is read first for the call by which {KINDS[kind]}"
        for kind in IN_BOOKS
    },
    **{f"{kind}.look_again": f"a second look once {KINDS[kind]}" for kind in IN_BOOKS},
    **{f"{kind}.look": f"the invoice is read back once {KINDS[kind]}" for kind in READ_BACK},
}
"""Calls by place: what is asked of the partner."""

SAID: Mapping[str, str] = {
    "before_commit": "Nothing of it stands yet",
    "after_commit": "It stands, and nobody has gone on",
    "before_send": "The partner has heard nothing yet",
    "after_reply": "The partner has answered, and it is written down nowhere",
}
"""What each phase means for who restarts there."""

POINTS: Mapping[str, str] = {
    f"{place}.{phase}": f"{SAID[phase]}: {what}."
    for places, phases in ((COMMITS, COMMIT), (CALLS, CALL))
    for place, what in places.items()
    for phase in phases
}
"""Every point with a sentence; the harness proves that each is reached."""

ELSEWHERE = ""
"""Place of transactions and calls no harness strikes by name (reads, a person's own commands)."""

Hook = Callable[[str], None]


class Killed(BaseException):
    """Be the death of a process; nothing of ours may catch it as an error."""


_hook: Hook | None = None
_place: ContextVar[str] = ContextVar("encaisse.chaos.place", default=ELSEWHERE)


def point(place: str, phase: str) -> None:
    """Pass a point; the hook hears `place.phase`, where one hangs."""
    if _hook is not None:
        _hook(f"{place}.{phase}")


class during:
    """Say what the calls made in this block are for."""

    __slots__ = ("_outer", "_place")

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        self._outer = _place.set(self._place)

    def __exit__(self, *_: object) -> None:
        _place.reset(self._outer)


def here(*, reads: bool = False) -> str:
    """Give what the calls made now are for; one that only `reads` while sending prepares it."""
    place = _place.get()
    return place.removesuffix(".send") + ".prepare" if reads and place.endswith(".send") else place


@contextmanager
def hooked(hook: Hook) -> Generator[None]:
    """Hang a hook on every point of this process until the block ends; one at a time."""
    global _hook
    if _hook is not None:
        raise RuntimeError("a hook hangs there already")
    _hook = hook
    try:
        yield
    finally:
        _hook = None
