"""A webhook is read only when its sender is proven."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from encaisse_api import Delivery, WebhookScheme
from encaisse_api.conformance import sign, signed_headers
from encaisse_api.webhooks import Unverified, verify

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
BODY = b'{"id":"i-1","note":"{t}{body}"}'
HEX = WebhookScheme(header="Acme-Signature")
BASE64 = WebhookScheme(header="X-Sig", encoding="base64", timestamp_field="ts", signature_field="s")


def delivery(value: str, body: bytes = BODY, header: str = "Acme-Signature") -> Delivery:
    return Delivery(headers=(("Host", "example.org"), (header, value)), body=body, received_at=NOW)


def refused(delivered: Delivery, secrets: Sequence[str] = ("s1",), now: datetime = NOW) -> str:
    with pytest.raises(Unverified) as error:
        verify(HEX, secrets, delivered, now)
    return str(error.value)


def test_the_signature_is_the_hmac_of_timestamp_and_body() -> None:
    stamp = str(int(NOW.timestamp()))
    digest = hmac.new(b"s1", stamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    verify(HEX, ["s1"], delivery(f"t={stamp},v1={digest}"), NOW)


def test_base64_signatures_and_other_field_names_are_read() -> None:
    verify(BASE64, ["s1"], delivery(sign(BASE64, "s1", BODY, NOW), header="x-sig"), NOW)


def test_one_of_several_signatures_is_enough() -> None:
    good = sign(HEX, "s1", BODY, NOW)
    verify(HEX, ["s1"], delivery(f"{good},v1={'00' * 32},v0=ignored"), NOW)


@pytest.mark.parametrize("secrets", [("s1", "s2"), ("s2", "s1")])
@pytest.mark.parametrize("used", ["s1", "s2"])
def test_both_secrets_hold_during_rotation(secrets: Sequence[str], used: str) -> None:
    verify(HEX, secrets, delivery(sign(HEX, used, BODY, NOW)), NOW)


@pytest.mark.parametrize("place", range(len(BODY)))
def test_a_flipped_byte_is_refused(place: int) -> None:
    body = BODY[:place] + bytes([BODY[place] ^ 0x20]) + BODY[place + 1 :]
    assert "signature" in refused(delivery(sign(HEX, "s1", BODY, NOW), body))


def test_a_moved_timestamp_is_refused() -> None:
    value = sign(HEX, "s1", BODY, NOW)
    stamp = str(int(NOW.timestamp()))
    assert "signature" in refused(delivery(value.replace(stamp, str(int(stamp) + 1))))


@pytest.mark.parametrize(
    ("away", "good"),
    [(300, True), (-300, True), (301, False), (-301, False)],
)
def test_the_tolerance_holds_on_both_sides(away: int, good: bool) -> None:
    delivered = delivery(sign(HEX, "s1", BODY, NOW))
    if good:
        verify(HEX, ["s1"], delivered, NOW + timedelta(seconds=away))
    else:
        assert "horodatage" in refused(delivered, now=NOW + timedelta(seconds=away))


@pytest.mark.parametrize(
    "stamp", ["", "-1", "+1772416800", " 1772416800", "1_772", "١٧٧", "1e9", "9" * 30]
)
def test_an_unreadable_timestamp_is_refused(stamp: str) -> None:
    assert "horodatage" in refused(delivery(f"t={stamp},v1=00"))


@pytest.mark.parametrize("value", ["", "t=1772416800", "v1=00", "t=1,t=2,v1=00", "garbage"])
def test_an_incomplete_header_is_refused(value: str) -> None:
    assert "en-tête" in refused(delivery(value))


@pytest.mark.parametrize("code", ["", "zz", "00", "é"])
def test_a_signature_of_nonsense_is_refused(code: str) -> None:
    assert "signature" in refused(delivery(f"t={int(NOW.timestamp())},v1={code}"))


def test_a_missing_or_doubled_header_is_refused() -> None:
    value = sign(HEX, "s1", BODY, NOW)
    assert refused(delivery(value, header="Other"))
    twice = Delivery(headers=(("Acme-Signature", value),) * 2, body=BODY, received_at=NOW)
    assert refused(twice)


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_is_accepted(secrets: Sequence[str]) -> None:
    assert "aucun secret" in refused(delivery(sign(HEX, "", BODY, NOW)), secrets)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"signed": "{t}"}, "must hold {body} once"),
        ({"signed": "{body}{t}{body}"}, "must hold {body} once"),
        ({"signed": "{body}"}, "a timestamp nobody signed"),
        ({"signed": "{body}", "timestamp_header": "date"}, "a timestamp nobody signed"),
        ({"timestamp_field": None}, "no timestamp is declared"),
        ({"tolerance": timedelta(0)}, "greater than 0"),
    ],
)
def test_a_scheme_that_signs_too_little_cannot_be_declared(
    said: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        WebhookScheme.model_validate({"header": "Acme-Signature", **said})


ALONE = WebhookScheme(
    header="X-Hub-Signature-256", prefix="sha256=", signed="{body}", timestamp_field=None
)
"""One signature after a prefix, and no timestamp."""


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_may_stand_alone_after_a_prefix(encoding: str) -> None:
    scheme = ALONE.model_copy(update={"encoding": encoding})
    headers = signed_headers(scheme, "s1", BODY, NOW)
    value = headers["X-Hub-Signature-256"]
    digest = hmac.new(b"s1", BODY, hashlib.sha256).digest()
    spelt = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert headers == {"X-Hub-Signature-256": f"sha256={spelt}"}

    def received(value: str, body: bytes = BODY) -> Delivery:
        return Delivery(headers=((scheme.header, value),), body=body, received_at=NOW)

    verify(scheme, ["s1"], received(value), NOW + timedelta(days=9))
    for bad in (
        received(value, BODY + b" "),
        received(spelt),  # the prefix is missing
        received(f"sha1={spelt}"),
        received("sha256="),
        received(""),
    ):
        with pytest.raises(Unverified):
            verify(scheme, ["s1"], bad, NOW)


BESIDE = WebhookScheme(
    header="signature", signed="{body}{t}", timestamp_header="date", timestamp_unit="ms"
)
"""The timestamp travels alone, in milliseconds, and stands behind the body."""


def beside(headers: dict[str, str], now: datetime = NOW, body: bytes = BODY) -> None:
    delivered = Delivery(headers=tuple(headers.items()), body=body, received_at=NOW)
    verify(BESIDE, ["s1"], delivered, now)


def test_a_timestamp_may_have_a_header_of_its_own() -> None:
    stamp = str(int(NOW.timestamp()) * 1000)
    digest = hmac.new(b"s1", BODY + stamp.encode(), hashlib.sha256).hexdigest()
    assert signed_headers(BESIDE, "s1", BODY, NOW) == {"signature": digest, "date": stamp}
    beside({"Signature": digest, "Date": stamp})


def test_a_timestamp_of_its_own_is_signed_and_ages_too() -> None:
    good = signed_headers(BESIDE, "s1", BODY, NOW)
    moved = {**good, "date": str(int(good["date"]) + 1)}
    for headers, now, body in (
        (moved, NOW, BODY),
        ({"signature": good["signature"]}, NOW, BODY),
        ({"date": good["date"]}, NOW, BODY),
        ({**good, "date": "9" * 15}, NOW, BODY),
        (good, NOW + timedelta(seconds=301), BODY),
        (good, NOW - timedelta(seconds=301), BODY),
        (good, NOW, BODY + b" "),
    ):
        with pytest.raises(Unverified):
            beside(headers, now, body)
