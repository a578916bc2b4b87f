"""A connector is lent its whole world, and nothing of another's."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import httpx
import pytest

from encaisse_api import Connector, Context, Manifest, Setting
from encaisse_core.clock import VirtualClock
from encaisse_core.host import Host, Link


class Sandboxed:
    """Be a connector of a vendor with a sandbox."""

    manifest: ClassVar[Manifest] = Manifest(
        slug="sandboxed",
        name="Bac à sable",
        summary_fr="Pour les essais.",
        contract="documented",
        test_hosts=("sandbox.example.org",),
        live_hosts=("api.example.org", "files.example.org"),
        settings=(
            Setting(name="base", label_fr="Adresse", label_en="Address", kind="url"),
            Setting(name="folder", label_fr="Dossier", label_en="Folder"),
        ),
    )

    def __init__(self, context: Context) -> None:
        self.context = context


class Shop:
    """Have one connector, and lend plain clients."""

    def connector(self, slug: str) -> type[Connector]:
        return Sandboxed

    def out_of_bounds(self, manifest: Manifest, environment: str) -> str:
        return ""

    def lend(self, **asked: Any) -> httpx.Client:
        self.asked = asked
        return httpx.Client()


@pytest.mark.parametrize(
    ("environment", "hosts"),
    [
        ("test", ("sandbox.example.org",)),
        ("live", ("api.example.org", "files.example.org")),
    ],
)
def test_a_connector_hears_where_it_is_and_for_whom(
    clock: VirtualClock, environment: str, hosts: tuple[str, ...]
) -> None:
    shop, nothing = Shop(), cast("Any", None)
    host = Host(nothing, clock, nothing, shop, shop, nothing)
    link = Link(
        id="cnx_1",
        company_id="cmp_1",
        siren="123456782",
        environment=environment,
        connector="sandboxed",
        grant_id="grt_1",
        account="",
        state="active",
        settings={"folder": "x", "base": "https://erp.example.org"},
        sequence=1,
        referrer_id=None,
    )
    with host.open(link) as partner:
        lent = partner.context
    assert (lent.environment, lent.hosts, lent.siren) == (environment, hosts, "123456782")
    assert shop.asked["environment"] == environment
    assert shop.asked["addresses"] == ["https://erp.example.org"]
