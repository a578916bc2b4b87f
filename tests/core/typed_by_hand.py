"""Live nights in which payments are typed into tools by hand, beside a person who knows the truth.

A script is events, each with the night it comes before. What cannot be told from what tools and
collectors show (two moves of one tool between two looks, an amount changed before anybody heard of
it) waits for a later night: there no software, and no accountant, would know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import select
from tests.core.houses import House, line_of, make
from tests.core.paper import Paper, invoice
from tests.core.same_money import two_tools

from encaisse_api import Money, OutcomeUnknown, Transient
from encaisse_core.cli import answering
from encaisse_core.clock import VirtualClock
from encaisse_core.observed import SAME_WITHIN
from encaisse_core.store import schema

Row: TypeAlias = Mapping[str, Any]
Event: TypeAlias = tuple[Any, ...]
Script: TypeAlias = list[tuple[int, Event]]

TOTAL, NUMBER = 200_00, "F-1"
TOLD = {"typed_otherwise", "double", "amount_rose", "entry_altered", "refund"}
"""Questions by which a person was told that tool and collector differ."""

CALLS = {"double", "told_and_gone"}
"""Questions by which a person has a collector forget what it was told."""

AT_MOST = 14
"""Nights after the last one of a script that events may wait for."""

BUGS: dict[str, Exception | None] = {
    "transient": Transient("en panne"),
    "unknown": OutcomeUnknown("coupure"),
    "bug": ZeroDivisionError("x"),
    "": None,
}


@dataclass
class Collected:
    """Be a payment a collector received: what it says of it now, and said before."""

    cents: int
    on: date
    fee: bool
    said: list[int] = field(default_factory=list)
    listed: bool = False
    reversed: bool = False


@dataclass(frozen=True)
class Shown:
    """Be a fall somebody made in a tool: `what` is a direct payment or a collector's, typed in."""

    tool: str
    what: str
    cents: int


