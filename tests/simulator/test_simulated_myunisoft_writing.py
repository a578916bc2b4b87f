"""Entries written by a connector: the rules, drafts, doubts, and what really landed."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import httpx
import pytest
from tests.simulator.office import Office, code_of

from encaisse_simulator import FaultKind, LedgerEntry
from encaisse_simulator.myunisoft import Choices

ISSUED = date(2026, 8, 1)
DUE = date(2026, 8, 31)
TODAY = date(2026, 11, 24)


@pytest.fixture
def owed(office: Office) -> Office:
    """Let one invoice of 1 200 euros be open in each dossier."""
    office.mono.issue("FA-1", office.customer, ISSUED, (DUE, 120_000))
    office.multi.issue("FA-1", office.other, ISSUED, (DUE, 120_000))
    return office


def landed(cents: int, kind: str = "payment", via: Any = "api") -> LedgerEntry:
    return LedgerEntry("myunisoft", "394802151", "FA-1", cents, TODAY, kind, via)


def change(body: dict[str, Any], place: int | None, **changes: object) -> dict[str, Any]:
    """Change an entry, or one of its lines; None takes the field away."""
    whole = dict(body)
    target = whole
    if place is not None:
        whole["entry_list"] = [dict(line) for line in body["entry_list"]]
        target = whole["entry_list"][place]
    for name, value in changes.items():
        if value is None:
            del target[name]
        else:
            target[name] = value
    return whole


def test_a_payment_lands_once_and_names_the_invoice_by_its_own_number(owed: Office) -> None:
    answer = owed.post("FA1", 60_050)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["type"], said["debit_total"], said["credit_total"]) == ("E", 600.5, 600.5)
    (entry,) = said["entry_array"]
    assert {line["debit"] for line in entry["entry_list"]} == {None, 600.5}
    assert owed.world.ledger() == [landed(60_050)]
    assert owed.mono.payments("FA-1") == [landed(60_050)]
    assert owed.mono.open_cents(owed.customer, "FA-1") == 59_950
    found = owed.call("GET", "/mad/entry", version="1.0.0", id="GCO-FA1-60050").json()
    extra = found["additionalProducerProperties"]
    assert extra["partnerMetadata"] == {
        "partnerId": "GCO-FA1-60050",
        "json": '{"payment": "P-1"}',
    }
    assert extra["source"] == {"name": "API", "thirdParty": {"name": "Encaisse", "code": "ENCA"}}
    assert len(found["movements"]) == 2


def test_two_payments_under_two_ids_are_two_effects(owed: Office) -> None:
    owed.post("FA1", 10_000)
    owed.post("FA1", 10_000, entry_origin_partner_id="GCO-autre")
    assert owed.world.ledger() == [landed(10_000)] * 2


def test_the_same_partner_id_never_enters_twice(owed: Office) -> None:
    assert owed.post("FA1", 10_000).status_code == 200
    assert code_of(owed.post("FA1", 10_000)) == (400, "GBL6")
    assert owed.world.ledger() == [landed(10_000)]


def test_where_duplicates_are_not_refused_a_double_shows(owed: Office) -> None:
    owed.world.myunisoft.choices = Choices(duplicate_partner_id="accept", entry_reply="empty")
    assert [owed.post("FA1", 10_000).json() for _ in range(2)] == [{}, {}]
    assert owed.world.ledger() == [landed(10_000)] * 2


@pytest.mark.parametrize(
    ("place", "changes", "code"),
    [
        (None, {"etablissement_id": 1}, "ECR48"),
        (None, {"etablissement_id": None}, "GBL10"),
        (None, {"diary_id": 1}, "JOURNAL3"),
        (None, {"diary_id": None}, "GBL10"),
        (None, {"date_piece": "24/11/2026"}, "ECR6"),
        (None, {"date_piece": "2024-11-24"}, "ECR10"),
        (None, {"entry_list": []}, "ECR39"),
        (None, {"lettering": "AAA"}, "GBL10"),
        (
            None,
            {"pj_list": [{"name": "a.xml", "type": "application/xml", "content": "PGE+"}]},
            "DOCUMENT6",
        ),
        (
            None,
            {"pj_list": [{"name": "x" * 51, "type": "application/pdf", "content": "PGE+"}]},
            "DOCUMENT6",
        ),
        (
            None,
            {"pj_list": [{"name": "a.pdf", "type": "application/pdf", "content": "?"}]},
            "DOCUMENT6",
        ),
        (1, {"credit": 599.99}, "ECR14"),
        (1, {"credit": 600.001}, "ECR2"),
        (1, {"credit": "600.00"}, "ECR2"),
        (1, {"credit": -600}, "ECR2"),
        (1, {"credit": 0}, "ECR21"),
        (1, {"debit": 600}, "ECR27"),
        (1, {"account_id": 1}, "COMPTE2"),
        (1, {"label": "x" * 51}, "GBL10"),
        (1, {"label": " "}, "ECR42"),
        (1, {"deadline": None}, "GBL10"),
        (1, {"deadline": "2026-11-23"}, "ECR4"),
        (1, {"piece2": "FA-1"}, "GBL10"),
        (1, {"piece": "x" * 26}, "GBL10"),
        (1, {"payment_type_id": 999}, "TYPEPAY1"),
        (1, {"invoice": "FA1"}, "GBL10"),
    ],
)
def test_an_entry_at_fault_is_refused_and_leaves_nothing(
    owed: Office, place: int | None, changes: dict[str, object], code: str
) -> None:
    body = change(owed.payment("FA1", 60_000), place, **changes)
    before = owed.mono.balance()
    answer = owed.call("POST", "/entry", body=body, type="e")
    assert code_of(answer) == (400, code)
    assert owed.world.ledger() == []
    assert owed.mono.balance() == before
    assert owed.call("GET", "/entry/id", id_origin="GCO-FA1-60000").status_code == 404


def test_what_an_accountant_closed_takes_no_entry(owed: Office) -> None:
    books = owed.mono
    books.lock_period(date(2026, 11, 1), date(2026, 11, 30))
    assert code_of(owed.post("FA1", 10_000)) == (400, "BLOCAGE_PERIODIQUE23")
    books.unlock_periods()
    books.lock_journal("OD")
    assert code_of(owed.post("FA1", 10_000)) == (400, "JOURNAL2")
    books.lock_journal("OD", locked=False)
    books.close_account(owed.customer)
    assert code_of(owed.post("FA1", 10_000)) == (400, "COMPTE32")
    books.close_account(owed.customer, closed=False)
    assert code_of(owed.post("FA1", 10_000, diary_id=owed.journal_id("AN"))) == (400, "JOURNAL13")
    books.carry_forward(date(2025, 1, 1))
    assert code_of(owed.post("FA1", 10_000, date_piece="2025-11-24")) == (400, "ECR9")
    assert code_of(owed.call("POST", "/entry", body={}, type="o")) == (400, "ECR17")
    books.go_inactive()
    assert code_of(owed.call("GET", "/society")) == (401, "ERR-FOLDER-NOT-FOUND")
    headers = {"society-id": str(books.society_id)}
    firm = owed.call("GET", "/society", token="firm", headers=headers)
    assert code_of(firm) == (400, "SOCIETE12")


def test_each_journal_asks_for_its_own_accounts(owed: Office) -> None:
    bank = owed.journal_id("BQ")
    assert code_of(owed.post("FA1", 10_000, diary_id=bank)) == (400, "ECR36")
    cash = owed.journal_id("CAISSE")
    assert code_of(owed.post("FA1", 10_000, diary_id=cash)) == (400, "ECR37")
    body = change(
        owed.payment("FA1", 10_000, diary_id=bank), 0, account_id=owed.account_id("5120000000")
    )
    assert owed.call("POST", "/entry", body=body, type="e").status_code == 200


def test_an_account_or_payment_type_of_another_dossier_is_refused(owed: Office) -> None:
    other = owed.account_id(owed.other, token="multi")
    body = change(owed.payment("FA1", 10_000), 1, account_id=other)
    assert code_of(owed.call("POST", "/entry", body=body, type="e")) == (400, "COMPTE5")
    (way, *_) = owed.call("GET", "/payment_type", token="multi").json()
    body = change(owed.payment("FA1", 10_000), 1, payment_type_id=way["payment_type_id"])
    assert code_of(owed.call("POST", "/entry", body=body, type="e")) == (400, "TYPEPAY1")


def test_a_draft_waits_for_an_accountant_and_gets_new_ids_from_him(owed: Office) -> None:
    body = owed.payment("FA1", 60_000)
    said = owed.call("POST", "/entry/temp", body=body, type="o").json()
    assert said["type"] == "IB"
    (waiting,) = said["entry_array"]
    assert {line["piece2"] for line in waiting["entry_list"]} == {"FA1" + " " * 22}
    assert owed.world.ledger() == [landed(60_000, "payment_draft")]
    assert owed.mono.balance() == 120_000
    name = "GCO-FA1-60000"
    assert owed.call("GET", "/mad/entry", version="1.0.0", id=name).status_code == 404
    draft = owed.call("GET", "/mad/entry", version="1.0.0", id=name, draft="true").json()
    assert owed.call("GET", "/entry/id", id_origin=name).json() == {
        "id_entry": int(draft["producerId"]),
        "type": "ENTRIES_TEMP",
        "json_metadata_partners": '{"payment": "P-1"}',
    }
    assert draft["additionalProducerProperties"]["accountedAt"] is None
    assert owed.mono.drafts() == [name]
    owed.mono.validate(name)
    posted = owed.call("GET", "/mad/entry", version="1.0.0", id=name).json()
    gone = owed.call("GET", "/mad/entry", version="1.0.0", id=name, draft="true")
    assert code_of(gone) == (404, "ERR-ENTRY-NOT-FOUND")
    ids = [
        {each["producerId"], *(m["producerId"] for m in each["movements"])}
        for each in (draft, posted)
    ]
    assert not ids[0] & ids[1]
    assert owed.call("GET", "/entry/id", id_origin=name).json()["type"] == "ENTRIES"
    assert owed.world.ledger()[1:] == [landed(60_000, via="user")]
    assert owed.mono.balance() == 60_000
    assert code_of(owed.post("FA1", 60_000)) == (400, "GBL6")


def test_a_rejected_draft_disappears(owed: Office) -> None:
    owed.call("POST", "/entry/temp", body=owed.payment("FA1", 60_000), type="o")
    owed.mono.reject("GCO-FA1-60000")
    assert owed.call("GET", "/entry/id", id_origin="GCO-FA1-60000").status_code == 404
    assert [each.kind for each in owed.world.ledger()] == ["payment_draft", "payment_rejected"]
    assert owed.mono.balance() == 120_000


@pytest.mark.parametrize(("absent", "status"), [("404", 404), ("400", 400), ("empty", 200)])
def test_an_unknown_partner_id_is_absent_in_one_of_three_ways(
    owed: Office, absent: Any, status: int
) -> None:
    owed.world.myunisoft.choices = Choices(absent_entry_id=absent)
    assert owed.call("GET", "/entry/id", id_origin="GCO-x").status_code == status


@pytest.mark.parametrize(("kind", "effects"), [("lost_reply", 1), ("slow_after", 1), ("slow", 0)])
def test_after_a_doubt_the_partner_id_tells_whether_it_landed(
    owed: Office, kind: FaultKind, effects: int
) -> None:
    owed.world.faults.schedule(kind, method="POST", path="/entry$")
    with pytest.raises((httpx.NetworkError, httpx.TimeoutException)):
        owed.post("FA1", 10_000)
    assert len(owed.world.ledger()) == effects
    found = owed.call("GET", "/mad/entry", version="1.0.0", id="GCO-FA1-10000")
    assert found.status_code == (200 if effects else 404)


@pytest.mark.parametrize("kind", ["5xx_after", "malformed"])
def test_an_entry_may_have_landed_behind_a_broken_answer(owed: Office, kind: FaultKind) -> None:
    owed.world.faults.schedule(kind, method="POST", path="/entry$")
    owed.post("FA1", 10_000)
    assert owed.world.ledger() == [landed(10_000)]
    owed.world.myunisoft.fail_next("ERR-INTERNAL", path="/entry", after=True)
    answer = owed.post("FA1", 20_000)
    assert code_of(answer) == (500, "ERR-INTERNAL")
    assert owed.world.ledger()[1:] == [landed(20_000)]


def test_attachments_come_back_as_they_were_sent(owed: Office) -> None:
    content = base64.b64encode(b"%PDF-1.7 avis").decode()
    file = {"name": "avis.pdf", "type": "application/pdf", "content": content}
    owed.post("FA1", 10_000, pj_list=[file], comment={"content": "Reçu du recouvreur"})
    found = owed.call("GET", "/mad/entry", version="1.0.0", id="GCO-FA1-10000").json()
    link = found["attachments"]["avis.pdf"]["value"]
    assert owed.http.get(link).content == b"%PDF-1.7 avis"
    extra = found["additionalProducerProperties"]
    assert extra["comment"] == {"content": "Reçu du recouvreur"}


def test_money_that_goes_back_is_a_reversal(owed: Office) -> None:
    owed.post("FA1", 10_000)
    body = owed.payment("FA1", 10_000, entry_origin_partner_id="GCO-retour")
    body["entry_list"] = [
        {**line, "debit": line["credit"], "credit": line["debit"]}
        for line in body["entry_list"]  # type: ignore[attr-defined]
    ]
    assert owed.call("POST", "/entry", body=body, type="e").status_code == 200
    assert owed.world.ledger() == [landed(10_000), landed(-10_000, "reversal")]
    assert owed.mono.balance() == 120_000


def test_what_the_companys_people_do_counts_as_theirs(owed: Office) -> None:
    owed.mono.receive(owed.customer, TODAY, 20_000, number="FA-1")
    owed.mono.credit("AV-1", owed.customer, TODAY, 5_000, of="FA-1")
    owed.mono.give_back(owed.customer, TODAY, 20_000, number="FA-1")
    assert owed.world.ledger() == [
        landed(20_000, via="user"),
        landed(5_000, "credit_note", "user"),
        landed(-20_000, "reversal", "user"),
    ]
    assert owed.mono.open_cents(owed.customer, "FA-1") == 115_000
    assert owed.mono.payments("FA-1") == [
        landed(20_000, via="user"),
        landed(-20_000, "reversal", "user"),
    ]


def test_an_account_is_found_or_opened(owed: Office) -> None:
    body = {"account_number": "411NOUVEAU", "label": "NOUVEAU CLIENT"}
    first = owed.call("POST", "/account", body=body).json()
    assert owed.call("POST", "/account", body=body).json() == first
    refused = owed.call("POST", "/account", body={"account_number": "X1", "label": "X"})
    assert code_of(refused) == (400, "COMPTE6")


def test_a_comment_is_kept_with_its_entry(owed: Office) -> None:
    found = owed.call("GET", "/mad/entry", version="1.0.0", id="FA-1").json()
    body = {
        "location": "ENTRIES",
        "entry_id": int(found["producerId"]),
        "comment": "Au recouvrement",
    }
    assert owed.call("POST", "/entry/comment", body=body).json()[0]["comment"] == "Au recouvrement"
    line = int(found["movements"][0]["producerId"])
    read = owed.call("GET", "/entry/line_entry", line_entry_id=line).json()
    assert read["entry_id"] == int(found["producerId"])
