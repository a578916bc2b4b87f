"""What a person may call arrived, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House
from tests.core.same_money import collected

from encaisse_api import OutcomeUnknown
from encaisse_core.cli import resolving
from encaisse_core.errors import UsageError
from encaisse_core.store import schema


def entry(house: House) -> tuple[str, str, str | None]:
    """Give the one entry there is: its id, state and reference."""
    e = schema.effect.c
    with house.host.store.begin() as tx:
        row = tx.execute(select(e.id, e.state, e.remote_id).where(e.kind == "record_payment")).one()
    return row.id, row.state, row.remote_id


def adopt(house: House, remote_id: str | None) -> None:
    decided = resolving.Decision("adopt", "vu chez le partenaire", "essai", remote_id)
    resolving.resolve(house.host, house.company, entry(house)[0], decided)


def test_what_its_partner_does_not_have_is_adopted_under_no_reference(house: House) -> None:
    collected(house, "F-2", 40_00)
    house.paper.bug = OutcomeUnknown("coupure")
    house.night()
    before = entry(house)
    for remote_id in (None, "BIDON-404"):
        with pytest.raises(UsageError, match="ne connaît pas cet envoi"):
            adopt(house, remote_id)
        assert entry(house) == before
    house.paper.bug = None
    house.night()
    assert [cents for _, _, cents in house.paper.written] == [40_00]


def test_what_its_partner_has_is_adopted_under_its_own_reference(house: House) -> None:
    collected(house, "F-2", 40_00)
    house.paper.lose_replies = 1
    kind: Any = house.shelf.known["papertool"]
    find = kind.find_payment

    def silent_since(self: Any, key: str, wanted: Any) -> Any:
        if house.paper.written:
            raise OutcomeUnknown("coupure")
        return find(self, key, wanted)

    kind.find_payment = silent_since
    house.night()
    kind.find_payment = find
    assert entry(house)[1] == "uncertain"
    with pytest.raises(UsageError, match="sous la référence"):
        adopt(house, "BIDON-404")
    adopt(house, None)
    assert entry(house)[1] == "done"
    house.night()
    assert len(house.paper.written) == 1
    assert house.paper.invoices["r-F-2"].open.minor == 160_00


def test_what_its_partner_refused_is_not_adopted(house: House) -> None:
    collected(house, "F-2", 40_00)
    house.paper.lose_replies = 1
    house.paper.receipts = lambda receipt: receipt.model_copy(update={"state": "rejected"})
    house.night()
    assert entry(house)[1] == "refused"
    with pytest.raises(UsageError, match="a refusé cet envoi"):
        adopt(house, None)
    assert entry(house)[1] == "refused"


def test_where_its_connector_is_gone_a_person_names_what_they_saw(house: House) -> None:
    collected(house, "F-2", 40_00)
    house.paper.lose_replies = 1
    house.paper.bug = OutcomeUnknown("coupure")
    house.night()
    house.shelf.known.pop("papertool")
    with pytest.raises(UsageError, match="ne permet pas de chercher"):
        adopt(house, None)
    adopt(house, "r-F-2/0")
    assert entry(house)[1:] == ("done", "r-F-2/0")
