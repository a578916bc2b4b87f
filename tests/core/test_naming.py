"""Names derived from what a thing is: the same every time, and beside its neighbours'."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from encaisse_core.naming import named, namer, neighbours

part = st.text() | st.integers()


@settings(deadline=None)  # a busy machine is no fault of a name
@given(st.lists(part), st.lists(part, min_size=1))
def test_a_namer_gives_the_names_of_named(parts: list[str | int], last: list[str | int]) -> None:
    assert namer("sgt", *parts)(*last) == named("sgt", *parts, *last)


@settings(deadline=None)  # a busy machine is no fault of a name
@given(st.lists(st.text(), max_size=20))
def test_a_neighbour_has_one_name_whatever_was_named_before_it(refs: list[str]) -> None:
    name = neighbours("sgt", "cmp_1", "cnx_1")
    assert [name(ref) for ref in refs] == [neighbours("sgt", "cmp_1", "cnx_1")(r) for r in refs]
    assert len({name(ref) for ref in refs}) == len(set(refs))


def test_a_neighbours_name_never_changes() -> None:
    """Keys of effects are derived from it: another spelling would tell a tool a payment twice."""
    name = neighbours("sgt", "cmp_1", "cnx_1")
    assert name("inv-00000001") == "sgt_1EGM83E89W9T49HTBT3S5JG4NN"
    assert name("é\u2028") == "sgt_41T4XGKTBPM9ZEG6PM64QVXD5Q"


def test_neighbouring_references_have_neighbouring_names() -> None:
    name = neighbours("sgt", "cmp_1", "cnx_1")
    names = sorted((name(f"inv-{number:07d}"), number // 1000) for number in range(5_000))
    thousands = [thousand for _, thousand in names]
    assert sum(a != b for a, b in pairwise(thousands)) == 4
    assert name("inv-0000001") != neighbours("sgt", "cmp_1", "cnx_2")("inv-0000001")
