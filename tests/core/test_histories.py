"""Random histories in the paper house: money of every kind, faults, then three quiet nights."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select
from tests.core.houses import answer, make, open_tasks

from encaisse_api import Money, Transient
from encaisse_core import journal
from encaisse_core.clock import VirtualClock
from encaisse_core.store import schema

pytestmark = pytest.mark.slow

N = 3


class History:
    """Play a history and know what must come out."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(datetime(2026, 2, 2, 19, tzinfo=UTC))
        self.house = make(f"sqlite:///{folder / 'e.db'}", folder, self.clock, invoices=N)
        self.total = {n: 100_00 * n for n in range(1, N + 1)}
        self.direct: dict[int, list[int]] = {n: [] for n in self.total}
        self.credit: dict[int, int] = dict.fromkeys(self.total, 0)
        self.collected: dict[int, list[tuple[str, int]]] = {n: [] for n in self.total}
        self.touched: set[int] = set()
        self.count = 0
        (self.ref,) = self.house.open_everything()
        self.lines = {
            int(c.line.invoice_number[2:]): c.line
            for c in self.house.paper.procedures[self.ref].claims
        }

    def owed(self, n: int) -> int:
        return (
            self.total[n]
            - sum(self.direct[n])
            - self.credit[n]
            - sum(cents for _, cents in self.collected[n])
        )

    def move(self, n: int, cents: int, credited: int = 0) -> None:
        """Let the tool show `cents` less open, `credited` of it by credit notes."""
        known = self.house.paper.invoices[f"r-F-{n}"]
        left = Money.of_minor(known.open.minor - cents)
        had = known.credited.minor if known.credited else 0
        parts = tuple(i.model_copy(update={"open": left}) for i in known.instalments)
        self.house.paper.add(
            known.model_copy(
                update={
                    "open": left,
                    "state": "settled" if left.minor <= 0 else "open",
                    "credited": Money.of_minor(had + credited),
                    "instalments": parts,
                }
            )
        )

    def cents(self, n: int, share: int) -> int:
        """Give a share of what is owed, never an amount seen before: none may be the same."""
        self.count += 1
        owed = self.owed(n)
        if share == 20:
            return owed
        return min(owed, max(1, owed * share // 23 + self.count))

    def do(self, op: tuple[str, int, int]) -> None:
        kind, n, share = op
        paper = self.house.paper
        if kind == "night":
            self.night()
        elif kind == "lose":
            paper.lose_replies = n
        elif kind == "fault":
            if n == 1:
                paper.cut_short = True
            elif n == 2:
                paper.fail_pull = Transient("en panne")
            else:
                paper.silent_collector = Transient("en panne")
        elif kind == "collect":
            cents = self.cents(n, share)
            if cents > 0:
                name = f"p{self.count}"
                day = self.clock.today()
                paper.collect(name, self.ref, self.lines[n], cents, day)
                self.collected[n].append((name, cents))
        elif kind == "reverse" and self.collected[n]:
            name, _ = self.collected[n].pop()
            paper.reverse(name, self.clock.today())
        elif n in self.touched:
            return  # one movement of the tool a night: more cannot be told apart by difference
        elif kind == "direct":
            cents = self.cents(n, share)
            if cents > 0:
                self.direct[n].append(cents)
                self.move(n, cents)
                self.touched.add(n)
        elif kind == "bounce" and self.direct[n]:
            self.move(n, -self.direct[n].pop())
            self.touched.add(n)
        elif kind == "credit":
            cents = self.cents(n, share)
            if cents > 0:
                self.credit[n] += cents
                self.move(n, cents, credited=cents)
                self.touched.add(n)

    def night(self) -> None:
        paper = self.house.paper
        blind = paper.cut_short or paper.fail_pull is not None
        self.house.night()
        # an answer of a person who knows: this money is other money
        for _, kind, _ in open_tasks(self.house):
            if kind == "maybe_same":
                answer(self.house, kind, verdict="different")
        paper.cut_short, paper.fail_pull, paper.silent_collector = False, None, None
        if not blind:
            self.touched.clear()

    def check(self) -> None:
        house = self.house
        house.paper.lose_replies = 0
        for _ in range(3):
            self.night()
        before = house.count("event")
        house.night()
        assert house.count("event") == before, "a quiet night left events"
        keys = Counter(key for key, _, _ in house.paper.written)
        assert all(times == 1 for times in keys.values()), keys
        with house.host.store.begin() as tx:
            p, a, e, c, r = (
                schema.payment.c,
                schema.allocation.c,
                schema.echeance.c,
                schema.claim.c,
                schema.reservation.c,
            )
            paid = tx.execute(select(p.id, p.amount, p.unallocated, p.reverses)).all()
            put: dict[str, int] = {
                row[0]: int(row[1])
                for row in tx.execute(
                    select(a.payment_id, func.sum(a.amount)).group_by(a.payment_id)
                )
            }
            for row in paid:
                assert row.amount == put.get(row.id, 0) + row.unallocated, row
            on = {
                row[0]: int(row[1])
                for row in tx.execute(
                    select(a.echeance_id, func.sum(a.amount)).group_by(a.echeance_id)
                )
            }
            for row in tx.execute(select(e.id, e.amount, e.open)):
                assert row.amount == row.open + on.get(row.id, 0), row
                assert 0 <= row.open <= row.amount
            holds = {row.number: row.hold for row in tx.execute(select(c.number, c.hold))}
            live = {
                row.number
                for row in tx.execute(
                    select(c.number)
                    .join(schema.reservation, r.claim_id == c.id)
                    .where(r.released_at.is_(None))
                )
            }
            verdict = journal.verify(list(journal.export(tx, house.company)))
        assert verdict.ok, verdict.sentence_fr
        for n in self.total:
            number = f"F-{n}"
            assert holds[number] is None, (number, holds[number])
            owed = self.owed(n)
            assert house.claim(number)["open"] == owed, (number, house.claim(number), owed)
            assert house.paper.invoices[f"r-{number}"].open.minor == owed, number
            if owed == 0 and self.direct[n] and not self.collected[n]:
                assert number not in live, f"{number} is paid and still in a procedure"


def history(seed: int) -> list[tuple[str, int, int]]:
    """Draw a history."""
    random = Random(seed)
    ops: list[tuple[str, int, int]] = []
    for _ in range(random.randint(3, 14)):
        kind = random.choice(
            ["direct", "collect", "collect", "reverse", "bounce", "credit", "lose", "fault"]
            + ["night"] * 4
        )
        ops.append((kind, random.randint(1, N), random.randint(1, 20)))
    return ops


def play(ops: list[tuple[str, int, int]]) -> str | None:
    """Play a history; say what did not hold."""
    with tempfile.TemporaryDirectory() as folder:
        played = History(Path(folder))
        try:
            for op in ops:
                played.do(op)
            played.check()
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:300]
        finally:
            played.house.app.close()
    return None


def shrink(ops: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Leave out what is not needed to fail."""
    again = True
    while again:
        again = False
        for i in range(len(ops)):
            less = ops[:i] + ops[i + 1 :]
            if play(less) is not None:
                ops, again = less, True
                break
    return ops


@pytest.mark.parametrize("seed", [18, 20, 101])
def test_random_history(seed: int) -> None:
    ops = history(seed)
    wrong = play(ops)
    if wrong is not None:
        least = shrink(ops)
        pytest.fail(f"seed {seed}, {least}: {play(least)}")


if __name__ == "__main__":
    first, last = int(sys.argv[1]), int(sys.argv[2])
    for seed in range(first, last):
        ops = history(seed)
        wrong = play(ops)
        if wrong is not None:
            least = shrink(ops)
            print(seed, least, play(least), flush=True)
    print("done", flush=True)
