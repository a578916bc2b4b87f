"""A tool tells news by day: the customer who paid is left in peace, and nothing is believed."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from tests.core.hook_town import CENTS, SIRET, Town, open_town

from encaisse_core.hooks import deliveries
from encaisse_core.hooks.receiving import LARGEST


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Bring one company's sales to the collector once; each test takes fresh ones."""
    home = tmp_path_factory.mktemp("hooks")
    with open_town(f"sqlite:///{home / 'e.db'}", home / "home", sales=4) as made:
        yield made


@pytest.fixture
def town(lived: Town) -> Town:
    """Begin a new hour of it."""
    return lived.calm()


def test_a_payment_told_by_a_tool_ends_the_procedure_at_once(town: Town) -> None:
    """Once, though it is told again as it was, and again under a new signature."""
    sale = town.fresh()
    town.pays(sale)
    ((headers, body),) = town.told()
    assert town.post(headers, body) == (200, {"ok": True})
    assert town.look() == 1
    assert town.ended(sale)
    asked = town.calls()
    assert town.post(headers, body) == (200, {"ok": True})
    assert (town.look(), town.calls()) == (0, asked), "a replay costs the tool's quota nothing"
    town.clock.sleep(1)
    assert town.post(town.signed(body), body) == (200, {"ok": True})
    assert (town.look(), town.calls()) == (0, asked), "two looks stand apart"
    town.clock.sleep(deliveries.APART.total_seconds())
    assert town.look() == 1
    assert town.declared(sale) == [CENTS]


def test_what_a_delivery_says_is_not_believed(town: Town) -> None:
    """A signed word that all is paid, while the tool shows it open, is a look and no more."""
    sale = town.fresh()
    body = (
        f'{{"type":"payment.executed","company_siret":"{SIRET}","invoice_id":"{town.sales[sale]}",'
        '"created_at":"2026-04-16T16:00:00.000000Z"}'
    ).encode()
    before, payments = town.calls(), town.rows("payment")
    assert town.post(town.signed(body), body)[0] == 200
    assert town.look() == 1
    assert town.calls() > before
    assert (town.rows("payment"), town.declared(sale)) == (payments, [])


def test_what_nobody_can_prove_or_read_is_refused_and_costs_the_tool_no_call(town: Town) -> None:
    town.pays(town.fresh())
    ((headers, body),) = town.told()
    before = (town.rows("delivery"), town.calls())
    assert town.post({"Content-Type": "application/json"}, body)[0] == 401
    assert town.post(town.signed(body, "whsec-autre"), body)[0] == 401
    assert town.post(headers, body.replace(b"executed", b"executeD"))[0] == 401
    other = town.path().replace(town.company, "cmp_autre")
    for path in (other, "/hooks/", "/hooks/x", "/elsewhere", town.path() + "/x"):
        assert town.post(headers, body, path)[0] == 404
    gcollect = f"/hooks/{town.company}/{town.link('gcollect').id}"
    assert town.post(headers, body, gcollect)[0] == 401, "another partner's secret proves nothing"
    assert _raw(town, {"Content-Length": str(LARGEST + 1)}) == 413
    assert _raw(town, {"Transfer-Encoding": "chunked"}) == 411
    assert _raw(town, {"Content-Length": "-1"}) == 411
    town.clock.sleep(timedelta(minutes=6).total_seconds())
    assert town.post(headers, body)[0] == 401, "signed too long ago"
    assert ((town.rows("delivery"), town.calls()), town.look()) == (before, 0)


def _raw(town: Town, headers: Mapping[str, str]) -> int:
    """Send headers only."""
    caller = http.client.HTTPConnection("127.0.0.1", town.port, timeout=10)
    try:
        caller.putrequest("POST", town.path())
        for name, value in headers.items():
            caller.putheader(name, value)
        caller.endheaders()
        return caller.getresponse().status
    finally:
        caller.close()


def test_the_lookout_wakes_when_something_is_delivered(town: Town) -> None:
    assert town.lookout is not None
    sale = town.fresh()
    town.pays(sale)
    ((headers, body),) = town.told()
    town.lookout.start()
    try:
        assert town.post(headers, body)[0] == 200
        end = time.monotonic() + 10
        while not town.declared(sale) and time.monotonic() < end:
            time.sleep(0.02)
        assert town.ended(sale)
    finally:
        town.lookout.close()
