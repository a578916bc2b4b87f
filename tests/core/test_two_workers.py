"""Two workers of one company at once: what one did meanwhile, the other does not do again."""

from __future__ import annotations

from tests.core.houses import House

from encaisse_core import chaos, ingest, portfolio
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
