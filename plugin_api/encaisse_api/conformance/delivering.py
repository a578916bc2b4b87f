"""Check the webhooks: signatures by the host's own verification, hints by the connector."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from encaisse_api.conformance.cassette import RecordedDelivery, WebhookFile
from encaisse_api.conformance.exam import Exam, read_model
from encaisse_api.conformance.seat import NotApplicable, fail
from encaisse_api.manifest import WebhookScheme
from encaisse_api.roles import ReceivesWebhooks, roles_of
from encaisse_api.source import Delivery, Hint
from encaisse_api.webhooks import Unverified, verify


@dataclass(frozen=True, slots=True)
class Vector:
    """Hold one recorded delivery, ready to be verified."""

    recorded: RecordedDelivery
    delivery: Delivery
    secrets: tuple[str, ...]

    @property
    def now(self) -> datetime:
        """Give the instant it was received."""
        return self.delivery.received_at


def vectors(exam: Exam) -> Iterator[Vector]:
    """Read `webhook.json`."""
    if ReceivesWebhooks.__name__ not in roles_of(exam.connector):
        raise NotApplicable("the connector receives no webhook")
    path = exam.cassettes / "webhook.json"
    if not path.is_file():
        raise NotApplicable("webhook.json is missing, which fails an exam of its own")
    read = read_model(WebhookFile, path)
    if not read.deliveries:
        fail("webhook.json holds no delivery")
    for recorded in read.deliveries:
        delivery = Delivery(
            headers=tuple(recorded.headers.items()),
            body=recorded.body.encode(),
            received_at=datetime.fromisoformat(recorded.received_at),
        )
        yield Vector(recorded, delivery, read.secrets)


def _signed(exam: Exam) -> Iterator[tuple[WebhookScheme, Vector]]:
    found = list(vectors(exam))
    scheme = exam.manifest.webhook
    if scheme is None:
        raise NotApplicable("the partner signs nothing: the host keeps the address secret")
    for vector in found:
        yield scheme, vector


def check_hints(exam: Exam) -> None:
    """Require hints that name a declared stream, those of `webhook.json` where it lists them."""
    for vector in vectors(exam):
        with exam.seat(()) as seat:
            outcome = seat.call("read_webhook", {"delivery": vector.delivery})
            if seat.replay.sent:
                fail("read_webhook() makes a request: a hint is read from the delivery alone")
        hints = cast("Sequence[object]", outcome.value)
        if outcome.error or not hints:
            fail(f"read_webhook() of a recorded delivery {outcome}; hints were due")
        for hint in hints:
            if not isinstance(hint, Hint) or hint.stream not in exam.manifest.streams:
                fail(f"read_webhook() gives {hint!r}, which names no stream of the manifest")
        if vector.recorded.hints is not None and tuple(hints) != vector.recorded.hints:
            fail(f"read_webhook() gives {hints!r}, recorded were {vector.recorded.hints!r}")


def check_nonsense_gives_no_hint(exam: Exam) -> None:
    """Require an error or no hint from a verified body that is not what the partner documents."""
    for vector in vectors(exam):
        for body in (b"", b"[]", b"not json"):
            delivery = vector.delivery.model_copy(update={"body": body})
            with exam.seat(()) as seat:
                outcome = seat.call("read_webhook", {"delivery": delivery})
            if outcome.value:
                fail(f"read_webhook() makes {outcome.value!r} of {body!r}")


def check_signature_is_accepted(exam: Exam) -> None:
    """Require the manifest's scheme to accept what the partner signed."""
    for scheme, vector in _signed(exam):
        try:
            verify(scheme, vector.secrets, vector.delivery, vector.now)
        except Unverified as refused:
            fail(f"a recorded delivery is refused by the manifest's own scheme: {refused}")


def check_a_flipped_byte_is_refused(exam: Exam) -> None:
    """Require that one altered bit, anywhere in the body, is noticed."""
    for scheme, vector in _signed(exam):
        body = vector.delivery.body
        for place in range(len(body)):
            altered = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            _must_refuse(scheme, vector, altered, vector.now, f"byte {place} flipped")


def check_a_stale_timestamp_is_refused(exam: Exam) -> None:
    """Require that an old delivery played again is refused, and one from the future."""
    for scheme, vector in _timestamped(exam):
        beyond = scheme.tolerance + timedelta(minutes=1)
        for now in (vector.now + beyond, vector.now - beyond):
            _must_refuse(scheme, vector, vector.delivery.body, now, f"received at {now}")


