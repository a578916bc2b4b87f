"""Where requests may go, and whom they speak for."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import httpx
import pytest

from encaisse_api import (
    BasicAuth,
    Denied,
    HeaderAuth,
    HeadersAuth,
    Rejected,
    SecretHeader,
    Transient,
)
from encaisse_core.errors import UsageError

if TYPE_CHECKING:
    from tests.core.door.conftest import Server, World

HOST = "api.example.org"
BASE = f"https://{HOST}"
KEY = "cle-secrete-4242"


def _ok(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={})


@pytest.mark.parametrize(
    "url",
    [
        "https://ailleurs.example.org/v1",
        "https://api.example.org.attaque.example/v1",
        "https://live.example.org/v1",
        "http://api.example.org/v1",
        "ftp://api.example.org/v1",
        "https://api.example.org:8443/v1",
        "https://moi:mot@api.example.org/v1",
        "https://127.0.0.1/v1",
        "https://169.254.169.254/latest/meta-data",
        "https:///v1",
        "/v1",
    ],
)
def test_only_the_declared_hosts_of_the_environment_are_called(
    world: World, server: Server, url: str
) -> None:
    with pytest.raises(Rejected, match="Exemple") as refused:
        world.client(server).get(url)
    assert refused.value.code == "host_refused"
    assert "mot@" not in refused.value.message
    assert server.seen == []


def test_a_route_opens_no_host_the_manifest_does_not_declare(world: World, server: Server) -> None:
    door = world.door(routes={"ailleurs.example.org": server.base})
    client = door.lend(
        manifest=world.manifest(), grant_id=world.grant(), account=None, environment="test"
    )
    with pytest.raises(Rejected, match="n'est pas déclaré"):
        client.get("https://ailleurs.example.org/v1")
    with pytest.raises(Rejected, match="aucun simulateur"):
        client.get(f"{BASE}/v1")  # declared, but it would leave this machine
    assert server.seen == []


def test_a_routed_request_still_names_the_vendor(world: World, server: Server) -> None:
    world.client(server).post(
        f"{BASE}/v1/factures?apres=2", json={"a": 1}, headers={"Host": "faux.example.org"}
    )
    [(method, path, headers, body)] = server.seen
    assert (method, path, json.loads(body)) == ("POST", "/v1/factures?apres=2", {"a": 1})
    assert headers["Host"] == HOST
    assert headers["X-Sim-Host"] == HOST
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["User-Agent"].startswith("encaisse/")


def test_a_route_may_lead_below_a_path(world: World, server: Server) -> None:
    door = world.door(routes={HOST: f"{server.base}/gcollect/"})
    door.lend(
        manifest=world.manifest(), grant_id=world.grant(), account=None, environment="test"
    ).get(f"{BASE}/v1/x%20y?q=a%2Fb")
    assert server.seen[0][1] == "/gcollect/v1/x%20y?q=a%2Fb"


def test_the_simulator_in_process_sees_the_vendors_address(world: World) -> None:
    seen: list[httpx.Request] = []

    def partner(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"vu": True})

    assert world.client(partner).get(f"{BASE}/v1").json() == {"vu": True}
    assert seen[0].url == f"{BASE}/v1"
    assert "X-Sim-Host" not in seen[0].headers


@pytest.mark.parametrize(
    "base",
    ["http://192.168.1.4:80", "https://sim.example.org", "http://0.0.0.0:1", "ftp://127.0.0.1"],
)
def test_a_route_leads_to_this_machine_only(world: World, base: str) -> None:
    with pytest.raises(UsageError, match="cette machine"):
        world.door(routes={HOST: base})


def test_a_simulator_is_refused_in_live(world: World) -> None:
    for door in (
        world.door(routes={"live.example.org": "http://127.0.0.1:9"}),
        world.door(transport=httpx.MockTransport(_ok)),
    ):
        with pytest.raises(UsageError, match="simulateur"):
            door.lend(
                manifest=world.manifest(),
                grant_id=world.grant("live"),
                account=None,
                environment="live",
            )
    with pytest.raises(UsageError, match="Environnement inconnu"):
        world.door().lend(
            manifest=world.manifest(), grant_id=None, account=None, environment="prod"
        )


def test_live_and_test_never_meet(world: World) -> None:
    with pytest.raises(UsageError, match="live"):
        world.door().lend(
            manifest=world.manifest(),
            grant_id=world.grant("live"),
            account=None,
            environment="test",
        )
    live = world.door().lend(
        manifest=world.manifest(), grant_id=world.grant("live"), account=None, environment="live"
    )
    with pytest.raises(Rejected):
        live.get(f"{BASE}/v1")


def test_a_redirect_is_never_followed(world: World, server: Server) -> None:
    client = world.client(server)
    for target in (f"{BASE}/v2", "https://ailleurs.example.org/", "http://127.0.0.1/"):
        server.script = [(302, {"Location": target}, b"")] * 2
        assert client.get(f"{BASE}/v1").status_code == 302
        assert client.get(f"{BASE}/v1", follow_redirects=True).status_code == 302
    assert [path for _, path, _, _ in server.seen] == ["/v1"] * 6


def test_a_call_cannot_leave_our_credentials_out(world: World, server: Server) -> None:
    world.client(server).get(f"{BASE}/v1", auth=("autre", "mot"))
    world.client(server).get(f"{BASE}/v1", headers={"Authorization": "Bearer autre"})
    assert {headers["Authorization"] for _, _, headers, _ in server.seen} == {f"Bearer {KEY}"}


def test_a_vendors_own_header_carries_its_key(world: World, server: Server) -> None:
    world.client(server, world.manifest(auth=HeaderAuth(header="X-Api-Key"))).get(f"{BASE}/v1")
    assert server.seen[0][2]["X-Api-Key"] == KEY


def test_a_key_may_stand_after_a_word_of_the_vendors(world: World, server: Server) -> None:
    auth = HeaderAuth(header="Authorization", prefix="Token ")
    world.client(server, world.manifest(auth=auth)).get(f"{BASE}/v1")
    assert server.seen[0][2]["Authorization"] == f"Token {KEY}"


@pytest.mark.parametrize(
    ("auth", "pair"),
    [
        (BasicAuth(user="token", password="api_key"), f"{KEY}:{KEY}"),
        (BasicAuth(user="api_key", password=None), f"{KEY}:"),
    ],
)
def test_a_user_and_a_password_travel_encoded(
    world: World, server: Server, auth: BasicAuth, pair: str
) -> None:
    world.client(server, world.manifest(auth=auth)).get(f"{BASE}/v1")
    said = server.seen[0][2]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(said).decode() == pair


def test_a_user_without_a_password_is_not_let_pass(world: World, server: Server) -> None:
    with pytest.raises(UsageError, match="password"):
        world.client(server, world.manifest(auth=BasicAuth(user="token")))


TWO = (
    SecretHeader(header="Authorization", setting="token", prefix="Bearer "),
    SecretHeader(header="X-Partner-Secret", setting="api_key"),
)


def test_two_secrets_travel_in_a_header_each(world: World, server: Server) -> None:
    world.client(server, world.manifest(auth=HeadersAuth(headers=TWO))).get(f"{BASE}/v1")
    sent = server.seen[0][2]
    assert (sent["Authorization"], sent["X-Partner-Secret"]) == (f"Bearer {KEY}", KEY)


def test_secrets_stay_away_from_a_host_that_must_not_be_told(world: World) -> None:
    seen: dict[str, httpx.Headers] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = request.headers
        return httpx.Response(401)

    auth = HeadersAuth(headers=TWO, hosts=(HOST,))
    client = world.client(answer, world.manifest(auth=auth))
    files = client.get("https://docs.example.org/1", headers={"X-Partner-Secret": KEY})
    assert files.status_code == 401  # and nobody is asked to reconnect
    assert not {"authorization", "x-partner-secret"} & set(seen["docs.example.org"])
    with pytest.raises(Denied):
        client.get(f"{BASE}/v1")
    assert seen[HOST]["X-Partner-Secret"] == KEY


def test_a_second_secret_that_misses_is_named(world: World, server: Server) -> None:
    more = (*TWO, SecretHeader(header="X-More", setting="more"))
    with pytest.raises(UsageError, match="more"):
        world.client(server, world.manifest(auth=HeadersAuth(headers=more)))


def test_a_refused_key_means_denied_and_one_request(world: World, server: Server) -> None:
    server.script = [(401, {"X-Request-Id": "r-1"}, b"")]
    with pytest.raises(Denied, match="Reconnectez Exemple") as denied:
        world.client(server).get(f"{BASE}/v1")
    assert denied.value.request_id == "r-1"
    assert len(server.seen) == 1


def test_a_vendor_whose_contract_is_assumed_is_called_at_a_simulator_only(world: World) -> None:
    assumed = world.manifest().model_copy(update={"contract": "assumed"})
    with pytest.raises(Transient, match=r"contrat .* est supposé"):
        world.door().lend(
            manifest=assumed, grant_id=world.grant(), account=None, environment="test"
        )
