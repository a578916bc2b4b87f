"""Faults: what each leaves behind, in process and over real HTTP; and that chance is seeded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from encaisse_simulator import FaultKind, SimTransport, World, serve
from encaisse_simulator.caller import BASE, CalledClaim, GCollectCaller

AUTHORIZED = {"Authorization": "Bearer jeton", "X-Sim-Host": "api.factomos.com"}


def issue(world: World, count: int = 1) -> list[str]:
    contact = world.factomos.add_contact("jeton", "Bureau Modèle SARL")
    due = date(2026, 8, 31)
    return [
        world.factomos.add_invoice(f"F-{n}", contact, date(2026, 8, 1), due, 10_000)
        for n in range(count)
    ]


@contextmanager
def reached(world: World, way: str) -> Iterator[httpx.Client]:
    if way == "process":
        url = "https://api.factomos.com"
        with httpx.Client(
            transport=SimTransport(world), base_url=url, headers=AUTHORIZED
        ) as client:
            yield client
    else:
        with (
            serve(world, slow_seconds=0.5) as server,
            httpx.Client(base_url=server.base_url, headers=AUTHORIZED, timeout=0.25) as client,
        ):
            yield client


WAYS = pytest.mark.parametrize("way", ["process", "http"])


def pay(client: httpx.Client, pid: str) -> httpx.Response:
    body = {"montant": "10.00", "type": "virement", "payment_date": "2026-11-24"}
    return client.post(f"/invoices/{pid}/payments", json=body)


@WAYS
@pytest.mark.parametrize(
    ("kind", "effects"),
    [("lost_reply", 1), ("slow_after", 1), ("slow", 0)],
)
def test_no_answer_comes_and_the_state_is_as_the_fault_says(
    world: World, way: str, kind: FaultKind, effects: int
) -> None:
    (pid,) = issue(world)
    world.faults.schedule(kind, method="POST", path="/payments$")
    with reached(world, way) as client:
        with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError, httpx.TimeoutException)):
            pay(client, pid)
        assert len(world.ledger()) == effects
        assert pay(client, pid).status_code == 201
    assert len(world.ledger()) == effects + 1
    assert world.faults.counts == {kind: 1}


@WAYS
@pytest.mark.parametrize("kind", ["lost_reply", "5xx_after", "malformed", "slow_after"])
def test_a_key_sent_again_after_doubt_leaves_one_procedure(
    world: World, way: str, kind: FaultKind
) -> None:
    claim = CalledClaim("F-1")
    with reached(world, way) as client:
        base = str(client.base_url).rstrip("/") if way == "http" else BASE
        caller = GCollectCaller(client, "client", "secret", base=base)
        caller.log_in()
        mandate = caller.prepare(claim)
        world.gcollect.sign_mandate(mandate, name="Sandrine", email="sandrine@example.org")
        world.faults.schedule(kind, method="POST", path="/procedures$")
        with suppress(httpx.NetworkError, httpx.RemoteProtocolError, httpx.TimeoutException):
            doubtful = caller.open(mandate, [claim], reference="r", key="k")
            assert kind in ("5xx_after", "malformed"), doubtful.text
        again = caller.open(mandate, [claim], reference="r", key="k")
        found = caller.get("/procedures/by-external-reference/r")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert found.json() == again.json()
    kinds = [entry.kind for entry in world.ledger()]
    assert kinds.count("procedure_opened") == 1
    assert world.faults.counts == {kind: 1}


@WAYS
@pytest.mark.parametrize(("kind", "effects"), [("5xx", 0), ("5xx_after", 1)])
def test_a_server_error_comes_before_or_after_the_change(
    world: World, way: str, kind: FaultKind, effects: int
) -> None:
    (pid,) = issue(world)
    world.faults.schedule(kind, method="POST")
    with reached(world, way) as client:
        assert pay(client, pid).status_code in (500, 502, 503)
    assert len(world.ledger()) == effects


@WAYS
def test_an_answer_can_be_broken_json_or_a_page(world: World, way: str) -> None:
    (pid,) = issue(world)
    world.faults.schedule("malformed", count=12)
    with reached(world, way) as client:
        answers = [pay(client, pid) for _ in range(12)]
    assert {each.status_code for each in answers} == {200}
    for each in answers:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid|delimiter"):
            each.json()
    kinds = {each.headers["content-type"].partition(";")[0] for each in answers}
    assert kinds == {"text/html", "application/json"}
    assert len(world.ledger()) == 12


@WAYS
def test_too_many_calls_are_told_when_to_come_back(world: World, way: str) -> None:
    world.faults.retry_after = 7
    world.faults.schedule("429")
    with reached(world, way) as client:
        answer = client.get("/invoices")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert client.get("/invoices").status_code == 200


@WAYS
def test_a_revoked_token_stays_refused_until_restored(world: World, way: str) -> None:
    world.faults.schedule("revoked_token", nth=2)
    with reached(world, way) as client:
        assert [client.get("/invoices").status_code for _ in range(4)] == [200, 401, 401, 401]
        with world.faults.paused():
            assert client.get("/invoices").status_code == 200
        world.faults.restore_tokens()
        assert client.get("/invoices").status_code == 200
    assert world.faults.counts == {"revoked_token": 1}


def test_a_revoked_access_token_can_be_replaced(collector: GCollectCaller, world: World) -> None:
    world.faults.schedule("revoked_token")
    assert [collector.get("/me").status_code for _ in range(2)] == [401, 401]
    collector.log_in()
    assert collector.get("/me").status_code == 200


@WAYS
def test_a_cut_list_says_it_is_the_end(world: World, way: str) -> None:
    issue(world, 60)
    world.faults.schedule("truncated_list", path="^/invoices$")
    world.faults.schedule("miscounted_list", path="^/invoices$")
    with reached(world, way) as client:
        cut = client.get("/invoices", params={"per_page": "20"}).json()
        miscounted = client.get("/invoices", params={"per_page": "20"}).json()
        whole = client.get("/invoices", params={"per_page": "20"}).json()
    assert len(cut["invoices"]) == 10
    assert cut["pagination"] == {"first_row": 0, "last_row": 9, "total_invoices": 10}
    assert len(miscounted["invoices"]) == 10
    assert miscounted["pagination"] == whole["pagination"]
    assert whole["pagination"] == {"first_row": 0, "last_row": 19, "total_invoices": 60}


def test_a_cut_feed_agrees_with_itself_or_contradicts_itself(
    world: World, collector: GCollectCaller
) -> None:
    claims = [CalledClaim(f"F-{n}") for n in range(6)]
    mandate = collector.prepare(*claims)
    world.gcollect.sign_mandate(mandate, name="Sandrine", email="sandrine@example.org")
    for claim in claims:
        assert collector.open(mandate, [claim]).status_code == 201
    world.faults.schedule("truncated_list")
    world.faults.schedule("miscounted_list")
    cut, miscounted = (collector.get("/procedures", limit="4").json() for _ in range(2))
    for each in (cut, miscounted):
        assert (len(each["items"]), each["has_more"], each["next_cursor"]) == (2, False, None)
    assert (cut["total"], miscounted["total"]) == (2, 6)


def test_a_cut_waits_for_an_answer_that_is_a_list(world: World, tool: httpx.Client) -> None:
    (pid,) = issue(world)
    world.faults.schedule("truncated_list")
    assert tool.get(f"/invoices/{pid}").status_code == 200
    assert tool.get(f"/invoices/{pid}/payments").json()["payments"] == []
    assert world.faults.counts == {}
    assert tool.get("/invoices").json()["invoices"] == []
    assert world.faults.counts == {"truncated_list": 1}


def test_a_rule_strikes_the_nth_match_and_as_often_as_told(
    world: World, tool: httpx.Client
) -> None:
    world.faults.schedule("5xx", path="^/contacts$", nth=2, count=2)
    statuses = []
    for _ in range(5):
        assert tool.get("/invoices").status_code == 200
        statuses.append(tool.get("/contacts").status_code)
    assert [status >= 500 for status in statuses] == [False, True, True, False, False]


def test_drawn_faults_keep_to_their_paths_and_maximum(world: World, tool: httpx.Client) -> None:
    world.faults.draw({"5xx": 0.5, "429": 0.2}, path="^/contacts$", maximum=20)
    statuses = [tool.get("/contacts").status_code for _ in range(100)]
    struck = [status for status in statuses if status != 200]
    assert len(struck) == 20 == sum(world.faults.counts.values())
    assert 0 < world.faults.counts["429"] < world.faults.counts["5xx"]
    assert tool.get("/invoices").status_code == 200
    with pytest.raises(ValueError, match="at most 1"):
        world.faults.draw({"5xx": 0.8, "429": 0.3})


def test_nothing_strikes_while_paused(world: World, tool: httpx.Client) -> None:
    world.faults.draw({"5xx": 1.0})
    with world.faults.paused():
        assert tool.get("/contacts").status_code == 200
    assert tool.get("/contacts").status_code >= 500
    world.faults.clear()
    assert tool.get("/contacts").status_code == 200


def _day(seed: int) -> tuple[list[bytes], list[object]]:
    """Play one day with faults; give every answer's bytes and every effect."""
    world = World(seed, datetime(2026, 11, 24, 8, tzinfo=UTC))
    world.factomos.add_company("jeton", "123456782", "Exemple SAS")
    world.gcollect.register_creditor("123456782", "Exemple SAS", "client", "secret")
    heard: list[bytes] = []

    def hear(response: httpx.Response) -> None:
        heard.append(str(sorted(response.headers.items())).encode() + response.read())

    (pid, *_) = issue(world, 5)
    with (
        httpx.Client(
            transport=SimTransport(world),
            base_url="https://api.factomos.com",
            headers=AUTHORIZED,
            event_hooks={"response": [hear]},
        ) as client,
    ):
        caller = GCollectCaller(client, "client", "secret")
        caller.log_in()
        mandate = caller.prepare(CalledClaim("F-1"))
        world.gcollect.sign_mandate(mandate, name="Sandrine", email="sandrine@example.org")
        opened = caller.open(mandate, [CalledClaim("F-1")]).json()["id"]
        world.faults.draw({"5xx": 0.2, "lost_reply": 0.2, "malformed": 0.2}, path="^/invoices")
        for _ in range(30):
            try:
                pay(client, pid)
                client.get("/invoices")
            except httpx.ReadError:
                heard.append(b"lost")
        world.gcollect.debtor_pays(opened, "F-1", 120_000)
        world.advance(timedelta(days=4))
        caller.log_in()
        caller.get("/payouts")
    return heard, [world.ledger(), world.gcollect.outreach(), dict(world.faults.counts)]


def test_the_same_seed_and_calls_give_the_same_bytes() -> None:
    first, again, other = (_day(seed) for seed in (7, 7, 8))
    assert first == again
    assert first[0] != other[0]
    assert len(first[0]) > 60
