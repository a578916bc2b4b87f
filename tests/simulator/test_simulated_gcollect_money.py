"""Money at GCollect: payments, verification, payouts, reversals, and the silence that follows."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import httpx
import pytest

from encaisse_simulator import World
from encaisse_simulator.caller import CalledClaim, GCollectCaller, euro
from encaisse_simulator.gcollect import sign
from encaisse_simulator.wire import Json

CLAIM = CalledClaim("F-1")


def opened(world: World, collector: GCollectCaller, *claims: CalledClaim) -> str:
    mandate = collector.prepare(*claims)
    world.gcollect.sign_mandate(mandate, name="Sandrine Exemple", email="sandrine@example.org")
    answer = collector.open(mandate, claims)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def wait(world: World, collector: GCollectCaller, **span: float) -> None:
    world.advance(timedelta(**span))
    collector.log_in()


def rows(collector: GCollectCaller, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = collector.get(path).json()["items"]
    return found


def procedure(collector: GCollectCaller, name: str) -> dict[str, Any]:
    found: dict[str, Any] = collector.get(f"/procedures/{name}").json()
    return found


def declare(collector: GCollectCaller, name: str, cents: int, *, settles: bool) -> int:
    body: dict[str, Json] = {
        "external_reference": collector.fresh("direct"),
        "invoice_number": "F-1",
        "amount": euro(cents),
        "paid_on": "2026-11-24",
        "settles": settles,
    }
    return collector.send("POST", f"/procedures/{name}/direct_payments", body).status_code


def test_a_payment_is_paid_out_seventy_two_hours_after_it_was_verified(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM)
    paid = world.gcollect.debtor_pays(name, "F-1", 120_000, method="bank_transfer")
    assert rows(collector, "/payments")[0]["status"] == "pending"
    assert rows(collector, "/payouts") == []
    assert procedure(collector, name)["status"] == "active"
    wait(world, collector, hours=24)
    payment = rows(collector, "/payments")[0]
    assert (payment["id"], payment["status"]) == (paid, "verified")
    assert (payment["fee"]["amount"], payment["fee_vat"]["amount"]) == ("144.00", "28.80")
    assert procedure(collector, name)["close_code"] == "recovered"
    wait(world, collector, hours=71, minutes=59)
    assert rows(collector, "/payouts")[0]["status"] == "scheduled"
    wait(world, collector, minutes=1)
    payout = rows(collector, "/payouts")[0]
    assert payout["status"] == "executed"
    assert payout["executed_at"] == payout["due_at"]
    line = payout["lines"][0]
    money = {part: line[part]["amount"] for part in ("gross", "fee", "fee_vat", "net")}
    assert money == {"gross": "1200.00", "fee": "144.00", "fee_vat": "28.80", "net": "1027.20"}
    assert collector.get(f"/payouts/{payout['id']}").json() == payout
    effects = [(entry.kind, entry.amount_cents, entry.via) for entry in world.ledger()[-2:]]
    assert effects == [("collected", 120_000, "partner"), ("payout", 102_720, "partner")]


def test_the_fee_is_on_principal_only(world: World, collector: GCollectCaller) -> None:
    name = opened(world, collector, CalledClaim("F-1", interest=1_500))
    world.gcollect.debtor_pays(name, "F-1", 125_500, interest_cents=1_500, indemnity_cents=4_000)
    payment = rows(collector, "/payments")[0]
    part = payment["allocations"][0]
    amounts = [part[each]["amount"] for each in ("principal", "interest", "indemnity", "costs")]
    assert amounts == ["1200.00", "15.00", "40.00", "0.00"]
    assert payment["fee"]["amount"] == "144.00"
    line = rows(collector, "/payouts")[0]["lines"][0]
    assert (line["gross"]["amount"], line["net"]["amount"]) == ("1255.00", "1082.20")


def test_instalments_leave_the_rest_due(world: World, collector: GCollectCaller) -> None:
    name = opened(world, collector, CLAIM)
    world.gcollect.debtor_pays_instalment(name, "F-1", 40_000, 1)
    world.gcollect.debtor_pays_instalment(name, "F-1", 40_000, 2)
    assert [each["mode"] for each in rows(collector, "/payments")] == [
        "instalment(1)",
        "instalment(2)",
    ]
    found = procedure(collector, name)
    assert (found["status"], found["totals"]["balance"]["amount"]) == ("active", "400.00")
    assert [len(each["lines"]) for each in rows(collector, "/payouts")] == [2]


def test_money_beyond_what_is_owed_bears_no_fee(world: World, collector: GCollectCaller) -> None:
    name = opened(world, collector, CLAIM)
    world.gcollect.debtor_pays(name, "F-1", 150_000)
    world.gcollect.debtor_pays(name, "F-1", 120_000)
    first, second = rows(collector, "/payments")
    assert (first["fee"]["amount"], second["fee"]["amount"]) == ("144.00", "0.00")
    assert procedure(collector, name)["invoices"][0]["balance"]["amount"] == "-1500.00"


def test_a_reversed_payment_is_owed_again_and_taken_off_the_next_payout(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM)
    paid = world.gcollect.debtor_pays(name, "F-1", 120_000)
    wait(world, collector, hours=72)
    world.gcollect.reverse_payment(paid)
    found = procedure(collector, name)
    assert (found["status"], found["totals"]["balance"]["amount"]) == ("active", "1200.00")
    payment = rows(collector, "/payments")[0]
    assert (payment["status"], payment["reversed_at"] is None) == ("reversed", False)
    wait(world, collector, hours=72)
    executed, taken = rows(collector, "/payouts")
    assert (executed["net"]["amount"], taken["net"]["amount"]) == ("1027.20", "-1027.20")
    assert [line["reversal"] for line in taken["lines"]] == [True]
    totals = procedure(collector, name)["totals"]
    assert (totals["fees"]["amount"], totals["net_paid_out"]["amount"]) == ("0.00", "0.00")
    kinds = [entry.kind for entry in world.ledger()[-4:]]
    assert kinds == ["collected", "payout", "reversal", "payout"]
    assert "procedure.reopened" in [each["type"] for each in rows(collector, "/events")]
    with pytest.raises(ValueError, match="cannot be reversed"):
        world.gcollect.reverse_payment(paid)


def test_a_payment_reversed_before_it_was_verified_is_never_paid_out(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM)
    paid = world.gcollect.debtor_pays(name, "F-1", 120_000, method="bank_transfer")
    world.gcollect.reverse_payment(paid)
    wait(world, collector, days=5)
    assert rows(collector, "/payouts") == []
    assert procedure(collector, name)["status"] == "active"


def test_a_direct_payment_that_settles_silences_and_echoes(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM)
    wait(world, collector, hours=1)
    assert len(world.gcollect.outreach()) == 1
    assert declare(collector, name, 100_000, settles=True) == 201
    found = procedure(collector, name)
    assert (found["status"], found["close_code"]) == ("closed", "paid_directly")
    echo = rows(collector, "/payments")[0]
    assert (echo["received_by"], echo["fee"]["amount"]) == ("creditor", "0.00")
    declared = rows(collector, f"/procedures/{name}/direct_payments")
    assert [each["id"] for each in declared] == [echo["direct_payment_id"]]
    wait(world, collector, days=30)
    assert len(world.gcollect.outreach()) == 1
    assert rows(collector, "/payouts") == []
    effects = [(e.kind, e.amount_cents) for e in world.ledger() if e.kind == "direct_payment"]
    assert effects == [("direct_payment", 100_000)]
    assert declare(collector, name, 1_000, settles=False) == 409


def test_a_partial_direct_payment_lowers_the_balance(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM)
    assert declare(collector, name, 50_000, settles=False) == 201
    assert procedure(collector, name)["totals"]["balance"]["amount"] == "700.00"
    assert declare(collector, name, 70_000, settles=False) == 201
    assert procedure(collector, name)["close_code"] == "paid_directly"


@pytest.mark.parametrize("step", ["pause", "withdraw"])
def test_no_message_leaves_once_paused_or_withdrawn(
    world: World, collector: GCollectCaller, step: str
) -> None:
    name = opened(world, collector, CLAIM)
    wait(world, collector, days=7)
    before = len(world.gcollect.outreach())
    assert before == 3
    body = {"external_reference": "stop", "reason": "creditor"}
    assert collector.send("POST", f"/procedures/{name}/{step}", body).status_code == 200
    wait(world, collector, days=30)
    assert len(world.gcollect.outreach()) == before
    if step == "pause":
        again = {"external_reference": "go"}
        assert collector.send("POST", f"/procedures/{name}/resume", again).status_code == 200
        wait(world, collector, days=3)
        assert len(world.gcollect.outreach()) == before + 1


def test_no_message_leaves_while_a_transfer_waits_to_be_verified(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM)
    world.gcollect.debtor_pays(name, "F-1", 120_000, method="bank_transfer")
    wait(world, collector, hours=23)
    assert procedure(collector, name)["status"] == "active"
    assert world.gcollect.outreach() == []


def test_a_transfer_not_yet_verified_settles_nothing(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM, CalledClaim("F-2"))
    world.gcollect.debtor_pays(name, "F-1", 120_000, method="bank_transfer")
    body: dict[str, Json] = {
        "external_reference": "w",
        "reason": "creditor",
        "invoice_numbers": ["F-2"],
    }
    left = collector.send("POST", f"/procedures/{name}/withdraw", body).json()
    assert [each["status"] for each in left["invoices"]] == ["in_procedure", "withdrawn"]
    wait(world, collector, hours=24)
    assert procedure(collector, name)["close_code"] == "recovered_partial"


def test_a_dispute_stops_everything_and_holds_later_payouts(
    world: World, collector: GCollectCaller
) -> None:
    name = opened(world, collector, CLAIM)
    dispute = world.gcollect.debtor_disputes(name, "goods_quality")
    found = procedure(collector, name)
    assert (found["status"], found["dispute_open"]) == ("paused", True)
    answer = collector.send("POST", f"/procedures/{name}/resume", {"external_reference": "r"})
    assert answer.json()["code"] == "dispute_open"
    world.gcollect.debtor_pays(name, "F-1", 50_000)
    wait(world, collector, days=10)
    assert world.gcollect.outreach() == []
    held = rows(collector, "/payouts")[0]
    assert (held["status"], held["hold_reason"]) == ("held", "dispute")
    world.gcollect.resolve_dispute(dispute, "denied")
    wait(world, collector, seconds=1)
    assert rows(collector, "/payouts")[0]["status"] == "executed"
    assert procedure(collector, name)["status"] == "active"


def test_an_upheld_dispute_closes(world: World, collector: GCollectCaller) -> None:
    name = opened(world, collector, CLAIM)
    body = {"external_reference": "d", "invoice_number": "F-1", "reason": "price"}
    answer = collector.send("POST", f"/procedures/{name}/disputes", body)
    assert (answer.status_code, answer.json()["opened_by"]) == (201, "creditor")
    world.gcollect.resolve_dispute(answer.json()["id"], "upheld")
    assert procedure(collector, name)["close_code"] == "dispute_upheld"
    found = rows(collector, f"/procedures/{name}/disputes")
    assert [(each["status"], each["resolution"]) for each in found] == [("resolved", "upheld")]


def test_an_attestation_exists_only_once_given_up(world: World, collector: GCollectCaller) -> None:
    name = opened(world, collector, CLAIM)
    refused = collector.get(f"/procedures/{name}/attestation")
    assert (refused.status_code, refused.json()["code"]) == (404, "attestation_unavailable")
    world.gcollect.debtor_pays(name, "F-1", 20_000)
    world.gcollect.close_irrecoverable(name)
    found = collector.get(f"/procedures/{name}/attestation").json()
    line = found["invoices"][0]
    assert [line[each]["amount"] for each in ("ht", "vat", "ttc", "remaining")] == [
        "1000.00",
        "200.00",
        "1200.00",
        "1000.00",
    ]
    document = collector.get(f"/documents/{found['document_id']}")
    assert hashlib.sha256(document.content).hexdigest() == found["sha256"]


def test_portfolios_are_compared(world: World, collector: GCollectCaller) -> None:
    second, third = CalledClaim("F-2"), CalledClaim("F-3")
    opened(world, collector, CLAIM, second, third)
    items: list[Json] = [
        {"external_id": CLAIM.external_id, "balance": euro(120_000)},
        {"external_id": second.external_id, "balance": euro(1)},
        {"external_id": "claim-unknown", "balance": euro(5)},
    ]
    answer = collector.send("POST", "/reconciliations", {"as_of": "2026-11-24", "items": items})
    found = {each["external_id"]: each["kind"] for each in answer.json()["differences"]}
    assert found == {
        second.external_id: "amount",
        third.external_id: "missing_in_request",
        "claim-unknown": "unknown_here",
    }


def test_webhooks_are_signed_over_time_and_body(world: World, http: httpx.Client) -> None:
    world.gcollect.register_creditor("987654324", "B SAS", "b", "s", webhook_secret="whsec")
    other = GCollectCaller(http, "b", "s")
    other.log_in()
    opened(world, other, CLAIM)
    deliveries = world.gcollect.deliveries()
    kinds = [each.body.split(b'"type":"')[1].split(b'"')[0] for each in deliveries]
    assert kinds == [b"mandate.signed", b"procedure.created"]
    first = deliveries[0]
    t, _, v1 = first.headers["GCollect-Signature"].partition(",v1=")
    seconds = t.removeprefix("t=")
    mac = hmac.new(b"whsec", f"{seconds}.".encode() + first.body, hashlib.sha256)
    assert v1 == mac.hexdigest()
    assert sign("whsec", int(seconds), first.body) == first.headers["GCollect-Signature"]
    assert world.gcollect.deliveries() == []
