"""Lettering by calls and by accountants, and the signed word that goes out."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.simulator.office import PARTNER_SECRET, Office, code_of

from encaisse_simulator.myunisoft import Choices
from encaisse_simulator.myunisoft.webhooks import signature

ISSUED = date(2026, 8, 1)
DUE = date(2026, 8, 31)


def lines(office: Office, number: str, *, token: str = "mono") -> list[int]:
    books = office.mono if token == "mono" else office.multi
    return books.line_ids(office.customer if token == "mono" else office.other, number)


@pytest.fixture
def owed(office: Office) -> Office:
    """Let one invoice of 1 000 euros be open in each dossier."""
    office.mono.issue("FA1", office.customer, ISSUED, (DUE, 100_000))
    office.multi.issue("FA1", office.other, ISSUED, (DUE, 100_000))
    return office


def test_a_paid_invoice_is_lettered_with_its_payment(owed: Office) -> None:
    owed.post("FA1", 100_000)
    assert owed.next_code() == "AAA" == owed.next_code()
    answer = owed.letter("AAA", *lines(owed, "FA1"))
    assert (answer.status_code, answer.json()) == (200, {"code": "Success", "message": ""})
    assert owed.open_lines() == []
    assert owed.mono.open_items() == []
    assert owed.next_code() == "AAB"
    effects = [(each.kind, each.amount_cents, each.via) for each in owed.world.ledger()]
    assert effects == [("payment", 100_000, "api"), ("lettered", 100_000, "api")]


@pytest.mark.parametrize("starred", [True, False])
def test_an_instalment_is_lettered_partly_then_the_whole_group_fully(
    owed: Office, starred: bool
) -> None:
    owed.world.myunisoft.choices = Choices(partial_code_starred=starred)
    owed.post("FA1", 40_000)
    code = owed.next_code(partial=True)
    assert code == ("*AAA" if starred else "AAA")
    assert owed.letter(code, *lines(owed, "FA1")).status_code == 200
    assert {str(row["lettering"]) for row in owed.open_lines()} == {
        "{'state': 'partial', 'value': '*AAA'}"
    }
    owed.post("FA1", 60_000)
    _, first, second = lines(owed, "FA1")
    assert code_of(owed.letter(owed.next_code(), first, second)) == (400, "LETTRAGE10")
    assert owed.letter(owed.next_code(), *lines(owed, "FA1")).status_code == 200
    assert owed.open_lines() == []


def test_a_partial_group_takes_one_more_line_under_its_own_code(owed: Office) -> None:
    for cents in (10_000, 20_000):
        owed.post("FA1", cents)
    invoice, first, second = lines(owed, "FA1")
    assert owed.letter("*AAA", invoice, first).status_code == 200
    assert owed.letter("*AAA", invoice, second).status_code == 200
    assert {item.state for item in owed.mono.open_items()} == {"partial"}
    assert owed.mono.open_cents(owed.customer, "FA1") == 70_000


def test_lettering_that_cannot_be_is_refused(owed: Office) -> None:
    owed.post("FA1", 40_000)
    invoice, payment = lines(owed, "FA1")
    assert code_of(owed.letter("AAA", invoice, payment)) == (400, "LETTRAGE1")
    assert code_of(owed.letter("AAA", invoice, 1)) == (400, "GBL10")
    assert code_of(owed.letter("AAA", invoice)) == (400, "GBL10")
    assert code_of(owed.letter("A1", invoice, payment)) == (400, "GBL10")
    elsewhere = lines(owed, "FA1", token="multi")[0]
    assert code_of(owed.letter("AAA", invoice, elsewhere)) == (400, "GBL10")
    bank = owed.mono.receive(owed.customer, DUE, 60_000, number="FA1")
    found = owed.call("GET", "/mad/entry", version="1.0.0", id=bank).json()
    every = [int(each["producerId"]) for each in found["movements"]]
    assert code_of(owed.letter("AAA", *every)) == (400, "ECR16")
    owed.mono.letter_invoice(owed.customer, "FA1")
    assert code_of(owed.letter("AAB", invoice, payment)) == (400, "LETTRAGE10")
    owed.mono.issue("FA2", owed.customer, ISSUED, (DUE, 1_000))
    owed.post("FA2", 1_000)
    assert code_of(owed.letter("AAA", *lines(owed, "FA2"))) == (400, "GBL6")
    owed.call("POST", "/entry/temp", body=owed.payment("FA9", 1_000), type="o")
    draft = owed.call("GET", "/mad/entry", version="1.0.0", id="GCO-FA9-1000", draft="1").json()
    ids = [int(each["producerId"]) for each in draft["movements"]]
    assert code_of(owed.letter("AAC", *ids)) == (400, "GBL10")


def test_a_mono_dossier_letters_carried_lines_once_the_year_is_closed(owed: Office) -> None:
    books, customer = owed.mono, owed.customer
    books.issue("FA0", customer, date(2025, 11, 3), (date(2025, 12, 3), 5_000))
    books.carry_forward(date(2025, 1, 1), close=False)
    books.receive(customer, DUE, 5_000, number="FA0")
    original, carried, receipt = lines(owed, "FA0")
    if original > carried:
        original, carried = carried, original
    assert code_of(owed.letter("AAA", carried, receipt)) == (403, "LETTRAGE9")
    assert code_of(owed.letter("AAA", original, receipt)) == (400, "ECR16")
    books.carry_forward(date(2025, 1, 1))
    first, *_ = lines(owed, "FA0")
    assert code_of(owed.letter("AAA", first, receipt)) == (400, "LETTRAGE2")
    carried = next(
        int(str(row["producerId"])) for row in owed.open_lines() if row["dueDate"] is None
    )
    assert owed.letter("AAA", carried, receipt).status_code == 200
    assert books.open_cents(customer, "FA0") == 0


def test_a_multi_dossier_letters_original_lines_across_years(owed: Office) -> None:
    books = owed.multi
    books.issue("FA0", owed.other, date(2025, 11, 3), (date(2025, 12, 3), 5_000))
    books.carry_forward(date(2025, 1, 1))
    owed.post("FA0", 5_000, token="multi")
    original, payment = lines(owed, "FA0", token="multi")
    carried = [
        int(str(row["producerId"]))
        for row in owed.open_lines(token="multi")
        if row["invoiceNumber"] is None
    ]
    refused = owed.letter("AAA", carried[0], payment, token="multi")
    assert code_of(refused) == (400, "LETTRAGE5")
    assert owed.letter("AAA", original, payment, token="multi").status_code == 200
    assert books.balance() == 100_000


def test_where_it_is_switched_on_lettering_comes_by_itself(owed: Office) -> None:
    owed.mono.set_autolettering(True)
    said = owed.call("GET", "/society/accountingParameters").json()
    assert said["enable_autolettering"] is True
    owed.post("FA1", 40_000)
    assert len(owed.open_lines()) == 2
    owed.call("POST", "/entry/temp", body=owed.payment("FA1", 60_000), type="o")
    owed.mono.validate("GCO-FA1-60000")
    assert owed.open_lines() == []
    assert owed.world.ledger()[-1].via == "partner"
    assert code_of(owed.letter("AAB", *lines(owed, "FA1"))) == (400, "LETTRAGE10")


def test_only_an_accountant_undoes_a_lettering(owed: Office) -> None:
    owed.mono.receive(owed.customer, DUE, 100_000, number="FA1", lettered=True)
    assert owed.open_lines() == []
    owed.mono.unletter(owed.customer, "AAA")
    assert len(owed.open_lines()) == 2
    assert owed.world.ledger()[-1].kind == "unlettered"


def test_the_documented_delivery_verifies() -> None:
    body = (
        b'[{"name":"accountingEntryLettering","operation":"CREATE","scope":{"schemaId":7,"firmId":3,'
        b'"accountingFolderId":512,"accountingFolderRef":"DUPO1"},"data":{"id":"880031",'
        b'"paymentType":"VIRT","piece1":"VIR20261120"},'
        b'"webhookId":"0b7e6f5e-5f0a-4d1c-9f0e-1f2d3c4b5a69","createdAt":1795255200000}]'
    )
    signed = signature("demo-K3y0nlyForTests", body, "1795255200123")
    assert signed == "785fec51b8899d2fe9710a744a32e5051a25d5eda332890d42f27f7d87d0f055"


def subscribe(office: Office, *events: str, token: str = "mono") -> dict[str, object]:
    body = {
        "postUrl": "https://encaisse.example/hooks",
        "onEvents": list(events),
        "accountingFolderId": [str(office.mono.society_id)],
    }
    answer = office.call("POST", "/webhook", token=token, body=body)
    assert answer.status_code == 200, answer.text
    made: dict[str, object] = answer.json()
    return made


def test_a_lettering_is_announced_signed_to_those_who_asked(owed: Office) -> None:
    subscribe(owed, "accountingEntryLettering")
    owed.mono.receive(owed.customer, DUE, 100_000, number="FA1", piece="VIR9", lettered=True)
    owed.multi.receive(owed.other, DUE, 100_000, number="FA1", lettered=True)
    deliveries = owed.world.myunisoft.deliveries()
    assert len(deliveries) == 2
    for each in deliveries:
        assert each.post_url == "https://encaisse.example/hooks"
        wanted = signature(PARTNER_SECRET, each.body, each.headers["date"])
        assert each.headers["signature"] == wanted
    (item,) = json.loads(deliveries[-1].body)
    assert (item["name"], item["operation"]) == ("accountingEntryLettering", "CREATE")
    assert item["scope"]["accountingFolderId"] == owed.mono.society_id
    assert item["data"]["paymentType"] == "VIRT"
    assert item["data"]["piece1"] == "VIR9"
    assert item["createdAt"] == int(owed.world.now.timestamp() * 1000)
    assert owed.world.myunisoft.deliveries() == []
    owed.mono.unletter(owed.customer, "AAA")
    operations = [
        json.loads(each.body)[0]["operation"] for each in owed.world.myunisoft.deliveries()
    ]
    assert operations == ["DELETE", "DELETE"]


def test_a_subscription_is_read_changed_and_ended(owed: Office) -> None:
    made = subscribe(owed, "accountingLineEntry", "connector")
    assert made == {
        "id": 1,
        "postUrl": "https://encaisse.example/hooks",
        "onEvents": ["accountingLineEntry", "connector"],
        "accountingFolderId": [str(owed.mono.society_id)],
        "thirdPartyId": 44,
    }
    assert owed.call("GET", "/webhook").json() == [made]
    path = f"/webhook/event/connector/{owed.mono.society_id}"
    assert owed.call("GET", path).json() == [made]
    step = [{"op": "replace", "path": "/postUrl", "value": "https://encaisse.example/b"}]
    assert owed.call("PATCH", "/webhook/1", body=step).json()["postUrl"].endswith("/b")
    owed.post("FA1", 1_000)
    owed.world.myunisoft.revoke(owed.tokens["firm"])
    names = [json.loads(each.body)[0]["name"] for each in owed.world.myunisoft.deliveries()]
    assert names == ["accountingLineEntry", "accountingLineEntry", "connector"]
    assert owed.call("DELETE", "/webhook/1").status_code == 200
    assert code_of(owed.call("GET", "/webhook/1")) == (400, "GBL10")


def test_a_subscription_to_anothers_dossier_or_no_event_is_refused(owed: Office) -> None:
    good = {
        "postUrl": "https://encaisse.example/hooks",
        "onEvents": ["connector"],
        "accountingFolderId": [str(owed.mono.society_id)],
    }
    wrong: list[dict[str, object]] = [
        {"postUrl": "http://encaisse.example"},
        {"onEvents": ["moon"]},
        {"onEvents": []},
        {"accountingFolderId": [str(owed.multi.society_id)]},
    ]
    for each in wrong:
        assert code_of(owed.call("POST", "/webhook", body={**good, **each})) == (400, "GBL10")


def test_what_is_undocumented_can_be_the_other_way_round(owed: Office) -> None:
    owed.world.myunisoft.choices = Choices(
        account_by_id="object", lettering_event_id="entry", carried_due_dates=True
    )
    number = owed.account_id(owed.customer)
    assert owed.call("GET", "/account/v2", account_id=number).json()["account_id"] == number
    subscribe(owed, "accountingEntryLettering")
    owed.mono.receive(owed.customer, DUE, 100_000, number="FA1", lettered=True)
    said = {json.loads(each.body)[0]["data"]["id"] for each in owed.world.myunisoft.deliveries()}
    entry = owed.call("GET", "/mad/entry", version="1.0.0", id="FA1").json()["producerId"]
    assert entry in said
    owed.mono.issue("FA0", owed.customer, date(2025, 11, 3), (date(2025, 12, 3), 5_000))
    owed.mono.carry_forward(date(2025, 1, 1))
    assert [row["dueDate"] for row in owed.open_lines()] == ["2025-12-03"]
