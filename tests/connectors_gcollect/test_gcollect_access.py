"""Who the access opens, what it declares, what it hears, and documents that prove themselves."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import httpx
import pytest
from tests.connectors_gcollect.counter import (
    ACCOUNT,
    DRAFT,
    KEY,
    NOW,
    REQUEST,
    answer,
    at_counter,
    connector_on,
    html,
    payload,
)

from encaisse_api import Delivery, Denied, Drift, Hint, Rejected, roles_of, writes_of
from encaisse_gcollect import GCollectConnector
from encaisse_gcollect.client import canonical
from encaisse_gcollect.plugin import ENCAISSE_API, register_connectors

HOST_API = "0.4"


def delivery(body: bytes) -> Delivery:
    return Delivery(headers=(), body=body, received_at=NOW)


def test_the_door_registers_the_connector_for_this_contract() -> None:
    registered: list[type] = []
    register_connectors(registered.append)
    assert registered == [GCollectConnector]
    assert ENCAISSE_API == HOST_API


def test_the_contract_is_assumed_and_no_live_host_exists() -> None:
    manifest = GCollectConnector.manifest
    assert manifest.contract == "assumed"
    assert manifest.live_hosts == ()
    assert manifest.pages


def test_every_write_is_protected_by_its_key() -> None:
    manifest = GCollectConnector.manifest
    assert set(manifest.writes) == set(writes_of(GCollectConnector))
    assert {write.guarantee for write in manifest.writes.values()} == {"key"}
    assert all(write.visible_after == timedelta(0) for write in manifest.writes.values())


def test_the_connector_has_the_roles_of_a_collector() -> None:
    assert set(roles_of(GCollectConnector)) == {
        "Probes",
        "ListsAccounts",
        "FetchesDocuments",
        "ReceivesWebhooks",
        "Quotes",
        "TakesMandates",
        "OpensProcedures",
        "ReportsProgress",
        "ReportsSettlements",
        "AcceptsDirectPayments",
        "AcceptsDisputes",
        "IssuesAttestations",
    }


def test_the_only_creditor_is_found_without_being_chosen() -> None:
    connector, _ = at_counter(answer(payload("me")), account=None)
    granted = connector.probe()
    assert (granted.account, granted.siren, granted.note) == (ACCOUNT, "123456782", None)


def test_the_creditor_in_the_settings_is_taken() -> None:
    def me(request: httpx.Request) -> httpx.Response:
        return answer(payload("me_two_creditors"))

    chosen = {"creditor_id": "cre_boussole"}
    connector = connector_on(httpx.MockTransport(me), account=None, settings=chosen)
    assert connector.probe().siren == "987654324"


def test_several_creditors_are_listed_and_one_must_be_chosen() -> None:
    two = answer(payload("me_two_creditors")), answer(payload("me_two_creditors"))
    connector, _ = at_counter(*two, account=None)
    assert [each.siren for each in connector.accounts()] == ["123456782", "987654324"]
    with pytest.raises(Rejected, match="2 créanciers"):
        connector.probe()


def test_a_creditor_the_access_no_longer_opens_is_denied() -> None:
    connector, _ = at_counter(answer(payload("me")), account="cre_parti")
    with pytest.raises(Denied):
        connector.probe()


def test_a_quote_asks_under_the_chosen_creditor_and_without_a_key() -> None:
    connector, counter = at_counter(answer(payload("quote")))
    assert connector.quote(REQUEST).remote_id == "quo_51"
    (sent,) = counter.sent
    assert "idempotency-key" not in sent.headers
    assert counter.bodies()[0]["creditor_id"] == ACCOUNT


def test_an_eligible_quote_without_a_price_is_a_drift() -> None:
    connector, _ = at_counter(answer(payload("quote", fee_rate=None)))
    with pytest.raises(Drift):
        connector.quote(REQUEST)


def test_equal_content_is_equal_bytes() -> None:
    assert canonical({"b": "é", "a": [1]}) == canonical({"a": [1], "b": "é"})


@pytest.mark.parametrize(
    ("kind", "stream"),
    [
        ("payment.verified", "payments_collected"),
        ("direct_payment.declared", "payments_collected"),
        ("payout.executed", "payouts"),
        ("procedure.closed", "progress"),
        ("dispute.opened", "progress"),
        ("mandate.signed", "progress"),
        ("attestation.issued", "progress"),
    ],
)
def test_an_event_is_a_reason_to_pull_and_no_fact(kind: str, stream: str) -> None:
    connector, counter = at_counter()
    body = canonical(payload("event", type=kind))
    assert connector.read_webhook(delivery(body)) == (Hint(stream=stream, ref="pay_70"),)
    assert counter.sent == []


def test_an_event_nobody_told_us_about_is_a_reason_to_pull_everything() -> None:
    connector, _ = at_counter()
    hints = connector.read_webhook(delivery(canonical(payload("event", type="zz.happened"))))
    assert {hint.stream for hint in hints} == set(GCollectConnector.manifest.streams)


def test_another_creditors_event_gives_no_hint() -> None:
    connector, _ = at_counter()
    body = canonical(payload("event", creditor_id="cre_boussole"))
    assert connector.read_webhook(delivery(body)) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"{}"])
def test_a_notification_without_sense_is_set_aside(body: bytes) -> None:
    connector, _ = at_counter()
    with pytest.raises(Drift):
        connector.read_webhook(delivery(body))


def test_a_document_is_kept_only_with_the_fingerprint_announced() -> None:
    content = b"<html><body>Mandat</body></html>"
    ref = f"doc_77@{hashlib.sha256(content).hexdigest()}"
    served = httpx.Response(200, content=content, headers={"content-type": "text/html"})
    connector, counter = at_counter(served, html(200))
    document = connector.fetch_document(ref)
    assert (document.content, document.filename) == (content, "doc_77.html")
    assert counter.sent[0].url.path == "/v1/documents/doc_77"
    with pytest.raises(Drift, match="empreinte"):
        connector.fetch_document(ref)


def test_an_id_cannot_lead_to_another_address() -> None:
    connector, counter = at_counter(answer({"code": "not_found"}, 404))
    with pytest.raises(Rejected):
        connector.read_mandate("../payouts?x=1")
    assert counter.sent[0].url.raw_path == b"/v1/mandates/..%2Fpayouts%3Fx%3D1"


def test_a_secret_is_never_sent_by_the_connector_itself() -> None:
    connector, counter = at_counter(answer(payload("mandate_pending"), 201))
    connector.request_mandate(KEY, DRAFT)
    assert "authorization" not in counter.sent[0].headers
