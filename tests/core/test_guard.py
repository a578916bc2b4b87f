"""A self-hosted tool is called where a person said, and nowhere inside unless they allowed it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from encaisse_api import Transient
from encaisse_core.errors import UsageError
from encaisse_core.http import guard_base_url


def _leads_to(addresses: list[str]) -> Callable[[str], list[str]]:
    return lambda _host: addresses


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.4",
        "127.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:10.0.0.4",
        "64:ff9b::a00:4",
        "2002:a00:4::",
        "168.63.129.16",
        "224.0.0.1",
    ],
)
def test_a_self_hosted_tool_is_not_looked_for_inside(address: str) -> None:
    for answers in ([address], ["93.184.216.34", address]):
        with pytest.raises(UsageError, match="interne ou réservée"):
            guard_base_url("https://outil.example.org", resolve=_leads_to(answers))


@pytest.mark.parametrize("address", ["10.0.0.4", "127.0.0.1", "fd12::4"])
def test_a_person_may_allow_their_own_network(address: str) -> None:
    url = guard_base_url(
        "http://outil.lan:8000/compta",
        private_hosts=["outil.lan"],
        resolve=lambda _host: [address],
    )
    assert str(url) == "http://outil.lan:8000/compta"


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254"]
)
def test_metadata_addresses_never_pass(address: str) -> None:
    with pytest.raises(UsageError):
        guard_base_url("http://x.lan", private_hosts=["x.lan"], resolve=lambda _host: [address])


@pytest.mark.parametrize(
    "url",
    ["", "outil", "ftp://x.org", "https://", "https://a:b@x.org", "https://x.org/?k=1", "h\0"],
)
def test_an_address_of_another_shape_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        guard_base_url(url, resolve=lambda _host: ["93.184.216.34"])


def test_a_public_address_passes_in_https_only() -> None:
    for url, good in (("https://x.example.org/api", True), ("http://x.example.org", False)):
        if good:
            assert guard_base_url(url, resolve=lambda _host: ["93.184.216.34"]).host
        else:
            with pytest.raises(UsageError, match="https"):
                guard_base_url(url, resolve=lambda _host: ["93.184.216.34"])
    with pytest.raises(Transient, match="aucune adresse"):
        guard_base_url("https://x.example.org", resolve=lambda _host: [])
    with pytest.raises(UsageError, match="interne"):
        guard_base_url("https://2130706433/")  # 127.0.0.1 written as one number
