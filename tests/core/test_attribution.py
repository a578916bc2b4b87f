"""Who earns is fixed when an invoice is first imported, under the contract of that day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from tests.core.houses import House, add_tool, line_of

from encaisse_core import connecting, referrers
from encaisse_core.cli.views.attributions import attribution
from encaisse_core.errors import UsageError
from encaisse_core.referrers import Agreed, Identity
from encaisse_core.store import schema

INVOICES = 2


def refer(house: House, connector: str, rate: int | None = 200_000, kind: str = "editor") -> str:
    """Record a referrer of a tool, under a contract from today where a rate is given."""
    with house.host.store.begin() as tx:
        made = referrers.add(house.host, tx, house.company, f"Apporteur {connector}", kind)  # type: ignore[arg-type]
        if rate is not None:
            referrers.agree(house.host, tx, house.company, made, Agreed(rate, house.clock.today()))
        c = schema.connection
        tx.execute(c.update().where(c.c.connector == connector).values(referrer_id=made))
    return made


def agree(house: House, referrer: str, said: Agreed) -> str:
    with house.host.store.begin() as tx:
        return referrers.agree(house.host, tx, house.company, referrer, said)


def collect(house: House, opened: list[str], name: str = "p1", number: str = "F-1") -> None:
    house.paper.collect(name, opened[0], line_of(house, opened, number), 50_00, date(2026, 2, 6))


def lines(house: House) -> list[tuple[str, str, int]]:
    m = schema.commission_line.c
    with house.host.store.begin() as tx:
        found = tx.execute(select(m.referrer_id, m.kind, m.amount).order_by(m.created_at, m.id))
        return [tuple(row) for row in found]


def told(house: House, number: str = "F-1") -> dict[str, object]:
    c = schema.claim.c
    with house.host.store.begin() as tx:
        claim_id = tx.execute(select(c.id).where(c.number == number)).scalar_one()
        found: dict[str, object] = attribution(tx, house.company, claim_id)
        return found


def test_of_two_tools_the_first_imported_earns_alone_and_explain_says_why(house: House) -> None:
    first = refer(house, "papertool")
    house.night()
    add_tool(house)
    second = refer(house, "othertool", 900_000)
    opened = house.open_everything()
    collect(house, opened)
    house.night()
    assert lines(house) == [(first, "accrual", 1_00)]
    found = told(house)
    assert (found["referrer"], found["rule"]) == (first, "first_import")
    imports = found["imports"]
    assert isinstance(imports, list)
    assert [(i["referrer"], i["decides"]) for i in imports] == [(first, True), (second, False)]


def test_what_the_company_imported_by_itself_was_brought_by_nobody(house: House) -> None:
    house.night()
    add_tool(house)
    refer(house, "othertool")
    opened = house.open_everything()
    collect(house, opened)
    house.night()
    assert lines(house) == []
    assert told(house)["referrer"] is None


def test_a_new_referrer_of_a_connection_takes_nothing_imported_before(house: House) -> None:
    first = refer(house, "papertool")
    opened = house.open_everything()
    second = refer(house, "papertool", 900_000)
    collect(house, opened)
    house.night()
    assert {line[0] for line in lines(house)} == {first}
    assert second not in {line[0] for line in lines(house)}


def test_a_new_contract_changes_nothing_brought_before_and_an_ended_one_goes_on_earning(
    house: House,
) -> None:
    first = refer(house, "papertool")
    opened = house.open_everything()
    collect(house, opened)
    house.night()
    with house.host.store.begin() as tx:
        (contract,) = referrers.contracts(tx, house.company)
        referrers.end(house.host, tx, house.company, contract.id, house.clock.today())
    agree(house, first, Agreed(900_000, house.clock.today() + timedelta(days=1)))
    house.night()
    collect(house, opened, "p2", "F-2")
    house.night()
    house.night()
    assert lines(house) == [(first, "accrual", 1_00), (first, "accrual", 1_00)]


def test_overlapping_contracts_and_rewriting_the_past_are_refused(house: House) -> None:
    first = refer(house, "papertool")
    today = house.clock.today()
    for said in (
        Agreed(1, today),
        Agreed(1, today - timedelta(days=9)),
        Agreed(1, today + timedelta(days=9), today + timedelta(days=10)),
    ):
        with pytest.raises(UsageError, match="ne se recouvrent pas"):
            agree(house, first, said)
    agree(house, first, Agreed(1, today - timedelta(days=9), today - timedelta(days=1)))
    with house.host.store.begin() as tx:
        known = referrers.contracts(tx, house.company)
        for day in (today - timedelta(days=1), today - timedelta(days=400)):
            with pytest.raises(UsageError, match="au plus tôt"):
                referrers.end(house.host, tx, house.company, known[1].id, day)
        with pytest.raises(UsageError, match="finit déjà"):
            referrers.end(house.host, tx, house.company, known[0].id, today)


def test_without_a_contract_nothing_is_earned_and_one_dated_back_earns(house: House) -> None:
    first = refer(house, "papertool", None)
    imported = house.clock.today()
    opened = house.open_everything()
    collect(house, opened)
    house.night()
    assert lines(house) == []
    agree(house, first, Agreed(200_000, imported))
    house.night()
    assert lines(house) == [(first, "accrual", 1_00)]


@pytest.mark.parametrize(("opinion", "earned"), [(None, 0), ("avis du 4 mai", 1)])
def test_a_cabinet_earns_only_under_a_contract_with_its_opinion(
    house: House, opinion: str | None, earned: int
) -> None:
    cabinet = refer(house, "papertool", None, "cabinet")
    agree(house, cabinet, Agreed(200_000, house.clock.today(), legal_opinion=opinion))
    opened = house.open_everything()
    collect(house, opened)
    house.night()
    assert len(lines(house)) == earned


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Identity(), "Rien à noter"),
        (Identity(siren="123456789"), "n'est pas un SIREN"),
        (Identity(vat_id="FR00987654324"), "n'est pas un numéro de TVA"),
        (Identity(siren="123456782", vat_id="FR14987654324"), "n'est pas celui du SIREN"),
        (Identity(vat_id="BE0123456749"), "n'est pas du pays FR"),
        (Identity(vat_regime="reverse_charge"), "d'un autre pays"),
        (Identity(country="BE", vat_regime="franchise"), "d'un autre pays"),
    ],
)
def test_what_cannot_be_true_of_a_referrer_is_refused_and_changes_nothing(
    house: House, told: Identity, words: str
) -> None:
    made = refer(house, "papertool", None)
    with pytest.raises(UsageError, match=words), house.host.store.begin() as tx:
        referrers.identify(house.host, tx, house.company, made, told)
    r = schema.referrer.c
    with house.host.store.begin() as tx:
        assert tx.execute(select(r.siren, r.vat_id, r.country, r.vat_regime)).one() == (
            None,
            None,
            "FR",
            None,
        )


def test_connecting_again_keeps_the_attribution_of_the_first_import(house: House) -> None:
    first = refer(house, "papertool")
    house.night()
    a = schema.attribution.c
    query = select(a.sighting_id, a.referrer_id, a.attributed_at).order_by(a.sighting_id)
    with house.host.store.begin() as tx:
        before = tx.execute(query).all()
    assert [row.referrer_id for row in before] == [first, first]
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="papertool", values={}
    )
    refer(house, "papertool", 1)
    house.paper.pay("F-1", 10_00)
    house.night()
    with house.host.store.begin() as tx:
        assert tx.execute(query).all() == before
