"""Killing real processes: each payment is written once, whoever died and whoever went on."""

from __future__ import annotations

import pytest

from encaisse_lab import faults_hands, faults_processes, faults_watch, faults_workers

pytestmark = pytest.mark.usefixtures("own_dialects")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_daemon_that_is_killed_and_one_that_is_not_alone_write_each_payment_once() -> None:
    done = faults_processes.run(1, kills=1, freezes=0, pairs=1)
    assert done.sound, done
    assert done.paid == 2 * faults_processes.EACH_TIME


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_daemon_killed_while_partners_tell_it_things_declares_each_payment_once() -> None:
    done = faults_watch.run(1, kills=2)
    assert done.sound, done
    assert done.kills == 2 and done.direct > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_companies_that_have_their_night_at_once_on_sqlite_keep_their_money_apart() -> None:
    """Four real threads on one file, partners failing, the daemon killed in its nights once."""
    lived = faults_hands.run(1, companies=5, hands=4, kills=1, rounds=1)
    assert lived.sound, lived
    assert lived.kills == 1 and lived.together > 2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_workers_lose_nothing_and_write_nothing_twice(postgres_server: str) -> None:
    server = postgres_server.replace("postgresql://", "postgresql+psycopg://", 1)
    struck = faults_workers.run(2, kills=2, freezes=0, database=server)
    assert struck.found.sound, struck
    assert struck.found.kills == 2
