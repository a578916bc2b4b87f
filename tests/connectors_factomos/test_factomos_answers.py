"""What Factomos answers when it does not do what was asked, and what the host hears."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from encaisse_api import Denied, Drift, OutcomeUnknown, PartnerError, Rejected, Transient
from encaisse_factomos.answers import (
    FATES,
    Answer,
    Fate,
    NotFound,
    check_document,
    document,
    until_midnight,
)
from encaisse_factomos.client import FactomosClient

NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)


def answer(
    body: object, *, status: int = 200, writes: bool = False, retry_after: str | None = None
) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer("Facture F1", writes, status, raw, retry_after, "req-1")


def error(code: object, message: str = "No") -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


def raised(made: Answer) -> Exception:
    with pytest.raises((PartnerError, NotFound)) as caught:
        document(made, NOW)
    return caught.value


@pytest.mark.parametrize("code", [0, "0", None])
def test_code_zero_is_no_error(code: object) -> None:
    assert document(answer({"invoice": {}, **error(code)}), NOW)["invoice"] == {}


@pytest.mark.parametrize(
    ("code", "reading", "writing"),
    [
        (-1, Denied, Denied),
        (-3, Denied, Denied),
        ("-3", Denied, Denied),
        (-4, Transient, Transient),
        (-6, Drift, Rejected),
        (-10, NotFound, NotFound),
        (-20, NotFound, NotFound),
        (-21, Drift, Rejected),
        (-28, Denied, Denied),
        (-33, Denied, Denied),
        (-40, Drift, Rejected),
        (-41, NotFound, NotFound),
        (-54, Drift, Rejected),
        (-999, Drift, Rejected),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 404])
def test_the_vendors_code_decides_whatever_the_status(
    code: object, reading: type[Exception], writing: type[Exception], status: int
) -> None:
    assert type(raised(answer(error(code), status=status))) is reading
    assert type(raised(answer(error(code), status=status, writes=True))) is writing


def test_every_documented_code_has_a_fate() -> None:
    assert set(FATES) == {
        -1,
        -2,
        -3,
        -4,
        -5,
        -6,
        -8,
        -9,
        -10,
        -17,
        -20,
        -21,
        -28,
        -33,
        -39,
        -40,
        -41,
    }


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        (401, Denied, Denied),
        (403, Denied, Denied),
        (404, Drift, OutcomeUnknown),
        (302, Drift, OutcomeUnknown),
        (418, Drift, OutcomeUnknown),
        (429, Transient, Transient),
        (500, Transient, OutcomeUnknown),
        (502, Transient, OutcomeUnknown),
        (200, Drift, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("body", [b"<html><h1>Maintenance</h1></html>", b"", b"[]", b'{"a": 1'])
def test_without_the_vendors_word_the_status_decides_and_doubt_stays_doubt(
    status: int, reading: type[Exception], writing: type[Exception], body: bytes
) -> None:
    assert type(raised(answer(body, status=status))) is reading
    assert type(raised(answer(body, status=status, writes=True))) is writing


def test_a_server_error_after_a_write_is_unknown_even_with_a_code() -> None:
    assert type(raised(answer(error(-20), status=500, writes=True))) is OutcomeUnknown


def test_a_bare_404_is_never_the_vendors_not_found() -> None:
    assert type(raised(answer({"title": "error", "status": 404}, status=404))) is Drift


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 4, 14, 2, 0, tzinfo=UTC), 20),  # 04:00 in Paris, summer
        (datetime(2026, 1, 14, 2, 0, tzinfo=UTC), 21),  # 03:00, winter
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 23),  # the day that loses an hour
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 25),  # the day that gains one
    ],
)
def test_a_used_up_quota_waits_until_midnight_in_paris(now: datetime, hours: int) -> None:
    assert until_midnight(now) == timedelta(hours=hours)
    with pytest.raises(Transient) as caught:
        document(answer(error(-4), status=429, retry_after="2"), now)
    assert caught.value.retry_after == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("Tue, 14 Apr 2026 02:00:30 GMT", timedelta(seconds=30)),
        ("Tue, 14 Apr 2026 01:00:00 GMT", timedelta(0)),
        ("soon", None),
        (None, None),
    ],
)
def test_a_pause_is_as_long_as_the_partner_asks(header: str | None, wait: timedelta | None) -> None:
    found = raised(answer(b"", status=429, retry_after=header))
    assert isinstance(found, Transient)
    assert found.retry_after == wait


def test_a_sentence_names_the_invoice_and_keeps_the_request_id() -> None:
    found = raised(answer(error(-3), status=401))
    assert isinstance(found, Denied)
    assert found.message.startswith("Facture F1 : Factomos refuse l'accès")
    assert found.request_id == "req-1"


@pytest.mark.parametrize("body", [b"<html>", b"", b"%PD", b'{"error": {"code": 0}}'])
def test_what_is_no_pdf_is_no_document(body: bytes) -> None:
    with pytest.raises(Drift):
        check_document(answer(body), NOW)


def test_a_refusal_in_the_place_of_a_pdf_keeps_its_meaning() -> None:
    with pytest.raises(Denied):
        check_document(answer(error(-3), status=401), NOW)
    with pytest.raises(NotFound) as caught:
        check_document(answer(error(-20), status=404), NOW)
    assert caught.value.fate is Fate.INVOICE_UNKNOWN


@pytest.mark.parametrize(
    ("broken", "reading", "writing"),
    [
        (httpx.ConnectError("no"), Transient, Transient),
        (httpx.ConnectTimeout("no"), Transient, Transient),
        (httpx.PoolTimeout("no"), Transient, Transient),
        (httpx.ReadTimeout("no"), Transient, OutcomeUnknown),
        (httpx.ReadError("no"), Transient, OutcomeUnknown),
        (httpx.WriteError("no"), Transient, OutcomeUnknown),
        (httpx.RemoteProtocolError("no"), Transient, OutcomeUnknown),
    ],
)
def test_a_broken_line_is_doubt_only_once_something_left(
    broken: httpx.HTTPError, reading: type[Exception], writing: type[Exception]
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise broken

    with httpx.Client(transport=httpx.MockTransport(fail)) as http:
        client = FactomosClient(http, NOW)
        with pytest.raises(reading):
            client.get("/invoices", subject="Essai")
        with pytest.raises(writing):
            client.post("/invoices/i/payments", {"montant": "1.00"}, subject="Essai")


def test_a_write_on_an_unknown_invoice_is_refused() -> None:
    def unknown(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json=error(-20, "Invoice not found"))

    http = httpx.Client(transport=httpx.MockTransport(unknown))
    with http, pytest.raises(Rejected) as caught:
        FactomosClient(http, NOW).post("/invoices/i/payments", {}, subject="Facture F9")
    assert caught.value.code == "-20"
