"""Striking a small company: what counts as harm, what repeats a case, and cases really lived."""

from __future__ import annotations

import pytest

from encaisse_core import chaos
from encaisse_core.errors import CheckFailed, UsageError
from encaisse_lab import (
    faults,
    faults_places,
    faults_report,
    faults_wire,
)
from encaisse_lab.broken_on_purpose import planted
from encaisse_lab.faults_case import Action, Strike
from encaisse_lab.faults_check import Findings
from encaisse_lab.faults_report import Outcome, Report, Wanted

pytestmark = pytest.mark.usefixtures("own_dialects")

POINT = "record_payment.send.before_send"
TWICE = "('myunisoft', 'F001', 'payment_draft', 100)"


def outcome(
    action: Action = "crash",
    *,
    point: str = POINT,
    struck: bool = True,
    duplicates: tuple[str, ...] = (),
    named: frozenset[str] = frozenset(),
) -> Outcome:
    found = Findings(duplicates=duplicates, named=named)
    return Outcome(Wanted(3, point), Strike(point, action, 2, 1), struck, False, found)


def test_cases_are_spread_over_points_one_seed_after_the_other() -> None:
    asked = faults.wanted(5, 3, ("a", "b"))
    assert asked == [Wanted(5, "a"), Wanted(5, "b"), Wanted(6, "a")]
    whole = faults.wanted(1, len(chaos.POINTS) * 2)
    assert {each.point for each in whole if each.seed == 2} == set(chaos.POINTS)


def test_a_strike_that_never_came_proves_nothing() -> None:
    assert outcome().sound
    assert not outcome(struck=False).sound
    assert not faults_report.sound(Report())
    with pytest.raises(CheckFailed):
        faults_report.check(Report())


def test_only_a_named_double_after_a_sleep_before_a_send_is_the_known_hole() -> None:
    named = frozenset({"F001"})
    assert outcome("zombie", duplicates=(TWICE,), named=named).hole
    assert outcome("zombie", duplicates=(TWICE,), named=named).sound
    assert outcome("rival", duplicates=(TWICE,), named=named).sound
    assert not outcome("zombie", duplicates=(TWICE,)).sound
    assert not outcome("crash", duplicates=(TWICE,), named=named).sound
    kept = outcome("zombie", point="open_procedure.send.before_send", duplicates=(TWICE,))
    assert not kept.sound


def test_a_failure_says_how_to_see_it_again() -> None:
    report = Report([outcome(duplicates=(TWICE,)), outcome()])
    told = faults_report.as_json(report, seed=3, database=None, percent=5)
    assert (told["cases"], told["duplicates"], told["chaos_points"]) == (2, 1, 1)
    failures = told["failures"]
    assert isinstance(failures, list)
    assert failures[0]["repeat"] == f"encaisse faults --seed 3 --point {POINT} --cases 1 --faults 5"
    with pytest.raises(CheckFailed, match=r"record_payment\.send"):
        faults_report.check(report)


def test_a_server_that_is_no_postgresql_is_refused() -> None:
    with pytest.raises(UsageError, match="PostgreSQL"):
        faults_places.fresh("sqlite:///x.db")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_struck_cases_come_to_the_same_end() -> None:
    asked = [
        Wanted(1, "proposals.approve.after_commit", "crash"),
        Wanted(1, "record_payment.send.after_reply", "crash"),
        Wanted(1, "join.place.after_commit", "rival"),
    ]
    report = faults.run(asked)
    told = faults_report.as_json(report, seed=1, database=None, percent=0)
    assert faults_report.sound(report), told
    assert report.passed.keys() >= set(chaos.POINTS) - UNMET, set(chaos.POINTS) - set(report.passed)
    assert all(each.converged for each in report.outcomes)


UNMET: frozenset[str] = frozenset()
"""Points no baseline passes: none."""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cursor_saved_first_is_found_by_a_strike() -> None:
    with planted("cursor"):
        report = faults.run([Wanted(1, "collector.payments.before_commit", "crash", "told 1")])
    assert not report.broken
    assert not faults_report.sound(report)
    assert any(each.findings.missing for each in report.outcomes)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_month_over_a_spoilt_wire_ends_as_it_should() -> None:
    lived = faults_wire.live(1)
    assert lived.sound, lived
