"""A token is fetched once, renewed in time, and a refusal has one meaning."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from encaisse_api import (
    ClientCredentialsAuth,
    Denied,
    Drift,
    Rejected,
    Transient,
)

if TYPE_CHECKING:
    from tests.core.oauth.conftest import World

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOST = "api.example.org"


def _told(error: Exception) -> str:
    """Write all an error report could hold: message, chain, and the locals of our frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if Path(__file__).name not in frame.filename]
    return "\n".join(
        [repr(error), *traceback.format_exception(error), *(repr(f.locals) for f in frames)]
    )


def test_a_token_is_fetched_once_and_kept(world: World) -> None:
    with world.client() as client:
        for _ in range(3):
            assert client.get(f"https://{HOST}/v1/x").json() == {"ok": True}
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200  # another unit of work
    assert world.partner.asked == 1
    assert world.partner.bodies == [{"grant_type": ["client_credentials"], "scope": ["read write"]}]


def test_a_token_is_renewed_a_minute_before_its_end(world: World) -> None:
    client = world.client()
    client.get(f"https://{HOST}/v1/x")
    assert world.tokens().renew_at == AT + timedelta(seconds=3540)
    world.clock.sleep(3539)
    client.get(f"https://{HOST}/v1/x")
    assert world.partner.asked == 1
    world.clock.sleep(2)
    client.get(f"https://{HOST}/v1/x")
    assert world.partner.asked == 2
    assert world.partner.calls == ["GET"] * 3  # no 401 on the way


@pytest.mark.parametrize("life", [None, 5, 0, 10**12])
def test_any_announced_life_gives_a_working_access(world: World, life: int | None) -> None:
    world.partner.life = life
    client = world.client()
    for _ in range(2):
        assert client.get(f"https://{HOST}/v1/x").status_code == 200
        world.clock.sleep(6)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_renewed_and_the_request_sent_again(world: World, method: str) -> None:
    client = world.client()
    client.get(f"https://{HOST}/v1/x")
    world.partner.valid.clear()
    world.partner.calls.clear()
    answer = client.request(method, f"https://{HOST}/v1/x", content=iter([b"a", b"b"]))
    assert answer.status_code == 200
    assert world.partner.calls == [f"{method} ab"] * 2
    assert world.partner.asked == 2


def test_a_fresh_token_that_is_refused_means_denied(world: World) -> None:
    client = world.client()
    world.partner.token_answer = lambda: httpx.Response(200, json={"access_token": "inconnu"})
    with pytest.raises(Denied, match="Exemple refuse notre accès") as denied:
        client.get(f"https://{HOST}/v1/x")
    assert denied.value.request_id == "req-77"
    assert world.partner.calls == ["GET", "GET"]
    assert world.partner.asked == 2


@pytest.mark.parametrize(
    ("status", "error"), [(401, "invalid_client"), (400, "unauthorized_client"), (401, None)]
)
def test_a_refused_client_closes_the_grant_with_its_reason(
    world: World, status: int, error: str | None
) -> None:
    world.partner.token_answer = lambda: httpx.Response(
        status, json={"error": error} if error else None
    )
    with pytest.raises(Denied, match="Reconnectez Exemple"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.state().state == "denied"
    assert (error or "401") in (world.state().reason or "")
    assert world.partner.calls == []


@pytest.mark.parametrize("answer", [(503, None), (400, "temporarily_unavailable"), (429, None)])
def test_a_busy_token_endpoint_is_a_later_matter(
    world: World, answer: tuple[int, str | None]
) -> None:
    status, error = answer
    world.partner.token_answer = lambda: httpx.Response(status, json={"error": error})
    if error is None:
        world.partner.token_answer = lambda: httpx.Response(status, text="plus tard")
    with pytest.raises(Transient):
        world.client().post(f"https://{HOST}/v1/x")
    assert world.state().state == "active"
    assert world.partner.asked == 1  # a POST is not repeated
    world.partner.token_answer = None
    assert world.client().post(f"https://{HOST}/v1/x").status_code == 200


def test_a_lost_token_answer_is_no_doubt_about_the_write(world: World) -> None:
    def lost() -> httpx.Response:
        raise httpx.ReadTimeout("lost")

    world.partner.token_answer = lost
    with pytest.raises(Transient):
        world.client().post(f"https://{HOST}/v1/x")
    assert world.partner.calls == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>connexion</html>"),
        httpx.Response(200, json={"token": "secret-tres-cache"}),
        httpx.Response(200, json={"access_token": "secret-tres-cache", "token_type": "mac"}),
        httpx.Response(200, json={"access_token": "secret-tres-\ncache"}),
        httpx.Response(200, json={"access_token": ["secret-tres-cache"]}),
        httpx.Response(302, headers={"Location": "https://ailleurs.example.org/"}),
        httpx.Response(403, text="pare-feu"),
    ],
    ids=lambda answer: answer.text[:24] or str(answer.status_code),
)
def test_a_token_answer_of_another_shape_is_drift_and_not_shown(
    world: World, answer: httpx.Response
) -> None:
    world.partner.token_answer = lambda: answer
    with pytest.raises(Drift) as drift:
        world.client().get(f"https://{HOST}/v1/x")
    assert "secret-tres" not in _told(drift.value) + drift.value.raw
    assert world.state().state == "active"


def test_a_token_endpoint_on_another_host_is_not_called(world: World) -> None:
    world.use(ClientCredentialsAuth(token_url="https://autre.example.org/token"))
    with pytest.raises(Rejected, match=r"autre\.example\.org"):
        world.client().get(f"https://{HOST}/v1/x")
    assert world.partner.asked == 0
