"""What goes wrong in a dossier is one sentence to a person, and costs no payment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from tests.connectors_myunisoft.home import House
from tests.connectors_myunisoft.office import SECRET, SETTINGS
from tests.core import handing

from encaisse_core import connecting
from encaisse_core.errors import UsageError
from encaisse_core.store import schema

pytestmark = pytest.mark.slow  # whole nights of a company

Deed = Callable[[House], object]

APRIL = (date(2026, 4, 1), date(2026, 4, 30))
Y2027 = (date(2027, 1, 1), date(2027, 12, 31))


@dataclass(frozen=True)
class Mishap:
    """Be one thing that goes wrong once money was collected, what is said, and how it is mended.

    `said` is empty where the host gets over it alone.
    """

    happens: Deed
    said: str
    mended: Deed
    paid_on: date = date(2026, 4, 14)


def entered_again(house: House) -> None:
    house.settle("record_payment", "retry")


def unlocked(house: House) -> None:
    house.office.books.unlock_periods()
    entered_again(house)


def opened(house: House) -> None:
    house.office.books.lock_journal("OD", locked=False)
    entered_again(house)


def year_opened(house: House) -> None:
    house.office.books.open_exercice(*Y2027)
    entered_again(house)


def reconnected(house: House) -> None:
    house.office.world.faults.restore_tokens()
    token = house.office.world.myunisoft.society_key(house.office.books.society_id)
    connecting.connect(
        house.app.host,
        house.app.vault,
        company_id=house.company,
        connector="myunisoft",
        values={"token": token, "partner_secret": SECRET, **SETTINGS},
    )


def opened_to_the_key(house: House) -> None:
    house.office.world.myunisoft._api.planned.clear()
    entered_again(house)


def nothing(house: House) -> None:
    """Leave it to the next night."""


MISHAPS = {
    "a key revoked between two calls": Mishap(
        lambda house: house.office.world.faults.schedule("revoked_token", path="/mad/entry"),
        "MyUnisoft refuse notre accès",
        reconnected,
    ),
    "a key revoked by the customer": Mishap(
        lambda house: house.office.world.myunisoft.revoke(house.office.token),
        "MyUnisoft refuse notre accès",
        reconnected,
    ),
    "a period the accountant closed": Mishap(
        lambda house: house.office.books.lock_period(*APRIL),
        "la période ou le journal est verrouillé par le comptable",
        unlocked,
    ),
    "a locked journal": Mishap(
        lambda house: house.office.books.lock_journal("OD"),
        "le journal OD de MyUnisoft est verrouillé",
        opened,
    ),
    "an entry refused as unbalanced": Mishap(
        lambda house: house.office.world.myunisoft.fail_next("ECR14", method="POST"),
        "l'écriture n'est pas équilibrée",
        entered_again,
    ),
    "a dossier the key does not open": Mishap(
        lambda house: house.office.world.myunisoft.fail_next(
            "DROIT1", path="/mad/movements", count=60
        ),
        "ce dossier n'est pas ouvert à cette clé",
        opened_to_the_key,
    ),
    "an id that is taken": Mishap(
        lambda house: house.office.world.myunisoft.fail_next("GBL6", method="POST"), "", nothing
    ),
    "no year for the payment": Mishap(
        lambda house: house.clock.set(datetime(2027, 1, 4, 19, 0, tzinfo=UTC)),
        "le 03/01/2027 n'est dans aucun exercice",
        year_opened,
        date(2027, 1, 3),
    ),
}


def told(house: House) -> list[str]:
    """Read what a person is asked."""
    t = schema.task.c
    with house.app.host.store.begin() as tx:
        query = select(t.sentence).where(t.done_at.is_(None)).order_by(t.id)
        return list(tx.execute(query).scalars())


@pytest.mark.parametrize("name", MISHAPS)
def test_it_is_one_sentence_and_the_payment_is_entered_once_it_is_mended(
    house: House, name: str
) -> None:
    mishap = MISHAPS[name]
    procedure = house.hand_over()
    handing.collect(house.paper, "p1", procedure, "FA2026001", 50_000, mishap.paid_on)
    mishap.happens(house)
    night = house.night()
    said = [*night.failures.values(), *told(house)]
    assert house.claim("FA2026001") == ("open", 70_000, None)
    assert house.payments() == [50_000]
    if mishap.said:
        assert said and all(mishap.said in sentence for sentence in said), said
        assert all("\n" not in sentence for sentence in said)
        assert house.entries() == (0, 0)
    mishap.mended(house)
    assert house.night().failures == {}
    assert house.entries() == (0, 1)
    assert told(house) == []
    assert house.claim("FA2026001") == ("open", 70_000, None)
    assert house.payments() == [50_000]


def test_words_alone_settle_no_refused_entry(house: House) -> None:
    procedure = house.hand_over()
    handing.collect(house.paper, "p1", procedure, "FA2026001", 50_000, date(2026, 4, 14))
    house.office.books.lock_period(*APRIL)
    house.night()
    with pytest.raises(UsageError, match=r"encaisse effects resolve eff_\w+ retry"):
        house.answer("refused")
    assert len(told(house)) == 1
    house.settle("record_payment", "retry")  # still locked: it is asked anew
    assert len(told(house)) == 1
    house.answer("refused", lift=False)
    assert told(house) == []
