"""Two workers of one company at once: what one did meanwhile, the other does not do again."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tests.core.houses import House, approve_and_sign, make
from tests.core.paper import Paper, paper_connectors

from encaisse_core import chaos, connecting, ingest, nightly, opening, portfolio
from encaisse_core.clock import VirtualClock
from encaisse_core.host import links

INVOICES = 3


def test_a_sighting_another_worker_gave_its_claim_is_left_alone(house: House) -> None:
    with house.host.store.begin() as tx:
        tool = links(tx, house.company)[0]
    ingest.pull_invoices(house.host, tool)
    overtaken: list[str] = []

    def overtake(name: str) -> None:
        if name == "join.place.after_commit" and not overtaken:
            overtaken.append(name)
            portfolio.join(house.host, house.company)

    with chaos.hooked(overtake):
        portfolio.join(house.host, house.company)
    assert overtaken
    assert house.count("claim") == INVOICES


def test_what_two_people_connect_at_once_is_one_connection(house: House) -> None:
    kind = paper_connectors(Paper())["papertool"]
    kind.manifest = kind.manifest.model_copy(update={"slug": "othertool"})
    house.shelf.known["othertool"] = kind
    plain, asked = vars(kind)["probe"], list[str]()

    def connect() -> str:
        made = connecting.connect(
            house.host, house.app.vault, company_id=house.company, connector="othertool", values={}
        )
        return made.id

    def overtaken(self: object) -> object:
        if not asked:
            asked.append("first")
            asked.append(connect())
        return plain(self)

    setattr(kind, "probe", overtaken)  # noqa: B010  # a class's own methods are not assigned to
    assert connect() == asked[1]
    with house.host.store.begin() as tx:
        made = [each.connector for each in links(tx, house.company)]
    assert made.count("othertool") == 1
    assert house.count("access_grant") == len(made)


@pytest.mark.parametrize("phase", ["begin", "pull", "open"])
def test_two_workers_in_one_transaction_each_wait_for_the_other(
    database_url: str, tmp_path: Path, clock: VirtualClock, phase: str
) -> None:
    made = make(database_url, tmp_path, clock, invoices=INVOICES)
    place = {"begin": "night.begin", "pull": "ingest.page", "open": "opening.plan"}[phase]
    if phase == "open":
        approve_and_sign(made)
        nightly.pull(made.host, nightly.Night(made.company, clock.today()))
    with made.host.store.begin() as tx:
        tool = links(tx, made.company)[0]
    first_is_in, failed = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            if phase == "begin":
                night = nightly.Night(made.company, clock.today())
                vars(nightly)["_begin"](made.host, night)
            elif phase == "pull":
                done = ingest.pull_invoices(made.host, tool)
                assert done.error is None, done.error
            else:
                opening.plan_openings(made.host, made.company)
        except BaseException as error:
            failed.append(error)

    def linger(name: str) -> None:
        if name == f"{place}.before_commit" and not first_is_in.is_set():
            first_is_in.set()
            time.sleep(0.4)

    with chaos.hooked(linger):
        workers = [threading.Thread(target=work) for _ in range(2)]
        workers[0].start()
        assert first_is_in.wait(20)
        workers[1].start()
        for worker in workers:
            worker.join(60)
    made.app.close()
    assert failed == []
