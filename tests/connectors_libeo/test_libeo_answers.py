"""What the answers of Libeo mean, good and bad, and what a connector of it can never do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.connectors_libeo.books import SIREN, SIRET, Books
from tests.lent import drawn

from encaisse_api import (
    CursorLost,
    Delivery,
    Denied,
    Drift,
    Hint,
    Missing,
    PartnerError,
    Rejected,
    Since,
    Token,
    Transient,
)
from encaisse_api.roles import roles_of, writes_of
from encaisse_api.webhooks import verify
from encaisse_libeo.connector import LibeoConnector
from encaisse_libeo.manifest import MANIFEST

Connect = Callable[..., LibeoConnector]
Payload = Callable[[str], dict[str, Any]]


def test_the_probe_says_whose_invoices_the_key_opens(
    books: Books, connector: LibeoConnector, connect: Connect
) -> None:
    granted = connector.probe()
    assert (granted.siren, granted.account) == (SIREN, SIRET)
    for siret in ("81234567600017", "987654324", ""):
        with pytest.raises(Rejected):
            connect(books.transport, siret=siret).probe()


def test_the_connector_can_write_nothing_and_has_no_live_host(connector: LibeoConnector) -> None:
    assert writes_of(LibeoConnector) == ()
    assert set(roles_of(LibeoConnector)) == {
        "Probes",
        "PullsInvoices",
        "FetchesDocuments",
        "ReceivesWebhooks",
    }
    assert (MANIFEST.contract, MANIFEST.live_hosts, MANIFEST.sends) == ("assumed", (), ())


def test_a_notification_is_verified_and_gives_a_reason_to_read(
    books: Books, connector: LibeoConnector, connect: Connect
) -> None:
    sale = books.sale("F-1")
    (sent,) = books.world.libeo.deliveries()
    delivery = Delivery(
        headers=tuple(sent.headers.items()), body=sent.body, received_at=books.world.now
    )
    assert MANIFEST.webhook is not None
    verify(MANIFEST.webhook, ["whsec"], delivery, books.world.now)
    assert connector.read_webhook(delivery) == (Hint(stream="invoices", ref=sale),)
    assert connect(books.transport, siret="81234567600017").read_webhook(delivery) == ()
    strange = {**json.loads(sent.body), "type": "company.renamed"}
    told = delivery.model_copy(update={"body": json.dumps(strange).encode()})
    assert connector.read_webhook(told) == (Hint(stream="invoices"),)


def test_a_cursor_of_another_kind_restarts_the_stream(connector: LibeoConnector) -> None:
    for strange in (Token(value="7"), Since(at="2026-04-01T00:00:00Z", version=9)):  # type: ignore[arg-type]
        with pytest.raises(CursorLost):
            list(connector.pull_invoices(strange))


class Saying(httpx.BaseTransport):
    """Answer every request with one status and body."""

    def __init__(self, status: int, content: object) -> None:
        self.status, self.content = status, content

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.status, json=self.content)


@pytest.mark.parametrize(
    ("status", "body", "due"),
    [
        (404, {"detail": "no such page"}, Drift),
        (404, {"error": {"code": "unknown_path"}}, Drift),
        (403, {}, Denied),
        (408, {}, Transient),
        (410, {"error": {"code": "cursor_unknown"}}, CursorLost),
        (410, {}, Drift),
        (302, {}, Drift),
        (200, [], Drift),
        (200, {"items": {}, "has_more": False, "next_cursor": None, "total": 0}, Drift),
        (200, {"items": [], "has_more": True, "next_cursor": None, "total": 0}, Drift),
        (200, {"items": [], "has_more": True, "next_cursor": "x", "total": 0}, Drift),
        (200, {"items": [], "has_more": "no", "next_cursor": None, "total": 0}, Drift),
        (200, {"items": [], "has_more": False, "next_cursor": None, "total": 1}, Drift),
    ],
    ids=str,
)
def test_an_answer_that_is_no_list_is_no_empty_list(
    connect: Connect, status: int, body: object, due: type[PartnerError]
) -> None:
    pages, error = drawn(connect(Saying(status, body)))
    assert isinstance(error, due)
    assert pages == []


def test_only_the_vendor_s_own_word_makes_an_invoice_missing(connect: Connect) -> None:
    for status, body in ((404, {}), (404, {"error": {"code": "company_not_found"}}), (410, {})):
        with pytest.raises(PartnerError):
            connect(Saying(status, body)).read_invoices(["fac_1"])


def test_an_answer_for_another_invoice_is_no_answer(connect: Connect, payload: Payload) -> None:
    with pytest.raises(Drift):
        connect(Saying(200, payload("sale"))).read_invoices(["fac_other"])
    (gone,) = connect(
        Saying(200, {**payload("sale"), "deleted_at": "2026-04-02T10:00:00Z"})
    ).read_invoices(["fac_7Q2"])
    assert gone == Missing(ref="fac_7Q2", reason="deleted")


def test_rows_out_of_order_stop_the_pass(connect: Connect, payload: Payload) -> None:
    rows = [payload("purchase"), payload("sale")]
    page = {**payload("page"), "items": rows, "total": 2}
    pages, error = drawn(connect(Saying(200, page)))
    assert isinstance(error, Drift)
    assert "plus ancienne" in error.message
    assert pages == []


def test_a_bad_row_is_set_aside_and_its_page_lives(connect: Connect, payload: Payload) -> None:
    bad = {**payload("sale"), "id": "fac_bad", "total": "beaucoup"}
    page = {**payload("page"), "items": [bad, payload("sale"), 7, payload("purchase")], "total": 4}
    ((only,), error) = drawn(connect(Saying(200, page)))
    assert error is None
    assert (len(only.items), len(only.unreadable), only.end) == (2, 2, True)
    assert only.cursor == Since(at="2026-04-11T05:02:11.25Z", after_id="fac_9XB")  # type: ignore[arg-type]