def check_a_moved_timestamp_is_refused(exam: Exam) -> None:
    """Require that the timestamp is signed too: moved within the tolerance, it is noticed."""
    for scheme, vector in _timestamped(exam):
        for step in (-1, 1):
            headers = tuple(
                (name, _moved(scheme, name, value, step)) for name, value in vector.delivery.headers
            )
            if headers == vector.delivery.headers:
                fail("webhook.json: a delivery without the timestamp the manifest declares")
            moved = replace(
                vector, delivery=vector.delivery.model_copy(update={"headers": headers})
            )
            _must_refuse(scheme, moved, vector.delivery.body, vector.now, "its timestamp was moved")


def _timestamped(exam: Exam) -> Iterator[tuple[WebhookScheme, Vector]]:
    for scheme, vector in _signed(exam):
        if not scheme.timestamped:
            raise NotApplicable("the partner sends no timestamp: a delivery can be played again")
        yield scheme, vector


def _moved(scheme: WebhookScheme, name: str, value: str, step: int) -> str:
    """Move the timestamp in a header by one of its units."""
    if name.lower() == (scheme.timestamp_header or "").lower() and value.strip().isdecimal():
        return str(int(value) + step)
    if scheme.timestamp_header is not None or name.lower() != scheme.header.lower():
        return value
    mark = re.compile(rf"(?<![\w-])({re.escape(str(scheme.timestamp_field))}=)([0-9]+)")
    return mark.sub(lambda found: f"{found[1]}{int(found[2]) + step}", value)


def check_two_secrets_during_rotation(exam: Exam) -> None:
    """Require that either of two secrets is accepted, in any order, and a third is not."""
    for scheme, vector in _signed(exam):
        if not vector.secrets:
            fail("webhook.json gives no secret: invent one and sign the deliveries with it")
        fresh = "rotated-" + hashlib.sha256(vector.secrets[0].encode()).hexdigest()
        for secrets in ((fresh, *vector.secrets), (*vector.secrets, fresh)):
            try:
                verify(scheme, secrets, vector.delivery, vector.now)
            except Unverified as refused:
                fail(f"refused while secrets rotate: {refused}")
        _must_refuse(scheme, vector, vector.delivery.body, vector.now, "a strange secret", (fresh,))
        renewed = signed_headers(scheme, fresh, vector.delivery.body, vector.now)
        delivery = vector.delivery.model_copy(update={"headers": tuple(renewed.items())})
        verify(scheme, (*vector.secrets, fresh), delivery, vector.now)


def _must_refuse(
    scheme: WebhookScheme,
    vector: Vector,
    body: bytes,
    now: datetime,
    what: str,
    secrets: tuple[str, ...] | None = None,
) -> None:
    delivery = vector.delivery.model_copy(update={"body": body})
    try:
        verify(scheme, vector.secrets if secrets is None else secrets, delivery, now)
    except Unverified:
        return
    fail(f"accepted although {what}")


def sign(scheme: WebhookScheme, secret: str, body: bytes, at: datetime) -> str:
    """Give the header of a signed body as the partner sends it; for recordings and simulators."""
    return signed_headers(scheme, secret, body, at)[scheme.header]


def signed_headers(scheme: WebhookScheme, secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """Give every header a partner signs a body with, the timestamp's own included."""
    if not scheme.timestamped:
        return {scheme.header: _code(scheme, secret, body, "")}
    unit = timedelta(seconds=1) if scheme.timestamp_unit == "s" else timedelta(milliseconds=1)
    stamp = str((at - datetime(1970, 1, 1, tzinfo=UTC)) // unit)
    code = _code(scheme, secret, body, stamp)
    if scheme.timestamp_header is not None:
        return {scheme.header: code, scheme.timestamp_header: stamp}
    return {scheme.header: f"{scheme.timestamp_field}={stamp},{scheme.signature_field}={code}"}


def _code(scheme: WebhookScheme, secret: str, body: bytes, stamp: str) -> str:
    head, _, tail = scheme.signed.partition("{body}")
    message = head.replace("{t}", stamp).encode() + body + tail.replace("{t}", stamp).encode()
    digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return scheme.prefix + (
        digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
    )
