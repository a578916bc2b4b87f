"""Verify that a webhook comes from who it says: pure, in constant time, before anything is read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from encaisse_api.manifest import WebhookScheme
from encaisse_api.source import Delivery


class Unverified(Exception):
    """Say in one French sentence why a delivery is refused; never which byte differs."""


def verify(
    scheme: WebhookScheme, secrets: Sequence[str], delivery: Delivery, now: datetime
) -> None:
    """Return when one of the secrets signed this delivery lately; else raise `Unverified`.

    `secrets` holds one secret, or two while the partner rotates them. It raises instead of
    answering False, because a forgotten test of an answer would let everybody in. Every secret is
    tried against every signature, so the time taken does not tell which one came close. `now` is
    aware; a timestamp from the future beyond the tolerance is refused like a stale one, since a
    delivery signed ahead could be replayed for longer.
    """
    live = [secret for secret in secrets if secret]
    if not live:
        raise Unverified("Notification refusée : aucun secret de signature n’est enregistré.")
    stamp, signatures = _fields(scheme, delivery)
    if scheme.timestamped:
        _check_age(scheme, stamp, now)
    signed = _signed(scheme, stamp, delivery.body)
    matches = 0
    for secret in live:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        for signature in signatures:
            matches += hmac.compare_digest(expected, signature)
    if not matches:
        raise Unverified("Notification refusée : la signature ne correspond pas au contenu reçu.")


def _fields(scheme: WebhookScheme, delivery: Delivery) -> tuple[str, list[bytes]]:
    """Take the timestamp ("" where there is none) and the signatures out of the headers."""
    value = _only(delivery, scheme.header)
    if scheme.timestamp_header is not None:
        return _only(delivery, scheme.timestamp_header).strip(), [_decoded(scheme, value.strip())]
    if scheme.timestamp_field is None:
        return "", [_decoded(scheme, value.strip())]
    pairs = [part.strip().partition("=") for part in value.split(",")]
    stamps = [value for name, _, value in pairs if name == scheme.timestamp_field]
    signatures = [value for name, _, value in pairs if name == scheme.signature_field]
    if len(stamps) != 1 or not signatures:
        raise Unverified(f"Notification refusée : l’en-tête {scheme.header} est incomplet.")
    return stamps[0], [_decoded(scheme, signature) for signature in signatures]


def _only(delivery: Delivery, header: str) -> str:
    values = [value for name, value in delivery.headers if name.lower() == header.lower()]
    if len(values) != 1:
        raise Unverified(
            f"Notification refusée : {len(values)} en-tête(s) {header}, un seul est attendu."
        )
    return values[0]


def _decoded(scheme: WebhookScheme, signature: str) -> bytes:
    if not signature.startswith(scheme.prefix):
        return b""
    code = signature.removeprefix(scheme.prefix)
    try:
        if scheme.encoding == "hex":
            return bytes.fromhex(code)
        return base64.b64decode(code, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _check_age(scheme: WebhookScheme, stamp: str, now: datetime) -> None:
    # Digits of ASCII only: int() would also take signs, blanks, underscores, other scripts.
    seconds = scheme.timestamp_unit == "s"
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= (11 if seconds else 14)):
        raise Unverified("Notification refusée : son horodatage est illisible.")
    unit = timedelta(seconds=1) if seconds else timedelta(milliseconds=1)
    sent = datetime(1970, 1, 1, tzinfo=UTC) + unit * int(stamp)
    if abs(now - sent) > scheme.tolerance:
        raise Unverified(
            "Notification refusée : son horodatage s’écarte trop de l’heure du serveur."
        )


def _signed(scheme: WebhookScheme, stamp: str, body: bytes) -> bytes:
    # Both parts are set in at once: a body that happens to hold "{t}" must stay as it is.
    head, _, tail = scheme.signed.partition("{body}")
    return head.replace("{t}", stamp).encode() + body + tail.replace("{t}", stamp).encode()
