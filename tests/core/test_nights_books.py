"""Nights on which an entry in the books goes another way than meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from tests.core.houses import (
    House,
    approve_and_sign,
    line_of,
    payments,
    procedures_unfindable,
)
from tests.core.paper import invoice

from encaisse_api import (
    Conflict,
    Money,
    Page,
    ProcedureState,
    Receipt,
    Since,
    Transient,
)
from encaisse_core import (
    nightly,
)


def test_a_payment_written_in_two_entries_is_reversed_entry_by_entry(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    kind = house.shelf.known["papertool"]
    asked: list[tuple[str, int]] = []
    reverse: Callable[..., Any] = kind.reverse_payment  # type: ignore[attr-defined]

    def hear(self: Any, key: str, reversal: Any) -> Any:
        asked.append((reversal.payment_remote_id, reversal.amount.minor))
        return reverse(self, key, reversal)

    kind.reverse_payment = hear  # type: ignore[attr-defined]
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.collect("p2", opened[0], line, 100_00, date(2026, 2, 6))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 7))
    house.night()
    house.paper.reverse("p2", date(2026, 2, 8))
    house.night()
    written = [cents for _, _, cents in house.paper.written]
    assert sum(written) == 0
    entries = {f"r-F-1/{n}": cents for n, cents in enumerate(written) if cents > 0}
    assert all(cents <= entries[remote] for remote, cents in asked), (asked, entries)


def test_one_receipt_id_used_twice_does_not_end_the_night(house: House) -> None:
    opened = house.open_everything()
    kind = house.shelf.known["papertool"]
    write: Callable[..., Any] = kind._write  # type: ignore[attr-defined]

    def numbered(self: Any, key: str, ref: str, cents: int) -> Receipt:
        write(self, key, ref, cents)
        mine = sum(1 for _, known, _ in house.paper.written if known == ref)
        return Receipt(remote_id=str(mine), amount=Money.of_minor(cents))  # 1, 2 per invoice

    kind._write = numbered  # type: ignore[attr-defined]
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 40_00, date(2026, 2, 5))
    house.paper.collect("p2", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    house.night()
    assert len(house.paper.written) == 2


def test_a_page_read_before_our_write_does_not_overwrite_what_came_after(house: House) -> None:
    """`encaisse sync` reads the list; the night writes back; the list is stored afterwards."""
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    kind = house.shelf.known["papertool"]
    pull: Callable[..., Any] = kind.pull_invoices  # type: ignore[attr-defined]
    nested = [False]

    def slow(self: Any, since: Any) -> Iterator[Any]:
        pages = list(pull(self, since))
        if not nested[0]:
            nested[0] = True
            nightly.run_night(house.host, house.company, house.app.signer)
        yield from pages

    kind.pull_invoices = slow  # type: ignore[attr-defined]
    house.night()
    kind.pull_invoices = pull  # type: ignore[attr-defined]
    house.night()
    assert house.claim("F-2")["hold"] is None
    assert payments(house, "F-2") == [("collector", 40_00)]


@pytest.mark.parametrize("received", [date(2026, 2, 5), date(2026, 1, 10)])
def test_a_write_that_could_not_be_read_back_is_no_news(house: House, received: date) -> None:
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, received)
    house.paper.fail_pull = Transient("en panne")  # the tool takes writes, and lists nothing
    house.night()
    house.paper.fail_pull = None
    assert len(house.paper.written) == 1
    house.night()
    house.night()
    assert payments(house, "F-2") == [("collector", 40_00)]
    assert house.claim("F-2")["hold"] is None


def test_a_parked_write_that_landed_is_not_a_payment_of_the_customer(house: House) -> None:
    """Our entry stands there, but not as sent: a person is asked, and it is no second payment."""
    opened = house.open_everything()
    kind = house.shelf.known["papertool"]
    write: Callable[..., Any] = kind._write  # type: ignore[attr-defined]

    def rounded(self: Any, key: str, ref: str, cents: int) -> Receipt:
        house.paper.lose_replies = 1
        return write(self, key, ref, cents - 1)  # the tool entered 39,99

    def find(self: Any, key: str, payment: Any) -> Any:
        found = self._find(key)
        if isinstance(found, Receipt):
            raise Conflict("trouvé, mais de 39,99 EUR")
        return found

    kind._write = rounded  # type: ignore[attr-defined]
    kind.find_payment = find  # type: ignore[attr-defined]
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    for _ in range(3):
        house.night()
    assert "conflict" in house.tasks()
    assert payments(house, "F-2") == [("collector", 40_00)]


def test_a_dispute_heard_before_we_knew_the_procedure_stops_it(house: House) -> None:
    approve_and_sign(house)
    down = procedures_unfindable(house)
    house.paper.lose_replies = 1
    house.night()
    (ref,) = house.paper.procedures
    state = ProcedureState(
        remote_id=ref, state="paused", disputed=True, updated_at=house.clock.now()
    )

    def once(self: Any, since: Any) -> Iterator[Any]:  # a stream of changes gives it once
        cursor = Since(at=state.updated_at, after_id=ref)
        yield Page[ProcedureState](items=() if since else (state,), cursor=cursor, end=True)

    house.shelf.known["papercollector"].pull_progress = once  # type: ignore[attr-defined]
    down[0] = False
    house.night()
    house.night()
    assert house.claim("F-1")["hold"] == "disputed"


def test_money_on_a_claim_handed_over_under_a_written_number_is_recognised(house: House) -> None:
    """The collector repeats the number we gave it, which is not the tool's to the letter."""
    known = invoice("FA 2026 12", 90_00)
    house.paper.add(known)
    opened = house.open_everything()
    line = line_of(house, opened, "FA202612")
    house.paper.collect("p1", opened[0], line, 90_00, date(2026, 2, 5))
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(update={"claim_ref": None})
    house.night()
    assert payments(house, "FA 2026 12") == [("collector", 90_00)]
