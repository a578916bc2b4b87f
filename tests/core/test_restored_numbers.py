"""After a restored backup no number is given twice, and nothing is handed over twice unasked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from tests.core.houses import House, line_of
from tests.core.test_attribution import refer
from tests.core.test_backup import back_up, restore
from tests.core.test_stating import issue, live, refusals

from encaisse_core import accounting, referrers, stating

INVOICES = 3


def lived(house: House) -> House:
    """Live until February is over and a payout of it has its voucher."""
    editor = refer(house, "papertool", 1_000_000)
    with house.host.store.begin() as tx:
        told = referrers.Identity(siren="987654324", vat_regime="franchise")
        referrers.identify(house.host, tx, house.company, editor, told)
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened), 100_00, date(2026, 2, 10))
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 12))
    live(house, date(2026, 2, 12))
    live(house, date(2026, 3, 3))
    return house


def hand_over(house: House, *, checked: bool = False) -> accounting.Handed:
    with house.host.store.begin() as tx:
        return accounting.hand_over(
            house.host, tx, house.company, accounting.Destination(), checked=checked
        )


def test_a_statement_issued_and_forgotten_keeps_its_number(house: House, tmp_path: Path) -> None:
    lived(house)
    back_up(house, tmp_path / "s.zip")
    (sent,) = issue(house, "2026-02")
    restore(house, tmp_path / "s.zip", tmp_path / "new")
    assert issue(house, "2026-02") == []
    (why,) = refusals(house, "2026-02")
    assert why is not None
    assert "--issued-as" in why
    with house.host.store.begin() as tx:
        (draft,) = stating.drafts(house.host, tx, house.company, "2026-02", checked=True)
        again = stating.issue(house.host, tx, house.company, draft, as_number=sent["number"])
    assert again == sent
    assert refusals(house, "2026-02") == []


def test_a_number_of_the_old_series_is_never_given_again(house: House, tmp_path: Path) -> None:
    """What was issued between is unknown here: the next ones stand in a series of their own."""
    lived(house)
    back_up(house, tmp_path / "s.zip")
    (sent,) = issue(house, "2026-02")
    restore(house, tmp_path / "s.zip", tmp_path / "one")
    with house.host.store.begin() as tx:
        (draft,) = stating.drafts(house.host, tx, house.company, "2026-02", checked=True)
        first = stating.issue(house.host, tx, house.company, draft)
    assert sent["number"] == "RC-987654324-2026-0001"
    assert first["number"] == "RC-987654324-2026-R2603040300-0001"
    house.clock.sleep(3600)
    restore(house, tmp_path / "s.zip", tmp_path / "two")
    with house.host.store.begin() as tx:
        (draft,) = stating.drafts(house.host, tx, house.company, "2026-02", checked=True)
        second = stating.issue(house.host, tx, house.company, draft)
    assert len({sent["number"], first["number"], second["number"]}) == 3


def test_a_payout_that_may_have_been_handed_over_waits(house: House, tmp_path: Path) -> None:
    lived(house)
    back_up(house, tmp_path / "s.zip")
    before = hand_over(house)
    restore(house, tmp_path / "s.zip", tmp_path / "new")
    waits = hand_over(house)
    assert (waits.rows, len(waits.waiting)) == ([], 1)
    assert "--never-handed-over" in waits.waiting[0]["reason"]
    after = hand_over(house, checked=True)
    assert [row["entry"] for row in before.payouts] == ["ENC000001"]
    (entry,) = (row["entry"] for row in after.payouts)
    minutes = int((house.clock.now() - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()) // 60
    assert entry == f"ENC{minutes * 100 + 1}"