class World:
    """Play a script on one invoice, answer what is asked, and know what must come out."""

    def __init__(
        self, folder: Path, tools: int, target: str, delays: list[int], *, declares: bool = True
    ) -> None:
        clock = VirtualClock(datetime(2026, 2, 2, 19, tzinfo=UTC))
        without = () if declares else ("find_direct_payment", "declare_direct_payment")
        url = f"sqlite:///{folder / 'e.db'}"
        self.house: House = make(url, folder, clock, invoices=0, without=without)
        self.house.paper.add(invoice(NUMBER, TOTAL))
        self.target, self.delays, self.night = target, delays, 0
        self.tools: dict[str, Paper] = {"papertool": self.house.paper}
        if tools == 2:
            self.tools = two_tools(self.house, target)
        (self.ref,) = self.house.open_everything()
        self.line = line_of(self.house, [self.ref], NUMBER)
        self.direct: dict[str, int] = {}
        self.collected: dict[str, Collected] = {}
        self.shown: list[Shown] = []
        self.declares = declares
        self.declared: dict[str, int] = {}
        self.claimed: int = TOTAL
        self.withdrawn = 0
        self.recognised: set[tuple[str, str]] = set()
        self.due: dict[str, int] = {}
        self.unheard = self.silent = False
        self.log: list[str] = []
        self._listen()

    def _listen(self) -> None:
        kind: Any = self.house.shelf.known["papercollector"]
        pull = kind.pull_payments_collected

        def pulled(connector: Any, since: Any) -> Any:
            if self.unheard:
                raise Transient("en panne")
            return pull(connector, since)

        kind.pull_payments_collected = pulled
        self._hear("amend", self._amended)
        self._hear("withdraw", self._withdrawn)
        if self.declares:
            self._hear("declare_direct_payment", self._declared)

    def _hear(self, write: str, told: Callable[[str, Any], None]) -> None:
        kind: Any = self.house.shelf.known["papercollector"]
        send = getattr(kind, write)

        def heard(connector: Any, key: str, what: Any) -> Any:
            if self.silent:
                raise Transient("en panne")
            told(key, what)
            return send(connector, key, what)

        setattr(kind, write, heard)

    def _declared(self, key: str, payment: Any) -> None:
        self.declared[key] = payment.amount.minor

    def _amended(self, _: str, amendment: Any) -> None:
        self.claimed = amendment.principal.minor

    def _withdrawn(self, *_: Any) -> None:
        self.withdrawn += 1

    # What happens

    def do(self, event: Event) -> bool:
        """Let something happen; False where it must wait to be tellable."""
        happened: Callable[..., bool] = getattr(self, f"_{event[0]}")
        if not happened(*event[1:]):
            return False
        self.log.append(f"before night {self.night + 1}: {event}")
        return True

    def _pay(self, name: str, cents: int, tool: str) -> bool:
        """Let a tool show that the customer paid the company."""
        told_elsewhere = any(each.what == name for each in self.shown)
        if self._moving(tool) or (not told_elsewhere and any(map(self._moving, self.tools))):
            return False
        self.direct[name] = cents
        self._show(tool, name, cents)
        return True

    def _receive(self, name: str, cents: int, fee: bool) -> bool:
        tomorrow = (self.house.clock.now() + timedelta(days=1)).date()
        self.collected[name] = Collected(cents, tomorrow, fee, [cents])
        return True

    def _list(self, name: str) -> bool:
        one = self.collected[name]
        self.house.paper.collect(name, self.ref, self.line, one.cents, one.on)
        if not one.fee:
            self._say(name, fee=None, fee_vat=None)
        one.listed = True
        return True

    def _type(self, name: str, tool: str) -> bool:
        """Type a collector's payment into a tool, where it does not stand."""
        one = self.collected[name]
        written = any(abs(cents) in one.said for _, _, cents in self.tools[tool].written)
        past = tool != self.target and self.house.clock.today() - one.on >= SAME_WITHIN
        if one.reversed or written or past or self._shows(tool, name):
            return True
        lagging = any(not self._shows(tool, each) for each in self.direct)
        others = any(self._moving(each) for each in self.tools if not self._shows(each, name))
        if self._moving(tool) or lagging or (others and not self._heard_of(name)):
            return False  # a fall there is taken for what another tool showed
        self._show(tool, name, one.cents)
        return True

    def _change(self, name: str, more: int) -> bool:
        one = self.collected[name]
        unknown = self._typed(name) and not self._heard_of(name)
        if not one.listed or unknown:
            return False
        if not one.reversed:
            one.cents += more
            one.said.append(one.cents)
            money = Money.of_minor(one.cents)
            self._say(name, amount=money, principal=money)
        return True

    def _reverse(self, name: str) -> bool:
        one = self.collected[name]
        if not one.listed:
            return False
        one.reversed = True
        self.house.paper.reverse(name, (self.house.clock.now() + timedelta(days=1)).date())
        return True

    def _bug(self, how: str) -> bool:
        for paper in self.tools.values():
            paper.bug = BUGS[how]
        return True

    def _lose(self) -> bool:
        for paper in self.tools.values():
            paper.lose_replies = 1
        return True

    def _deaf(self, on: bool) -> bool:
        self.unheard = on
        return True

    def _mute(self, on: bool) -> bool:
        self.silent = on
        return True

    def _say(self, name: str, **changed: Any) -> None:
        was = self.house.paper.collected[name]
        later = self.house.clock.now() + timedelta(hours=1)
        self.house.paper.collected[name] = was.model_copy(update=changed | {"updated_at": later})

    def _show(self, tool: str, what: str, cents: int) -> None:
        self.tools[tool].pay(NUMBER, cents)
        self.shown.append(Shown(tool, what, cents))

    # What is so

    def _shows(self, tool: str, what: str) -> bool:
        return any((each.tool, each.what) == (tool, what) for each in self.shown)

    def _typed(self, name: str) -> bool:
        return any(each.what == name for each in self.shown)

    def _heard_of(self, name: str) -> bool:
        s = schema.settlement.c
        with self.house.host.store.begin() as tx:
            return tx.execute(select(s.id).where(s.remote_id == name)).first() is not None

    def _sightings(self) -> dict[str, Row]:
        s, k = schema.sighting, schema.connection.c
        query = select(s, k.connector).join(
            schema.connection, (k.company_id == s.c.company_id) & (k.id == s.c.connection_id)
        )
        with self.house.host.store.begin() as tx:
            return {row["connector"]: dict(row) for row in tx.execute(query).mappings()}

    def _moving(self, tool: str) -> bool:
        """Tell whether a tool shows something that was not looked at, or not explained yet."""
        seen = self._sightings()[tool]
        shown = self.tools[tool].invoices[f"r-{NUMBER}"].open.minor
        return bool(shown != seen["open"] or seen["open"] != seen["expected"] or seen["untold"])

    def _questions(self, *, answered: bool) -> list[Row]:
        t = schema.task
        query = select(t).order_by(t.c.created_at, t.c.id)
        with self.house.host.store.begin() as tx:
            found = tx.execute(query if answered else query.where(t.c.done_at.is_(None)))
            return [dict(row) for row in found.mappings()]

    # The person

    def _same(self, about: Row) -> bool:
        """Tell the truth: whether what a tool shows is the payment in question, typed in."""
        s, p = schema.settlement.c, schema.payment.c
        tools = {row["id"]: tool for tool, row in self._sightings().items()}
        with self.house.host.store.begin() as tx:
            if "settlement" in about:
                named = select(s.remote_id).where(s.id == about["settlement"])
                known = select(p.shown_by, p.amount).where(p.id == about["payment"])
                shown_by, cents = tx.execute(known).one()
            else:
                named = select(s.remote_id).where(s.payment_id == about["payment"])
                shown_by, cents = about["sighting"], about["cents"]
            name, tool = tx.execute(named).scalar_one(), tools[shown_by]
        same = Shown(tool, name, cents) in self.shown and (tool, name) not in self.recognised
        if same and "settlement" in about:  # every tool that shows it is explained with it
            self.recognised |= {(each.tool, name) for each in self.shown if each.what == name}
        elif same:
            self.recognised.add((tool, name))
        return same

    def answer(self) -> None:
        """Answer what is due; a question that comes of an answer is due as late as any other."""
        while True:
            open_ = self._questions(answered=False)
            asked = [each for each in open_ if each["kind"] == "maybe_same"]
            for each in asked:
                delay = self.delays[len(self.due) % len(self.delays)]
                self.due.setdefault(each["id"], self.night + delay)
            due = [each for each in asked if self.due[each["id"]] <= self.night]
            if not due:
                return
            verdict: Any = "same" if self._same(json.loads(due[0]["about"])) else "different"
            self.log.append(f"night {self.night}: {due[0]['sentence']} {verdict}")
            said = answering.Answer(words="oui", by="essai", verdict=verdict)
            answering.answer(self.house.host, self.house.company, due[0]["id"], said)

    # The nights

    def live(self, script: Script) -> list[str]:
        """Live a script, then six nights in which everything works; say what is not true."""
        todo = sorted(script, key=lambda event: event[0])
        last = max((night for night, _ in script), default=1)
        while (todo and self.night < last + AT_MOST) or self.night < last:
            todo = [(n, event) for n, event in todo if n > self.night + 1 or not self.do(event)]
            self._night()
        for event in (("bug", ""), ("deaf", False), ("mute", False)):
            self.do(event)
        self.delays[:] = [0]
        self.due = {name: min(due, self.night + 1) for name, due in self.due.items()}
        for _ in range(6):
            self._night()
        return list(self._wrong())

    def _night(self) -> None:
        self.house.night()
        self.night += 1
        self.answer()

    def _wrong(self) -> Iterator[str]:
        asked = self._questions(answered=True)
        told = {each["kind"] for each in asked}
        direct = sum(self.direct.values())
        collected = sum(one.cents for one in self.collected.values() if not one.reversed)
        owed = self.house.claim(NUMBER)["open"]
        if owed != TOTAL - direct - collected:
            yield f"the claim owes {owed}, not {TOTAL - direct - collected}"
        if not told & CALLS:
            yield from self._told_wrongly(direct, owed)
        for name, paper in self.tools.items():
            if name != self.target and paper.written:
                yield f"{paper.written} was written into {name}"
        shows = self.tools[self.target].invoices[f"r-{NUMBER}"].open.minor
        paid = sum(each.cents for each in self.shown if each.what in self.direct
                   and each.tool == self.target)  # fmt: skip
        if shows != TOTAL - paid - collected and not told & TOLD:
            yield f"{self.target} shows {shows}, not {TOTAL - paid - collected}"
        left = {each["kind"] for each in asked if each["done_at"] is None} - TOLD - CALLS
        if left:
            yield f"still asked: {sorted(left)}"

    def _told_wrongly(self, direct: int, owed: Any) -> Iterator[str]:
        declared = list(self.declared.values())
        if self.declares and sum(declared) != direct:
            yield f"{declared} was declared, not {direct}"
        if not self.declares and not self.withdrawn and self.claimed != TOTAL - direct:
            yield f"{self.claimed} is claimed, not {TOTAL - direct}"
        if self.withdrawn > (not self.declares and owed == 0):
            yield f"withdrawn {self.withdrawn} times, with {owed} owed"
