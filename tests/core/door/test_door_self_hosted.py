"""A tool a person runs themselves is called where they said, and nowhere else on that machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from encaisse_api import Denied, NoAuth, Rejected
from encaisse_core.http import Door

if TYPE_CHECKING:
    from tests.core.door.conftest import World

PUBLIC = "93.184.216.34"


def client(
    world: World,
    address: str,
    *,
    leads_to: str = PUBLIC,
    private: tuple[str, ...] = (),
) -> tuple[httpx.Client, list[str]]:
    """Lend a client for one address; give it with what reached the wire."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200)

    door = Door(
        store=world.store,
        vault=world.vault,
        clock=world.clock,
        ids=world.ids,
        private_hosts=private,
        resolve=lambda _host: [leads_to],
    )
    world.doors.append(door)
    door._network = httpx.MockTransport(answer)  # type: ignore[assignment]
    lent = door.lend(
        manifest=world.manifest(auth=NoAuth()),
        grant_id=None,
        account=None,
        environment="test",
        addresses=[address],
    )
    return lent, seen


def test_a_self_hosted_tool_is_called_below_its_address(world: World) -> None:
    lent, seen = client(world, "https://erp.example.org:8443/compta")
    for place in ("/compta", "/compta/factures?page=2"):
        lent.get(f"https://erp.example.org:8443{place}")
    assert seen == [
        "https://erp.example.org:8443/compta",
        "https://erp.example.org:8443/compta/factures?page=2",
    ]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://erp.example.org:8443/comptabilite",
        "https://erp.example.org:8443/compta/../admin",
        "https://erp.example.org:8443/compta/%2e%2e/admin",
        "https://erp.example.org/compta",
        "http://erp.example.org:8443/compta",
        "https://user@erp.example.org:8443/compta",
        "https://erp.example.org.evil.example:8443/compta",
    ],
)
def test_the_rest_of_its_machine_is_not_called(world: World, elsewhere: str) -> None:
    lent, seen = client(world, "https://erp.example.org:8443/compta")
    with pytest.raises(Rejected) as refused:
        lent.get(elsewhere)
    assert (refused.value.code, seen) == ("host_refused", [])


def test_an_inner_address_needs_a_persons_word(world: World) -> None:
    with pytest.raises(Denied, match="interne ou réservée"):
        client(world, "https://erp.lan/", leads_to="10.0.0.4")
    with pytest.raises(Denied, match="interne ou réservée"):
        client(world, "https://erp.lan/", leads_to="10.0.0.4", private=("other.lan",))
    lent, seen = client(world, "http://erp.lan/", leads_to="10.0.0.4", private=("erp.lan",))
    lent.get("http://erp.lan/factures")
    assert seen == ["http://erp.lan/factures"]
    with pytest.raises(Denied):
        client(world, "http://erp.lan/", leads_to="169.254.169.254", private=("erp.lan",))


def test_an_address_that_is_none_is_a_mistake_in_the_settings(world: World) -> None:
    for address in ("erp", "http://erp.example.org", "https://a:b@erp.example.org", "h\0"):
        with pytest.raises(Denied):
            client(world, address)
