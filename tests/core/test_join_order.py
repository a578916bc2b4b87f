"""Whatever order the tools answer in, the same sightings make the same claims.

The store joins page by page; here a whole history is joined in memory, in one order or another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_core.faces import Face, Key, keys
from encaisse_core.join import Candidate, Choice, Doubtful, Joined, choose

ACME = "123456782"
CLIENT = "987654324"
OTHER_CLIENT = "732829320"
SHA = "a" * 64
ACME_VAT = "FR11123456782"
DANE, GERMAN = "DK12345678", "DE123456788"


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


@dataclass
class Partition:
    """Hold the sightings of each claim, and each choice that was not clear-cut."""

    claims: dict[str, set[str]] = field(default_factory=dict)
    doubts: list[tuple[str, Choice]] = field(default_factory=list)

    def groups(self) -> frozenset[frozenset[str]]:
        """Forget the claims' names, which depend on which sighting came first."""
        return frozenset(map(frozenset, self.claims.values()))


def replay(faces: Sequence[Face]) -> Partition:
    """Join faces in the order given; a claim bears the name of the sighting that opened it."""
    told = Partition()
    index: dict[Key, list[tuple[str, Face]]] = {}
    asked: set[str] = set()
    for each in faces:
        own = keys(each)
        found = [
            Candidate(claim, key.rung, other, asked=claim in asked)
            for key in own
            for claim, other in index.get(key, ())
        ]
        choice = choose(each, found)
        claim_id = choice.claim_id if isinstance(choice, Joined) else each.sighting_id
        if isinstance(choice, Doubtful) or (isinstance(choice, Joined) and choice.also):
            told.doubts.append((each.sighting_id, choice))
        if isinstance(choice, Doubtful) and choice.alike and not choice.standing:
            asked.add(claim_id)
        told.claims.setdefault(claim_id, set()).add(each.sighting_id)
        for key in own:
            index.setdefault(key, []).append((claim_id, each))
    return told


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


@settings(max_examples=examples(60), deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_who_joined_whom(
    history: tuple[list[Face], frozenset[frozenset[str]]], random: Any
) -> None:
    faces, truth = history
    shuffled = list(faces)
    random.shuffle(shuffled)
    for order in (faces, shuffled, list(reversed(faces))):
        replayed = replay(order)
        assert replayed.doubts == []
        assert replayed.groups() == truth


@settings(max_examples=examples(60), deadline=None)
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
    assert replayed.doubts == []
    assert len(replayed.claims) == len(faces)


FACES = st.builds(
    lambda i, tool, number, total, day, seller, vat, debtor, document, kind: face(
        f"s{i}",
        tool,
        number,
        total=total,
        issue_date=date(2026, 3, day),
        seller_siren=seller,
        seller_vat=vat,
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
    st.sampled_from((DANE, "DK 12.34.56.78", GERMAN, ACME_VAT, None)),
    st.sampled_from((CLIENT, OTHER_CLIENT, None)),
    st.sampled_from((SHA, None)),
    st.sampled_from(("invoice", "down_payment", "credit_note")),
)


@settings(max_examples=examples(60), deadline=None)
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


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(FACES, max_size=7, unique_by=lambda f: f.sighting_id))
def test_every_sighting_is_in_exactly_one_claim_and_no_credit_shares_one_with_an_invoice(
    faces: list[Face],
) -> None:
    by_id = {each.sighting_id: each for each in faces}
    members = [sighting for group in replay(faces).groups() for sighting in group]
    assert sorted(members) == sorted(by_id)
    for group in replay(faces).groups():
        assert len({by_id[s].kind == "credit_note" for s in group}) == 1


def test_sellers_of_three_countries_with_one_number_and_total_keep_three_claims() -> None:
    written = ("DK12345678", "DK 12 34 56 78", "NL123456782B90", "nl123456782b90", "DE123456788")
    faces = [
        face(f"s{place}", "cnx_folder", "TOSL110", seller_vat=vat, issued=True)
        for place, vat in enumerate(written)
    ]
    expected = {frozenset({"s0", "s1"}), frozenset({"s2", "s3"}), frozenset({"s4"})}
    for order in (faces, faces[::-1]):
        replayed = replay(order)
        assert replayed.groups() == expected
        assert replayed.doubts == []


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(FACES, max_size=7, unique_by=lambda f: f.sighting_id),
    st.randoms(use_true_random=False),
)
def test_two_sellers_who_write_alike_never_share_a_claim(faces: list[Face], random: Any) -> None:
    shown = [replace(f, seller_siren=None, document_sha256=None, number="F-1") for f in faces]
    random.shuffle(shown)
    by_id = {each.sighting_id: each for each in shown}
    for group in replay(shown).groups():
        assert len({_folded(by_id[s].seller_vat) for s in group} - {None}) <= 1


def _folded(vat: str | None) -> str | None:
    return vat and vat.replace(" ", "").replace(".", "")


LOOK_ALIKES = st.lists(
    st.builds(
        lambda due, debtor, total, tool: (due, debtor, total, tool),
        st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
        st.sampled_from((CLIENT, OTHER_CLIENT, None)),
        st.sampled_from((100, 200)),
        st.sampled_from(TOOLS),
    ),
    max_size=9,
)


def doubted(told: Partition) -> set[str]:
    """Name the claims some unanswered doubt is about."""
    found = set[str]()
    for sighting, choice in told.doubts:
        assert isinstance(choice, Doubtful)
        found |= {sighting, *choice.claim_ids}
    return found


@settings(max_examples=examples(60), deadline=None)
@given(LOOK_ALIKES, st.randoms(use_true_random=False))
def test_whatever_order_look_alikes_come_in_the_same_ones_wait_for_an_answer(
    drawn: list[tuple[list[int], str | None, int, str]], random: Any
) -> None:
    faces = [
        face(
            f"s{place}",
            tool,
            f"F-{place + 1}",
            due_dates=tuple(date(2026, 4, day) for day in due),
            debtor_key=debtor,
            total=total,
        )
        for place, (due, debtor, total, tool) in enumerate(drawn)
    ]
    like = {
        each.sighting_id
        for each in faces
        for other in faces
        if other is not each
        and each.debtor_key is not None
        and each.debtor_key == other.debtor_key
        and each.total == other.total
        and set(each.due_dates) & set(other.due_dates)
    }
    shuffled = list(faces)
    random.shuffle(shuffled)
    for order in (faces, shuffled, faces[::-1]):
        assert doubted(replay(order)) == like


def test_many_look_alikes_make_one_question_and_one_doubt_each() -> None:
    faces = [face(f"s{n:03}", TOOLS[0], f"F-{n}", debtor_key=CLIENT) for n in range(1, 101)]
    doubts = [choice for _, choice in replay(faces).doubts if isinstance(choice, Doubtful)]
    assert [choice.standing for choice in doubts] == [False] + [True] * 98
    assert sum(len(choice.claim_ids) for choice in doubts) == 99
