"""One contract a day, one import that decides, whatever the order they are told in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encaisse_core.contracts import (
    ATTRIBUTION,
    Contract,
    Import,
    first_import,
    in_force,
    overlapping,
)

START = date(2026, 1, 1)
DAYS = st.integers(0, 60).map(lambda days: START + timedelta(days=days))
SPANS = st.tuples(DAYS, st.none() | st.integers(0, 20)).map(
    lambda span: (span[0], None if span[1] is None else span[0] + timedelta(days=span[1]))
)


def contract(name: str, starts_on: date, ends_on: date | None) -> Contract:
    return Contract(name, "ref_1", "editor", starts_on, ends_on, 200_000)


@given(st.lists(SPANS, max_size=8), DAYS)
def test_refusing_overlaps_leaves_one_contract_a_day(
    spans: list[tuple[date, date | None]], day: date
) -> None:
    kept: list[Contract] = []
    for number, (starts_on, ends_on) in enumerate(spans):
        if not overlapping(kept, starts_on, ends_on):
            kept.append(contract(f"ctr_{number}", starts_on, ends_on))
    covering = [each for each in kept if each.covers(day)]
    assert len(covering) <= 1
    assert in_force(kept, "ref_1", day) == (covering[0] if covering else None)
    assert in_force(kept, "ref_2", day) is None


@given(SPANS, SPANS)
def test_two_contracts_overlap_exactly_where_they_share_a_day(
    one: tuple[date, date | None], other: tuple[date, date | None]
) -> None:
    known = contract("ctr_1", *one)
    new = contract("ctr_2", *other)
    days = [START + timedelta(days=n) for n in range(120)]
    shared = any(known.covers(day) and new.covers(day) for day in days)
    assert bool(overlapping([known], *other)) == shared


def test_both_first_and_last_day_are_in_force() -> None:
    known = contract("ctr_1", date(2026, 3, 1), date(2026, 3, 31))
    assert [known.covers(date(2026, m, d)) for m, d in ((2, 28), (3, 1), (3, 31), (4, 1))] == [
        False,
        True,
        True,
        False,
    ]
    with pytest.raises(ValueError, match="end before"):
        contract("ctr_2", date(2026, 3, 2), date(2026, 3, 1))


NOW = datetime(2026, 2, 3, 4, 10, tzinfo=UTC)
IMPORTS = st.lists(
    st.builds(
        Import,
        st.uuids().map(str),
        st.integers(0, 3).map(lambda days: NOW + timedelta(days=days)),
        st.integers(1, 3),
        st.sampled_from([None, "ref_1", "ref_2"]),
    ),
    min_size=1,
    max_size=6,
)


@given(IMPORTS)
def test_the_first_import_decides_in_any_order_and_no_later_one_takes_it(
    seen: list[Import],
) -> None:
    decides = first_import(seen)
    assert decides is not None
    assert all((decides.at, decides.sequence) <= (each.at, each.sequence) for each in seen)
    assert first_import(list(reversed(seen))) == decides
    later = Import("later", NOW + timedelta(days=9), 1, "ref_9")
    assert first_import([later, *seen]) == decides


def test_nothing_imported_decides_nothing_and_the_rule_is_dated() -> None:
    assert first_import([]) is None
    assert ATTRIBUTION.since == date(2026, 1, 1)
    assert "première" in ATTRIBUTION.sentence_fr
