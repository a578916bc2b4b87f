"""Whatever order the tools answer in, the same sightings make the same claims."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encaisse_core.join import Face
from encaisse_core.partition import Partition, merge, replay, unmerge

ACME = "123456782"
CLIENT = "987654324"
OTHER_CLIENT = "732829320"
SHA = "a" * 64


def face(sighting: str, connection: str, number: str, **changes: Any) -> Face:
    values: dict[str, Any] = {
        "kind": "invoice",
        "seller_siren": None,
        "issue_date": date(2026, 3, 2),
        "currency": "EUR",
        "total": 120_00,
        "due_dates": (date(2026, 4, 1),),
        "debtor_key": None,
        "document_sha256": None,
        "lineage": None,
        "own_refs": ((connection.removeprefix("cnx_"), sighting),),
    }
    return Face(sighting, connection, number=number, **(values | changes))


SEPARATORS = ("", "-", "/", " ", ".", "_")
TOOLS = ("cnx_factomos", "cnx_myunisoft", "cnx_tryton")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Face], frozenset[frozenset[str]]]:
    """Draw monthly invoices of one client for one amount, each seen by some tools in their way."""
    faces: list[Face] = []
    truth: set[frozenset[str]] = set()
    months = draw(st.integers(1, 6))
    first = draw(st.integers(1, 30))
    for month in range(months):
        seen: set[str] = set()
        issued = date(2026, 1, 15) + timedelta(days=30 * month)
        for tool in draw(st.lists(st.sampled_from(TOOLS), min_size=1, max_size=3, unique=True)):
            a, b = draw(st.sampled_from(SEPARATORS)), draw(st.sampled_from(SEPARATORS))
            zeros = draw(st.sampled_from(("", "0", "000")))
            sighting = f"{tool}-{month}"
            seen.add(sighting)
            faces.append(
                face(
                    sighting,
                    tool,
                    f"FA{a}{zeros}{first + month}{b}C",
                    issue_date=issued + timedelta(days=draw(st.integers(-1, 1))),
                    due_dates=(issued + timedelta(days=30),),
                    seller_siren=draw(st.sampled_from((ACME, None))),
                    debtor_key=draw(st.sampled_from((CLIENT, None))),
                    document_sha256=draw(st.sampled_from((f"{month:064d}", None))),
                )
            )
        truth.add(frozenset(seen))
    return faces, frozenset(truth)


@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_who_joined_whom(
    history: tuple[list[Face], frozenset[frozenset[str]]], random: Any
) -> None:
    faces, truth = history
    shuffled = list(faces)
    random.shuffle(shuffled)
    for order in (faces, shuffled, list(reversed(faces))):
        replayed = replay(order)
        assert replayed.doubts == ()
        assert replayed.groups() == truth


@settings(max_examples=500, deadline=None)
@given(
    numbers=st.lists(st.integers(1, 9999), min_size=2, max_size=8, unique=True),
    prefix=st.sampled_from(("FA", "F-2026-", "", "2026/")),
    total=st.integers(1, 10**7),
    many_tools=st.booleans(),
)
def test_monthly_look_alikes_never_join_and_are_never_asked(
    numbers: list[int], prefix: str, total: int, many_tools: bool
) -> None:
    faces = [
        face(
            f"s{month}",
            TOOLS[month % 3] if many_tools else TOOLS[0],
            f"{prefix}{number}",
            seller_siren=ACME if month % 2 else None,
            total=total,
            debtor_key=CLIENT,
            issue_date=date(2026, 1, 31) + timedelta(days=30 * month),
            due_dates=(date(2026, 3, 2) + timedelta(days=30 * month),),
        )
        for month, number in enumerate(numbers)
    ]
    replayed = replay(faces)
    assert replayed.doubts == ()
    assert len(replayed.claims) == len(faces)


FACES = st.builds(
    lambda i, tool, number, total, day, seller, debtor, document, kind: face(
        f"s{i}",
        tool,
        number,
        total=total,
        issue_date=date(2026, 3, day),
        seller_siren=seller,
        debtor_key=debtor,
        document_sha256=document,
        kind=kind,
    ),
    st.integers(0, 10**6),
    st.sampled_from(TOOLS),
    st.sampled_from(("F-1", "F1", "F 01", "F-2", "F-11-2", "F-1-12", "AVOIR")),
    st.sampled_from((100, 200)),
    st.integers(1, 9),
    st.sampled_from((ACME, None)),
    st.sampled_from((CLIENT, OTHER_CLIENT, None)),
    st.sampled_from((SHA, None)),
    st.sampled_from(("invoice", "down_payment", "credit_note")),
)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(FACES, max_size=7, unique_by=lambda f: f.sighting_id),
    st.randoms(use_true_random=False),
)
def test_where_neither_order_raises_a_doubt_both_give_the_same_partition(
    faces: list[Face], random: Any
) -> None:
    shuffled = list(faces)
    random.shuffle(shuffled)
    one, two = replay(faces), replay(shuffled)
    if not one.doubts and not two.doubts:
        assert one.groups() == two.groups()


@settings(max_examples=300, deadline=None)
@given(st.lists(FACES, max_size=7, unique_by=lambda f: f.sighting_id))
def test_every_sighting_is_in_exactly_one_claim_and_no_credit_shares_one_with_an_invoice(
    faces: list[Face],
) -> None:
    by_id = {each.sighting_id: each for each in faces}
    members = [sighting for group in replay(faces).groups() for sighting in group]
    assert sorted(members) == sorted(by_id)
    for group in replay(faces).groups():
        assert len({by_id[s].kind == "credit_note" for s in group}) == 1


@settings(max_examples=300, deadline=None)
@given(histories(), st.data())
def test_a_merge_undone_leaves_everything_as_it_was(
    history: tuple[list[Face], frozenset[frozenset[str]]], data: st.DataObject
) -> None:
    before = replay(history[0])
    start = before
    events = []
    while len(before.claims) > 1 and data.draw(st.booleans()):
        kept, merged = data.draw(
            st.lists(st.sampled_from(sorted(before.claims)), min_size=2, max_size=2, unique=True)
        )
        before, event = merge(before, kept, merged)
        events.append(event)
    for event in reversed(events):
        before = unmerge(before, event)
    assert before == start


def test_what_joined_since_a_merge_stays_with_the_claim_that_was_kept() -> None:
    two = Partition({"a": frozenset({"s1"}), "b": frozenset({"s2"})})
    merged, event = merge(two, "a", "b")
    later = Partition({"a": merged.claims["a"] | {"s3"}})
    assert unmerge(later, event).claims == {"a": frozenset({"s1", "s3"}), "b": frozenset({"s2"})}


def test_a_merge_is_never_undone_twice_nor_made_with_itself() -> None:
    two = Partition({"a": frozenset({"s1"}), "b": frozenset({"s2"})})
    _, event = merge(two, "a", "b")
    opened_again = Partition({"a": frozenset({"s1", "s2"}), "b": frozenset({"s9"})})
    moved_on = Partition({"a": frozenset({"s1"})})
    for changed in (two, opened_again, moved_on):
        with pytest.raises(ValueError, match="not merged"):
            unmerge(changed, event)
    with pytest.raises(ValueError, match="itself"):
        merge(two, "a", "a")
