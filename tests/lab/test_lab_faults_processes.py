"""Killing real processes: each payment is written once, whoever died and whoever went on."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from encaisse_lab import faults_hands, faults_processes, faults_watch, faults_workers

WITHIN: Final = """
import sys, time
from encaisse_core.store.engine import plain_engine
from encaisse_core.store import schema
with plain_engine(sys.argv[1]).begin() as tx:
    tx.execute(schema.company.update().values(name=schema.company.c.name))
    print("within", flush=True)
    time.sleep(1)
"""
"""A process that writes something every night reads, and takes a second to commit it."""

pytestmark = pytest.mark.usefixtures("own_dialects")


def address(uri: str) -> str:
    """Name the driver in a server's address."""
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_daemon_that_is_killed_and_one_that_is_not_alone_write_each_payment_once() -> None:
    done = faults_processes.run(1, kills=1, freezes=0, pairs=1)
    assert done.sound, done
    assert done.paid == 2 * faults_processes.EACH_TIME


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_who_is_frozen_within_a_transaction_is_waited_for(
    database: str, request: pytest.FixtureRequest
) -> None:
    server = None
    if database == "postgresql":
        server = address(request.getfixturevalue("postgres_server"))
    told = faults_processes.Processes(database)
    with faults_processes.street_of(1, told, server) as street:
        street.pay()
        within = subprocess.Popen(
            [sys.executable, "-c", WITHIN, street.place.url or f"sqlite:///{street.place.file}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert within.stdout is not None
        assert within.stdout.readline() == b"within\n"
        street.freeze(within)
        street.peace()
    assert (told.held, told.freezes) == (1, 0)
    assert told.sound, told


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
    struck = faults_workers.run(2, kills=2, freezes=0, database=address(postgres_server))
    assert struck.found.sound, struck
    assert struck.found.kills == 2
