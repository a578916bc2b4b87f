"""Every seed plays every role in time, each on an invoice of its own."""

from __future__ import annotations

from collections import defaultdict

import pytest

from encaisse_lab.cast import ROLES, Act, cast
from encaisse_lab.samples import samples

LAST_DAY = 5
"""Everything is done by then: the sixth night sees it."""


@pytest.mark.parametrize("seed", range(1, 201))
def test_every_role_is_played_by_the_sixth_night(seed: int) -> None:
    known = samples(seed)
    drawn = cast(seed, known)
    assert set(drawn.roles.values()) == set(ROLES), seed
    assert all(1 <= act.day <= LAST_DAY for act in drawn.acts), seed
    by_id = {sample.true_id: sample for sample in known.collectible}
    acts: dict[str, list[Act]] = defaultdict(list)
    for act in drawn.acts:
        acts[act.true_id].append(act)
        assert act.role == drawn.roles[act.true_id], seed
    for true_id, role in drawn.roles.items():
        owed = by_id[true_id].owed
        told = acts[true_id]
        deeds = [act.deed for act in told]
        sums = [act.cents for act in told]
        match role:
            case "full":
                assert (deeds, sums) == (["pays_collector"], [owed]), seed
            case "instalments":
                assert len(deeds) in (2, 3), seed
                assert sum(sums) == owed, seed
                assert all(cents > 0 for cents in sums), seed
            case "double":
                assert (deeds, sums) == (["pays_collector"] * 2, [owed, owed]), seed
            case "reversed":
                assert deeds == ["pays_collector", "goes_back"], seed
                assert sums[0] == sums[1] <= owed, seed
                assert told[0].day < told[1].day, seed
            case "direct_full":
                assert (deeds, sums) == (["pays_directly"], [owed]), seed
            case "direct_partial":
                assert deeds == ["pays_directly"], seed
                assert 0 < sums[0] < owed, seed
            case "dispute":
                assert deeds == ["disputes"], seed
            case "credit_note":
                assert deeds == ["is_credited"], seed
                assert 0 < sums[0] <= owed, seed
            case "never_payer":
                assert not told, seed


@pytest.mark.parametrize("seed", range(1, 201))
def test_a_customer_plays_one_role_only(seed: int) -> None:
    known = samples(seed)
    names = {sample.true_id: sample.debtor.name for sample in known.invoices}
    roles: dict[str, set[str]] = defaultdict(set)
    for true_id, role in cast(seed, known).roles.items():
        roles[names[true_id]].add(role)
    assert all(len(played) == 1 for played in roles.values()), seed


@pytest.mark.parametrize("seed", range(1, 21))
def test_who_pays_the_company_directly_leaves_nothing_owed(seed: int) -> None:
    known = samples(seed)
    roles = cast(seed, known).roles
    debtors = {s.debtor.name for s in known.invoices if roles.get(s.true_id) == "direct_full"}
    theirs = [s for s in known.collectible if s.debtor.name in debtors]
    assert all(roles.get(sample.true_id) == "direct_full" for sample in theirs), seed


def test_the_same_seed_draws_the_same_cast() -> None:
    assert cast(4, samples(4)) == cast(4, samples(4))
    assert cast(4, samples(4)) != cast(5, samples(5))
