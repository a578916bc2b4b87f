"""The simulated Libeo: two directions, a circuit of ten statuses, changes in order, one company."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from encaisse_simulator import LedgerEntry, SimTransport, World
from encaisse_simulator.libeo.account import STATUSES

KEY, OTHER = "cle-atelier", "cle-fournil"
SIRET, OTHER_SIRET = "98765432400019", "81234567600017"
ISSUED, DUE = date(2026, 9, 1), date(2026, 10, 1)
BASE = "https://api.libeo.example/v1"


@pytest.fixture
def world() -> World:
    """Start at 09:00 in Paris on 24 November 2026, with two companies."""
    world = World(7, datetime(2026, 11, 24, 8, tzinfo=UTC))
    world.libeo.add_company(KEY, SIRET, "Atelier Exemple SARL", webhook_secret="whsec")
    world.libeo.add_company(OTHER, OTHER_SIRET, "Fournil Exemple SAS")
    return world


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    """Reach Libeo in process, with the first company's key."""
    with httpx.Client(
        transport=SimTransport(world), base_url=BASE, headers={"X-Api-Key": KEY}
    ) as client:
        yield client


def sold(world: World, number: str = "F-1", cents: int = 120_000) -> str:
    return world.libeo.add_receivable(KEY, number, "Client", "999100019", ISSUED, DUE, cents)


def bought(world: World, number: str = "A-1", cents: int = 50_000) -> str:
    return world.libeo.add_payable(KEY, number, "Fournil", "812345676", ISSUED, DUE, cents)


def listed(http: httpx.Client, **query: str) -> dict[str, Any]:
    answer = http.get("/invoices", params=query)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def numbers(page: dict[str, Any]) -> list[str]:
    return [row["number"] for row in page["items"]]


def test_a_row_says_its_direction_and_both_parties(world: World, http: httpx.Client) -> None:
    sold(world)
    bought(world)
    sale, purchase = listed(http)["items"]
    us = {"siren": "987654324", "name": "Atelier Exemple SARL"}
    assert (sale["direction"], sale["supplier"], sale["status"]) == ("receivable", us, "À payer")
    assert (purchase["direction"], purchase["buyer"]) == ("payable", us)
    assert purchase["status"] == "En validation"
    assert numbers(listed(http, direction="payable")) == ["A-1"]
    assert numbers(listed(http, status="À payer")) == ["F-1"]


def test_a_key_opens_one_company_and_nothing_of_another(world: World, http: httpx.Client) -> None:
    theirs = world.libeo.add_receivable(
        OTHER, "F-9", "Atelier", "987654324", ISSUED, DUE, 50_000, document=b"%PDF-1.4"
    )
    bought(world, "F-9")
    assert [row["direction"] for row in listed(http)["items"]] == ["payable"]
    for path in (f"/invoices/{theirs}", f"/invoices/{theirs}/document"):
        refused = http.get(path)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "invoice_not_found")
    assert http.get(f"/companies/{SIRET}").json()["siren"] == "987654324"
    assert http.get(f"/companies/{OTHER_SIRET}").json()["error"]["code"] == "company_not_found"


def test_what_changes_moves_to_the_end_of_the_list(world: World, http: httpx.Client) -> None:
    first = sold(world, "F-1")
    world.advance(timedelta(minutes=1))
    sold(world, "F-2")
    world.advance(timedelta(minutes=1))
    world.libeo.customer_pays(first, 20_000, date(2026, 11, 23))
    found = listed(http)
    assert numbers(found) == ["F-2", "F-1"]
    row = found["items"][1]
    assert (row["status"], row["balance"]) == ("Solde à payer", "1000.00")
    assert numbers(listed(http, updated_since=row["updated_at"])) == ["F-1"]


