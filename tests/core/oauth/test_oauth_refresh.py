"""Rotated refresh tokens, races and crashes: no access dies in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from encaisse_api import (
    BearerAuth,
    Denied,
    Transient,
)
from encaisse_core import grants
from encaisse_core.store import schema

if TYPE_CHECKING:
    from tests.core.oauth.conftest import World

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOST = "api.example.org"
CLIENT = {"client_id": "ident-123", "client_secret": "secret-tres-cache"}


def test_a_rotated_refresh_token_replaces_the_old_one(world: World) -> None:
    world.by_code()
    client = world.client()
    for expected in ("r1", "r2", "r3"):
        world.partner.valid.clear()
        assert client.get(f"https://{HOST}/v1/x").status_code == 200
        kept = world.tokens().refresh
        assert kept is not None
        assert kept.get_secret_value() == expected
    assert world.partner.bodies[1] == {"grant_type": ["refresh_token"], "refresh_token": ["r1"]}


def test_a_refresh_token_that_is_not_rotated_is_kept(world: World) -> None:
    world.by_code()
    world.partner.rotating = False
    for _ in range(2):
        world.partner.valid.clear()
        assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    assert world.partner.bodies[1]["refresh_token"] == ["r0"]


def test_a_token_renewed_by_another_is_used_without_renewing_again(world: World) -> None:
    world.by_code()
    first, second = world.client(), world.client()
    assert first.get(f"https://{HOST}/v1/x").status_code == 200
    assert second.get(f"https://{HOST}/v1/x").status_code == 200
    world.partner.valid.clear()
    assert first.get(f"https://{HOST}/v1/x").status_code == 200
    assert second.get(f"https://{HOST}/v1/x").status_code == 200  # 401, then the kept one
    assert world.partner.asked == 2


def test_a_refusal_of_tokens_another_has_renewed_closes_nothing(world: World) -> None:
    """The rotated-token race: our lease ran out while we were frozen, another renewed."""
    world.by_code()
    world.partner.valid = {"neuf"}

    def renewed_meanwhile() -> httpx.Response:
        world.give_tokens("neuf", "r9", None)
        return httpx.Response(400, json={"error": "invalid_grant"})

    world.partner.token_answer = renewed_meanwhile
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    assert world.state().state == "active"


def test_the_later_of_two_renewals_gives_way(world: World) -> None:
    world.by_code()
    world.partner.valid = {"neuf"}

    def renewed_meanwhile() -> httpx.Response:
        world.give_tokens("neuf", "r9", None)
        return httpx.Response(200, json={"access_token": "tardif", "refresh_token": "r8"})

    world.partner.token_answer = renewed_meanwhile
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    kept = world.tokens()
    assert kept.access is not None
    assert kept.access.get_secret_value() == "neuf"


def test_a_renewal_begun_before_a_reconnection_does_not_undo_it(world: World) -> None:
    world.by_code()
    before = world.tokens()
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, CLIENT)
        assert grants.read_tokens(connection, world.vault, world.grant_id).access is None
        assert not grants.save_tokens(
            connection,
            world.vault,
            world.grant_id,
            access=SecretStr("ancien"),
            refresh=None,
            renew_at=None,
            expected_version=before.version,
        )


@pytest.mark.parametrize("refresh", [None, "r-inconnu"])
def test_without_a_working_refresh_token_a_person_reconnects(
    world: World, refresh: str | None
) -> None:
    world.by_code(refresh=refresh)
    with pytest.raises(Denied, match="Reconnectez Exemple"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.state().state == "denied"
    with pytest.raises(Denied, match="fermé"):
        world.client()


class _Killed(BaseException):
    """Stand for a process that ends between two statements."""


def _die_while_keeping(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the process after the partner answered, before anything was kept, lease included."""

    def die(*_args: object, **_named: object) -> None:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(grants, "save_tokens", die)
        patch.setattr(grants, "drop_lease", die)
        with pytest.raises(_Killed):
            world.client().get(f"https://{HOST}/v1/x")
    with world.store.begin() as connection:
        assert connection.execute(select(schema.refresh_lease)).one() is not None


