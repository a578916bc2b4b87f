"""What a connector declares about itself, as data.

One declaration gives the form, the documentation page, the quota buckets, the allowed hosts and the
exam: nothing about a partner is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from encaisse_api.auth import Auth, HeadersAuth, NoAuth
from encaisse_api.base import Environment, Frozen, Host, Slug
from encaisse_api.names import BLIND, STREAMS, WRITES

Guarantee = Literal["key", "lookup", "none"]


class Setting(Frozen):
    """Declare one thing a person fills in. A `secret` is stored encrypted and never shown.

    A `url` is where a person runs the tool themselves: the host lets the connector call that
    address and what is below it, by `https` and only where it is public, unless the person who
    runs the host says otherwise. It stands in `context.settings`, and no host is declared for it.
    A `pattern` is a regular expression the whole value must match, without regard to case: what
    can only be wrong is refused when it is typed, not on a night.
    """

    name: Slug
    label_fr: str
    label_en: str
    secret: bool = False
    required: bool = True
    kind: Literal["text", "path", "url", "siren"] = "text"
    pattern: str = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"`pattern` is no regular expression: {error}") from error
        return pattern

    def accepts(self, value: str) -> bool:
        """Tell whether a value has the form declared; one without a pattern takes anything."""
        return not self.pattern or re.fullmatch(self.pattern, value.strip(), re.I) is not None


class Quota(Frozen):
    """Limit calls: at most `limit` per `period`, counted per `scope`.

    `calendar_day` counts from midnight in Paris instead of a sliding window. `reserve` are calls of
    a calendar day that pulls leave alone, so that a long list never costs a night its stops,
    write-backs and last looks.
    """

    scope: Literal["partner", "grant", "account", "route"]
    limit: Annotated[int, Field(gt=0)]
    period: Annotated[timedelta, Field(gt=timedelta(0))]
    calendar_day: bool = False
    route: str | None = None
    reserve: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _leaves_something(self) -> Quota:
        if self.reserve and not (self.calendar_day and self.reserve < self.limit):
            raise ValueError("`reserve` is for a calendar day, and below its limit")
        return self


class Stream(Frozen):
    """Say how a stream tells change: everything each time, or only what changed.

    `follows_money` is False where records are documents as issued: their open amount is that of
    the day of issue, so that a payment never shows there and silence says nothing.

    `resumes` is for a snapshot too long for one night of a partner's quota: its pages carry a
    cursor, and a pass that was cut short goes on from the last one. The host remembers what the
    pass showed so far, and works out what vanished when it is whole.
    """

    mode: Literal["snapshot", "changes"]
    follows_money: bool = True
    resumes: bool = False

    @model_validator(mode="after")
    def _resumes_what_ends(self) -> Stream:
        if self.resumes and self.mode != "snapshot":
            raise ValueError("`resumes` is for a snapshot: changes always go on from their cursor")
        return self


class Write(Frozen):
    """Declare what protects one write from landing twice; the exam proves it.

    `visible_after`: how long the partner may take until a look-up sees a write.
    """

    guarantee: Guarantee
    visible_after: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(0)


class WebhookScheme(Frozen):
    """Describe how deliveries are signed, so that the host verifies them.

    `signed` builds the signed bytes from `{body}` and, where there is a timestamp, `{t}` as it was
    sent. Where it stands:

    - by default `header` holds comma-separated `name=value` pairs: the timestamp under
      `timestamp_field`, signatures under `signature_field`;
    - with `timestamp_header`, the timestamp travels there alone and `header` is one signature;
    - with `timestamp_field=None` and no header there is none: `header` is one signature, and a
      delivery can be played again, which is harmless since a hint is only a reason to pull.

    A signature stands after `prefix` (such as `sha256=`). `timestamp_unit` says how the timestamp
    counts since 1970. `setting` names the secret.
    """

    header: str
    algorithm: Literal["hmac-sha256"] = "hmac-sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    signed: str = "{t}.{body}"
    timestamp_field: str | None = "t"
    signature_field: str = "v1"
    timestamp_header: str | None = None
    timestamp_unit: Literal["s", "ms"] = "s"
    tolerance: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=5)
    setting: Slug = "webhook_secret"

    @property
    def timestamped(self) -> bool:
        """Tell whether deliveries carry a timestamp."""
        return self.timestamp_header is not None or self.timestamp_field is not None

    @model_validator(mode="after")
    def _signs_what_counts(self) -> WebhookScheme:
        if self.signed.count("{body}") != 1:
            raise ValueError(f"`signed` is {self.signed!r}: it must hold {{body}} once")
        if self.timestamped and "{t}" not in self.signed:
            raise ValueError(
                f"`signed` is {self.signed!r} without {{t}}: a timestamp nobody signed can be "
                "changed; sign it, or say `timestamp_field=None`"
            )
        if not self.timestamped and "{t}" in self.signed:
            raise ValueError(f"`signed` is {self.signed!r}, and no timestamp is declared")
        return self


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
    rests on, and there is no live host before the vendor has confirmed it. `writes` is keyed by the
    role method that writes, `streams` by what is pulled. `unsigned` says that the partner's
    webhooks carry no signature: the host then keeps their address secret.
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
    unsigned: bool = False
    recipient: Recipient | None = None
    sends: tuple[str, ...] = ()

    def hosts(self, environment: Environment) -> tuple[str, ...]:
        """Give the hosts of one environment, in declared order."""
        return self.test_hosts if environment == "test" else self.live_hosts

    @property
    def local(self) -> bool:
        """Tell whether the connector speaks to no host at all."""
        hosted = self.test_hosts or self.live_hosts
        return not hosted and not any(setting.kind == "url" for setting in self.settings)

    @model_validator(mode="after")
    def _holds_together(self) -> Manifest:
        if bool(self.sends) != (self.recipient is not None):
            raise ValueError(f"{self.slug}: `sends` and `recipient` go together")
        if self.contract == "assumed" and self.live_hosts:
            raise ValueError(f"{self.slug}: an assumed contract has no live host")
        if self.unsigned and self.webhook is not None:
            raise ValueError(
                f"{self.slug}: `webhook` says how deliveries are signed, `unsigned` no"
            )
        _known(self.slug, "stream", self.streams, STREAMS)
        _known(self.slug, "write", self.writes, (*WRITES, BLIND))
        for name, write in self.writes.items():
            if (write.guarantee == "none") != (name == BLIND):
                raise ValueError(f"{self.slug}: the guarantee `none` is for {BLIND} alone: {name}")
        self._check_settings()
        if isinstance(self.auth, HeadersAuth):
            _known(self.slug, "host", self.auth.hosts, (*self.test_hosts, *self.live_hosts))
        return self

    def _check_settings(self) -> None:
        names = [setting.name for setting in self.settings]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.slug}: the setting {', '.join(twice)} is declared twice")
        secret = {setting.name for setting in self.settings if setting.secret}
        wanted = [*self.auth.secrets(), *([self.webhook.setting] if self.webhook else [])]
        if open_ := sorted({name for name in wanted if name not in secret}):
            raise ValueError(
                f"{self.slug}: {', '.join(open_)} must stand in `settings` with `secret=True`"
            )


def _known(slug: str, what: str, given: Iterable[str], known: Iterable[str]) -> None:
    if strange := sorted(set(given) - set(known)):
        raise ValueError(
            f"{slug}: no {what} is called {', '.join(strange)}; known: {', '.join(known)}"
        )
