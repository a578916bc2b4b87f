"""The world over real HTTP: the signing page, the person's controls, many callers at once."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from encaisse_simulator import World, serve
from encaisse_simulator.__main__ import main
from encaisse_simulator.caller import CalledClaim, GCollectCaller


def test_a_person_signs_on_the_page_and_no_token_can(world: World) -> None:
    claim = CalledClaim("F-<1>", principal=123_456, interest=789)
    with serve(world) as server, httpx.Client() as http:
        caller = GCollectCaller(http, "client", "secret", base=server.base_url)
        caller.log_in()
        mandate = caller.prepare(claim)
        url = caller.get(f"/mandates/{mandate}").json()["signing_url"]
        assert url.startswith(f"{server.base_url}/sign/")
        page = http.get(url)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert 'lang="fr"' in page.text
        assert "F-&lt;1&gt;" in page.text
        assert "1\u202f234,56\u00a0€" in page.text
        assert caller.send("POST", f"/mandates/{mandate}/sign", {}).status_code == 404
        form = {"signer_name": "Sandrine Exemple", "signer_email": "sandrine@example.org"}
        unread = http.post(url, data={**form, "decision": "sign"})
        assert unread.status_code == 422
        assert "Cochez la case" in unread.text
        assert caller.get(f"/mandates/{mandate}").json()["status"] == "pending_signature"
        done = http.post(url, data={**form, "accept": "yes", "decision": "sign"})
        assert (done.status_code, "Ce mandat est signé" in done.text) == (200, True)
        found = caller.get(f"/mandates/{mandate}").json()
        assert found["status"] == "signed"
        assert found["signature"]["signer"] == {
            "name": "Sandrine Exemple",
            "email": "sandrine@example.org",
        }
        document = caller.get(f"/documents/{found['document']['id']}")
        assert "Sandrine Exemple" in document.text
        again = http.post(url, data={"decision": "refuse"})
        assert "Ce mandat est signé" in again.text
        assert caller.open(mandate, [claim]).status_code == 201
        assert http.get(f"{server.base_url}/sign/inconnu").status_code == 404
    assert [entry.via for entry in world.ledger() if entry.kind == "mandate_signed"] == ["user"]


def test_a_person_can_refuse_on_the_page(world: World, collector: GCollectCaller) -> None:
    mandate = collector.prepare(CalledClaim("F-1"))
    with serve(world):
        answer = httpx.post(world.gcollect.signing_url(mandate), data={"decision": "refuse"})
    assert "refusé" in answer.text
    assert collector.get(f"/mandates/{mandate}").json()["status"] == "refused"


def test_the_path_decides_where_no_host_is_named(world: World) -> None:
    with serve(world) as server:
        assert httpx.get(f"{server.base_url}/invoices").json()["error"]["code"] == -1
        assert httpx.get(f"{server.base_url}/v1/me").json()["code"] == "unauthorized"
        assert httpx.get(f"{server.base_url}/elsewhere").status_code == 502


def test_many_callers_at_once_lose_and_double_nothing(world: World) -> None:
    contact = world.factomos.add_contact("jeton", "Bureau Modèle SARL")
    day = date(2026, 8, 1)
    pid = world.factomos.add_invoice("F-1", contact, day, date(2026, 8, 31), 1_000_000)
    body = {"montant": "1.00", "type": "cb", "payment_date": "2026-11-24"}
    with (
        serve(world) as server,
        httpx.Client(base_url=server.base_url, headers={"Authorization": "Bearer jeton"}) as client,
        ThreadPoolExecutor(8) as callers,
    ):
        made = [
            callers.submit(client.post, f"/invoices/{pid}/payments", json=body) for _ in range(80)
        ]
        assert {each.result().status_code for each in made} == {201}
    ids = {each.result().json()["payment"]["payment_id"] for each in made}
    assert len(ids) == 80 == len(world.ledger())


def test_a_person_runs_the_simulator_alone(capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    runner = threading.Thread(target=main, args=(["--seed", "3"],), kwargs={"until": stop})
    runner.start()
    try:
        printed = ""
        for _ in range(100):
            printed += capsys.readouterr().out
            if "State:" in printed:
                break
            runner.join(0.05)
        found = re.search(r"http://127\.0\.0\.1:\d+", printed)
        assert found, printed
        base = found.group()
        state = httpx.get(f"{base}/_sim/state").json()
        assert (state["now"], len(state["effects"])) == ("2026-11-24T08:00:00.000000Z", 5)
        moved = httpx.post(f"{base}/_sim/advance", json={"hours": 72}).json()
        assert moved == {"now": "2026-11-27T08:00:00.000000Z"}
        unknown = httpx.post(f"{base}/_sim/debtor_pays", json={"invoice_number": "F-0", "cents": 1})
        assert unknown.status_code == 400
        assert httpx.get(f"{base}/_sim/other").status_code == 404
        late = httpx.get(
            f"{base}/invoices?status=later",
            headers={"Authorization": "Bearer factomos-example-token"},
        ).json()["invoices"]
        assert {each["figures_total_withvat"] for each in late} == {"480.50", "300.00", "-180.00"}
    finally:
        stop.set()
        runner.join(10)
    assert not runner.is_alive()


def test_the_control_calls_exist_only_when_asked_for(world: World) -> None:
    with serve(world) as server:
        assert httpx.get(f"{server.base_url}/_sim/state").status_code == 502


def test_the_clock_never_goes_back(world: World) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        world.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="aware"):
        World(1, datetime(2026, 11, 24))  # noqa: DTZ001
    assert world.now == datetime(2026, 11, 24, 8, tzinfo=UTC)