def test_a_crash_before_keeping_client_credentials_ends_in_working(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _die_while_keeping(world, monkeypatch)
    with pytest.raises(Transient) as held:  # the dead process's lease still stands
        world.client().get(f"https://{HOST}/v1/x")
    assert held.value.retry_after is not None
    assert timedelta(0) < held.value.retry_after <= grants.LEASE
    world.clock.sleep(held.value.retry_after.total_seconds())
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200


def test_a_crash_before_keeping_a_rotated_token_ends_in_reconnect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.by_code()
    _die_while_keeping(world, monkeypatch)
    world.clock.sleep(grants.LEASE.total_seconds())
    with pytest.raises(Denied, match="Reconnectez Exemple"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.state().state == "denied"
    assert "invalid_grant" in (world.state().reason or "")


def test_a_lease_is_judged_by_the_stores_clock(world: World) -> None:
    with world.store.begin() as connection:
        assert grants.take_lease(connection, world.store, world.grant_id, "a") is None
        assert grants.take_lease(connection, world.store, world.grant_id, "b") is not None
        grants.drop_lease(connection, world.grant_id, "b")  # not b's to give back
        assert grants.take_lease(connection, world.store, world.grant_id, "b") is not None
    world.store.set_virtual_now(AT + grants.LEASE)
    with world.store.begin() as connection:
        assert grants.take_lease(connection, world.store, world.grant_id, "b") is None
        assert grants.take_lease(connection, world.store, world.grant_id, "a") is not None


@pytest.mark.parametrize("renewed_before", [True, False])
@pytest.mark.parametrize("answer", [(200, {"access_token": "ancien"}), (401, {"error": "x"})])
def test_client_credentials_replaced_during_a_renewal_are_used(
    world: World, answer: tuple[int, dict[str, str]], renewed_before: bool
) -> None:
    if renewed_before:
        assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
        world.partner.valid.clear()

    def reconnected_meanwhile() -> httpx.Response:
        world.partner.token_answer = None
        with world.store.begin() as connection:
            grants.replace_secrets(connection, world.vault, world.grant_id, CLIENT)
        return httpx.Response(answer[0], json=answer[1])

    world.partner.token_answer = reconnected_meanwhile
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    assert world.state().state == "active"


def test_a_refusal_while_another_renews_waits_for_what_it_brings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our lease ran out while we were frozen; who took it over has an answer and keeps it next."""
    world.by_code()
    world.partner.valid = {"neuf"}
    sleep = world.clock.sleep

    def taken_over() -> httpx.Response:
        with world.store.begin() as connection:
            connection.execute(schema.refresh_lease.update().values(token="other"))
        return httpx.Response(400, json={"error": "invalid_grant"})

    def kept_meanwhile(seconds: float) -> None:
        sleep(seconds)
        world.give_tokens("neuf", "r9", None)
        with world.store.begin() as connection:
            grants.drop_lease(connection, world.grant_id, "other")

    world.partner.token_answer = taken_over
    monkeypatch.setattr(world.clock, "sleep", kept_meanwhile)
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
    assert world.state().state == "active"


def test_tokens_kept_after_a_refusal_of_older_ones_open_the_grant(world: World) -> None:
    world.by_code()
    with world.store.begin() as connection:
        before = grants.read_tokens(connection, world.vault, world.grant_id).version
        assert grants.mark_denied(connection, world.grant_id, "Refusé.", tokens_version=before)
    world.give_tokens("neuf", "r9", None)
    assert world.state().state == "active"


def test_a_refusal_names_the_version_of_what_was_presented(world: World) -> None:
    world.use(BearerAuth(setting="client_secret"))
    for presented in (0, 1):
        with pytest.raises(grants.Refused) as refused:
            world.client().get(f"https://{HOST}/v1/x")
        assert refused.value.presented == presented
        with world.store.begin() as connection:
            grants.replace_secrets(connection, world.vault, world.grant_id, CLIENT)