def test_a_long_list_comes_in_pages_that_add_up(world: World, http: httpx.Client) -> None:
    world.libeo.page_size = 20
    for place in range(45):
        sold(world, f"F-{place:02}")
    seen, query = list[str](), dict[str, str]()
    while True:
        page = listed(http, **query)
        assert page["total"] == 45
        seen += numbers(page)
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(seen) == [f"F-{place:02}" for place in range(45)]
    wrong = http.get("/invoices", params={**query, "direction": "payable"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (410, "cursor_unknown")


def test_a_scheduled_transfer_leaves_and_arrives_by_the_clock(
    world: World, http: httpx.Client
) -> None:
    purchase = bought(world)
    world.libeo.schedule_payment(purchase, date(2026, 11, 26))
    assert http.get(f"/invoices/{purchase}").json()["scheduled_payment_date"] == "2026-11-26"
    world.advance(timedelta(days=2))
    leaving = http.get(f"/invoices/{purchase}").json()
    assert (leaving["status"], leaving["balance"]) == ("En cours", "500.00")
    assert leaving["updated_at"] == "2026-11-25T23:00:00.000000Z"
    assert world.ledger() == []
    world.advance(timedelta(days=10))
    arrived = http.get(f"/invoices/{purchase}").json()
    assert (arrived["status"], arrived["balance"]) == ("Payé", "0.00")
    assert world.ledger() == [
        LedgerEntry(
            "libeo", "987654324", "A-1", 50_000, date(2026, 11, 28), "supplier_payment", "partner"
        )
    ]


def test_the_ledger_tells_effects_and_the_standings_what_is_left(world: World) -> None:
    tool, sale = world.libeo, sold(world)
    day = date(2026, 11, 24)
    tool.customer_pays(sale, 70_000, day)
    tool.undo_payment(sale, 70_000, day)
    tool.credit_note(sale, 20_000, day, "AV-1")
    tool.customer_pays(sale, 100_000, day)
    assert [(each.kind, each.amount_cents, each.via) for each in world.ledger()] == [
        ("payment", 70_000, "user"),
        ("reversal", -70_000, "user"),
        ("credit_note", 20_000, "user"),
        ("payment", 100_000, "user"),
    ]
    assert [(each.number, each.status, each.balance_cents) for each in tool.standings(KEY)] == [
        ("AV-1", "Payé", 0),
        ("F-1", "Payé", 0),
    ]
    assert tool.standings(OTHER) == []


def test_a_deleted_invoice_is_told_as_a_change_and_read_no_more(
    world: World, http: httpx.Client
) -> None:
    sale = sold(world)
    before = listed(http)["items"][0]["updated_at"]
    world.advance(timedelta(minutes=1))
    world.libeo.delete_invoice(sale)
    assert listed(http)["items"] == []
    (row,) = listed(http, updated_since=before)["items"]
    assert row["deleted_at"] == row["updated_at"]
    assert http.get(f"/invoices/{sale}").status_code == 404


def test_nothing_can_be_written(world: World, http: httpx.Client) -> None:
    sale = sold(world)
    before = world.libeo.standings(KEY)
    for method, path in (
        ("POST", "/invoices"),
        ("PATCH", f"/invoices/{sale}"),
        ("DELETE", f"/invoices/{sale}"),
    ):
        assert http.request(method, path, json={"status": "Payé"}).status_code == 405
    assert http.patch(f"/invoices/{sale}/status", json={"status": "Payé"}).status_code == 404
    assert world.libeo.standings(KEY) == before


@pytest.mark.parametrize(
    ("key", "code"), [("", "missing_key"), ("inconnue", "invalid_key")], ids=["none", "unknown"]
)
def test_a_stranger_is_refused(world: World, http: httpx.Client, key: str, code: str) -> None:
    answer = http.get("/invoices", headers={"X-Api-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


@pytest.mark.parametrize(
    "query",
    [
        {"direction": "both"},
        {"status": "Annulé"},
        {"updated_since": "hier"},
        {"updated_since": "2026-11-24T08:00:00"},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_refused(http: httpx.Client, query: dict[str, str]) -> None:
    assert http.get("/invoices", params=query).json()["error"]["code"] == "invalid_parameter"


def test_the_calls_of_a_day_are_counted_and_begin_again_at_midnight(world: World) -> None:
    world.libeo.add_company("petite", "99910001900010", "Petite SARL", daily_calls=2)
    with httpx.Client(
        transport=SimTransport(world), base_url=BASE, headers={"X-Api-Key": "petite"}
    ) as client:
        assert [client.get("/invoices").status_code for _ in range(3)] == [200, 200, 429]
        assert world.libeo.calls_today("petite") == 2
        world.advance(timedelta(hours=15))
        assert client.get("/invoices").status_code == 200


@pytest.mark.parametrize("kind", ["truncated_list", "miscounted_list"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_cut_list_says_it_is_whole_and_its_count_agrees_or_not(
    world: World, http: httpx.Client, kind: str, nth: int
) -> None:
    world.libeo.page_size = 10
    for place in range(25):
        sold(world, f"F-{place:02}")
    world.faults.schedule(kind, nth=nth)  # type: ignore[arg-type]
    seen, query = 0, dict[str, str]()
    while True:
        page = listed(http, **query)
        seen += len(page["items"])
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == 10 * (nth - 1) + (2 if nth == 3 else 5)
    assert page["total"] == (seen if kind == "truncated_list" else 25)


def test_a_revoked_key_stays_refused_until_it_works_again(world: World, http: httpx.Client) -> None:
    world.faults.schedule("revoked_token")
    assert [http.get("/invoices").status_code for _ in range(2)] == [401, 401]
    with httpx.Client(
        transport=SimTransport(world), base_url=BASE, headers={"X-Api-Key": OTHER}
    ) as other:
        assert other.get("/invoices").status_code == 200
    world.faults.restore_tokens()
    assert http.get("/invoices").status_code == 200


def test_a_notification_is_signed_and_tells_no_figure(world: World) -> None:
    purchase = bought(world)
    world.libeo.schedule_payment(purchase, date(2026, 11, 25))
    world.advance(timedelta(days=5))
    sent = world.libeo.deliveries()
    assert [json.loads(each.body)["type"] for each in sent] == [
        "invoice.updated",
        "payment.scheduled",
        "invoice.updated",
        "payment.executed",
    ]
    assert {frozenset(json.loads(each.body)) for each in sent} == {
        frozenset({"type", "company_siret", "invoice_id", "created_at"})
    }
    for each in sent:
        stamp, _, shown = each.headers["Libeo-Signature"].partition(",")
        message = stamp.removeprefix("t=").encode() + b"." + each.body
        assert shown == f"v1={hmac.new(b'whsec', message, hashlib.sha256).hexdigest()}"
    assert world.libeo.deliveries() == []


def test_what_cannot_be_is_not_entered(world: World) -> None:
    tool, sale, purchase = world.libeo, sold(world), bought(world)
    today = date(2026, 11, 24)
    for wrong in (
        lambda: tool.schedule_payment(purchase, today),
        lambda: tool.customer_pays(purchase, 100, today),
        lambda: tool.customer_pays(sale, 0, today),
        lambda: tool.undo_payment(sale, 100, today),
        lambda: tool.credit_note(sale, 120_001, today),
        lambda: tool.add_company("x", "123", "Trop court"),
        lambda: tool.add_receivable(KEY, "F", "C", "", ISSUED, DUE, 1, status="Annulé"),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            wrong()


def test_the_same_seed_gives_the_same_bytes() -> None:
    def told() -> bytes:
        world = World(3, datetime(2026, 11, 24, 8, tzinfo=UTC))
        world.libeo.add_company(KEY, SIRET, "Atelier Exemple SARL")
        for place, status in enumerate(STATUSES):
            world.libeo.add_payable(
                KEY, f"A-{place}", "Fournil", "", ISSUED, None, 1_000, status=status
            )
        with httpx.Client(
            transport=SimTransport(world), base_url=BASE, headers={"X-Api-Key": KEY}
        ) as client:
            return client.get("/invoices").content

    assert told() == told()
