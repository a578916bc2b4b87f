"""What a connector declares about itself, as data.

One declaration gives the form, the documentation page, the quota buckets, the allowed hosts and the
exam: nothing about a partner is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from encaisse_api.base import Frozen

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$")]
Guarantee = Literal["key", "lookup", "none"]


class Setting(Frozen):
    """Declare one thing a person fills in. A `secret` is stored encrypted and never shown."""

    name: Slug
    label_fr: str
    label_en: str
    secret: bool = False
    required: bool = True
    kind: Literal["text", "path", "url", "siren"] = "text"


class NoAuth(Frozen):
    """Say that the connector needs no network access."""

    scheme: Literal["none"] = "none"


class BearerAuth(Frozen):
    """Send a fixed token; `setting` names the secret that holds it."""

    scheme: Literal["bearer"] = "bearer"
    setting: Slug = "token"


class HeaderAuth(Frozen):
    """Send a key in a header of the vendor's own."""

    scheme: Literal["header"] = "header"
    header: str
    setting: Slug = "api_key"


class SecretHeader(Frozen):
    """Name one header, and the secret setting that stands in it after `prefix`."""

    header: str
    setting: Slug
    prefix: str = ""


class HeadersAuth(Frozen):
    """Send several secrets, each in a header of its own: one of the partner, one of the customer.

    `hosts` narrows where they go, for a vendor that keeps files on a host which must not be told
    them; empty means every host of the manifest.
    """

    scheme: Literal["headers"] = "headers"
    headers: Annotated[tuple[SecretHeader, ...], Field(min_length=1)]
    hosts: tuple[Host, ...] = ()


class ClientCredentialsAuth(Frozen):
    """Get tokens by OAuth2 client credentials (RFC 6749 §4.4); the host does it all."""

    scheme: Literal["client_credentials"] = "client_credentials"
    token_url: str
    scope: str = ""


class CodeAuth(Frozen):
    """Get tokens by authorization code with PKCE and rotated refresh tokens."""

    scheme: Literal["code"] = "code"
    authorize_url: str
    token_url: str
    scope: str = ""


Auth = Annotated[
    NoAuth | BearerAuth | HeaderAuth | HeadersAuth | ClientCredentialsAuth | CodeAuth,
    Field(discriminator="scheme"),
]


class Quota(Frozen):
    """Limit calls: at most `limit` per `period`, counted per `scope`.

    `calendar_day` counts from midnight in Paris instead of a sliding window.
    """

    scope: Literal["partner", "grant", "account", "route"]
    limit: Annotated[int, Field(gt=0)]
    period: timedelta
    calendar_day: bool = False
    route: str | None = None


class Stream(Frozen):
    """Say how a stream tells change: everything each time, or only what changed.

    `follows_money` is False where records are documents as issued: their open amount is that of
    the day of issue, so that a payment never shows there and silence says nothing.
    """

    mode: Literal["snapshot", "changes"]
    follows_money: bool = True


class Write(Frozen):
    """Declare what protects one write from landing twice; the exam proves it.

    `visible_after`: how long the partner may take until a look-up sees a write.
    """

    guarantee: Guarantee
    visible_after: timedelta = timedelta(0)


class WebhookScheme(Frozen):
    """Describe how deliveries are signed, so that the host verifies them.

    `signed` builds the signed bytes from `{t}` (the timestamp as sent) and `{body}`. `header` holds
    comma-separated `name=value` pairs: the timestamp under `timestamp_field`, signatures under
    `signature_field`. Where the timestamp travels alone in `timestamp_header`, `header` holds
    nothing but one signature and the fields are not used. `timestamp_unit` says how the timestamp
    counts since 1970.
    """

    header: str
    algorithm: Literal["hmac-sha256"] = "hmac-sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signed: str = "{t}.{body}"
    timestamp_field: str = "t"
    signature_field: str = "v1"
    timestamp_header: str | None = None
    timestamp_unit: Literal["s", "ms"] = "s"
    tolerance: timedelta = timedelta(minutes=5)
    setting: Slug = "webhook_secret"


class Recipient(Frozen):
    """Say who receives personal data, and on what ground (GDPR articles 13, 28, 30)."""

    role: Literal["processor", "controller"]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    purpose: str
    retention: str
    agreement: str


class Manifest(Frozen):
    """Describe a connector.

    `pages` cite the vendor's documentation; with `contract="assumed"` they say what the assumption
    rests on. `writes` is keyed by the role method that writes.
    """

    slug: Slug
    name: str
    summary_fr: str
    contract: Literal["documented", "assumed"]
    pages: tuple[str, ...] = ()
    test_hosts: tuple[Host, ...] = ()
    live_hosts: tuple[Host, ...] = ()
    auth: Auth = NoAuth()
    settings: tuple[Setting, ...] = ()
    quotas: tuple[Quota, ...] = ()
    streams: Mapping[str, Stream] = Field(default_factory=dict[str, Stream])
    writes: Mapping[str, Write] = Field(default_factory=dict[str, Write])
    webhook: WebhookScheme | None = None
    recipient: Recipient | None = None
    sends: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_who_receives(self) -> Manifest:
        if bool(self.sends) != (self.recipient is not None):
            raise ValueError(f"{self.slug}: `sends` and `recipient` go together")
        return self
